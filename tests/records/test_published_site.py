"""The committed site is that of the committed records: docs/site.md has the command that makes it."""

from __future__ import annotations

import shlex

import pytest
from pages import COMMANDS, ROOT

from mmulbench.cli.app import main


@pytest.mark.slow
def test_the_published_site_is_made_from_the_records(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("MMULBENCH_RESULTS", raising=False)
    program, *words, last = shlex.split(COMMANDS["site_committed"])
    assert (program, last) == ("mmulbench", "--replace")
    assert main([*words, "--check"]) == 0, capsys.readouterr().err
