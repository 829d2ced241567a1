"""What `mmulbench leaderboard` writes, and where to."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from planted_results import Planted, World

from mmulbench.cli.leaderboard_output import make_leaderboard
from mmulbench.records.store import ResultsStore


@pytest.fixture
def folder(tmp_path):
    for record in World(seeds=(42,)).records({"mmul": Planted()}):
        ResultsStore(tmp_path).write(record)
    return tmp_path / "emoji" / "albef-packaged"


def test_the_leaderboard_goes_through_links_and_pipes(folder, tmp_path, capsys):
    def make(output):
        make_leaderboard(tmp_path, "emoji", None, output, paper=False, check=False)
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
    make_leaderboard(tmp_path, "emoji", None, tmp_path / "page.md", paper=False, check=False)
    err = capsys.readouterr().err
    assert err.startswith("mmulbench: left out ") and err.count("\n") == 1
    assert r"x\x1b[2J.json: schema_version is None" in err
