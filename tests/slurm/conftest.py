"""A running Slurm for the whole session, and folders for sweeps."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from slurm_cluster import CannotStart, Cluster, unable
from slurm_site import PLUGIN, Site, numbers

METHODS = ["-m", "waiting", "-m", "waiting_too"]
SMALL = [
    *("-t", "emoji", "-b", "albef:tiny", "--device", "cpu", "--no-reference"),
    *("--set", "task.limit=40", "--set", "recipe.epochs=1", "--set", "epochs=3"),
]


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A running Slurm, named by SLURM_CONF."""
    if (reason := unable()) is not None:
        pytest.skip(reason)
    # Not in pytest's own folder, which only its owner can enter: munge refuses that.
    root = Path(tempfile.mkdtemp(prefix="slurm-"))
    found = Cluster(root)
    before = os.environ.get("SLURM_CONF")
    try:
        try:
            found.start()
        except (CannotStart, OSError, subprocess.SubprocessError) as error:
            pytest.skip(f"Slurm cannot be started here: {error}")
        os.environ["SLURM_CONF"] = found.environment["SLURM_CONF"]
        yield found
    finally:
        found.stop()
        shutil.rmtree(root)
        os.environ.pop("SLURM_CONF", None)
        if before is not None:
            os.environ["SLURM_CONF"] = before


@pytest.fixture(scope="session")
def wanted(tmp_path_factory) -> Site:
    """What the sweep of two runs that wait gives in one process, without Slurm."""
    site = Site(tmp_path_factory.mktemp("wanted"))
    plugin = site.root / "waiting.py"
    plugin.write_text(PLUGIN)
    site.go()
    done = site.run("sweep", *METHODS, *SMALL, "--plugin", str(plugin), "--executor", "debug")
    assert done.code == 0, done.err
    return site


@pytest.fixture
def site(cluster, wanted, tmp_path) -> Site:
    """Folders with features and originals, but nothing that methods have made."""
    found = Site(tmp_path / "site")
    for kind in ("features", "original"):
        shutil.copytree(wanted.cache / kind, found.cache / kind)
    return found


@pytest.fixture
def on_slurm(wanted) -> list[str]:
    """What every sweep of runs that wait has besides its methods."""
    return [*SMALL, "--plugin", str(wanted.root / "waiting.py"), "--executor", "slurm"]


@pytest.fixture
def words(on_slurm) -> list[str]:
    """The sweep of two runs that wait and share an original."""
    return ["sweep", *METHODS, *on_slurm]


@pytest.fixture
def one_run(on_slurm) -> list[str]:
    """The sweep of the first of them alone."""
    return ["sweep", *METHODS[:2], *on_slurm]


@pytest.fixture
def complete(site, wanted) -> Callable[..., None]:
    """Checks that a sweep has ended well, with the records that its first runs have without Slurm."""

    def check(runs: int = 2) -> None:
        status = site.until_over()
        assert (status["counts"], status["trouble"]) == ({"done": 1 + runs}, []), status
        assert numbers(site.records()) == numbers(wanted.records()[:runs])

    return check
