"""New processes that need not import torch anew: forks of one server that has imported it and run nothing."""

from __future__ import annotations

import gc
import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[2]
PRELOADED = (
    *("safetensors.torch", "torch._dynamo", "sklearn.linear_model", "tokenizers", "PIL.PngImagePlugin"),
    *("mmulbench.cli.app", "mmulbench.cli.run_output", "mmulbench.backbones.albef"),
    *("mmulbench.methods.mmul", "mmulbench.tasks.emoji", "mmulbench.metrics.unimodal"),
)
"""What the server imports before it forks. Tests of commands hide packages that are not among these."""

FORKS = multiprocessing.get_context("forkserver")
"""The only server: Python has one for each process, which imports what was asked of it last."""

FORKS.set_forkserver_preload(list(PRELOADED))


def python(
    folder: Path, environment: Mapping[str, str], *words: str, timeout: float = 300
) -> subprocess.CompletedProcess[str]:
    """Run what ``python -m MODULE ...`` or ``python -c CODE`` would, with all that this project's modules are
    imported anew, from where the environment's PYTHONPATH says.

    Args:
        folder: working directory.
        environment: all environment variables.
        words: arguments of python.
        timeout: most seconds that it may take.
    """
    return Fork(folder, environment, *words).wait(timeout)


class Fork:
    """A process that does what `python` runs, from its start on.

    Args:
        folder: working directory.
        environment: all environment variables.
        words: arguments of python.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str], *words: str) -> None:
        self._words = words
        self._said = tempfile.TemporaryDirectory(prefix="fork-")
        given = (words, dict(environment), str(folder), self._said.name)
        self._process = FORKS.Process(target=_python, args=given, daemon=True)
        self._process.start()

    def kill(self) -> None:
        """End it as ``kill -9`` does, if it has not ended."""
        self._process.kill()
        self.wait()

    def wait(self, timeout: float = 300) -> subprocess.CompletedProcess[str]:
        """Wait for its end.

        Args:
            timeout: most seconds that it may take.
        """
        self._process.join(timeout)
        with self._said as said:
            out, err = (Path(said, name).read_text(encoding="utf-8") for name in ("out", "err"))
        if self._process.is_alive():
            self._process.kill()
            raise subprocess.TimeoutExpired(self._words, timeout, out, err)
        assert self._process.exitcode is not None
        return subprocess.CompletedProcess(self._words, self._process.exitcode, out, err)


def redirect(folder: Path) -> None:
    """Have this process write its output to the files ``out`` and ``err``.

    Args:
        folder: where they are made.
    """
    gc.freeze()  # what the server has imported stays shared memory
    for name, stream in (("out", sys.stdout), ("err", sys.stderr)):
        with (folder / name).open("w") as file:
            os.dup2(file.fileno(), stream.fileno())
    assert sys.modules.keys() >= set(PRELOADED), "another module than forks has set what the server imports"


def _python(words: tuple[str, ...], environment: dict[str, str], folder: str, said: str) -> None:
    redirect(Path(said))
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    own = [path for path in environment.get("PYTHONPATH", "").split(os.pathsep) if path]
    sys.path[:] = [
        "" if words[0] == "-c" else folder,
        *own,
        *(path for path in sys.path if not _of_project(path)),
    ]
    for name, module in list(sys.modules.items()):
        if name != "__main__" and _of_project(getattr(module, "__file__", None)):
            del sys.modules[name]
    torch.set_num_threads(1)
    if words[0] == "-c":
        sys.argv[:] = ["-c", *words[2:]]
        exec(compile(words[1], "<string>", "exec"), {"__name__": "__main__"})
    else:
        sys.argv[:] = list(words[1:])
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)


def _of_project(path: str | None) -> bool:
    """Tell whether a file or a folder is this checkout's, and not a virtual environment's in it."""
    inside = path is not None and Path(path or ".").is_relative_to(ROOT)
    return inside and "site-packages" not in Path(path or ".").parts
