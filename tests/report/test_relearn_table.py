"""Tables of what comes back when models are trained on half of the forget set again."""

from __future__ import annotations

from tables_of_text import run, tables

from mmulbench.report import leaderboard

SUMMARY = "<summary>Trained again on half of what was deleted</summary>"


def relearned(record, method, seed, lead, path="matching"):
    """A record with curves of three points; the halves differ, and so does retrain."""
    values = {"test": 0.5, f"relearn/{path}": {"value": lead, "retrain": 0.0}}
    for half, start in (("shown", 0.6), ("held_out", 0.5)):
        for step, gain in ((0, 0.0), (8, 0.2), (32, 0.3)):
            own = {"value": start + gain + lead, "retrain": start + gain}
            values[f"relearn/{path}/{half}_{step}"] = own
    return record(method, seed, values)


def test_a_row_shows_its_lead_and_both_ends_of_its_curves_beside_retrain(record):
    records = [relearned(record, "mmul", 42, 0.06), relearned(record, "mmul", 87, 0.02)]
    text = leaderboard.render([*records, *run(record, "finetune", test=0.7)], [])
    *_, table = tables(text.partition(SUMMARY)[2].strip())
    assert list(table) == ["mmul"], "finetune's records hold none"
    assert table["mmul"] == {
        "Method": "mmul",
        "Lead over retrain →0": "0.040 ± 0.028",
        "half trained on, 0 steps": "0.640 (0.600)",
        "half trained on, 32 steps": "0.940 (0.900)",
        "held-out half, 0 steps": "0.540 (0.500)",
        "held-out half, 32 steps": "0.840 (0.800)",
        "Seeds": "2/2",
    }


def test_each_path_has_a_table_and_a_seed_without_it_shows(record):
    on_paths = [
        relearned(record, "mmul", 42, 0.1, "contrastive"),
        relearned(record, "scrub", 42, 0.2, "matching"),
        *run(record, "mmul", test=0.7, seeds=(87,)),
    ]
    text = leaderboard.render(on_paths, []).partition(SUMMARY)[2].strip()
    first, second = tables(text)
    assert text.index("On the contrastive path:") < text.index("On the matching path:")
    assert list(first) == ["mmul"] and list(second) == ["scrub"]
    assert first["mmul"]["Lead over retrain →0"] == "0.100"
    assert first["mmul"]["Seeds"] == "1/2"


def test_without_it_there_is_no_section(record):
    assert SUMMARY not in leaderboard.render(run(record, "mmul", test=0.7), [])
