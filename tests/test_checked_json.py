"""Files that can be made again are read whole or not at all."""

from __future__ import annotations

import pytest

from mmulbench.checked_json import read_checked, write_checked

ENTRIES = {"a\udcff": [1, 0.1, None, "é"]}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "new" / "x.json"
    write_checked(path, 3, ENTRIES)
    return path


def test_what_was_written_is_read(path):
    assert read_checked(path, 3) == ENTRIES
    assert read_checked(path, 4) is None
    assert read_checked(path.with_name("other"), 3) is None


@pytest.mark.parametrize("part", [0, 10, 64, 65, 80, -1])
def test_what_is_damaged_counts_as_absent(path, part):
    content = bytearray(path.read_bytes())
    content[part] ^= 1
    path.write_bytes(content)
    assert read_checked(path, 3) is None
    path.write_bytes(path.read_bytes()[:part])
    assert read_checked(path, 3) is None


def test_what_cannot_be_written_is_let_be(path):
    write_checked(path / "below a file", 3, ENTRIES)
    assert read_checked(path, 3) == ENTRIES
