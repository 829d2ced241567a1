"""Models in this project's own layout: what no published layout has a place for, by the names here."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from mmulbench.backbones._pretrained.foreign_files import read_tensors
from mmulbench.backbones._pretrained.provenance import in_metadata
from mmulbench.core.backbone import Backbone, TaskShape
from mmulbench.core.model import MultimodalModel
from mmulbench.core.registry import BACKBONES
from mmulbench.errors import UsageError, did_you_mean
from mmulbench.exports.facts import FACTS, Facts
from mmulbench.exports.layout import Packed, fill
from mmulbench.exports.weight_files import MAIN, digest_of
from mmulbench.hashing import canonical_json
from mmulbench.seeds import torch_seeded


def pack(model: MultimodalModel, backbone: Backbone) -> Packed:
    """Return a model in this project's own layout.

    Raises:
        UsageError: Its backbone is no variant, so that nobody could build it from the files.
    """
    if backbone.variant not in backbone.variants:
        raise UsageError(
            f"{backbone.full_name} cannot be exported: it started from a checkpoint, and there is no layout "
            f"for those of {backbone.name}"
        )
    state = {name: value.detach().cpu() for name, value in model.state_dict().items()}
    note = f"`{MAIN}` holds the weights by the names that mmulbench gives them, `{FACTS}` what they are of."
    return Packed(
        layout="mmulbench",
        main=MAIN,
        tensors=state,
        rest={},
        files={},
        title=backbone.full_name,
        loading=[],
        notes=[note],
    )


@dataclass(frozen=True)
class FoundModel:
    """A model in a folder in this project's own layout.

    Attributes:
        folder: the folder.
        backbone: the backbone that prepares its inputs and builds its form; not from these weights.
    """

    folder: Path
    backbone: Backbone

    @cached_property
    def digest(self) -> str:
        """Digest of all weights.

        Raises:
            MmulbenchError: The file is damaged.
        """
        return digest_of(read_tensors(self.folder / MAIN))

    @property
    def trained_on(self) -> frozenset[str]:
        """Names of the data that the weights say they were trained on."""
        return in_metadata(self.folder / MAIN)

    def load(self, shape: TaskShape) -> MultimodalModel:
        """Return the model with all its weights.

        Raises:
            UsageError: It has no head for that.
            MmulbenchError: The file is damaged.
        """
        with torch_seeded(0, "to be overwritten"):
            model = self.backbone.build(shape)
        fill(model, read_tensors(self.folder / MAIN), self.folder, shape)
        return model


def find(folder: Path, facts: Facts) -> FoundModel:
    """Return the model in a folder.

    Args:
        folder: the folder.
        facts: what it says of itself.

    Raises:
        UsageError: Nobody here can build it, or there are no weights.
    """
    cls = BACKBONES.get(facts.family)
    if facts.variant not in cls.variants:
        known = did_you_mean(facts.variant, cls.variants)
        raise UsageError(f"{folder} holds a model of {facts.family}:{facts.variant}, unknown here{known}")
    backbone = cls(facts.variant)
    if canonical_json(asdict(backbone.config)) != canonical_json(facts.config):
        raise UsageError(
            f"{folder} holds a model of {facts.family}:{facts.variant} as it was then; its settings have "
            "changed, so that the weights no longer fit"
        )
    if not (folder / MAIN).is_file():
        raise UsageError(f"{folder} holds no weights: looked for {MAIN}")
    return FoundModel(folder, backbone)
