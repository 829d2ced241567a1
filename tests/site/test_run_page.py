from __future__ import annotations

from dataclasses import replace

import pytest
from audited import DIGEST, NONE, Page, beside_validation, without_retrain
from forged import forged

from mmulbench.audit.examples import Chosen, Example, Examples, PathScore, Ranked, Ranking
from mmulbench.report.floor import Floor
from mmulbench.report.verdict import verdict
from mmulbench.site.run_page import Place, run_page, specification, value_rows

PLACE = Place("mmul", "t1", "emoji, albef:packaged")
HOSTILE = "<img src=x onerror=alert(1)>\x1b[2J"


def page_of(record, examples=NONE, place=PLACE):
    return Page(run_page(record, Floor(), place, DIGEST, examples))


def test_it_says_what_the_run_was_and_came_to():
    record = forged({})
    page = page_of(record)
    assert verdict(record, Floor()).replace("`", "") in page.text
    assert record.spec.data_fingerprint in page.text and record.run_id in page.text
    assert "mmulbench run --method mmul --task emoji" in page.text
    assert DIGEST in page.text and record.environment.python in page.text
    assert [one["href"] for one in page.all("a")] == ["../index.html#t1"]
    for name, value in record.spec.config.items():
        assert any(row[0] == name for row in page.rows), value


def test_values_of_each_path_stand_beside_retrain_and_original():
    record = forged({})
    rows = {row[0]: row for row in page_of(record).rows if row}
    for path in ("contrastive", "matching"):
        value = record.values[f"mia/{path}"]
        numbers = (value.value, value.retrain, value.original)
        assert [rows[path][place] for place in (1, 3, 4)] == [f"{number:.3f}" for number in numbers]
    found = {row.name: row for row in value_rows(record)}
    assert found.keys() == record.values.keys()
    assert found["test"].retrain == f"{record.values['test'].retrain:.3f}"


def test_the_command_follows_from_the_specification_alone():
    page = page_of(forged({"command": "mmulbench run; rm -r /"}))
    assert "rm -r" not in page.text


def test_a_run_without_numbers_says_why():
    bare = {"status": "diverged", "reason": "loss: nan", "values": {}, "cost": None, "histograms": {}}
    page = page_of(forged(bare))
    assert "Diverged: loss: nan" in page.text and "The record holds no attack." in page.text
    assert "All 0 values" not in page.text


@pytest.mark.parametrize("change", [without_retrain, beside_validation])
def test_without_retrain_it_has_what_is_there(change):
    assert "No retrain" in page_of(change(forged({}))).text


def test_free_text_is_escaped():
    record = forged(
        {"missing": [HOSTILE], "environment.cpu": HOSTILE, "spec.task_config": {HOSTILE: HOSTILE}}
    )
    text = run_page(record, Floor(), Place(HOSTILE, "t1", HOSTILE), DIGEST, Examples(reason=HOSTILE))
    assert "<img" not in text and text.count("&lt;img") >= 6
    assert "script-src 'none'" in text


def test_examples_are_shown_where_there_are_any_and_what_is_not_known_of_them_is_said():
    scores = (PathScore("matching", 1.5, 0.25, None),)
    shown = Examples(
        (Example(Chosen(3, "typical", scores), ("data:image/jpeg;base64,AA==",), "", ("a flag",), 0),)
    )
    page = page_of(forged({}), shown)
    assert page.all("img") == [
        {"src": "data:image/jpeg;base64,AA==", "alt": "Picture 1 of example 1, which was to be forgotten"}
    ]
    assert ["matching", "1.50", "0.25", "–"] in page.rows
    assert {"name": "robots", "content": "noindex"} in page.all("meta")
    said = "What each model ranks first is not shown: none were kept."
    assert said in page_of(forged({}), replace(shown, unranked="none were kept")).text
    assert said not in page.text + page_of(forged({})).text


def ranked(text, pictures=(), probability=None):
    """A place that is right where its text is "own"."""
    return Ranked(text, pictures, text == "own", probability)


def test_what_the_models_rank_first_stands_side_by_side_in_order_and_marked():
    titles = Ranking("Texts for this image", (ranked("own"), ranked("a")), (ranked("a"), ranked("own")), ())
    classes = Ranking("Classes of “x”", *((ranked(name, (), 0.625),) for name in ("own", "b", "c")))
    images = Ranking(
        "Images for “x”", *((ranked(HOSTILE, ("data:image/jpeg;base64,AA==",)),) for _ in range(3))
    )
    example = Example(Chosen(3, "typical", ()), (), "", ("x",), 0, (titles, classes, images))
    page = page_of(forged({}), Examples((example,), among=100))
    place = page.rows.index(["Texts for this image"])
    assert [[" ".join(cell.split()) for cell in row] for row in page.rows[place : place + 7]] == [
        ["Texts for this image"],
        ["1", "✓right: own", "a", "–"],
        ["2", "a", "✓right: own", "–"],
        ["Classes of “x”"],
        ["1", "✓right: own 0.62", "b 0.62", "c 0.62"],
        ["Images for “x”"],
        ["1", "", "", ""],
    ]
    assert [one["alt"] for one in page.all("img")] == [HOSTILE.replace("\x1b", "\\x1b")] * 3
    assert "The units are chosen among 100, of which this was kept." in page.text


def test_a_list_is_no_draw_of_the_seed():
    facts = {one.label: one.text for one in specification(forged({}))}
    assert facts["Chosen by"] == "the draw of seed 42" and facts["Seed"] == "42"
    named = {"digest": "a" * 64, "level": "units", "pairs": 9}
    facts = {one.label: one.text for one in specification(forged({"spec.forget": named}))}
    assert facts["Chosen by"] == "a list"


def test_attacks_by_shadow_models_stand_beside_their_control():
    numbers = {"": 0.911, "/forget": 0.822, "/test": 0.733, "/difference": 0.089}
    record = forged({})
    attack = {f"u_lira/matching{part}": {"value": auc, "n": 64} for part, auc in numbers.items()}
    own = record.values["mia/matching"]
    values = {name: own.model_copy(update=fields) for name, fields in attack.items()}
    record = record.model_copy(update={"values": record.values | values, "shadows": 15})
    (row,) = [row for row in page_of(record).rows if row[:2] == ["U-LiRA AUC", "matching"]]
    assert [row[place] for place in (2, 4)] == ["0.822", "0.733"]
