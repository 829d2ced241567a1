from __future__ import annotations

import random
import re
from typing import Any

import pytest

from mmulbench.errors import UsageError
from mmulbench.records.schema import Tuning
from mmulbench.records.store import Unreadable
from mmulbench.report import leaderboard
from mmulbench.report.aggregate import group_records


def tables(text):
    """Every table as {row label: {column title without arrow: cell}}, in order."""
    found = []
    for block in text.split("\n\n"):
        lines = block.splitlines()
        if not lines[0].startswith("| Method"):
            continue
        header, _, *body = [re.split(r"(?<!\\) \| ", line.strip("| ")) for line in lines]
        titles = [re.sub(r" (↑|↓|→retrain)$", "", title) for title in header]
        found.append({cells[0]: dict(zip(titles, cells, strict=True)) for cells in body})
    return found


def only_table(text):
    (table,) = tables(text)
    return table


def run(record, method, test, mia=0.5, retrain_mia=0.5, seeds=(42, 87), **fields):
    """One record per seed; `test` and `mia` are one number, or one per seed."""
    per_seed = [x if isinstance(x, tuple) else (x,) * len(seeds) for x in (test, mia, retrain_mia)]
    return [
        record(method, seed, {"test": t, "mia": {"value": m, "retrain": r}}, **fields)
        for seed, t, m, r in zip(seeds, *per_seed, strict=True)
    ]


def test_cells_are_mean_and_sample_sd_over_seeds_and_single_seeds_have_no_sd(record):
    both = run(record, "mmul", test=(0.5, 0.6))
    cells = only_table(leaderboard.render(both, []))["mmul"]
    assert cells["Test utility"] == "**0.550 ± 0.071**"
    assert cells["Seconds"] == "10.0 ± 0.0"
    assert cells["× retrain"] == "0.040 ± 0.000"
    assert cells["Seeds"] == "2/2"
    assert only_table(leaderboard.render(both[:1], []))["mmul"]["Test utility"] == "**0.500**"


def test_retrain_then_original_come_first_and_never_win(record):
    records = [
        *run(record, "aaa", test=0.5),
        *run(record, "retrain", test=0.9),
        *run(record, "original", test=0.8),
        *run(record, "zzz", test=0.6),
    ]
    table = only_table(leaderboard.render(records, []))
    assert list(table) == ["retrain", "original", "aaa", "zzz"]
    assert [row for row in table if "**" in table[row]["Test utility"]] == ["zzz"]


def test_closest_to_retrain_pairs_by_seed(record):
    # Its mean (.6) equals the mean of retrain's two seeds, but every seed is .1 away from its own retrain.
    crossed = run(record, "crossed", test=0.5, mia=(0.7, 0.5), retrain_mia=(0.6, 0.6))
    near = run(record, "near", test=0.5, mia=(0.65, 0.65), retrain_mia=(0.6, 0.6))
    table = only_table(leaderboard.render(crossed + near, []))
    assert table["crossed"]["MIA accuracy"] == "0.600 ± 0.141 (Δ 0.100)"
    assert table["near"]["MIA accuracy"] == "**0.650 ± 0.000** (Δ 0.050)"


def test_lower_is_better_and_what_shows_the_same_ties(record):
    gaps = {"a": 0.2, "b": 0.1001, "c": 0.1002}
    table = only_table(
        leaderboard.render([record(m, values={"retrain_gap": gap}) for m, gap in gaps.items()], [])
    )
    assert [row for row in table if "**" in table[row]["Gap to retrain"]] == ["b", "c"]


def test_an_incomplete_row_shows_its_numbers_but_does_not_win(record):
    records = [
        *run(record, "whole", test=0.5, seeds=(21, 42, 87)),
        *run(record, "part", test=0.9, seeds=(42, 87)),
    ]
    table = only_table(leaderboard.render(records, []))
    assert table["part"]["Test utility"] == "0.900 ± 0.000"
    assert table["part"]["Seeds"] == "2/3 seeds: 21 missing"
    assert table["whole"]["Test utility"].startswith("**")


def test_diverged_not_applicable_failed_and_missing_are_shown_as_such(record):
    reason = "loss became NaN | step 7"
    records = [
        *run(record, "sometimes", test=0.5, seeds=(42, 87)),
        record("sometimes", 21, status="diverged", reason=reason, seconds=None),
        record("never", 21, status="failed", reason="out of memory", seconds=None),
        record("erm_ktp", 21, status="not_applicable", reason="no class to delete", seconds=None),
    ]
    text = leaderboard.render(records, [], expected_methods=["absent", "never"])
    table = only_table(text)
    assert table["sometimes"]["Seeds"] == "2/3 seeds: diverged 1/3 (21)"
    assert table["never"]["Test utility"] == "failed"
    assert table["never"]["Seeds"] == "0/3 seeds: 42, 87 missing; failed 1/3 (21)"
    assert set(table["erm_ktp"].values()) == {"erm_ktp", "N/A"}
    assert "absent" not in table
    assert "\nMissing, without a record here: `absent`.\n" in text
    assert "diverged: loss became NaN \\| step 7 (seed 21)" in text
    assert "not applicable: no class to delete (seed 21)" in text


def test_says_which_settings_are_tuned_where_and_with_how_many_trials(record):
    def tuned(task: str, trials: int = 12, found: bool = True) -> Tuning:
        study: dict[str, Any] = {
            "study_id": "0" * 12,
            "backbone": "albef:packaged",
            "forget_size": 70,
            "budget": 0.5,
        }
        return Tuning(task=task, trials=trials, found=found, **study)

    records = [
        *run(record, "retrain", test=0.5),
        *run(record, "here", test=0.5, tuning=tuned("emoji")),
        *run(record, "elsewhere", test=0.5, tuning=tuned("flags")),
        *run(record, "untuned", test=0.5),
        *run(record, "in_vain", test=0.5, tuning=tuned("emoji", found=False)),
        *run(record, "mixed", test=0.5, seeds=(42,), tuning=tuned("emoji")),
        *run(record, "mixed", test=0.5, seeds=(87,), tuning=tuned("emoji", 20)),
    ]
    table = only_table(leaderboard.render(records, []))
    assert {name: row["Tuned"] for name, row in table.items()} == {
        "retrain": "",
        "here": "12 trials",
        "elsewhere": "12 trials on flags",
        "untuned": "no",
        "in_vain": "no, 12 trials over budget or not done",
        "mixed": "differs by seed",
    }


def test_variants_beside_a_tuned_row_do_not_compete(record):
    study = Tuning(
        study_id="s" * 12, task="emoji", backbone="albef:packaged", forget_size=70, trials=10, budget=1
    )
    records = [
        *run(record, "mmul", test=0.5, tuning=study, config={"alpha": 0.5}),
        *run(record, "mmul", test=0.9, config={"alpha": 0.0}),
        *run(record, "scrub", test=0.6, config={"lr": 1.0}),
        *run(record, "npo", test=0.7, tuning=study),
    ]
    table = only_table(leaderboard.render(records, []))
    assert [row for row in table if "**" in table[row]["Test utility"]] == ["npo"]
    # Without a study each is a try like another.
    records = [*run(record, "mmul", test=0.5, config={"alpha": 0.5}), *records[2:]]
    table = only_table(leaderboard.render(records, []))
    assert [row for row in table if "**" in table[row]["Test utility"]] == ["mmul (alpha=0.0)"]


def judged(record, method, seed, u_lira, shadows=15, klom=2.0, chance=1.5, **fields):
    """A record with shadow models."""
    beside = {"retrain": 0.5, "original": 0.9, "chance": 0.5}
    values = {
        "test": 0.5,
        **{name: {"value": u_lira, **beside} for name in ("u_lira", "lira", "rmia")},
        "klom": {"value": klom, "retrain": 0.0, "original": 9.0, "chance": chance},
    }
    return record(method, seed, values, shadows=shadows, **fields)


def test_what_rests_on_shadow_models_has_a_table_for_each_number_of_them(record):
    records = [
        judged(record, "retrain", 42, 0.5, klom=0.0),
        judged(record, "mmul", 42, 0.8),
        judged(record, "mmul", 87, 0.9, klom=3.0, chance=2.5),
        judged(record, "scrub", 42, 0.6),
        judged(record, "scrub", 87, 0.3),
        judged(record, "npo", 42, 0.55, shadows=3),
        *run(record, "finetune", test=0.7),
    ]
    text = leaderboard.render(records, [])
    whole, few, many = tables(text)
    assert list(whole) == ["retrain", "finetune", "mmul", "npo", "scrub"]
    assert "U-LiRA AUC" not in whole["mmul"]
    assert text.count("\n#### Judged by ") == 2
    assert text.index("#### Judged by 3 shadow models") < text.index("#### Judged by 15 shadow models")
    assert list(few) == ["npo"]
    assert list(many) == ["retrain", "mmul", "scrub"]
    assert many["mmul"]["U-LiRA AUC"] == "0.850 ± 0.071 (Δ 0.350)"
    assert many["scrub"]["U-LiRA AUC"] == "**0.450 ± 0.212** (Δ 0.150)"
    assert many["mmul"]["KLOM"] == "2.500 ± 0.707 (chance 2.000)"
    assert many["retrain"]["Seeds"] == "1/2 seeds: 87 missing"
    assert tables(leaderboard.render(records, [], ["u_lira"]))[0]["npo"]["U-LiRA AUC"] == "0.550 (Δ 0.050)"


def test_a_value_that_could_not_be_computed_is_missing(record):
    records = [record(seed=42, values={"test": None, "mia": 0.5}), record(seed=87, values={"test": 0.5})]
    table = only_table(leaderboard.render(records, []))
    assert table["mmul"]["Test utility"] == "0.500 (1/2 runs)"
    assert table["mmul"]["Retain utility"] == "missing"


@pytest.mark.parametrize(
    "field",
    [
        {"metric_version": "0"},
        {"data_fingerprint": "e" * 64},
        {"recipe": {"epochs": 6, "lr": 0.001}},
        {"task_config": {"images": 100}},
        {"forget_size": 71},
        {"backbone": "blip:tiny"},
        {"task": "flickr30k"},
    ],
)
def test_what_cannot_be_compared_is_in_two_tables(record, field):
    records = [record(values={"test": 0.5}), record("scrub", values={"test": 0.5})]
    assert len(tables(leaderboard.render(records, []))) == 1
    two = [*records, record(values={"test": 0.6}, **field)]
    assert [len(table) for table in tables(leaderboard.render(two, []))] in ([2, 1], [1, 2])


def test_two_configurations_are_two_rows_named_by_what_differs(record):
    configs = [{"lr": 0.001, "epochs": 5}, {"lr": 0.01, "epochs": 5}]
    records = [record(config=config, values={"test": 0.5}) for config in configs]
    assert list(only_table(leaderboard.render(records, []))) == ["mmul (lr=0.001)", "mmul (lr=0.01)"]


def test_commands_differing_in_their_seed_alone_are_merged(record):
    records = run(record, "mmul", test=0.5, seeds=(87, 21))
    other = record(seed=42, command="mmulbench run --task emoji --seed=42 --method mmul --device cpu")
    assert leaderboard.reproduce([*records, other]) == [
        "mmulbench run --task emoji --method mmul --seed 21 --seed 87",
        "mmulbench run --task emoji --seed 42 --method mmul --device cpu",
    ]
    assert leaderboard.reproduce(records)[0] in leaderboard.render(records, [])


def test_every_record_is_linked_and_unreadable_files_are_listed(record, tmp_path):
    one = record(values={"test": 0.5})
    text = leaderboard.render([one], [Unreadable(tmp_path / "x.json", "not valid JSON: <end>")])
    assert f"[42](results/emoji/albef-packaged/mmul/70-42-{one.run_id}.json)" in text
    assert f"- `{tmp_path / 'x.json'}`: not valid JSON: &lt;end>" in text


def test_order_of_records_does_not_matter_and_copies_count_once(record):
    records = [r for m in ("b", "a", "retrain") for r in run(record, m, test=(0.5, 0.6))]
    text = leaderboard.render(records, [])
    shuffled = [*records, records[0]]
    random.Random(1).shuffle(shuffled)
    assert leaderboard.render(shuffled, []) == text
    assert group_records(shuffled) == group_records(records)


def test_metrics_choose_columns_and_an_unknown_one_is_refused(record):
    table = only_table(leaderboard.render(run(record, "mmul", test=0.5), [], metrics=["mia", "test"]))
    assert list(table["mmul"]) == [
        "Method",
        "MIA accuracy",
        "Test utility",
        "Seconds",
        "× retrain",
        "Tuned",
        "Seeds",
    ]
    with pytest.raises(UsageError, match="unknown metric 'retrain_gp'; did you mean retrain_gap"):
        leaderboard.render([], [], metrics=["retrain_gp"])


def test_check_compares_content(record, tmp_path):
    path, text = tmp_path / "leaderboard.md", leaderboard.render([], [])
    assert "No runs yet" in text
    assert not leaderboard.check(path, text)
    path.write_text(text)
    assert leaderboard.check(path, text)
    assert not leaderboard.check(path, leaderboard.render(run(record, "mmul", test=0.5), []))
