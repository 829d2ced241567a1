"""What layouts share: files that a model becomes, models found in files, and that none is filled half."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from torch import Tensor

from mmulbench.core.backbone import Backbone, TaskShape
from mmulbench.core.model import MultimodalModel
from mmulbench.errors import UsageError
from mmulbench.exports.facts import Layout


@dataclass(frozen=True)
class Packed:
    """Holds a model in a layout, as files to be written.

    Attributes:
        layout: whose format it is.
        main: name of the file of the weights that the format has a place for.
        tensors: these weights, by the format's names.
        rest: all other weights, by our names.
        files: contents of small files by name.
        pickle: file and content, where the family's own code reads nothing but what torch saves.
        title: name of the class that the card speaks of.
        loading: blocks of Python code that load it, without mmulbench.
        notes: what else a reader of the card has to know.
    """

    layout: Layout
    main: str
    tensors: Mapping[str, Tensor]
    rest: Mapping[str, Tensor]
    files: Mapping[str, bytes]
    title: str
    loading: Sequence[str]
    notes: Sequence[str]
    pickle: tuple[str, Mapping[str, Tensor]] | None = field(default=None)


class Found(Protocol):
    """Describes a model that was found in files."""

    @property
    def backbone(self) -> Backbone:
        """Backbone that prepares its inputs."""

    @property
    def digest(self) -> str:
        """Digest of its weights."""

    @property
    def trained_on(self) -> frozenset[str]:
        """Names of the data that the weights say they were trained on."""

    def load(self, shape: TaskShape) -> MultimodalModel:
        """Return it with all its weights."""


def fill(
    model: MultimodalModel,
    found: Mapping[str, Tensor],
    place: Path,
    shape: TaskShape,
    *,
    optional: frozenset[str] = frozenset(),
    names: Mapping[str, str] | None = None,
) -> None:
    """Overwrite all weights of a model.

    Args:
        model: the model.
        found: weights by name; further ones are left alone.
        place: where they lie, for messages.
        shape: what the model is for, for messages.
        optional: weights that may stay as they are.
        names: what parts are called in the file, by ours, for messages.

    Raises:
        UsageError: Some are missing, or have other shapes; the message names the parts.
    """
    state = model.state_dict()
    missing = [name for name in state if name not in found and name not in optional]
    if missing:
        parts = dict.fromkeys(name.partition(".")[0] for name in missing)
        called = ", ".join((names or {}).get(part, part) for part in parts)
        raise UsageError(
            f"{place} lacks {called}: it holds no model for {described(shape)}, and no part of a given model "
            "is made up"
        )
    for name, value in state.items():
        if name in found and found[name].shape != value.shape:
            raise UsageError(
                f"{place} has {name} with the shape {(*found[name].shape,)}, but a model for "
                f"{described(shape)} has {(*value.shape,)}"
            )
    # In memory of their own: where a file is mapped, sums can depend on where in it a tensor lies.
    own = {name: found.get(name, value).to(value.dtype, copy=True) for name, value in state.items()}
    model.load_state_dict(own, assign=True)


def described(shape: TaskShape) -> str:
    """Return what a model is for, in words."""
    what = f"{shape.classes} classes" if shape.classes else "retrieval"
    return what if shape.group == 1 else f"{what} of {shape.group} images or nodes each"
