"""Folders of makers: each has its own, gone ones' are taken up or cleared, and one of several counts."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pytest

from mmulbench.cache import staging
from mmulbench.cache.blockwise import JOURNAL
from mmulbench.leases import LEASE_SECONDS
from mmulbench.owners import this_host, this_owner

GONE = f"{this_host()}-{os.getpid()}-1-00"
FOREIGN = "elsewhere-12-34-00"


@pytest.fixture
def entry(tmp_path) -> Path:
    return tmp_path / "0123456789abcdef"


def make(entry: Path, owner: str, *, work: bool = False, old: bool = False) -> Path:
    folder = entry.with_name(f"{entry.name}.{owner}.tmp")
    folder.mkdir()
    (folder / "something").touch()
    if work:
        (folder / JOURNAL).write_text("layout\nblock\n")
    if old:
        for path in (folder / "something", folder):
            os.utime(path, (time.time() - 2 * LEASE_SECONDS,) * 2)
    return folder


def test_names_are_ones_own(entry):
    one, two = staging.own(entry), staging.own(entry)
    assert one != two
    host, pid, start = this_owner()
    pattern = rf"{entry.name}\.{re.escape(host)}-{pid}-{start}-[0-9a-f]{{8}}\.tmp"
    assert re.fullmatch(pattern, one.name) and re.fullmatch(pattern, two.name)


def test_what_gone_makers_left_is_cleared_and_what_living_ones_build_is_not(entry):
    gone, foreign = make(entry, GONE), make(entry, FOREIGN, old=True)
    mine = make(entry, staging.own(entry).name.removeprefix(f"{entry.name}.").removesuffix(".tmp"))
    fresh, other = make(entry, "elsewhere-13-34-00"), make(entry.with_name("fedcba9876543210"), GONE)
    with staging.staging(entry) as own:
        assert not gone.exists() and not foreign.exists()
        assert list(own.iterdir()) == []
    assert not own.exists()
    assert mine.exists() and fresh.exists() and other.exists()


def test_finished_blocks_of_a_gone_maker_are_taken_up(entry):
    left = make(entry, GONE, work=True)
    with staging.staging(entry) as own:
        assert (own / "something").exists() and not left.exists()
    assert (entry.with_name(f"{entry.name}.tmp") / "something").exists()  # for the next, whoever it is
    with staging.staging(entry) as own:
        assert (own / "something").exists()
        (own / JOURNAL).unlink()
    assert list(entry.parent.iterdir()) == []


def test_the_first_that_is_whole_counts(entry):
    one, two = make(entry, "a-1-1-00"), make(entry, "b-1-1-00")
    (one / "one").touch()
    staging.place(one, entry, lambda: False)
    staging.place(two, entry, (entry / "one").exists)
    assert (entry / "one").exists() and list(entry.parent.iterdir()) == [entry]


def test_what_is_not_good_is_replaced(entry):
    one, two = make(entry, "a-1-1-00"), make(entry, "b-1-1-00")
    (one / "one").touch()
    staging.place(one, entry, lambda: False)
    staging.place(two, entry, lambda: False)
    assert not (entry / "one").exists() and list(entry.parent.iterdir()) == [entry]


def test_an_entry_that_its_replacer_moves_aside_at_this_moment_stops_nobody(entry, monkeypatch):
    one, two = make(entry, "host-1-2"), make(entry, "host-1-3")
    staging.place(one, entry, lambda: False)
    rename = Path.rename

    def rename_late(path: Path, target: Path) -> Path:
        try:
            return rename(path, target)
        except OSError:
            rename(entry, entry.with_name("aside"))
            raise

    monkeypatch.setattr(Path, "rename", rename_late)
    staging.place(two, entry, lambda: False)
    assert entry.is_dir()
    assert not two.exists()


def test_clearing_takes_along_what_gone_makers_left(entry):
    entry.mkdir()
    make(entry, GONE)
    fresh = make(entry, FOREIGN)
    staging.clear(entry)
    assert list(entry.parent.iterdir()) == [fresh]


def hidden(parent: Path, name: str, owner: str, seconds: float = 0.0) -> Path:
    folder = parent / f".{name}.{owner}-0123abcd.tmp"
    folder.mkdir()
    (folder / "something").touch()
    for path in (folder / "something", folder):
        os.utime(path, (time.time() - seconds,) * 2)
    return folder


def test_hidden_folders_of_gone_makers_are_cleared(tmp_path):
    host, pid, start = this_owner()
    day = staging.SILENT_SECONDS
    for name, owner, seconds in (
        ("model", f"{host}-{pid}-1", 0.0),
        ("other.v2", f"{host}-{pid}-1", 0.0),
        ("model", "elsewhere.org-12-34", 2 * day),
    ):
        hidden(tmp_path, name, owner, seconds)
    stays = {
        hidden(tmp_path, "model", f"{host}-{pid}-{start}", 2 * day),
        hidden(tmp_path, "model.v2", f"{host}-{pid}-{start}", 2 * day),
        hidden(tmp_path, "model", "elsewhere.org-13-34", day / 2),
        tmp_path / ".mine.tmp",
        tmp_path / f".linked.{host}-{pid}-1-0123abcd.tmp",
        tmp_path / f"visible.{host}-{pid}-1-0123abcd.tmp",
    }
    (tmp_path / ".mine.tmp").mkdir()
    (tmp_path / f"visible.{host}-{pid}-1-0123abcd.tmp").mkdir()
    (tmp_path / f".linked.{host}-{pid}-1-0123abcd.tmp").symlink_to(tmp_path / ".mine.tmp")
    staging.clear_hidden(tmp_path)
    assert {*tmp_path.iterdir()} == stays
