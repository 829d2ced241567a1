"""Checkpoints of ALBEF as its authors publish them: one file, read as data."""

from __future__ import annotations

import pickle
import warnings
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from mmulbench.backbones._pretrained.albef_layout import PublishedWeights
from mmulbench.backbones._pretrained.checkpoint_names import argument_of, label_of, split_digest
from mmulbench.backbones._pretrained.foreign_files import without_wrappers
from mmulbench.backbones._pretrained.provenance import in_configuration, in_metadata
from mmulbench.errors import MmulbenchError, UsageError, text_of
from mmulbench.files import reason_of, sha256_of
from mmulbench.lfs_pointers import refuse_lfs_pointer


@dataclass(frozen=True)
class AlbefCheckpoint:
    """Names a file with weights.

    Attributes:
        source: path that the user gave.
        path: place of the file.
        digest: first 12 hexadecimal digits of its SHA-256.
    """

    source: str
    path: Path
    digest: str

    @property
    def label(self) -> str:
        """File name and digest, as records carry it: the same wherever the file lies."""
        return label_of(self.path.name, self.digest)

    @property
    def argument(self) -> str:
        """Place and digest."""
        return argument_of(self.source, self.digest)

    @property
    def trained_on(self) -> frozenset[str]:
        """Names of the data that the weights say they were trained on.

        Raises:
            MmulbenchError: it is damaged, or holds more than tensors and plain values.
        """
        safe = self.path.suffix == ".safetensors"
        return in_metadata(self.path) if safe else in_configuration(_read(self.path))

    def read(self) -> PublishedWeights:
        """Return what is in it; pickled code is never run.

        Raises:
            MmulbenchError: it is damaged, or holds more than tensors and plain values.
        """
        found = _read(self.path)
        tensors = found.get("model", found) if isinstance(found, dict) else None
        if not isinstance(tensors, dict) or not all(isinstance(key, str) for key in tensors):
            raise MmulbenchError(f'{self.path} holds no tensors by name, neither directly nor under "model"')
        return PublishedWeights(self.path, without_wrappers(tensors))


def open_checkpoint(source: str, backbone: str) -> AlbefCheckpoint:
    """Find a checkpoint on disk.

    Args:
        source: path of the file; ``@digest`` at the end demands that content.
        backbone: name of the family, for messages.

    Raises:
        UsageError: it is not there, or has other content than demanded.
        MmulbenchError: it cannot be read, or is a Git LFS pointer.
    """
    name, wanted = split_digest(source)
    path = Path(name).expanduser()
    try:
        problem = "" if path.is_file() else "is no file" if path.exists() else "is not there"
        if not problem:
            refuse_lfs_pointer(path)
        digest = "" if problem else sha256_of(path)[:12]
    except OSError as error:
        raise MmulbenchError(f"the checkpoint {path} cannot be read: {reason_of(error)}") from error
    if problem:
        raise UsageError(
            f"the checkpoint {path} {problem}: --backbone {backbone}:PATH takes a file such as ALBEF.pth of "
            "https://github.com/salesforce/ALBEF, or a .safetensors file with the same tensors"
        )
    if wanted and wanted != digest:
        raise UsageError(f"the checkpoint {name} has the digest {digest}, not {wanted}")
    return AlbefCheckpoint(name, path, digest)


def _read(path: Path) -> Any:
    """Return the content of a ``.safetensors`` file, or of one that torch saved.

    Raises:
        MmulbenchError: it is damaged, or holds more than tensors and plain values.
    """
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on old formats, and what to report to torch's authors
            # Mapped, so that the optimiser's state and the momentum copies stay on disk; torch's older format
            # cannot be.
            return torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except pickle.UnpicklingError as error:  # its own message suggests to run what is in the file
        raise MmulbenchError(
            f"{path} is damaged, or holds more than tensors and plain values: refused, since that could run "
            'code; if you trust it, save its "model" as a .safetensors file and give that'
        ) from error
    except Exception as error:  # many kinds, for all the ways in which a file can be damaged
        raise MmulbenchError(f"{path} is damaged: {text_of(error)}") from error
