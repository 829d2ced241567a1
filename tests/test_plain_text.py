"""What is printed of files and errors moves no cursor and begins no line."""

from __future__ import annotations

import os

import pytest

from mmulbench.plain_text import one_line, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J\x1b]0;title\x07", r"\x1b[2J\x1b]0;title\x07"),
        ("a\nb\r\tc", r"a\nb\r\tc"),
        ("\x9b31m", r"\x9b31m"),
        ("a\u2028b", r"a\u2028b"),
        ("record\u202egnp.json", r"record\u202egnp.json"),
        (os.fsdecode(b"\xff.json"), r"\udcff.json"),
        ("é, 名, 👩‍🚀 and [b]", "é, 名, 👩‍🚀 and [b]"),
    ],
)
def test_control_characters_are_written_out(text, shown):
    assert visible(text) == shown
    shown.encode()


def test_one_line_has_one_space_for_each_gap():
    assert one_line("  a\n\n# b\u2028c  d\x1b[1m ") == r"a # b c d\x1b[1m"
