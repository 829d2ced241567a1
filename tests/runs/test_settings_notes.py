"""Lines that say where settings come from, and which studies were left aside."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmulbench.records.schema import Tuning
from mmulbench.records.study import StaleStudy, study_path
from mmulbench.runs.open_task import ResolvedRequest, resolve
from mmulbench.runs.request import Request
from mmulbench.runs.settings_notes import left_aside, settings_notes

STALE = """{"spec": {"metric_version": "1", "recipe_version": "1", "study_version": 1}}"""


@pytest.fixture
def resolved(tmp_path):
    def make(*methods: str, settings: tuple[str, ...] = ()) -> ResolvedRequest:
        request = Request(
            task="emoji",
            methods=methods,
            backbone="albef:tiny",
            settings=settings,
            tuned_dir=tmp_path,
            plugins=(),
        )
        return resolve(request, request, tuned=True)

    return make


def write_stale(folder: Path, method: str) -> Path:
    path = study_path(folder, "emoji", "albef:tiny", method)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(STALE)
    return path


def test_studies_that_cannot_be_used_are_named_in_one_line(resolved, tmp_path):
    paths = [write_stale(tmp_path, name) for name in ("salun", "npo")]  # of which none is published
    found = resolved("salun", "npo", "ssd")
    assert found.methods["salun"].config == type(found.methods["salun"]).Config()
    (line,) = settings_notes(found)
    assert line.startswith("left aside a study that is of metrics 1, recipe 1, studies 1, and this mmulbench")
    assert line.endswith(f" (mmulbench tune --replace makes it anew): {paths[0]}, {paths[1]}")


def test_each_reason_has_a_line():
    reasons = [("a", "is old"), ("b", "sets y"), ("c", "is old")]
    lines = left_aside(StaleStudy(Path(path), reason) for path, reason in reasons)
    assert [line.rpartition(": ")[2] for line in lines] == ["a, c", "b"]


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({}, "settings tuned on emoji with albef:tiny: mmul (--untuned takes the methods' own)"),
        (
            {"found": False},
            "no trial on emoji with albef:tiny was within budget and done, so with their own settings: mmul",
        ),
        (
            {"overridden": ("epochs", "lr")},
            "settings tuned on emoji with albef:tiny, except epochs, lr: mmul (--untuned takes the methods' "
            "own)",
        ),
        (
            {"kept_default": True},
            "tuned on emoji with albef:tiny, where their own settings proved better than the best "
            "found: mmul",
        ),
    ],
)
def test_the_study_that_settings_come_from_is_named(fields, line, resolved):
    tuning = Tuning(
        study_id="0" * 12, task="emoji", backbone="albef:tiny", forget_size=2, trials=3, budget=0.5, **fields
    )
    found = resolved("mmul")
    found.tunings["mmul"] = tuning
    assert settings_notes(found) == [line]
