"""Who holds a lease, who gets it when, and what becomes of one whose owner was killed or stopped."""

from __future__ import annotations

import math
import os
import re
import signal
import time
from pathlib import Path
from typing import NamedTuple

import pytest
from nodes import BEAT, LEASE, PATIENCE, kill, start, wait_for

from mmulbench import leases
from mmulbench.leases import Lease, leased

HERE, THERE = "node-a", "node-b"


def hold(path: Path) -> None:
    """Take a lease and keep it; once it is lost, give it back."""
    lease = Lease(path)
    assert lease.take()
    (path.parent / "held").touch()
    while not lease.was_lost:
        time.sleep(0.01)
    lease.release()
    (path.parent / "lost").touch()


def wait(path: Path) -> None:
    """Wait for a lease, and write how long it took, how often it was looked at and what was said."""
    lines: list[str] = []
    looks, take = [0], Lease.take

    def counted(lease: Lease) -> bool:
        looks[0] += 1
        return take(lease)

    Lease.take = counted  # type: ignore[assignment, method-assign]  # in this process alone
    began = time.monotonic()
    (path.parent / "waits").touch()
    with leased(path, "building original", lines.append):
        took = time.monotonic() - began
        whole = path.parent / "result.part"  # who waits for the result must not read a part of it
        whole.write_text("\n".join([str(took), str(looks[0]), *lines]))
        whole.replace(path.parent / "result")
        if (path.parent / "lost.expected").exists():
            wait_for(path.parent / "lost")
            assert path.exists()  # the former owner left it alone


class Wait(NamedTuple):
    """How long somebody waited for a lease.

    Attributes:
        seconds: time that it took, however busy the machine was: no shorter than it has to be.
        looks: how often it was looked at, which a busy machine makes fewer: no more than have to be.
        lines: what was said.
    """

    seconds: float
    looks: int
    lines: list[str]


def looks_in(seconds: float) -> int:
    """Most looks of who takes a lease after so long: the first, one a poll, and the one that takes it."""
    return 2 + math.ceil(seconds / leases.POLL_SECONDS)


def result(path: Path) -> Wait:
    wait_for(path.parent / "result")
    seconds, looks, *lines = (path.parent / "result").read_text().splitlines()
    return Wait(float(seconds), int(looks), lines)


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "original-1.lease"


def test_one_has_it_and_gives_it_back(path):
    first, second = Lease(path), Lease(path)
    assert first.take() and not first.take() and not second.take()
    name, since = second.holder()
    assert re.fullmatch(rf"process {os.getpid()} on \S+", name) and abs(since - time.time()) < 10
    first.release()
    assert list(path.parent.iterdir()) == []
    assert second.take()
    second.release()


@pytest.mark.slow
@pytest.mark.parametrize("exchange", [True, False])
def test_a_killed_owner_of_this_host_is_followed_at_once(path, exchange):
    owner = start(HERE, hold, path)
    wait_for(path.parent / "held")
    kill(owner)
    waiter = start(HERE, wait, path, exchange=exchange)
    found = result(path)
    waiter.join(PATIENCE)
    assert waiter.exitcode == 0 and found.looks == 1 and found.lines == []
    assert not list(path.parent.glob("*.gone")) and not path.exists()


@pytest.mark.slow
@pytest.mark.parametrize("exchange", [True, False])
def test_a_killed_owner_of_another_host_is_followed_when_its_lease_has_lapsed(path, exchange):
    owner = start(THERE, hold, path)
    wait_for(path.parent / "held")
    kill(owner)
    waiter = start(HERE, wait, path, exchange=exchange)
    found = result(path)
    waiter.join(PATIENCE)
    assert waiter.exitcode == 0 and found.seconds >= LEASE and found.looks <= looks_in(LEASE)
    (line,) = found.lines
    assert re.fullmatch(
        rf"waiting for process {owner.pid} on node-b, building original since 20\d\d-.+", line
    )


def hold_two(path: Path) -> None:
    held = [Lease(path), Lease(path.with_name("run-1.lease"))]
    assert all(lease.take() for lease in held)
    (path.parent / "held").touch()
    time.sleep(60)


def wait_for_two(path: Path) -> None:
    with leased(path, "building original", lambda line: None):
        wait(path.with_name("run-1.lease"))


@pytest.mark.slow
@pytest.mark.parametrize("exchange", [True, False])
def test_of_two_leases_of_a_killed_owner_one_is_watched_that_long(path, exchange):
    owner = start(THERE, hold_two, path)
    wait_for(path.parent / "held")
    kill(owner)
    waiter = start(HERE, wait_for_two, path, exchange=exchange)
    found = result(path)
    assert found.seconds >= 2 * BEAT and found.looks <= looks_in(2 * BEAT)
    waiter.join(PATIENCE)
    assert waiter.exitcode == 0


@pytest.mark.slow
def test_a_living_owner_keeps_it_whatever_its_clock_says(path):
    owner = start(THERE, hold, path)
    wait_for(path.parent / "held")
    waiter = start(HERE, wait, path)
    wait_for(path.parent / "waits")
    until = time.monotonic() + 2 * LEASE
    while time.monotonic() < until:
        time.sleep(BEAT / 3)
        os.utime(path, (time.monotonic(),) * 2)  # another host's clock: seconds after 1970, but they go on
    assert not (path.parent / "result").exists()
    kill(owner)
    assert result(path).seconds > 2 * LEASE
    waiter.join(PATIENCE)


@pytest.mark.slow
@pytest.mark.parametrize("exchange", [True, False])
def test_a_stopped_owner_loses_it_and_leaves_its_successor_alone(path, exchange):
    (path.parent / "lost.expected").touch()
    owner = start(HERE, hold, path)
    wait_for(path.parent / "held")
    assert owner.pid is not None
    os.kill(owner.pid, signal.SIGSTOP)
    waiter = start(HERE, wait, path, exchange=exchange)
    try:
        found = result(path)
        assert found.seconds >= LEASE and found.looks <= looks_in(LEASE)
    finally:
        os.kill(owner.pid, signal.SIGCONT)
    owner.join(PATIENCE)
    waiter.join(PATIENCE)
    assert owner.exitcode == waiter.exitcode == 0
    assert not path.exists()


@pytest.mark.slow
def test_a_file_that_says_nothing_lapses_too(path, monkeypatch):
    monkeypatch.setattr(leases, "LEASE_SECONDS", LEASE)
    monkeypatch.setattr(leases, "BEAT_SECONDS", BEAT)
    path.touch()  # a node that lost its power just then
    lines: list[str] = []
    with leased(path, "building original", lines.append):
        pass
    assert lines == ["waiting for another process, building original"]


def test_a_holder_of_another_version_is_waited_for(path, monkeypatch):
    first = Lease(path)
    assert first.take()
    monkeypatch.setattr(leases, "LEASE_SECONDS", 2 * leases.LEASE_SECONDS)
    assert not Lease(path).take()
    first.release()
    second = Lease(path)
    assert second.take()
    second.release()


def test_who_was_taken_for_dead_hears_of_it(path, monkeypatch):
    monkeypatch.setattr(leases, "BEAT_SECONDS", 0.05)
    made: list[Lease] = []

    class Kept(Lease):
        def __init__(self, path: Path) -> None:
            super().__init__(path)
            made.append(self)

    monkeypatch.setattr(leases, "Lease", Kept)
    lines: list[str] = []
    with leased(path, "building original", lines.append):
        path.rename(path.with_name("gone"))
        path.write_text("another's")
        until = time.monotonic() + PATIENCE
        while not made[0].was_lost and time.monotonic() < until:
            time.sleep(0.01)
    assert lines == ["this process was not heard of for 60 s: another is building original as well"]
    assert path.read_text() == "another's"
