"""Measurements of a model, found in the cache by its weights, and the sets they are made on."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import torch

from mmulbench.cache.entry import Artifact
from mmulbench.cache.nested_names import flatten, unflatten
from mmulbench.core.data import Integers, Split
from mmulbench.core.forget_set import ForgetSet
from mmulbench.core.model import MultimodalModel
from mmulbench.core.observations import ByPath, Estimate, Measurements
from mmulbench.evaluation.measure import EvaluationSets, measure, measure_losses
from mmulbench.evaluation.rankings import PAIRS, first_places, ranked_units
from mmulbench.records.rankings import PLACES, Rankings
from mmulbench.records.schema import METRIC_VERSION
from mmulbench.runs.prepare import PreparedTask
from mmulbench.runs.references import digest, weights_digest
from mmulbench.seeds import generator

KIND = "measurements"

RANKINGS = "rankings"

LOSSES = "losses"
"""Kind of what is measured of sets that take no more than losses."""


def evaluation_sets(prepared: PreparedTask, retain: Split, forget: Split) -> EvaluationSets:
    """Return the sets that all models of one forget set are judged on.

    Queries of the forget set search the test split's items, as the test split's own queries do: in a gallery
    of another size or difficulty their utility could not be compared.

    Args:
        prepared: task whose test and validation splits are used.
        retain: pairs of the retain set, all or a part.
        forget: pairs of the forget set.
    """
    return EvaluationSets(
        splits={"test": prepared.data.test, "retain": retain, "forget": forget},
        reference=prepared.data.validation,
        relations=prepared.relations,
        features=prepared.features,
        modalities=prepared.task.modalities,
        rerank=prepared.task.rerank,
        classes=len(prepared.task.classes),
        headline=prepared.task.utility,
        gallery=prepared.task.gallery,
        galleries={"forget": prepared.data.test},
    )


def retain_sample(prepared: PreparedTask, forget: ForgetSet, seed: int) -> Split:
    """Draw as many units of the retain set as the test split has; the draw depends on the seed alone.

    Measuring the whole retain set would cost more than most methods do.

    Args:
        prepared: task whose training split the forget set is a part of.
        forget: the forget set.
        seed: seed of the draw.
    """
    retain, count = forget.kept(prepared.data.train), len(prepared.data.test.units)
    return retain.only(generator(seed, "judged units").permutation(retain.units)[:count])


def load_measurements(
    model: MultimodalModel, sets: EvaluationSets, prepared: PreparedTask, seed: int
) -> Measurements:
    """Load a model's measurements from the cache, or measure it; equal models are measured once.

    Args:
        model: any model of the task.
        sets: sets to judge it on.
        prepared: task and backbone.
        seed: seed of the unrelated pairs.
    """
    workspace = prepared.workspace
    inputs = _inputs(weights_digest(model), sets, prepared, seed)

    def build() -> Artifact:
        return _pack(measure(model, sets, seed, workspace.progress))

    return _unpack(workspace.cache.get_or_build(KIND, inputs, build))


def load_losses(model: MultimodalModel, sets: EvaluationSets, prepared: PreparedTask, seed: int) -> ByPath:
    """Load a model's losses from the cache, or measure them; equal models are measured once.

    Args:
        model: any model of the task.
        sets: sets to measure them on.
        prepared: task and backbone.
        seed: seed of the run.
    """
    workspace = prepared.workspace
    inputs = _inputs(weights_digest(model), sets, prepared, seed)

    def build() -> Artifact:
        return Artifact(tensors_of(measure_losses(model, sets, workspace.progress)), {})

    return by_path_of(workspace.cache.get_or_build(LOSSES, inputs, build).tensors)


def load_rankings(
    model: MultimodalModel, sets: EvaluationSets, prepared: PreparedTask, seed: int
) -> Rankings:
    """Load what a model ranks first for some forget units from the cache, or have it rank them now.

    Args:
        model: any model of the task.
        sets: sets that it is judged on.
        prepared: task and backbone.
        seed: seed of the run, which draws the units.
    """
    workspace = prepared.workspace
    units = ranked_units(sets.splits["forget"].first, seed)
    kept = {"units": digest(units), "places": PLACES, "pairs": PAIRS}
    inputs = {**_inputs(weights_digest(model), sets, prepared, seed), **kept}

    def build() -> Artifact:
        found = first_places(model, sets, units, workspace.progress)
        paths, place = np.unique(found.path, return_inverse=True)
        arrays = {one.name: getattr(found, one.name) for one in fields(found)} | {"path": place}
        return Artifact(
            {name: torch.from_numpy(array) for name, array in arrays.items()}, {"paths": paths.tolist()}
        )

    loaded = workspace.cache.get_or_build(RANKINGS, inputs, build)
    arrays = {name: tensor.numpy() for name, tensor in loaded.tensors.items()}
    return Rankings(**{**arrays, "path": np.array(loaded.info["paths"])[arrays["path"]]})


def find_measurements(
    weights: str, sets: EvaluationSets, prepared: PreparedTask, seed: int
) -> Measurements | None:
    """Return what was measured of a model that need not be there any more; None where the cache lacks it.

    Args:
        weights: SHA-256 of its weights, as of `mmulbench.runs.references.weights_digest`.
        sets: sets that it was judged on.
        prepared: task and backbone.
        seed: seed of the unrelated pairs.
    """
    found = prepared.workspace.cache.find(KIND, _inputs(weights, sets, prepared, seed))
    return None if found is None else _unpack(found)


def _inputs(weights: str, sets: EvaluationSets, prepared: PreparedTask, seed: int) -> dict[str, Any]:
    """Return everything that a model's measurements depend on, for their cache key."""
    return {
        **prepared.key,
        "weights": weights,
        "sets": digest_of_sets(sets),
        "headline": sets.headline,
        "rerank": sets.rerank,
        "gallery": sets.gallery,
        "seed": seed,
        "metric_version": METRIC_VERSION,
    }


def digest_of_sets(sets: EvaluationSets) -> str:
    """Return the SHA-256 of the pairs that models are judged on, 64 hexadecimal digits."""
    galleries = [column for split in sets.galleries.values() for column in (split.first, split.second)]
    return digest(*(column for split in sets.splits.values() for column in _columns(split)), *galleries)


def _columns(split: Split) -> tuple[Integers, ...]:
    labels = () if split.label is None else (split.label,)
    return (split.first, split.second, *labels)


def tensors_of(by_path: ByPath) -> dict[str, torch.Tensor]:
    """Return the arrays of all paths and sets as tensors, each called ``path/set``."""
    return {name: torch.from_numpy(array) for name, array in flatten(by_path).items()}


def by_path_of(tensors: dict[str, torch.Tensor]) -> ByPath:
    """Return the arrays that `tensors_of` was given."""
    return unflatten({name: tensor.numpy() for name, tensor in tensors.items()})


def _pack(found: Measurements) -> Artifact:
    utility = {
        name: {measure: [recall.value, recall.chance, recall.n] for measure, recall in measures.items()}
        for name, measures in found.utility.items()
    }
    arrays = {"scores": tensors_of(found.scores), "losses": tensors_of(found.losses)}
    # Models compute in single precision at most: half the size, and nothing lost.
    arrays["pooled"] = {name: torch.from_numpy(array).float() for name, array in found.pooled.items()}
    if found.unit_utility is not None:
        arrays["units"] = {"forget": torch.from_numpy(found.unit_utility)}
    return Artifact(flatten(arrays), {"utility": utility})


def _unpack(artifact: Artifact) -> Measurements:
    arrays = unflatten(artifact.tensors)
    utility = {
        name: {measure: Estimate(value, n, chance=chance) for measure, (value, chance, n) in measures.items()}
        for name, measures in artifact.info["utility"].items()
    }
    units = arrays.get("units", {})
    return Measurements(
        utility,
        scores=by_path_of(arrays.get("scores", {})),
        losses=by_path_of(arrays.get("losses", {})),
        pooled={name: tensor.double().numpy() for name, tensor in arrays.get("pooled", {}).items()},
        unit_utility=units["forget"].numpy() if units else None,
    )
