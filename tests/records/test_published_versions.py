"""The newest version of the leaderboard is what its records say: see docs/contributing-results.md."""

from __future__ import annotations

import csv
import hashlib
import shlex
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from pages import COMMANDS, ROOT

from mmulbench.cli.app import main

NEWEST = max((ROOT / "results").glob("v[0-9]*"), key=lambda path: int(path.name[1:]))
TABLE, RECORDS = "leaderboard.csv", "records.sha256"
RULE = "a number may not change within a version: docs/contributing-results.md says how to make another"


def records_of(version: Path) -> dict[str, str]:
    """Digests of a version's records by their places, as sha256sum writes them."""
    lines = (version / RECORDS).read_text(encoding="utf-8").splitlines()
    return {place: digest for digest, place in (line.split("  ", 1) for line in lines)}


def rows(table: Path) -> list[dict[str, float | str]]:
    """Cells by heading, those that are numbers as numbers: processors differ in a last digit."""
    with table.open(encoding="utf-8", newline="") as file:
        return [{name: number_or_text(cell) for name, cell in row.items()} for row in csv.DictReader(file)]


def number_or_text(cell: str) -> float | str:
    with suppress(ValueError):
        return float(cell)
    return cell


def test_its_records_are_as_they_were():
    found = records_of(NEWEST)
    there = {place: (ROOT / place).read_bytes() for place in found if (ROOT / place).is_file()}
    assert found == {place: hashlib.sha256(content).hexdigest() for place, content in there.items()}, RULE


@pytest.mark.slow
def test_its_files_are_made_of_them_by_the_commands_of_the_page(tmp_path, monkeypatch):
    for place in records_of(NEWEST):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / place, tmp_path / place)
    made = tmp_path / "results" / NEWEST.name
    made.mkdir()
    monkeypatch.chdir(tmp_path)
    program, *words = shlex.split(COMMANDS["version_table"])
    assert program == "mmulbench" and main(words) == 0
    subprocess.run(["bash", "-euc", COMMANDS["version_records"]], check=True)

    assert records_of(made) == records_of(NEWEST)
    frozen, now = rows(NEWEST / TABLE), rows(made / TABLE)
    assert len(now) == len(frozen)
    for before, after in zip(frozen, now, strict=True):
        for name, cell in before.items():  # later code may have more columns
            is_number = isinstance(cell, float)
            assert after[name] == (pytest.approx(cell, rel=1e-9, abs=1e-12) if is_number else cell), RULE
