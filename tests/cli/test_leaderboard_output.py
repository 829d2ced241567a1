"""What `mmulbench leaderboard` writes, and where to."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from planted_results import Planted, World
from terminals import ESCAPES

from mmulbench.api.tables import Wanted
from mmulbench.cli.leaderboard_output import Choices, make_leaderboard
from mmulbench.records.store import ResultsStore
from mmulbench.report.standing_view import View


@pytest.fixture
def folder(tmp_path):
    for record in World(seeds=(42,)).records({"mmul": Planted()}):
        ResultsStore(tmp_path).write(record)
    return tmp_path / "emoji" / "albef-packaged"


def test_the_leaderboard_goes_through_links_and_pipes(folder, tmp_path, capsys):
    def make(output):
        make_leaderboard(Choices(Wanted(tmp_path, "emoji"), output=output))
        return capsys.readouterr().out

    page = tmp_path / "page.md"
    page.write_text("old")
    (tmp_path / "link.md").symlink_to("page.md")
    assert make(tmp_path / "link.md") == f"{tmp_path / 'link.md'}\n"
    assert (tmp_path / "link.md").is_symlink()
    text = page.read_text()
    assert text.startswith("# Leaderboard\n")

    reading, writing = os.pipe()
    with ThreadPoolExecutor(1) as reader, os.fdopen(reading, "rb") as source:
        content = reader.submit(source.read)
        assert make(Path(f"/dev/fd/{writing}")) == ""
        os.close(writing)
        assert content.result(10).decode() == text


def test_what_is_left_out_is_named_in_one_line(folder, tmp_path, capsys):
    (folder / "mmul" / "x\x1b[2J.json").write_text("{}")
    make_leaderboard(Choices(Wanted(tmp_path, "emoji"), output=tmp_path / "page.md"))
    err = capsys.readouterr().err
    assert err.startswith("mmulbench: left out ") and err.count("\n") == 1
    assert r"x\x1b[2J.json: schema_version is None" in err


def test_a_terminal_shows_a_table_and_a_pipe_gets_markdown(folder, tmp_path, capsys, monkeypatch):
    def shown(**choices):
        make_leaderboard(Choices(Wanted(tmp_path), **choices))
        return ESCAPES.sub("", capsys.readouterr().out)

    assert shown().startswith("# Leaderboard\n")
    assert shown(form="table").startswith("emoji, albef:packaged, forget size 68, seed 42\n")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    lines = shown().splitlines()
    assert lines[0].startswith("emoji, albef:packaged") and max(map(len, lines)) <= 80
    assert shown(form="md").startswith("# Leaderboard\n")


def test_the_command_that_a_page_names_makes_the_same_page():
    wanted = Wanted(Path("results"), "emoji", (21, 42), ("mia", "test"))
    view = View("cost", ("mmul",), wide=True, only_columns=True)
    assert Choices(wanted, view).command == (
        "mmulbench leaderboard --task emoji --metric mia --metric test --method mmul --seed 21 --seed 42 "
        "--sort cost --wide"
    )
