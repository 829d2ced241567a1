"""The options of ``mmulbench data``; what it prints is tried in files of their own."""

from __future__ import annotations

from helpers import here

from mmulbench.cli.data import data_app


def test_the_group_has_its_three_commands():
    assert [command.name for command in data_app.registered_commands] == ["info", "check", "prepare"]


def test_info_takes_the_name_of_a_task():
    done = here("data", "info", "emoji")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("emoji: ")
    assert "did you mean emoji" in here("data", "info", "emojy").err
