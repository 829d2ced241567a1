"""Measure the models of a run, and hold what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from mmulbench.core.model import MultimodalModel
from mmulbench.core.observations import Measurements
from mmulbench.evaluation.by_unit import values_by_unit
from mmulbench.evaluation.unit_scores import unit_scores
from mmulbench.evaluation.unseen import validation_values
from mmulbench.evaluation.values import compute_values, score_histograms
from mmulbench.failure import Frame
from mmulbench.records.schema import Cost, Making, ScoreHistogram, StartCheck, Status, Value
from mmulbench.runs.references import Trained, weights_digest
from mmulbench.runs.scenario import Scenario


@dataclass(frozen=True)
class Outcome:
    """Holds the parts of a record that the run itself decides.

    Attributes:
        status: how the run ended.
        reason: why the run is not done; one line.
        trace: where the run failed, the innermost place last.
        values: measured values by name.
        cost: cost of unlearning.
        histograms: distributions of association scores by path.
        by_unit: by value, one number for each forget unit.
        units: content of the file of scores by unit; None where none is kept.
        shadows: number of shadow models that values rest on.
        weights: SHA-256 of the unlearned model.
        model: the unlearned model.
        start: what retrain's initial weights know of the forget set; None where they are random, or there is
            no reference.
        missing: what was left out, and why; one line each.
        models: where the original and retrain were trained, by name, where it is known.
    """

    status: Status
    reason: str | None = None
    trace: list[Frame] = field(default_factory=list)
    values: dict[str, Value] = field(default_factory=dict)
    cost: Cost | None = None
    histograms: dict[str, ScoreHistogram] = field(default_factory=dict)
    by_unit: dict[str, list[float]] = field(default_factory=dict)
    units: bytes | None = None
    shadows: int = 0
    weights: str | None = None
    model: MultimodalModel | None = None
    start: StartCheck | None = None
    missing: list[str] = field(default_factory=list)
    models: dict[str, Making] = field(default_factory=dict)


def evaluate(scenario: Scenario, unlearned: Trained, retrain: Trained | None, *, units: bool) -> Outcome:
    """Measure the models of a run, and compare them.

    Args:
        scenario: forget set and seed, with the original.
        unlearned: the unlearned model.
        retrain: the retrain; None where there is nothing to compare with.
        units: whether scores by unit are kept.
    """
    sets = scenario.sets
    original = scenario.original()
    own, before = (scenario.measure(model, sets) for model in (unlearned.model, original.model))
    reference = scenario.measure(retrain.model, sets) if retrain is not None else None
    by_set = {name: split.first for name, split in sets.splits.items()}
    values, missing = compute_values(own, before, reference, by_set, scenario.seed)
    if reference is None:
        more, why = _unseen(scenario, (unlearned.model, own), (original.model, before))
        values, missing = {**values, **more}, [*missing, *why]
    models = {"original": original.made, "retrain": retrain.made if retrain is not None else None}
    return Outcome(
        "done",
        values=values,
        missing=missing,
        weights=weights_digest(unlearned.model),
        model=unlearned.model,
        cost=_cost(unlearned, retrain),
        histograms=score_histograms(own, before),
        by_unit=values_by_unit(own, by_set["forget"]),
        units=_unit_file(scenario, unlearned.model, retrain, own, before, reference) if units else None,
        models={name: made for name, made in models.items() if made is not None},
    )


def _unseen(
    scenario: Scenario,
    unlearned: tuple[MultimodalModel, Measurements],
    original: tuple[MultimodalModel, Measurements],
) -> tuple[dict[str, Value], list[str]]:
    """Attack with validation pairs, the only unseen data that a run without a reference can be compared with.

    Returns:
        Values by name; and what is missing, one line each.
    """
    validation = scenario.prepared.data.validation
    if not len(validation):
        return {}, ["attacks with validation pairs: there are none"]
    units = {name: split.first for name, split in scenario.sets.splits.items()} | {
        "validation": validation.first
    }
    own, before = (
        {
            path: {**measured.losses.get(path, {}), **losses}
            for path, losses in scenario.losses(model, scenario.validation_sets).items()
        }
        for model, measured in (unlearned, original)
    )
    return validation_values(own, before, units, scenario.seed), []


def _cost(unlearned: Trained, retrain: Trained | None) -> Cost | None:
    """Return what unlearning cost, beside what retraining did as far as either is known."""
    if unlearned.given:
        return None
    known = retrain is not None and not retrain.given
    return unlearned.cost.beside(retrain.cost) if retrain is not None and known else unlearned.cost


def _unit_file(
    scenario: Scenario,
    unlearned: MultimodalModel,
    retrain: Trained | None,
    own: Measurements,
    before: Measurements,
    reference: Measurements | None,
) -> bytes:
    """Return the content of the file of scores by unit; the retain set has as many units as the test set."""
    units = {name: split.first for name, split in scenario.sets.splits.items()}
    retained = scenario.sampled_sets.splits["retain"].units
    models = {"original": scenario.original().model, "unlearned": unlearned}
    if retrain is not None:
        models["retrain"] = retrain.model
    rankings = {name: scenario.rankings(model) for name, model in models.items()}
    return unit_scores(own, before, reference, units, retained).to_parquet(rankings)
