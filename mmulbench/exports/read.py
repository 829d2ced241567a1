"""Take a model that was trained elsewhere, or exported before, with all its weights."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from mmulbench.backbones._checkpoint_backbone import TransformersBackbone
from mmulbench.backbones._pretrained.checkpoint_names import argument_of, label_of, split_digest
from mmulbench.backbones._pretrained.hub_snapshots import is_hub_name
from mmulbench.backbones._pretrained.transformers_checkpoint import fetch_checkpoint, read_json
from mmulbench.core.backbone import Backbone, TaskShape
from mmulbench.core.model import MultimodalModel
from mmulbench.core.registry import BACKBONES
from mmulbench.errors import MmulbenchError, UsageError
from mmulbench.exports import albef_file, own_layout, transformers_layout
from mmulbench.exports.facts import FACTS, Facts, read_facts
from mmulbench.exports.layout import Found, described
from mmulbench.exports.weight_files import refuse_outside

READABLE = (
    "readable are a folder in the transformers layout (BLIP, CLIP, SigLIP, ViLT), ALBEF's file, and what "
    "mmulbench exports, or owner/name of such a folder on a hub"
)

FAMILIES = {"clip": "clip", "siglip": "clip", "blip": "blip", "vilt": "vilt"}
"""Families by ``model_type`` of a configuration in the transformers layout."""

_DIGITS = 12
"""Digits of the digest in a label."""


@dataclass(frozen=True)
class GivenModel:
    """Holds a model that somebody gives.

    Attributes:
        source: path that the user gave, or ``owner/name@commit`` of a repository on a hub.
        backbone: prepares its inputs, and builds models of its form.
        digest: SHA-256 over names and values of its weights, 64 hexadecimal digits.
        label: name and digest, as records carry it.
        argument: place and digest, as the command line takes it.
        trained_on: names or fingerprints of data that the weights say they were trained on.
        facts: what an export says of itself; None where it is none.
        revision: ``owner/name@commit`` of the repository on a hub that it is from; empty for one on disk.
    """

    source: str
    backbone: Backbone
    digest: str
    label: str
    argument: str
    trained_on: frozenset[str]
    facts: Facts | None
    revision: str
    _load: Callable[[TaskShape], MultimodalModel]

    def load(self, shape: TaskShape) -> MultimodalModel:
        """Return the model with all its weights; none is left to chance.

        Args:
            shape: what the task asks of it.

        Raises:
            UsageError: It was made for something else, lacks a head, or cannot be read.
        """
        if self.facts is not None and self.facts.shape != shape:
            raise UsageError(
                f"{self.source} holds a model for {described(self.facts.shape)}, but {described(shape)} is "
                "asked for"
            )
        if shape.kind not in self.backbone.serves:
            raise UsageError(f"{self.source} is of {self.backbone.name}, which serves no {shape.kind}")
        with _as_usage():
            return self._load(shape)

    def start(self) -> Backbone:
        """Return the backbone whose models start from these weights.

        Raises:
            UsageError: They are in this project's own layout, which gives no start.
        """
        if self.backbone.checkpoint is None:
            raise UsageError(
                f"{self.source} is an export of {self.backbone.full_name}, which training starts anew: it "
                "reads no weights to start from"
            )
        return self.backbone


def open_model(source: str, family: str | None = None) -> GivenModel:
    """Find a model on disk or in a hub's cache, and see that it can be read.

    Args:
        source: path of a folder or a file; or ``owner/name`` or ``owner/name@revision`` on a hub, where there
            is no such path. ``@digest`` at the end demands these weights.
        family: family that it must be of; None takes what the files say.

    Raises:
        UsageError: It is not there, is damaged, of another family, or has other weights than demanded.
    """
    place, wanted = split_digest(source)
    path, snapshot = Path(place).expanduser(), None
    if not path.exists() and is_hub_name(place):
        snapshot = fetch_checkpoint(place, f"the model {place}", "/path/to/it")
        path, place = snapshot.folder, snapshot.source
    with _as_usage():
        facts = read_facts(path) if path.is_dir() else None
        found = _find(path, place, family, facts)
        digest, trained_on = found.digest, found.trained_on
    if facts is not None and digest != facts.digest:
        raise UsageError(
            f"the weights in {place} are not those that {FACTS} speaks of: they were changed or damaged"
        )
    if wanted and not digest.startswith(wanted):
        raise UsageError(f"the weights in {place} have the digest {digest[:_DIGITS]}, not {wanted}")
    name = path.resolve().name if snapshot is None else snapshot.name
    return GivenModel(
        source=place,
        backbone=_restored(found.backbone, facts),
        digest=digest,
        label=label_of(name, digest[:_DIGITS]),
        argument=argument_of(place, digest[:_DIGITS]),
        trained_on=trained_on,
        facts=facts,
        revision="" if snapshot is None else snapshot.source,
        _load=found.load,
    )


def _restored(backbone: Backbone, facts: Facts | None) -> Backbone:
    """Give a backbone those of an export's settings that its format cannot say."""
    told = {} if facts is None else {name: facts.config.get(name) for name in ("embedding", "false_texts")}
    known = {name: value for name, value in told.items() if isinstance(value, int)}
    backbone.config = replace(
        backbone.config, **{name: known[name] for name in known if hasattr(backbone.config, name)}
    )
    return backbone


@contextlib.contextmanager
def _as_usage() -> Iterator[None]:
    """Make wrong use of whatever is wrong with what the user gave.

    Raises:
        UsageError: The body raised a `MmulbenchError`.
    """
    try:
        yield
    except UsageError:
        raise
    except MmulbenchError as error:
        raise UsageError(str(error)) from error


def _find(path: Path, place: str, family: str | None, facts: Facts | None) -> Found:
    """Return a reader of whatever layout lies at a place.

    Raises:
        UsageError: There is nothing readable, or it is of another family.
    """
    if path.is_dir():
        refuse_outside(path)
        found = _family_of(path, facts)
    elif path.is_file():
        found = _family_of_file(path)
    else:
        raise UsageError(f"the model {place} is not there: {READABLE}")
    if family is not None and family != found:
        raise UsageError(f"{place} holds a model of the family {found}, not {family}")
    layout = facts.layout if facts is not None else "albef" if path.is_file() else "transformers"
    if layout == "mmulbench" and facts is not None:
        return own_layout.find(path, facts)
    if layout == "albef":
        folder = path if path.is_dir() else None
        return albef_file.find(str(path / albef_file.FILE if folder else path), folder)
    cls = BACKBONES.get(found)
    if not issubclass(cls, TransformersBackbone):
        raise UsageError(f"{path / FACTS}: {found} is not kept in the transformers layout")
    return transformers_layout.find(path, place, cls)


def _family_of(folder: Path, facts: Facts | None) -> str:
    """Return the family of what lies in a folder.

    Raises:
        UsageError: It is none that can be read.
    """
    if facts is not None:
        return facts.family
    config = folder / "config.json"
    if not config.is_file():
        raise UsageError(f"{folder} holds neither {FACTS} nor config.json: {READABLE}")
    kind = read_json(config).get("model_type")
    if kind not in FAMILIES:
        raise UsageError(f"{config} has model_type {kind!r}: {READABLE}")
    return FAMILIES[kind]


def _family_of_file(path: Path) -> str:
    """Return the family of a file that is no folder.

    Raises:
        UsageError: It is a part of a folder that should be given instead.
    """
    beside = [name for name in (FACTS, "config.json") if (path.parent / name).is_file()]
    if beside and path.name != albef_file.PICKLE:
        raise UsageError(f"{path} is a part of the folder with {beside[0]}: give {path.parent}")
    return "albef"
