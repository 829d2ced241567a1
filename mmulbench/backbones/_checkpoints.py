"""Checkpoints in the transformers layout: a folder on disk, or a repository on a hub."""

from __future__ import annotations

import hashlib
import json
import re
from abc import abstractmethod
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from torch import nn

from mmulbench.errors import MmulbenchError, UsageError
from mmulbench.files import sha256_of
from mmulbench.model import Backbone
from mmulbench.packages import package_folder

WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin")
"""Where weights are looked for, in this order."""

SMALL_FILES = ("*.json", "*.txt", "*.model")

Triple = tuple[float, float, float]

_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


@dataclass(frozen=True)
class ImageSettings:
    """How a checkpoint wants its images.

    Attributes:
        size: pixels a side.
        mean: (r, g, b) to subtract from values in [0, 1].
        std: (r, g, b) to divide by afterwards.
    """

    size: int
    mean: Triple
    std: Triple


@dataclass(frozen=True)
class Checkpoint:
    """A folder with ``config.json``, weights, and usually a tokeniser and image settings.

    Attributes:
        source: what the user gave: a path, or ``owner/name``.
        folder: where it lies.
        config: the content of ``config.json``.
    """

    source: str
    folder: Path
    config: dict[str, Any]

    @cached_property
    def weights(self) -> list[Path]:
        """The weight files: one, or the shards that the index names.

        Raises:
            UsageError: there are none.
            MmulbenchError: the index is damaged, or leads out of the folder.
        """
        found = next((self.folder / name for name in WEIGHTS if (self.folder / name).is_file()), None)
        if found is None:
            raise UsageError(f"{self.folder} holds no weights: looked for {', '.join(WEIGHTS)}")
        if found.suffix != ".json":
            return [found]
        names = sorted(set(read_json(found).get("weight_map", {}).values()))
        for name in names:
            if not isinstance(name, str) or Path(name).name != name or not name.endswith(".safetensors"):
                raise MmulbenchError(f"{found}: the shard {name!r} is no file of this folder: refused")
            if not (self.folder / name).is_file():
                raise MmulbenchError(f"{self.folder / name} is missing, but {found.name} names it")
        return [found, *(self.folder / name for name in names)]

    @cached_property
    def digest(self) -> str:
        """First 12 hexadecimal digits of the SHA-256 of configuration, tokeniser and weights."""
        small = [path for pattern in SMALL_FILES for path in self.folder.glob(pattern)]
        files = sorted({*small, *self.weights})
        text = "".join(f"{path.name} {sha256_of(path)}\n" for path in files)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def label(self) -> str:
        """Name and digest, as records carry it: the same wherever the checkpoint lies."""
        name = self.source if _HUB_NAME.fullmatch(self.source) else self.folder.resolve().name
        return f"{re.sub(r'[^A-Za-z0-9_.+/-]', '_', name)}@{self.digest}"

    def check_type(self, *types: str) -> None:
        """Refuse a checkpoint of another architecture.

        Raises:
            UsageError: ``model_type`` of its configuration is none of ``types``.
        """
        found = self.config.get("model_type")
        if found not in types:
            raise UsageError(
                f"{self.folder / 'config.json'} has model_type {found!r}, but this backbone reads "
                f"{' or '.join(types)}"
            )

    def load(self, cls: Any, new: tuple[str, ...] = ()) -> nn.Module:
        """A transformers model with the checkpoint's weights; pickled code is never run.

        Args:
            cls: the transformers class.
            new: prefixes of parameters that the checkpoint may lack; they stay as initialised.

        Raises:
            MmulbenchError: a file is damaged, or parameters are missing or of other shapes.
        """
        _ = self.weights  # its errors say more
        try:
            model, found = cls.from_pretrained(
                str(self.folder), local_files_only=True, output_loading_info=True, dtype="float32"
            )
        except MmulbenchError:
            raise
        except Exception as error:  # every library below raises its own kinds
            reason = " ".join(str(error).split())[:300] or type(error).__name__
            raise MmulbenchError(f"the weights in {self.folder} cannot be loaded: {reason}") from error
        missing = sorted(name for name in found["missing_keys"] if not name.startswith(new or ("\0",)))
        if missing:
            raise MmulbenchError(
                f"the weights in {self.folder} lack {len(missing)} parameters of {cls.__name__}, such as "
                f"{missing[0]}"
            )
        return model.float()  # type: ignore[no-any-return]

    def tokenizer(self) -> Any:
        """The checkpoint's tokeniser.

        Raises:
            MmulbenchError: there is none that can be read.
        """
        from transformers import AutoTokenizer

        try:
            return AutoTokenizer.from_pretrained(str(self.folder), local_files_only=True)
        except Exception as error:
            reason = " ".join(str(error).split())[:300]
            raise MmulbenchError(f"the tokeniser in {self.folder} cannot be read: {reason}") from error

    def image_settings(self, size: int, mean: Triple, std: Triple) -> ImageSettings:
        """Mean and deviation of ``preprocessor_config.json``; the defaults where it is not there.

        Args:
            size: pixels a side, which the model's own configuration decides.
            mean: of the published model.
            std: of the published model.

        Raises:
            MmulbenchError: the file is damaged.
        """
        path = self.folder / "preprocessor_config.json"
        found = read_json(path) if path.is_file() else {}
        values = []
        for name, default in (("image_mean", mean), ("image_std", std)):
            value = found.get(name, default)
            if len(value) != 3 or not all(isinstance(one, (int, float)) for one in value):
                raise MmulbenchError(f"{path}: {name} must be three numbers, not {value!r}")
            values.append((float(value[0]), float(value[1]), float(value[2])))
        return ImageSettings(size, values[0], values[1])


class CheckpointBackbone(Backbone):
    """A backbone on a transformers model: a small random ``variant``, or a checkpoint."""

    model_types: ClassVar[tuple[str, ...]]
    """``model_type`` of the configurations that the family reads."""

    checkpoint: Checkpoint | None = None

    @classmethod
    @abstractmethod
    def configure(cls, checkpoint: Checkpoint) -> Any:
        """The family's configuration dataclass, filled from a checkpoint's own configuration."""

    @classmethod
    def from_checkpoint(cls, source: str) -> Backbone:
        """The backbone whose initial weights are a checkpoint in the transformers layout."""
        found = open_checkpoint(source, cls.name)
        found.check_type(*cls.model_types)
        backbone = cls.__new__(cls)
        backbone.variant, backbone.config, backbone.checkpoint = found.label, cls.configure(found), found
        return backbone

    @property
    def argument(self) -> str:
        """What to give ``--backbone``: the checkpoint's place, and the content it must have."""
        if self.checkpoint is None:
            return self.full_name
        return f"{self.name}:{self.checkpoint.source}@{self.checkpoint.digest}"


def open_checkpoint(source: str, backbone: str) -> Checkpoint:
    """Find a checkpoint on disk, or fetch it from the hub.

    Args:
        source: a path, or ``owner/name``; ``@digest`` at the end demands that content.
        backbone: name of the family, for messages.

    Raises:
        UsageError: it is not there, or has other content than demanded.
        MmulbenchError: it is damaged.
    """
    package_folder("transformers", f"the backbone {backbone}")
    name, _, wanted = source.partition("@")
    folder = Path(name).expanduser()
    if not folder.exists():
        if not _HUB_NAME.fullmatch(name):
            raise UsageError(
                f"the checkpoint {folder} is not there: --backbone {backbone}:PATH takes a folder with "
                "config.json and weights, or owner/name of a hub"
            )
        folder = _fetch(name, backbone)
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder: a checkpoint has config.json and weights side by side")
    if not (folder / "config.json").is_file():
        raise UsageError(f"{folder} holds no config.json: is it a checkpoint in the transformers layout?")
    found = Checkpoint(name, folder, read_json(folder / "config.json"))
    if wanted and wanted != found.digest:
        raise UsageError(f"the checkpoint {name} has the digest {found.digest}, not {wanted}")
    return found


def _fetch(name: str, backbone: str) -> Path:
    """The folder of a hub repository, fetched unless it is in the local hub cache."""
    from huggingface_hub import snapshot_download

    try:
        folder = Path(snapshot_download(name, allow_patterns=[*SMALL_FILES, "*.safetensors"]))
        if not any((folder / weights).is_file() for weights in WEIGHTS):
            folder = Path(snapshot_download(name, allow_patterns=[*SMALL_FILES, WEIGHTS[-1]]))
    except Exception as error:  # many kinds, most of them OSError or ValueError
        reason = " ".join(str(error).split())[:200]
        raise UsageError(
            f"the checkpoint {name} is neither a folder here nor can it be fetched from the hub ({reason}); "
            f"copy it from a machine that can and give its folder: --backbone {backbone}:/path/to/it"
        ) from error
    return folder


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file.

    Raises:
        MmulbenchError: it holds none.
    """
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise MmulbenchError(f"{path} cannot be read as JSON: {' '.join(str(error).split())}") from error
    if not isinstance(found, dict):
        raise MmulbenchError(f"{path} holds no JSON object")
    return found
