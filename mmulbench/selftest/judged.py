"""Judge planted models as runs are judged: metrics, records, verdict and ranking."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from statistics import fmean

from mmulbench import __version__
from mmulbench.core.metric import Metric, PopulationMetric, RecoveryMetric
from mmulbench.core.observations import Estimate, Measurements
from mmulbench.errors import MmulbenchError
from mmulbench.evaluation.by_unit import values_by_unit
from mmulbench.evaluation.population_values import population_values
from mmulbench.evaluation.recovery import recovery_values
from mmulbench.evaluation.values import details, score_histograms, values_of
from mmulbench.metrics.catalogue import all_metrics
from mmulbench.progress import Progress
from mmulbench.records.schema import Environment, RunResult, RunSpec, Value
from mmulbench.report.aggregate import RETRAIN_AGAIN, RecordGroup, group_records
from mmulbench.report.floor import Floor
from mmulbench.report.ranking import RANKED, Ranking, rank
from mmulbench.report.verdict import verdict
from mmulbench.selftest.planted import (
    KNOWN,
    ORIGINAL,
    PLANTED,
    RETRAIN,
    RUN,
    SEEDS,
    Planted,
    again,
    measurements,
    population,
    recovery,
    shown_pairs,
)

DRAWS = (1, 2, 3, 4, 5)
"""Retrains by other training seeds, of each forget set: the noise floor."""

OF_DRAWS = {*RANKED, "test", "retain"}
"""Metrics that have a noise floor; those retrains have no others."""

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HERE = Environment(
    mmulbench=__version__,
    git_commit=None,
    python="",
    platform="",
    device="cpu",
    threads=1,
    packages={},
)


@dataclass(frozen=True)
class Judged:
    """Holds what was said of the planted models.

    Attributes:
        records: a record of every planted model, reference and seed.
        others: by planted model, the values that rest on other models: on shadow models, or on those that
            are trained again; of the first seed.
    """

    records: tuple[RunResult, ...]
    others: Mapping[str, Mapping[str, Value]]

    def values(self, planted: str, name: str) -> list[Value]:
        """Return a value of a planted model, of each seed that has it.

        Args:
            planted: name of the model.
            name: name of the value, such as ``mia/matching``.
        """
        of_others = self.others[planted].get(name)
        if of_others is not None:
            return [of_others]
        records = [record for record in self.records if record.spec.method == planted]
        return [record.values[name] for record in records if name in record.values]

    def number(self, planted: str, name: str, *, beside_retrain: bool = False) -> float | None:
        """Return the mean of a value over seeds, None where a seed has none.

        Args:
            planted: name of the model.
            name: name of the value.
            beside_retrain: subtract retrain's value of the same seed.
        """
        found = [
            None if one.value is None else one.value - (one.retrain or 0.0 if beside_retrain else 0.0)
            for one in self.values(planted, name)
        ]
        numbers = [one for one in found if one is not None]
        return fmean(numbers) if numbers and len(numbers) == len(found) else None

    def names(self) -> list[str]:
        """Return the names of all values."""
        planted = PLANTED[0].name
        of_runs = next(record.values for record in self.records if record.spec.method == planted)
        return [*of_runs, *self.others[planted]]

    def verdict(self, planted: str) -> tuple[str, str]:
        """Return the words of the verdict on a planted model, of its first seed.

        Args:
            planted: name of the model.

        Returns:
            What it says of forgetting, with the paths that it names; and of utility: ``lost`` or ``kept``.
        """
        record = next(one for one in self.records if one.spec.method == planted)
        sentence = verdict(record, Floor.of(record, self.records))
        words = re.match(rf"{planted} (.*?)( (?:and|but) lost utility)?:", sentence)
        if words is None:
            return sentence, ""
        paths = [path for path in KNOWN if f"the {path} path" in sentence]
        forgetting = f"{words[1]} ({', '.join(paths)})" if paths else words[1]
        return forgetting, "lost" if words[2] else "kept"

    def rank(self, planted: str, key: str) -> str:
        """Say how the leaderboard ranks a planted model: ``best``, ``worse`` or ``out``.

        Args:
            planted: name of the model.
            key: name of the value to rank by.
        """
        ranking = self._ranking
        if ranking.why_not:
            return f"nothing is ranked: {ranking.why_not}"
        if planted in ranking.out:
            return "out"
        return "best" if planted in ranking.best[key] else "worse"

    @cached_property
    def _ranking(self) -> Ranking:
        return rank(self._group, ranked_keys())

    @property
    def _group(self) -> RecordGroup:
        (group,) = group_records(self.records)
        return group


def ranked_keys() -> list[str]:
    """Return the names of the values that the leaderboard ranks rows by."""
    by_path = {"mia", "forget_vs_retain_auc"}
    return [
        key
        for name in RANKED
        for key in ([f"{name}/{path}" for path in KNOWN] if name in by_path else [name])
    ]


def judge(progress: Progress) -> Judged:
    """Have all planted models judged.

    Args:
        progress: display of a bar.

    Raises:
        MmulbenchError: a metric fails on a planted model.
    """
    tick = progress.counter(len(SEEDS) * (len(PLANTED) + len(DRAWS) + 2) + len(PLANTED), "planted models")
    metrics = [one for one in all_metrics() if not isinstance(one, PopulationMetric | RecoveryMetric)]
    records: list[RunResult] = []
    for seed in SEEDS:
        references = _References.of(metrics, seed)
        for method, planted, config in _runs():
            records.append(references.record(method, planted, config))
            tick()
    others = {}
    for planted in PLANTED:
        others[planted.name] = {**_of_shadows(planted), **_of_recovery(planted)}
        tick()
    return Judged(tuple(records), others)


def _runs() -> list[tuple[str, Planted, dict[str, int]]]:
    """Return method, model and settings of every run of a seed."""
    references = [("retrain", RETRAIN, dict[str, int]()), ("original", ORIGINAL, {})]
    others = [(RETRAIN_AGAIN, again(draw), {"draw": draw}) for draw in DRAWS]
    return [*references, *others, *((one.name, one, {}) for one in PLANTED)]


@dataclass(frozen=True)
class _References:
    """Holds the original and the retrain of one seed.

    Attributes:
        metrics: metrics to judge by.
        seed: the seed.
        original: measurements of the original.
        retrain: measurements of retrain.
        found: estimates of both by name.
    """

    metrics: list[Metric]
    seed: int
    original: Measurements
    retrain: Measurements
    found: dict[str, dict[str, Estimate]]

    @classmethod
    def of(cls, metrics: list[Metric], seed: int) -> _References:
        """Measure the original and the retrain of a seed."""
        original, retrain = (measurements(one, seed) for one in (ORIGINAL, RETRAIN))
        found = {
            one.name: _estimates(metrics, one, measured, original, retrain, seed)
            for one, measured in ((ORIGINAL, original), (RETRAIN, retrain))
        }
        return cls(metrics, seed, original, retrain, found)

    def record(self, method: str, planted: Planted, config: Mapping[str, int]) -> RunResult:
        """Make the record of a planted model."""
        is_draw = method == RETRAIN_AGAIN
        metrics = [one for one in self.metrics if one.name in OF_DRAWS] if is_draw else self.metrics
        measured = measurements(planted, self.seed)
        own = _estimates(metrics, planted, measured, self.original, self.retrain, self.seed)
        spec = RunSpec(
            task="planted",
            backbone="planted:models",
            method=method,
            config=dict(config),
            forget_size=RUN.units["forget"],
            seed=self.seed,
            data_fingerprint="planted",
        )
        return RunResult(
            run_id=spec.run_id,
            spec=spec,
            status="done",
            values=values_of(metrics, {"model": own, **self.found}),
            histograms=score_histograms(measured, self.original),
            by_unit=values_by_unit(measured, RUN.of_pairs()["forget"]),
            command="mmulbench selftest metrics",
            environment=HERE,
            started=NOON,
            finished=NOON,
        )


def _estimates(
    metrics: list[Metric],
    planted: Planted,
    measured: Measurements,
    original: Measurements,
    retrain: Measurements,
    seed: int,
) -> dict[str, Estimate]:
    """Compute every value of one model by name; one metric at a time, so that a failure names it.

    Raises:
        MmulbenchError: a metric fails.
    """
    found: dict[str, Estimate] = {}
    for metric in metrics:
        try:
            found |= details([metric], measured, original, retrain, RUN.of_pairs(), seed)
        except Exception as error:
            raise MmulbenchError(
                f"metric {metric.name} fails on the planted model {planted.name}: "
                f"{type(error).__name__}: {error}"
            ) from error
    return found


def _of_shadows(planted: Planted) -> dict[str, Value]:
    """Compute what shadow models say of a planted model.

    Raises:
        MmulbenchError: a metric fails.
    """
    try:
        return population_values(population(planted, SEEDS[0]), SEEDS[0])[0]
    except Exception as error:
        raise MmulbenchError(
            f"a metric of shadow models fails on the planted model {planted.name}: "
            f"{type(error).__name__}: {error}"
        ) from error


def _of_recovery(planted: Planted) -> dict[str, Value]:
    """Compute what a planted model says that is trained again.

    Raises:
        MmulbenchError: a metric fails.
    """
    metrics = [one for one in all_metrics() if isinstance(one, RecoveryMetric)]
    steps = sorted({step for metric in metrics for step in metric.steps})
    models = {"model": planted, "original": ORIGINAL, "retrain": RETRAIN}
    found = {name: recovery(one, SEEDS[0], steps) for name, one in models.items()}
    try:
        return recovery_values(metrics, found, shown_pairs(), tuple(KNOWN))[0]
    except Exception as error:
        raise MmulbenchError(
            f"a metric of models that are trained again fails on the planted model {planted.name}: "
            f"{type(error).__name__}: {error}"
        ) from error
