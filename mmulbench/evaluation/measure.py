"""Run a model over Df, Dr and the test set, for the arrays that every metric is computed from."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from mmulbench.core.data import Features, Integers, NoUnrelatedPairs, Relations, Split, unrelated_pairs
from mmulbench.core.encoding import ItemEncoder
from mmulbench.core.metric import HEADLINE
from mmulbench.core.model import CONTRASTIVE, MultimodalModel, RetrievalModel
from mmulbench.core.observations import ByPath, Estimate, Measurements
from mmulbench.evaluation.pair_losses import EncodedPairs, Pools, associations
from mmulbench.evaluation.retrieval import evaluate_retrieval
from mmulbench.metrics.classification import classification_utility, unit_accuracy
from mmulbench.metrics.utility import RetrievalUtility
from mmulbench.progress import Progress
from mmulbench.seeds import generator, torch_seeded

Floats = NDArray[np.float64]

PAIR_BLOCK = 2048
"""Most pairs that are judged at a time."""

POOLED_ITEMS = 1024
"""Most items of a modality whose unimodal representations are kept."""


@dataclass(frozen=True)
class EvaluationSets:
    """Holds the sets that a model is judged on.

    Attributes:
        splits: ``test``, ``retain`` and ``forget``.
        reference: pairs of the validation split; their items are the negatives of the contrastive loss, since
            no model was trained on them.
        relations: all true pairs.
        features: inputs of all items.
        modalities: names of the two modalities.
        rerank: retrieval candidates that the fusion module re-ranks.
        classes: how many classes pairs fall into; 0 for retrieval.
        headline: the measure that stands for utility; empty for mean recall or accuracy.
        gallery: retrieval is measured in galleries of at most so many units; 0 for any number.
        galleries: by the name of a split, pairs whose items its queries search besides their own true items;
            a split without an entry is its own gallery.
    """

    splits: Mapping[str, Split]
    reference: Split
    relations: Relations
    features: Features
    modalities: tuple[str, str]
    rerank: int
    classes: int = 0
    headline: str = ""
    gallery: int = 0
    galleries: Mapping[str, Split] = field(default_factory=dict)

    def gallery_of(self, model: RetrievalModel) -> int:
        """Return how many units a gallery of a model has at most; 0 for any number."""
        return min(filter(None, (self.gallery, model.largest_gallery)), default=0)


@torch.no_grad()
def measure(model: MultimodalModel, sets: EvaluationSets, seed: int, progress: Progress) -> Measurements:
    """Run a model over all sets.

    Args:
        model: any model of the task; set to evaluation mode.
        sets: sets to judge it on.
        seed: seed of the unrelated pairs.
        progress: display of bars.
    """
    model.eval()
    encoder = ItemEncoder(model, sets.features)
    found = {
        name: _utility(model, name, split, sets, encoder, progress) for name, split in sets.splits.items()
    }
    pairs = dict(sets.splits)
    with torch_seeded(seed, "unrelated pairs"), contextlib.suppress(NoUnrelatedPairs):  # metrics say so
        pairs["unrelated"] = unrelated_pairs(
            sets.splits["retain"], sets.relations, len(sets.splits["forget"])
        )
    scores, losses = _scores_and_losses(model, pairs, sets, encoder, progress)
    for by_set in losses.values():
        by_set.pop("unrelated", None)
    return Measurements(
        utility={name: of_set for name, (of_set, _) in found.items()},
        scores=scores,
        losses=losses,
        pooled=_pooled(model, sets.splits["test"], encoder),
        unit_utility=found["forget"][1],
    )


@torch.no_grad()
def measure_losses(model: MultimodalModel, sets: EvaluationSets, progress: Progress) -> ByPath:
    """Compute the loss of each true pair, by path and set, without the retrieval of `measure`.

    A contrastive path is absent where there are no reference pairs.

    Args:
        model: any model of the task; set to evaluation mode.
        sets: sets to judge it on.
        progress: display of a bar.
    """
    encoder = ItemEncoder(model.eval(), sets.features)
    return _scores_and_losses(model, sets.splits, sets, encoder, progress)[1]


@torch.no_grad()
def fused_outputs(model: MultimodalModel, split: Split, encoder: ItemEncoder) -> Floats:
    """Compute the (n, d) fused representations of a split's pairs.

    Args:
        model: model in evaluation mode.
        split: the pairs.
        encoder: encodes items with the model.
    """
    size = encoder.block(PAIR_BLOCK, *model.modalities)
    parts = (slice(start, start + size) for start in range(0, len(split), size))
    blocks = (encoded_pairs(model, split, encoder, part) for part in parts)
    return torch.cat([model.fuse(block.a, block.b).double().cpu() for block in blocks]).numpy()


def _scores_and_losses(
    model: MultimodalModel,
    pairs: Mapping[str, Split],
    sets: EvaluationSets,
    encoder: ItemEncoder,
    progress: Progress,
) -> tuple[ByPath, ByPath]:
    """Compute scores and losses of pairs, each by path, then by the name of the pairs."""
    scores: ByPath = {path: {} for path in model.paths}
    losses: ByPath = {path: {} for path in model.paths}
    pools = _reference_pools(model, sets, encoder)
    block = encoder.block(PAIR_BLOCK, *model.modalities)
    total = sum(-(-len(split) // block) for split in pairs.values())
    tick = progress.counter(total, "association of pairs")
    for name, split in pairs.items():
        by_path = _pair_numbers(model, split, encoder, pools, tick)
        for whole, part in zip((scores, losses), by_path, strict=True):
            for path, values in part.items():
                whole[path][name] = values
    if not len(sets.reference):  # no negatives
        losses.pop(CONTRASTIVE, None)
    return scores, losses


def _utility(
    model: MultimodalModel,
    name: str,
    split: Split,
    sets: EvaluationSets,
    encoder: ItemEncoder,
    progress: Progress,
) -> tuple[dict[str, Estimate], Floats]:
    """Compute the task's measures on one set, and the (u,) headline of each unit.

    ``headline`` is the measure that stands for all. A unit's is the share of its pairs that are right in
    classification, whatever the measure.
    """
    if not isinstance(model, RetrievalModel):
        predicted = _predictions(model, split, encoder, progress, f"classify {name}")
        assert split.label is not None
        found = classification_utility(predicted, split.label, sets.classes)
        return {HEADLINE: found[sets.headline or "accuracy"], **found}, unit_accuracy(
            predicted, split.label, split.first
        )
    result = evaluate_retrieval(
        model,
        split,
        sets.relations,
        sets.features,
        sets.rerank,
        progress,
        f"retrieval on {name}",
        sets.gallery_of(model),
        sets.galleries.get(name),
    )
    named = result.utility.named(*sets.modalities)
    by_path = {path: _mean(recalls) for path, recalls in result.by_path.items()}
    headline = named[sets.headline] if sets.headline else _mean(result.utility)
    by_unit = result.by_unit.reshape(len(result.by_unit), -1)
    of_units = by_unit[:, list(named).index(sets.headline)] if sets.headline else by_unit.mean(1)
    return {HEADLINE: headline, **named, **by_path}, of_units


def _mean(recalls: RetrievalUtility) -> Estimate:
    return Estimate(recalls.mean_recall, recalls.n, chance=recalls.chance)


def _pooled(model: MultimodalModel, split: Split, encoder: ItemEncoder) -> dict[str, Floats]:
    """Return the unimodal representations of a split's items by modality: of all, or of a fixed draw."""
    found = {}
    for modality, column in zip(model.modalities, (split.first, split.second), strict=True):
        items = generator(0, "items whose representations are kept").permutation(np.unique(column))
        kept = torch.from_numpy(np.sort(items[:POOLED_ITEMS]))
        found[modality] = encoder.pooled(modality, kept).double().cpu().numpy()
    return found


def _predictions(
    model: MultimodalModel, split: Split, encoder: ItemEncoder, progress: Progress, description: str
) -> Integers:
    """Predict the (n,) classes of the pairs."""
    size = encoder.block(PAIR_BLOCK, *model.modalities)
    starts = range(0, len(split), size)
    found = []
    for start in progress.track(starts, len(starts), description):
        pairs = encoded_pairs(model, split, encoder, slice(start, start + size))
        found.append(model.head(model.fuse(pairs.a, pairs.b)).argmax(1))
    return torch.cat(found).cpu().numpy()


def encoded_pairs(model: MultimodalModel, split: Split, encoder: ItemEncoder, part: slice) -> EncodedPairs:
    """Encode one block of a split's pairs.

    Args:
        model: model in evaluation mode.
        split: the pairs.
        encoder: encodes items with the model.
        part: rows of the block.
    """
    first, second = torch.from_numpy(split.first[part]), torch.from_numpy(split.second[part])
    a, b = (
        encoder.items(modality, items)
        for modality, items in zip(model.modalities, (first, second), strict=True)
    )
    labels = None
    if split.label is not None:
        labels = torch.from_numpy(split.label[part]).to(a.pooled.device)
    return EncodedPairs(a, b, first, second, labels)


def _reference_pools(model: MultimodalModel, sets: EvaluationSets, encoder: ItemEncoder) -> Pools | None:
    """Encode the reference items of both modalities; None where no path compares with them, or none are."""
    if CONTRASTIVE not in model.paths or not len(sets.reference):
        return None
    reference = (sets.reference.first, sets.reference.second)
    first, second = (torch.from_numpy(np.unique(column)) for column in reference)
    one, other = model.modalities
    pooled = encoder.pooled(one, first), encoder.pooled(other, second)
    return Pools(*pooled, first, second, sets.relations)


def _pair_numbers(
    model: MultimodalModel,
    split: Split,
    encoder: ItemEncoder,
    pools: Pools | None,
    tick: Callable[[], None],
) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """Compute the scores and the losses of every pair of a split, by path."""
    # Filled in place: small results kept among large temporaries would keep their memory from being reused.
    scores, losses = ({path: np.empty(len(split)) for path in model.paths} for _ in range(2))
    size = encoder.block(PAIR_BLOCK, *model.modalities)
    for start in range(0, len(split), size):
        part = slice(start, start + size)
        for path, block in associations(model, encoded_pairs(model, split, encoder, part), pools).items():
            scores[path][part] = block.score.double().cpu().numpy()
            losses[path][part] = block.loss.double().cpu().numpy()
        tick()
    return scores, losses
