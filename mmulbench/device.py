"""Choose the device of a run, and set torch up so that the same run gives the same numbers."""

from __future__ import annotations

import importlib
import os
import re

import torch

from mmulbench import processes
from mmulbench.errors import UsageError


def use_device(name: str) -> torch.device:
    """Return the device called auto, cpu or cuda:N; set torch up so that the same run gives the same numbers.

    Raises:
        UsageError: There is no such device.
    """
    if re.fullmatch(r"auto|cpu|cuda(:\d+)?", name) is None:
        if name == "mps":
            raise UsageError(
                "--device 'mps' cannot be used: Apple's GPUs lack the double precision that metrics and some "
                "methods need; choose --device cpu or auto"
            )
        raise UsageError(f"--device {name!r} is unknown; allowed: auto, cpu or cuda:N such as cuda:0")
    wanted = name if name != "auto" else (f"cuda:{processes.rank()}" if torch.cuda.is_available() else "cpu")
    if wanted != "cpu":
        _round_alike_on_gpus()
    try:
        device = torch.device(wanted)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(
            f"--device {name!r} cannot be used: {reason}; choose --device cpu or auto"
        ) from error
    # Where it only warns, attention on a GPU stays free to add gradients in any order.
    torch.use_deterministic_algorithms(True, warn_only=device.type == "cpu")
    # It would overwrite every new tensor first, which costs time; nothing here reads one unset.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    # The first optimiser imports it, which would count as the first method's time.
    importlib.import_module("torch._dynamo")
    # The fast path of torch's transformer layers takes other kernels in evaluation than in training.
    torch.backends.mha.set_fastpath_enabled(False)
    return device


def _round_alike_on_gpus() -> None:
    """Have a GPU compute the same from run to run, in the single precision that a CPU has."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read when cuBLAS is first used
    # Convolutions would round their inputs to 10 bits, products of matrices would not.
    torch.backends.cudnn.allow_tf32 = False
