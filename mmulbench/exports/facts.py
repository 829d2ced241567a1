"""What an export says of itself as data: `mmulbench.json`, which reading goes by."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from mmulbench.backbones._pretrained.transformers_checkpoint import EXPORT
from mmulbench.core.backbone import TaskShape
from mmulbench.errors import UsageError
from mmulbench.exports.model_card import ModelCard
from mmulbench.files import read_regular, reason_of
from mmulbench.frozen import Frozen

FACTS = EXPORT

FORMAT: Literal[1] = 1
"""Version of an export's files: raised when they change meaning. Other ones are refused."""

Layout = Literal["transformers", "albef", "mmulbench"]
"""Whose format the weights are in: transformers', that of ALBEF's authors, or this project's own."""


class Facts(Frozen):
    """Holds what an exported folder says of its model."""

    format: Literal[1] = FORMAT
    family: str = Field(description="registered name of the backbone's family")
    variant: str = Field(description="its variant, or name and digest of the checkpoint that it started from")
    layout: Layout = Field(description="whose format the weights are in")
    classes: int = Field(ge=0, description="number of classes that pairs fall into; 0 for retrieval")
    group: int = Field(ge=1, description="number of images or nodes that make one item")
    config: dict[str, Any] = Field(description="sizes and inputs of the model, as the backbone has them")
    digest: str = Field(pattern="^[0-9a-f]{64}$", description="SHA-256 over tensor names and values")
    card: ModelCard = Field(description="what the model card says")

    @property
    def shape(self) -> TaskShape:
        """What the model was made for."""
        return TaskShape(self.classes, self.group)


def read_facts(folder: Path) -> Facts | None:
    """Return what an exported folder says of its model; None where it is no export.

    Raises:
        UsageError: The file cannot be read, or is no description of an export.
    """
    path = folder / FACTS
    if not path.is_file():
        return None
    try:
        return Facts.model_validate_json(read_regular(path))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {reason_of(error)}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "its content"
        raise UsageError(f"{path} does not describe an export: {place}: {first['msg']}") from error
