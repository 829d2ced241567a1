"""``mmulbench compare`` on the committed records, as its page shows it."""

from __future__ import annotations

import json
import shlex

import pytest
from forged import RESULTS
from helpers import here
from pages import CODES, COMMANDS

ROOM = ("--results-dir", str(RESULTS))


def test_the_command_of_the_page_compares():
    done = here(*shlex.split(COMMANDS["compare"])[1:], *ROOM)
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[1].startswith("A: mmul") and lines[2].startswith("B: scrub")
    for title in (
        "Gap to retrain",
        "MIA AUC, matching",
        "Df|Dr AUC, contrastive",
        "Test utility",
        "Time / ret",
    ):
        assert any(line.startswith(title) for line in lines), title
    assert "With 5 seeds it is wide" in done.out


def test_json_has_every_value_with_its_intervals():
    done = here("compare", "mmul", "scrub", "-t", "emoji", "--json", *ROOM)
    found = json.loads(done.out)
    (row,) = (row for row in found["values"] if row["value"] == "mia/contrastive")
    assert row["low_seeds"] < row["difference"] < row["high_seeds"]
    assert row["low_units"] < row["difference"] < row["high_units"]
    assert row["difference"] == pytest.approx(row["first"] - row["second"])


def test_the_python_of_the_page_has_the_same_rows(monkeypatch, capsys):
    monkeypatch.chdir(RESULTS.parent)
    exec(CODES["compare"], {})
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["title", "difference", "low_seeds", "high_seeds", "p_holm"]
    assert "Gap to retrain" in lines[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("mmul", "scrub"), "--task emoji or emoji_nlvr or hpo_gdpr or hpo_pgr"),
        (("emoji/mmul", "hpo_pgr/mmul"), "are of other tasks: emoji and hpo_pgr"),
        (("mmul", "scrubb", "-t", "emoji"), "did you mean scrub?"),
        (("retrain_again", "mmul", "-t", "emoji"), "retrain_again@draw=1"),
    ],
)
def test_wrong_use_is_one_line(words, said):
    done = here("compare", *words, *ROOM)
    assert done.code == 2 and said in done.err and len(done.err.splitlines()) == 1
