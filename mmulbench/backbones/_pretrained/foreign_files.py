"""What lies in a checkpoint's folder is foreign: read as data, never run; complaints in one line."""

from __future__ import annotations

import contextlib
import math
import pickle
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor

from mmulbench.backbones._pixels import Triple
from mmulbench.errors import MmulbenchError, UsageError, text_of

T = TypeVar("T")

WRAPPERS = ("module.", "_orig_mod.")
"""Beginnings of all names where torch's DataParallel, or compile, held the model that was saved."""


MOST_LAYERS = 1_000
"""Largest number of layers of an encoder; to build a thousand million would never end."""


@contextlib.contextmanager
def one_line(problem: str) -> Iterator[None]:
    """Keep transformers quiet, and make one line of whatever it and the libraries below it raise.

    Args:
        problem: what is wrong, and where; the reason follows it.

    Raises:
        MmulbenchError: the body raised anything.
    """
    from transformers.utils import logging

    before = logging.get_verbosity()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    except Exception as error:  # every library raises its own kinds
        raise MmulbenchError(f"{problem}: {text_of(error)}") from error
    finally:
        logging.set_verbosity(before)


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Return the tensors in a weight file, by name; none in an index of such files.

    Raises:
        MmulbenchError: it is damaged, or holds anything but tensors.
    """
    if path.suffix == ".json":
        return {}
    with one_line(f"{path} is damaged"):
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            tensors: dict[str, Tensor] = load_file(path)
            return without_wrappers(tensors)
        try:
            found = torch.load(path, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError:  # its own message suggests to run what is in the file
            found = None
    named = isinstance(found, dict) and all(isinstance(name, str) for name in found)
    if not named or not all(isinstance(value, Tensor) for value in found.values()):
        raise MmulbenchError(f"{path} holds something else than tensors by name, or is damaged: refused")
    return without_wrappers(found)


def without_wrappers(tensors: Mapping[str, T]) -> dict[str, T]:
    """Return tensors by the names that they have in the model itself, not in what held it when it was saved.

    Args:
        tensors: tensors by name, as the file has them.
    """
    found = dict(tensors)
    while wrapper := next((one for one in WRAPPERS if found and all(n.startswith(one) for n in found)), ""):
        found = {name.removeprefix(wrapper): value for name, value in found.items()}
    return found


def without_kernels(config: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration that names no attention code, which transformers might fetch from a hub."""
    return {
        name: without_kernels(value) if isinstance(value, dict) else value
        for name, value in config.items()
        if name not in ("attn_implementation", "_attn_implementation")
    }


def refuse_unreadable(path: Path, config: Mapping[str, Any]) -> None:
    """Refuse a configuration of quantised weights, or of a model that nobody can build.

    Args:
        path: file that holds it, for the message.
        config: its content.

    Raises:
        UsageError: it describes such.
    """
    if config.get("quantization_config"):
        raise UsageError(f"{path} describes quantised weights, which are not read: take the original ones")
    for name, value in config.items():
        if isinstance(value, Mapping):
            refuse_unreadable(path, value)
        elif name.endswith("layers") and isinstance(value, int) and value > MOST_LAYERS:
            raise UsageError(f"{path} asks for {name} {value:,}: at most {MOST_LAYERS:,} are built")


def three_numbers(path: Path, found: Any, name: str, default: Triple) -> Triple:
    """Return three numbers of a JSON object; a deviation, by which pixels are divided, must be positive.

    Args:
        path: file that holds the object, for the message.
        found: the object.
        name: name of the entry.
        default: numbers to take where it has none.

    Raises:
        MmulbenchError: they are no such numbers.
    """
    values = found.get(name, default) if isinstance(found, dict) else found
    if isinstance(values, list | tuple) and len(values) == 3:
        numbers = [float(one) for one in values if isinstance(one, int | float) and math.isfinite(one)]
        if len(numbers) == 3 and (name != "image_std" or min(numbers) > 0):
            return numbers[0], numbers[1], numbers[2]
    raise MmulbenchError(f"{path}: {name} must be three numbers, not {values!r}")
