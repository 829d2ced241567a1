"""Terminals and logs that are not UTF-8 show every command's output, in plain signs where they must."""

from __future__ import annotations

import io
import json
import sys

import pytest
from planted_results import Planted, World

from mmulbench.cli import terminal
from mmulbench.cli.app import main
from mmulbench.records.store import ResultsStore


@pytest.fixture
def printed(monkeypatch):
    """Give standard output an encoding; the result returns what was printed since."""

    def make(encoding: str):
        raw = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding))

        def text() -> str:
            sys.stdout.flush()
            return raw.getvalue().decode(encoding)

        return text

    return make


@pytest.mark.parametrize(
    ("encoding", "wanted"),
    [
        ("utf-8", "−3.1 → ✓ é ± β"),
        ("latin-1", "-3.1 > + é ± \\u03b2"),
        ("ascii", "-3.1 > + e +- \\u03b2"),
        ("cp1252", "-3.1 > + é ± \\u03b2"),
    ],
)
def test_only_signs_that_cannot_be_shown_are_replaced(encoding, wanted, printed):
    text = printed(encoding)
    terminal.replace_signs()
    print("−3.1 → ✓ é ± β", end="")
    assert text() == wanted


def test_passed_and_failed_checks_can_be_told_apart():
    signs = [terminal.SIGNS[sign] for sign in "✓✗–"]
    assert len(set(signs)) == 3 and all(sign.isascii() for sign in terminal.SIGNS.values())


def test_a_file_name_that_is_no_text_is_printed(printed):
    text = printed("utf-8")
    terminal.replace_signs()
    print("caf\udce9.json", end="")
    assert text() == "caf\\udce9.json"


def test_only_writing_is_mended():
    with pytest.raises(UnicodeDecodeError):
        terminal.plain(UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"))


@pytest.mark.parametrize("encoding", ["latin-1", "ascii"])
def test_commands_end_well_on_other_terminals(encoding, printed, tmp_path):
    store = ResultsStore(tmp_path)
    for record in World(shares=True).records({"mmul": Planted({"mia/contrastive": 0.3})}):
        store.write(record)
    record, *_ = (tmp_path / "emoji" / "albef-packaged" / "mmul").glob("*.json")
    text = printed(encoding)
    assert main(["show", str(record)]) == 0
    assert ">retrain" in text()
    text = printed(encoding)
    assert main(["show", str(record), "--json"]) == 0
    assert json.loads(text())["spec"]["method"] == "mmul"
    text = printed(encoding)
    assert main(["leaderboard", "--results-dir", str(tmp_path)]) == 0
    assert "Seconds (x retrain) v" in text() or "Seconds (× retrain) v" in text()
