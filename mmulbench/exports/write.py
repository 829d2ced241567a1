"""Write an unlearned model in its family's own format, with a model card, whole or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import torch

from mmulbench.backbones._checkpoint_backbone import TransformersBackbone
from mmulbench.backbones.albef import AlbefBackbone
from mmulbench.cache import staging
from mmulbench.core.backbone import Backbone, TaskShape
from mmulbench.core.model import MultimodalModel
from mmulbench.errors import UsageError
from mmulbench.exports import albef_file, own_layout, transformers_layout
from mmulbench.exports.facts import FACTS, Facts
from mmulbench.exports.layout import Packed, described
from mmulbench.exports.loading_code import own_code
from mmulbench.exports.model_card import CARD, ModelCard, card_text
from mmulbench.exports.weight_files import REST, digest_of, write_weights
from mmulbench.files import disk_errors, sync_folder, write_atomically
from mmulbench.seeds import torch_seeded


def write_model(
    model: MultimodalModel, backbone: Backbone, shape: TaskShape, folder: Path, card: ModelCard
) -> str:
    """Write a model in the format of its family.

    CLIP, SigLIP, BLIP and ViLT are written as transformers reads them, ALBEF of a published form as its
    authors' programs do, and all others in this project's own layout. What a format has no place for lies in
    a file of its own beside it.

    Args:
        model: the model.
        backbone: what it was built by.
        shape: what it was built for.
        folder: where to; it must not be there.
        card: what its model card says.

    Returns:
        SHA-256 over tensor names and values, as reading gives it.

    Raises:
        UsageError: The folder is there, or no layout holds the model.
        MmulbenchError: The disk refuses.
    """
    refuse_existing(folder)
    _refuse_changed(model, backbone, shape)
    with disk_errors("write", folder):
        packed = _pack(model, backbone, shape)
        digest = digest_of({**packed.tensors, **packed.rest})
        facts = Facts(
            family=backbone.name,
            variant=backbone.variant,
            layout=packed.layout,
            classes=shape.classes,
            group=shape.group,
            config=asdict(backbone.config),
            digest=digest,
            card=card,
        )
        with _staged(folder) as own:
            _write(packed, facts, own)
    return digest


def refuse_existing(folder: Path) -> None:
    """Refuse a folder that is there, before hours are spent on what is to go there.

    Raises:
        UsageError: It is.
    """
    if folder.exists() or folder.is_symlink():
        raise UsageError(f"{folder} is there already: choose another folder, or move it away")


def _refuse_changed(model: MultimodalModel, backbone: Backbone, shape: TaskShape) -> None:
    """Refuse a model that is not of its backbone's form, as where a method put something in.

    Raises:
        UsageError: It is not.
    """
    with torch_seeded(0, "to be compared"):
        built = {name: value.shape for name, value in backbone.build(shape).state_dict().items()}
    found = {name: value.shape for name, value in model.state_dict().items()}
    odd = sorted(name for name in {*built, *found} if built.get(name) != found.get(name))
    if odd:
        raise UsageError(
            f"the model cannot be exported: {len(odd)} of its weights, such as {odd[0]}, are not those of "
            f"{backbone.full_name} for {described(shape)}; the method has changed its form"
        )


def _pack(model: MultimodalModel, backbone: Backbone, shape: TaskShape) -> Packed:
    """Return a model in the layout of its family."""
    if isinstance(backbone, TransformersBackbone):
        return transformers_layout.pack(model, backbone, shape)
    if isinstance(backbone, AlbefBackbone) and albef_file.has_published_form(backbone.config):
        return albef_file.pack(model, backbone)
    return own_layout.pack(model, backbone)


def _write(packed: Packed, facts: Facts, own: Path) -> None:
    """Write all files of an export."""
    card = facts.card
    write_weights(packed.tensors, own / packed.main, card.trained_on)
    if packed.rest:
        write_weights(packed.rest, own / REST, card.trained_on)
    if packed.pickle is not None:
        name, tensors = packed.pickle
        with (own / name).open("wb") as file:  # given a path, torch says nothing of a disk that is full
            torch.save({"model": dict(tensors), "config": {"train_file": [*card.trained_on]}}, file)
    for name, content in packed.files.items():
        write_atomically(own / name, content)
    write_atomically(own / FACTS, facts.model_dump_json(indent=1) + "\n")
    about = {
        "Backbone": f"{facts.family}:{facts.variant}",
        "Made for": described(facts.shape),
        "Digest of the weights": facts.digest,
    }
    loading = [*packed.loading, own_code(facts.shape)]
    title = f"{packed.title}, unlearned by {card.method}"
    write_atomically(own / CARD, card_text(card, title, about, loading, packed.notes))


@contextlib.contextmanager
def _staged(folder: Path) -> Iterator[Path]:
    """Provide a folder that becomes ``folder`` when the body is done, and is gone where it fails.

    What killed processes left beside it goes first.

    Raises:
        UsageError: Meanwhile, ``folder`` has come to be.
    """
    folder = folder.absolute()
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging.clear_hidden(folder.parent)
    own = staging.own(folder.with_name(f".{folder.name}"))
    own.mkdir()
    try:
        yield own
        for path in own.iterdir():
            with path.open("rb+") as file:
                os.fsync(file.fileno())
            path.chmod((own / FACTS).stat().st_mode)  # safetensors makes files only their owner can read
        refuse_existing(folder)
        own.rename(folder)
    except BaseException:
        shutil.rmtree(own, ignore_errors=True)
        raise
    sync_folder(folder.parent)
