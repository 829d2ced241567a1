"""Running the command: in this process, in a fork of a warm server, or as a really fresh process."""

from __future__ import annotations

import contextlib
import io
import json
import multiprocessing.process
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

import torch
from forks import FORKS, redirect

from mmulbench.cli.app import main
from mmulbench.records.schema import RunResult

PATIENCE = 360
"""Most seconds of a command: several times what it takes on a busy machine, less than a test may take."""

KINDS = ("features", "original", "retrain", "outputs", "measurements")

TINY = ["--task", "emoji", "--device", "cpu", "--set", "task.limit=40", "--set", "recipe.epochs=1"]
ONE_EPOCH = ["--set", "epochs=1"]

STOPPING = '''
"""ALBEF that waits inside the stage STOP_IN, or after the first checkpoint, until the file GO is there."""
import os, time
from pathlib import Path
from mmulbench.backbones.albef import Albef, AlbefBackbone
from mmulbench.core.registry import BACKBONES


def wait_here():
    stage = os.environ.get("STOP_IN")
    there = "*/artifact.json" if stage == "unfinished" else "*.tmp"
    if stage and any(Path(os.environ["MMULBENCH_CACHE"], stage).glob(there)):
        Path(os.environ["STOPPED"]).touch()
        while not Path(os.environ["GO"]).exists():
            time.sleep(0.01)


class Waiting(Albef):
    def encode(self, modality, inputs):
        wait_here()
        return super().encode(modality, inputs)


@BACKBONES.register("stopping")
class Stopping(AlbefBackbone):
    name = "stopping"

    def prepare(self, modality, items, track):
        wait_here()
        return super().prepare(modality, items, track)

    def build(self, shape=None):
        return Waiting(self.config)
'''


@dataclass(frozen=True)
class Done:
    """An ended command."""

    code: int | None
    out: str
    err: str

    @property
    def records(self) -> list[RunResult]:
        """What --json printed."""
        return [RunResult.model_validate(item) for item in json.loads(self.out)]


class Running:
    """A command under way, its output in files so that it can be read while it runs."""

    def __init__(self, process: multiprocessing.process.BaseProcess, folder: Path, marker: Path) -> None:
        self._process = process
        self._folder = folder
        self.stopped = marker

    @property
    def err(self) -> str:
        """Standard error so far."""
        path = self._folder / "err"
        return path.read_text() if path.exists() else ""

    def until(self, reached: Callable[[], bool]) -> None:
        """Wait until something is so; fail if the command ends before."""
        deadline = time.monotonic() + PATIENCE
        while not reached():
            assert self._process.is_alive(), f"ended with {self._process.exitcode}: {self.err}"
            assert time.monotonic() < deadline, f"never came: {self.err}"
            time.sleep(0.01)

    def send(self, signal: int) -> Done:
        """Send a signal and wait for the end."""
        assert self._process.pid is not None
        os.kill(self._process.pid, signal)
        return self.wait()

    def wait(self, limit: float = PATIENCE) -> Done:
        """Wait for the end, which must come within so many seconds."""
        self._process.join(limit)
        assert not self._process.is_alive(), self.err
        return Done(self._process.exitcode, (self._folder / "out").read_text(), self.err)


class Bench:
    """A folder with a cache, a results folder and an outside backbone that can be made to wait."""

    def __init__(self, root: Path, cache: Path | None = None) -> None:
        self.root = root
        self.cache = cache or root / "cache"
        self.results = root / "results"
        self._count = 0
        site = root / "site"
        (site / "stopping-0.1.dist-info").mkdir(parents=True)
        (site / "stopping.py").write_text(STOPPING)
        (site / "stopping-0.1.dist-info" / "METADATA").write_text("Name: stopping\nVersion: 0.1\n")
        (site / "stopping-0.1.dist-info" / "entry_points.txt").write_text(
            "[mmulbench.backbones]\nstopping = stopping\n"
        )

    @property
    def environment(self) -> dict[str, str]:
        """What a child needs: this bench's folders, no network, one thread."""
        return {
            "HF_HUB_OFFLINE": "1",
            "OMP_NUM_THREADS": "1",
            "COLUMNS": "80",
            "MMULBENCH_CACHE": str(self.cache),
            "MMULBENCH_RESULTS": str(self.results),
            "PYTHONPATH": os.pathsep.join(
                filter(None, [str(self.root / "site"), os.environ.get("PYTHONPATH")])
            ),
        }

    def start(
        self,
        *words: str,
        stop_in: str = "",
        file_bytes: int | None = None,
        hidden: str = "",
        **environment: str,
    ) -> Running:
        """Start a command in a fork of a server that has imported everything and run nothing.

        Args:
            words: The arguments.
            stop_in: The kind of artifact while building which the backbone ``stopping`` waits for `go`;
                with ``unfinished`` it waits in the middle of the first training that has a checkpoint.
            file_bytes: No file can become larger: what a full disk is.
            hidden: A package that is to be found nowhere.
            environment: Environment variables.
        """
        self._count += 1
        folder = self.root / f"command{self._count}"
        folder.mkdir()
        marker = folder / "stopped"
        stops = {"STOP_IN": stop_in, "STOPPED": str(marker), "GO": str(self.root / "go")}
        process = FORKS.Process(
            target=_child,
            args=(words, {**self.environment, **stops, **environment}, folder, file_bytes, hidden),
            daemon=True,  # what a failed test leaves waiting ends with the tests
        )
        process.start()
        return Running(process, folder, marker)

    def run(self, *words: str, **options: object) -> Done:
        """Run a command in a fork."""
        return self.start(*words, **options).wait()  # type: ignore[arg-type]

    def go(self) -> None:
        """Let what waits go on."""
        (self.root / "go").touch()

    def fresh(self, *words: str, **environment: str) -> Done:
        """Run ``python -m mmulbench`` in a new process."""
        done = subprocess.run(
            [sys.executable, "-m", "mmulbench", *words],
            cwd=self.root,
            env={**os.environ, **self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def record(self) -> Path:
        """The file of the only record."""
        (path,) = self.results.rglob("*.json")
        return path

    def built(self, kind: str) -> dict[Path, int]:
        """Every entry of a kind in the cache and when it was made."""
        return {path: path.stat().st_mtime_ns for path in self.cache.glob(f"{kind}/*/artifact.json")}

    def leftovers(self) -> list[Path]:
        """Temporary files and folders of the cache and the results."""
        found = [path for root in (self.cache, self.results) for path in root.rglob("*")]
        return [path for path in found if "tmp" in path.name.replace("-", ".").split(".")]


def numbers(record: RunResult) -> tuple[object, object, object]:
    """What has to be the same whenever a specification is run."""
    return record.status, record.values, record.histograms


def here(*words: str) -> Done:
    """Run a command in this process: for what ends before anything is computed."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(list(words))
    return Done(code, out.getvalue(), err.getvalue())


def _child(
    words: tuple[str, ...],
    environment: dict[str, str],
    folder: Path,
    file_bytes: int | None,
    hidden: str,
) -> None:
    redirect(folder)
    os.environ.update(environment)
    os.chdir(folder)
    sys.path.insert(0, environment["PYTHONPATH"].partition(os.pathsep)[0])
    if file_bytes is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
    if hidden:
        assert hidden not in sys.modules
        sys.meta_path.insert(sys.meta_path.index(PathFinder), _Hiding(hidden))
        sys.meta_path.remove(PathFinder)
    torch.set_num_threads(1)
    sys.exit(main(list(words)))


class _Hiding:
    """Finds what is on the path, but one package."""

    def __init__(self, hidden: str) -> None:
        self._hidden = hidden

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if name.partition(".")[0] == self._hidden:
            return None
        return PathFinder.find_spec(name, path, target)  # type: ignore[arg-type]

    def __getattr__(self, name: str) -> object:
        return getattr(PathFinder, name)  # importlib.metadata asks finders too
