"""Checkpoints in the transformers layout: a folder on disk, or a repository on a hub."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mmulbench.backbones._pixels import Triple
from mmulbench.backbones._pretrained.checkpoint_names import argument_of, label_of, split_digest
from mmulbench.backbones._pretrained.foreign_files import (
    one_line,
    read_tensors,
    refuse_unreadable,
    three_numbers,
    without_kernels,
)
from mmulbench.backbones._pretrained.hub_snapshots import Snapshot, fetch, is_hub_name
from mmulbench.backbones._pretrained.provenance import in_metadata
from mmulbench.errors import MmulbenchError, UsageError, text_of
from mmulbench.files import sha256_of
from mmulbench.lfs_pointers import LFS_PULL, is_lfs_pointer, refuse_lfs_pointer
from mmulbench.packages import package_folder

WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin")
"""Where weights are looked for, in this order."""

SMALL_FILES = ("*.json", "*.txt", "*.model")

EXPORT = "mmulbench.json"
"""File in which an export says of which run it is. Neither inputs nor weights depend on it."""

_TOKENISERS = ("tokenizer.json", "vocab.txt", "vocab.json", "*.model")


@dataclass(frozen=True)
class Checkpoint:
    """A folder with ``config.json``, weights, and usually a tokeniser and image settings.

    Attributes:
        source: what the user gave: a path; of a repository on a hub, ``owner/name@commit``.
        folder: where it lies.
        config: the content of ``config.json``.
        hub_name: ``owner/name`` of the repository; empty for a folder.
    """

    source: str
    folder: Path
    config: dict[str, Any]
    hub_name: str = ""

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
        by_parameter = read_json(found).get("weight_map")
        if not isinstance(by_parameter, dict) or not by_parameter:
            raise MmulbenchError(f"{found} names no shards: its weight_map is missing or empty")
        names = sorted({str(name) for name in by_parameter.values()})
        for name in names:
            if Path(name).name != name or not name.endswith(".safetensors"):
                raise MmulbenchError(f"{found}: the shard {name!r} is no file of this folder: refused")
            if not (self.folder / name).is_file():
                raise MmulbenchError(f"{self.folder / name} is missing, but {found.name} names it")
        return [found, *(self.folder / name for name in names)]

    @cached_property
    def digest(self) -> str:
        """First 12 hexadecimal digits of the SHA-256 of configuration, tokeniser and weights.

        Raises:
            UsageError: there are no weights.
            MmulbenchError: one of the files is a Git LFS pointer.
        """
        small = [path for pattern in SMALL_FILES for path in self.folder.glob(pattern) if path.is_file()]
        files = sorted({*small, *self.weights} - {self.folder / EXPORT})
        for path in files:
            refuse_lfs_pointer(path)
        text = "".join(f"{path.name} {sha256_of(path)}\n" for path in files)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def trained_on(self) -> frozenset[str]:
        """Names of the data that the weights say they were trained on.

        Raises:
            UsageError: there are no weights.
            MmulbenchError: the index is damaged, or leads out of the folder.
        """
        return frozenset().union(*map(in_metadata, self.weights))

    @property
    def label(self) -> str:
        """Name and digest, as records carry it: the same wherever the checkpoint lies."""
        return label_of(self.hub_name or self.folder.resolve().name, self.digest)

    @property
    def argument(self) -> str:
        """Place and digest."""
        return argument_of(self.source, self.digest)

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

    def model_config(self, cls: Any) -> Any:
        """Return the configuration object of a transformers model class, filled from ``config.json``.

        Raises:
            MmulbenchError: a value is not what the class takes.
        """
        with one_line(f"{self.folder / 'config.json'} does not describe a {cls.__name__}"):
            return cls.config_class.from_dict(without_kernels(self.config))

    def load(self, cls: Any, new: tuple[str, ...] = (), config: Any = None) -> nn.Module:
        """Return a transformers model with the checkpoint's weights in float32; pickled code is never run.

        Args:
            cls: the transformers class.
            new: prefixes of parameters that the checkpoint may lack, or have in another shape; they are drawn
                from torch's global generator.
            config: what to use instead of the checkpoint's own configuration.

        Raises:
            UsageError: there are no weights.
            MmulbenchError: a file is damaged, or other parameters are missing or of other shapes.
        """
        tensors = {name: value for path in self.weights for name, value in read_tensors(path).items()}
        config = self.model_config(cls) if config is None else config
        with one_line(f"the weights in {self.folder} cannot be loaded"):
            model, found = cls.from_pretrained(
                None,
                config=config,
                state_dict=tensors,  # so that nothing else is looked for, in the folder or elsewhere
                dtype="float32",
                ignore_mismatched_sizes=True,
                output_loading_info=True,
            )
        others = sorted(item[0] for item in found["mismatched_keys"] if not item[0].startswith(new))
        missing = sorted(name for name in found["missing_keys"] if not name.startswith(new))
        for names, problem in ((missing, "lack"), (others, "have other shapes for")):
            if names:
                raise MmulbenchError(
                    f"the weights in {self.folder} {problem} {len(names)} parameters of {cls.__name__}, such "
                    f"as {names[0]}"
                )
        loaded: nn.Module = model.float().train()
        return loaded

    def tokenizer(self) -> Any:
        """Return the checkpoint's tokeniser; code that comes with it is never run.

        Raises:
            UsageError: there is none, or a package that it needs is missing.
            MmulbenchError: it cannot be read.
        """
        if not any(True for name in _TOKENISERS for _ in self.folder.glob(name)):
            raise UsageError(f"{self.folder} holds no tokeniser: looked for {', '.join(_TOKENISERS)}")
        as_json = (self.folder / "tokenizer.json").is_file()
        if not as_json and any(self.folder.glob("*.model")) and find_spec("sentencepiece") is None:
            raise UsageError(
                f"the tokeniser in {self.folder} needs sentencepiece: run pip install sentencepiece "
                "protobuf, or put the checkpoint's tokenizer.json beside it"
            )
        from transformers import AutoTokenizer, PreTrainedTokenizerFast

        # SigLIP's own class passes over tokenizer.json, and does not work without sentencepiece.
        plain = as_json and self.config.get("model_type") == "siglip"
        cls = PreTrainedTokenizerFast if plain else AutoTokenizer
        with one_line(f"the tokeniser in {self.folder} cannot be read"):
            return cls.from_pretrained(str(self.folder), local_files_only=True, trust_remote_code=False)

    def tokenize(self, texts: Sequence[str], length: int, vocabulary: int) -> tuple[Tensor, Tensor]:
        """Return ids by the checkpoint's own tokeniser, cut or padded on the right to one length.

        Args:
            texts: n texts.
            length: tokens kept of each, special ones included.
            vocabulary: how many ids the model knows.

        Returns:
            ids (n, length) int32 and mask (n, length) bool, True where a token is real.

        Raises:
            UsageError: there is no tokeniser.
            MmulbenchError: it cannot be used, or gives ids that the model does not know.
        """
        tokenizer = self.tokenizer()
        with one_line(f"the tokeniser in {self.folder} cannot be used"):
            found = tokenizer(
                list(texts),
                padding="max_length",
                truncation=True,
                max_length=length,
                padding_side="right",
                return_attention_mask=True,
            )
        ids = np.array(found["input_ids"], dtype=np.int32).reshape(-1, length)
        if ids.size and ids.max() >= vocabulary:
            raise MmulbenchError(
                f"the tokeniser in {self.folder} gives the id {ids.max()}, but the model knows {vocabulary}"
            )
        mask = np.array(found["attention_mask"], dtype=bool).reshape(-1, length)
        return torch.from_numpy(ids), torch.from_numpy(mask)

    def mean_and_std(self, mean: Triple, std: Triple) -> tuple[Triple, Triple]:
        """Return mean and deviation of pixels, by ``preprocessor_config.json`` or ``processor_config.json``.

        Args:
            mean: where the files have none.
            std: where the files have none.

        Raises:
            MmulbenchError: the file is damaged.
        """
        for name in ("preprocessor_config.json", "processor_config.json"):
            path = self.folder / name
            found = read_json(path) if path.is_file() else {}
            found = found.get("image_processor", found)  # beside a tokeniser's, since transformers 5
            if found:
                break
        return three_numbers(path, found, "image_mean", mean), three_numbers(path, found, "image_std", std)


def open_checkpoint(source: str, backbone: str) -> Checkpoint:
    """Find a checkpoint on disk, or fetch it from the hub.

    Args:
        source: a path, ``owner/name`` or ``owner/name@revision``; ``@digest`` at the end demands that
            content.
        backbone: name of the family, for messages.

    Raises:
        UsageError: it is not there, or has other content than demanded.
        MmulbenchError: it is damaged.
    """
    package_folder("transformers", f"the backbone {backbone}")
    name, wanted = split_digest(source)
    folder, hub_name = Path(name).expanduser(), ""
    if not folder.exists():
        if not is_hub_name(name):
            raise UsageError(
                f"the checkpoint {folder} is not there: --backbone {backbone}:PATH takes a folder with "
                "config.json and weights, or owner/name of a hub"
            )
        snapshot = fetch_checkpoint(name, f"the checkpoint {name}", f"--backbone {backbone}:/path/to/it")
        name, folder, hub_name = snapshot.source, snapshot.folder, snapshot.name
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder: a checkpoint has config.json and weights side by side")
    if not (folder / "config.json").is_file():
        raise UsageError(f"{folder} holds no config.json: is it a checkpoint in the transformers layout?")
    found = Checkpoint(name, folder, read_json(folder / "config.json"), hub_name)
    refuse_unreadable(folder / "config.json", found.config)
    if wanted and wanted != found.digest:
        raise UsageError(f"the checkpoint {name} has the digest {found.digest}, not {wanted}")
    return found


def fetch_checkpoint(name: str, what: str, instead: str) -> Snapshot:
    """Return a checkpoint's repository on a hub, fetched unless it is in the local cache; never its code.

    Args:
        name: ``owner/name`` or ``owner/name@revision``.
        what: what is looked for, for messages.
        instead: option that takes a folder, for messages.

    Raises:
        UsageError: it cannot be fetched.
    """
    return fetch(name, [*SMALL_FILES, "*.safetensors"], WEIGHTS, what, instead)


def read_json(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file.

    Raises:
        MmulbenchError: it holds none, or is a Git LFS pointer.
    """
    try:
        content = path.read_bytes()
        if is_lfs_pointer(content):
            raise MmulbenchError(f"{path} is {LFS_PULL}")
        found = json.loads(content)
    except (OSError, ValueError, RecursionError) as error:
        raise MmulbenchError(f"{path} cannot be read as JSON: {text_of(error)}") from error
    if not isinstance(found, dict):
        raise MmulbenchError(f"{path} holds no JSON object")
    return found
