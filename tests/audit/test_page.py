"""The page says what the record says, and nothing in a record becomes a part of the page."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import pairwise
from typing import Any, get_args

import pytest
from audited import DIGEST, Page, audited, audited_with, beside_validation, without_retrain
from forged import RESULTS, committed, forged

from mmulbench.audit.examples import Chosen, Example, Examples, PathScore
from mmulbench.audit.page import GENERATOR, MEANINGS, TEMPLATES, VERDICTS, page_of
from mmulbench.audit.usefulness import ABOUT
from mmulbench.core.reproduce import command_of
from mmulbench.records.schema import RunResult
from mmulbench.report.verdict import Kind, judge

RECORDS = [
    sorted((RESULTS / place).glob("*-42-*.json"))[0]
    for place in ("emoji/albef-packaged/mmul", "hpo_pgr/gtnn-packaged/scrub", "emoji/albef-packaged/retrain")
]
SHOUT = "<script>alert(1)</script>'\"&"


def page(changes: dict[str, Any] | None = None, **how: Any) -> Page:
    return Page(page_of(audited_with(changes or {}, **how)))


def examples(texts: tuple[str, ...] = ("a red flag",)) -> Examples:
    scores = (PathScore("matching", 1.234, -0.5, None),)
    one = Example(Chosen(3, "typical", scores), ("data:image/jpeg;base64,AAAA",), "GENE1", texts, 4)
    return Examples((one,))


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: f"{path.parts[-4]}-{path.parts[-2]}")
def test_the_values_are_those_of_the_record(path):
    record = RunResult.model_validate(json.loads(path.read_bytes()))
    found = Page(page_of(audited(record)))
    text, rows = found.text, {row[0]: row[1:] for row in found.rows}
    for key in [key for key in record.values if re.fullmatch("mia/[a-z]+", key)]:
        value = record.values[key]
        low, high, *numbers = (
            f"{one:.3f}" for one in (value.low, value.high, value.value, value.retrain, value.original)
        )
        own = rows[key.removeprefix("mia/")]
        assert [own[0], own[1], *own[2:4]] == [numbers[0], f"{low} to {high}", *numbers[1:]]
    for key, about in ABOUT.items():
        value = record.values[key]
        assert rows[about][:3] == [f"{one:.3f}" for one in (value.value, value.retrain, value.original)]
    assert judge(record).sentence.replace("`", "") in text
    for said in (record.spec.data_fingerprint, record.run_id, command_of(record), DIGEST):
        assert said in text


def test_everything_is_explained_where_it_is_used():
    found = page()
    terms = re.findall(r"<dfn>(.*?)</dfn>", (TEMPLATES / "page.html").read_text())
    assert {"forget set", "retrain", "original", "path", "AUC", "over-forgotten", "Utility"} <= set(terms)
    for said in (".5 is a toss-up", "like retrain unless", "No verdict is given with fewer than 50"):
        assert said in found.text


def test_every_kind_of_verdict_has_words():
    kinds = set(get_args(Kind))
    assert set(VERDICTS) == set(MEANINGS) == kinds
    assert "Not forgotten, and useful knowledge was lost" in page().text
    assert "No result" in page({"status": "failed", "reason": "no room", "values": {}, "cost": None}).text
    assert "Cannot be judged" in Page(page_of(audited(without_retrain(forged({}))))).text


def test_without_retrain_validation_data_stand_in_its_place():
    record = beside_validation(forged({}))
    found = Page(page_of(audited(record)))
    rows = {row[0]: row for row in found.rows}
    assert rows["contrastive"][3:5] == ["0.510 (0.460 to 0.560)", "0.800 (0.700 to 0.900)"]
    assert rows["contrastive"][-1] == "surer than of validation data"
    assert "Validation data in their place" in rows["Path"] and "Retrain" not in rows["Path"]
    assert "The results are compared with validation data, which no model was trained on" in found.text
    assert len(found.all("rect")) == 2 and {one["width"] for one in found.all("rect")} == {"10.0%"}
    assert not page().all("rect") and "Validation data in" not in page().text


def test_without_retrain_it_warns():
    text = Page(page_of(audited(without_retrain(forged({}))))).text
    assert "There is no retrain. The results can only be compared with .5" in text
    assert "There is no retrain." not in page().text


def shouted(value: Any) -> Any:
    """The fields of a record with a script in every text that may be any."""
    fixed = {
        "status",
        "direction",
        "level",
        "digest",
        "units",
        "weights",
        "schema_version",
        "started",
        "finished",
        "run_id",
    }
    if isinstance(value, dict):
        return {
            key if re.fullmatch("[a-z_0-9]+", key) else key + SHOUT: one if key in fixed else shouted(one)
            for key, one in value.items()
        }
    if isinstance(value, list):
        return [shouted(one) for one in value]
    return value + SHOUT if isinstance(value, str) else value


def full_record() -> dict[str, Any]:
    """A record that has something in every field that the page reads."""
    fields = committed()
    making = {"device": "cuda:0", "threads": 4, "cpu": "another"}
    start = {"value": 0.5, "low": 0.4, "high": 0.6}
    fields["spec"] |= {
        "plugins": {"mmul!": "0" * 12},
        "forget": {"digest": "a" * 64, "level": "units", "pairs": 9},
        "config": {"Epochs": "five", "lr": 0.1},
        "recipe": {"Epochs": "ten"},
        "task_config": {"Limit": "none"},
    }
    u_lira = {**fields["values"]["mia"], "chance": 0.5}
    fields["values"] |= {"u_lira": u_lira, "u_lira/matching!": u_lira}
    return fields | {
        "reason": "a reason",
        "missing": ["something: is missing"],
        "models": {"original": making, "retrain": making},
        "origins": {"Epochs": "study 1"},
        "forget_ids": ["id one", "id\ttwo"],
        "folders": {"--data-dir": "/data"},
        "start": {"forget": {"matching!": start}, "retain": {}, "utility": {}, "limit": 0.5},
        "tuning": {
            **{"study_id": "s", "task": "t", "backbone": "b", "forget_size": 1, "trials": 2, "budget": 1.0},
            "overridden": ["Epochs"],
        },
    }


def test_no_text_of_a_record_becomes_a_part_of_the_page():
    record = RunResult.model_validate(shouted(full_record()))
    audit = audited(record, show_ids=True)
    bad = audit.examples.__class__(examples((SHOUT,)).shown)
    shown = replace(bad.shown[0], name=SHOUT, pictures=(f'"><script src="{SHOUT}',))
    written = page_of(replace(audit, examples=Examples((shown,))))
    plain = Page(page_of(replace(audited(forged({})), examples=examples())))
    found = Page(written)
    assert "<script" not in written and "alert(1)" in found.text
    allowed = {name for _, attributes in plain.elements for name in attributes} | {"x1"}
    assert {tag for tag, _ in found.elements} <= {tag for tag, _ in plain.elements}
    assert {name for _, attributes in found.elements for name in attributes} <= allowed
    assert found.text.count("<script>alert(1)") > 30
    assert "onload" not in written


def test_a_reason_of_a_failed_run_is_escaped_too():
    written = page_of(audited_with({"status": "failed", "reason": SHOUT, "values": {}, "cost": None}))
    assert "<script" not in written and "&lt;script&gt;alert(1)" in written


def test_it_needs_no_script_and_no_network():
    written = page_of(replace(audited(forged({})), examples=examples()))
    found = Page(written)
    assert found.all("script", "link", "iframe", "object", "form", "base") == []
    addresses = [one[key] for _, one in found.elements for key in ("src", "href") if key in one]
    assert all(one.startswith(("#", "data:image/jpeg;base64,")) for one in addresses)
    assert "url(" not in written and "@import" not in written
    policy = next(one for one in found.all("meta") if "http-equiv" in one)
    assert policy["content"].startswith("default-src 'none'")
    assert GENERATOR in written[:400]


def test_headings_are_in_order_and_references_lead_somewhere():
    found = Page(page_of(replace(audited(forged({})), examples=examples())))
    levels = [int(tag[1]) for tag, _ in found.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    ids = [one["id"] for _, one in found.elements if "id" in one]
    assert len(ids) == len(set(ids))
    named = [name for _, one in found.elements for name in one.get("aria-labelledby", "").split()]
    named += [one["href"][1:] for one in found.all("a")]
    assert set(named) <= set(ids)


def test_tables_pictures_and_boxes_say_what_they_are():
    found = Page(page_of(replace(audited(forged({})), examples=examples())))
    assert (
        len(found.all("table"))
        == len(found.all("caption"))
        == len(found.all("div")) - len([one for one in found.all("div") if one.get("class") != "box"])
    )
    assert all(one.get("scope") in ("col", "row") for one in found.all("th"))
    assert all(one.get("alt") for one in found.all("img"))
    boxes = [one for one in found.all("div") if one.get("class") == "box"]
    assert all((one["tabindex"], one["role"]) == ("0", "region") for one in boxes)
    assert found.all("html")[0]["lang"] == "en"
    assert found.all("a")[0] == {"class": "skip", "href": "#main"}
    (drawing,) = [one for one in found.all("svg") if "role" in one]
    assert drawing["role"] == "img"


def test_examples_have_their_texts_and_scores():
    text = Page(page_of(replace(audited(forged({})), examples=examples()))).text
    for said in ("Example 1: typical", "GENE1", "a red flag", "and 4 more", "matching 1.23 −0.50 –"):
        assert said in text
    assert "No examples are shown: they were left out on request." in page().text


def luminance(colour: str) -> float:
    """Relative luminance by WCAG 2.2."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_colours_have_contrast_in_light_and_dark():
    style = (TEMPLATES / "style.css").read_text()
    light, dark = (
        dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", part)) for part in style.split("@media screen")[:2]
    )
    assert light.keys() == dark.keys()
    for colours in (light, dark):
        for ground in ("page", "panel"):
            for ink in ("text", "muted", "link", "good", "bad", "open"):
                assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
    used = set(re.findall(r"(?:color|background|fill|stroke): *(#\w+)", style.partition("* {")[2]))
    assert used <= {"#ffffff"}  # behind pictures; all else is a colour from above


def test_attacks_by_shadow_models_stand_beside_their_control():
    numbers = {"": 0.911, "/forget": 0.822, "/test": 0.733, "/difference": 0.089}
    record = forged({})
    attack = {f"u_lira/matching{part}": {"value": auc, "n": 64} for part, auc in numbers.items()}
    own = record.values["mia/matching"]
    values = {name: own.model_copy(update=fields) for name, fields in attack.items()}
    record = record.model_copy(update={"values": record.values | values, "shadows": 15})
    (row,) = [row for row in Page(page_of(audited(record))).rows if row[:2] == ["U-LiRA AUC", "matching"]]
    assert [row[place] for place in (2, 4)] == ["0.822", "0.733"]
