from __future__ import annotations

import contextlib
import os
import signal

import pytest
from helpers import ONE_EPOCH, TINY, Bench
from sweep_bench import Sweeps


@pytest.fixture
def bench(tmp_path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def sweeps(bench):
    yield Sweeps(bench)
    for alive in bench.root.glob("sweeps/*/workers/*.alive"):  # what a failed test left
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(alive.stem.rpartition("-")[2]), signal.SIGTERM)


@pytest.fixture(scope="session")
def ready(tmp_path_factory) -> Bench:
    """A bench where mmul has been run on albef:tiny; tests must leave its records as they are."""
    bench = Bench(tmp_path_factory.mktemp("ready"))
    done = bench.run("run", "-m", "mmul", *TINY, *ONE_EPOCH, "-b", "albef:tiny", "--json")
    assert done.code == 0, done.err
    return bench
