"""Records of planted methods, of which it is known how far they are from retrain, unit by unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from mmulbench.records.schema import (
    Cost,
    Direction,
    Environment,
    RunResult,
    RunSpec,
    ScoreHistogram,
    Tuning,
    Value,
)

PATHS = ("contrastive", "matching")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ENVIRONMENT = Environment(
    mmulbench="0.1.0",
    git_commit="abc1234",
    python="3.11.9",
    platform="Linux",
    device="cpu",
    threads=2,
    packages={"numpy": "2.4.6"},
)
PAIRS = 3
"""Pairs of each forget unit."""

DIRECTIONS: dict[str, Direction] = {
    "test": "not_below_retrain",
    "retain": "not_below_retrain",
    "retrain_gap": "lower",
}

Profile = dict[str, "np.ndarray[Any, np.dtype[np.float64]] | float"]


@dataclass(frozen=True)
class Planted:
    """Says by how much a planted model is off retrain, before noise.

    Attributes:
        shifts: by value, such as ``forget`` and ``mia/matching``: what is added to retrain's.
        training: standard deviation of one model's values by its training seed.
        unit: standard deviation of what each unit adds.
    """

    shifts: Mapping[str, float] = field(default_factory=dict)
    training: float = 0.01
    unit: float = 0.05


@dataclass(frozen=True)
class World:
    """Makes records of planted models, all seeds and retrains included.

    Attributes:
        seed: seed of all noise.
        units: forget units.
        seeds: seeds of the runs.
        paths: association paths.
        spec: other fields of every run's specification.
        known: how far above retrain's the original's values are; None for those of the model itself.
        shares: whether the numbers of units are cut to [0, 1], as those of records that hold together are.
    """

    seed: int = 0
    units: int = 68
    seeds: Sequence[int] = (21, 42, 87)
    paths: Sequence[str] = PATHS
    spec: Mapping[str, Any] = field(default_factory=dict)
    known: float | None = None
    shares: bool = False

    def records(self, methods: Mapping[str, Planted], draws: int = 5) -> list[RunResult]:
        """Make the records of retrain, so many other retrains of each seed, and the methods."""
        found = []
        for number in self.seeds:
            rng = np.random.default_rng([self.seed, number])
            reference = self._reference(rng)
            noisy = self._model(reference, Planted(unit=0), rng)
            found.append(self._record("retrain", number, noisy, noisy))
            for draw in range(1, draws + 1):
                again = self._model(reference, Planted(unit=0.02), rng)
                found.append(self._record("retrain_again", number, again, noisy, config={"draw": draw}))
            for method, planted in methods.items():
                own = noisy if method == "perfect" else self._model(reference, planted, rng)
                found.append(self._record(method, number, own, noisy))
        return found

    def tuned(self, record: RunResult, **config: float) -> RunResult:
        """Make a copy of a record that says that its settings are tuned."""
        spec = record.spec.model_copy(update={"config": config})
        tuning = Tuning(
            study_id="s" * 12,
            task=spec.task,
            backbone=spec.backbone,
            forget_size=70,
            trials=20,
            budget=0.5,
        )
        command = f"{record.command} {' '.join(f'--set {key}={value}' for key, value in config.items())}"
        return record.model_copy(
            update={"spec": spec, "run_id": spec.run_id, "tuning": tuning, "command": command}
        )

    def _names(self) -> list[str]:
        return [f"{name}/{path}" for name in ("mia", "forget_vs_retain_auc") for path in self.paths]

    def _reference(self, rng: np.random.Generator) -> Profile:
        by_unit = {name: 0.5 + 0.1 * rng.normal(size=self.units) for name in ["forget", *self._names()]}
        return {"test": 0.5, "retain": 0.8, **by_unit}

    def _model(self, reference: Profile, planted: Planted, rng: np.random.Generator) -> Profile:
        found: Profile = {}
        for name, value in reference.items():
            shift = planted.shifts.get(name, 0.0) + planted.training * rng.normal()
            unit = planted.unit * rng.normal(size=np.shape(value)) if np.ndim(value) else 0.0
            found[name] = value + shift + unit
            if self.shares:
                found[name] = np.clip(found[name], 0.0, 1.0)
        return found

    def _record(
        self,
        method: str,
        seed: int,
        own: Profile,
        reference: Profile,
        config: Mapping[str, Any] | None = None,
    ) -> RunResult:
        spec = RunSpec(
            **{
                "task": "emoji",
                "backbone": "albef:packaged",
                "method": method,
                "config": dict(config or {}),
                "forget_size": self.units,
                "seed": seed,
                "data_fingerprint": "d" * 64,
                **self.spec,
            }
        )
        pairs, counts = [float(PAIRS)] * self.units, {"forget": [PAIRS * self.units]}
        histogram = ScoreHistogram(edges=[0.0, 1.0], before=counts, after=counts)
        by_unit = {name: np.asarray(value).tolist() for name, value in own.items() if np.ndim(value)}
        return RunResult(
            run_id=spec.run_id,
            spec=spec,
            status="done",
            values=self._values(own, reference),
            cost=Cost(seconds=10, seconds_ratio=1.0 if method == "retrain" else 0.1),
            histograms=dict.fromkeys(self.paths, histogram),
            by_unit={"pairs": pairs, **by_unit},
            command=f"mmulbench run --method {method} --task {spec.task} --seed {seed}",
            environment=ENVIRONMENT,
            started=NOON,
            finished=NOON,
        )

    def _values(self, own: Profile, reference: Profile) -> dict[str, Value]:
        found = {
            name: Value(
                value=float(np.mean(value)),
                n=100,
                direction=DIRECTIONS.get(name, "closest_to_retrain"),
                retrain=float(np.mean(reference[name])),
                original=float(np.mean(value if self.known is None else reference[name] + self.known)),
                chance=0.04 if name in ("test", "retain", "forget") else 0.5,
            )
            for name, value in own.items()
        }
        away = {name: abs((value.value or 0) - (value.retrain or 0)) for name, value in found.items()}
        for name in ("mia", "forget_vs_retain_auc"):
            parts = [f"{name}/{path}" for path in self.paths]
            furthest = max(parts, key=lambda key: (away[key], found[key].value or 0))
            found[name] = found[furthest]
        gap = (
            away["test"] + away["retain"] + away["forget"] + max(away[f"mia/{path}"] for path in self.paths)
        ) / 4
        found["retrain_gap"] = Value(value=gap, n=4, direction="lower", retrain=0.0, original=gap)
        return found


def changed(record: RunResult, **values: Value) -> RunResult:
    """Make a copy of a record with some values set, ``__`` in a name being ``/``."""
    named = {name.replace("__", "/"): value for name, value in values.items()}
    return record.model_copy(update={"values": {**record.values, **named}})


def shifted(planted: Planted, **shifts: float) -> Planted:
    """Make a copy of a planted model with other shifts."""
    return replace(planted, shifts=shifts)


def of_one_original(records: Sequence[RunResult], number: float = 0.9) -> list[RunResult]:
    """Make copies of records that all have the same values of the original."""
    return [_with_original(record, number) for record in records]


def _with_original(record: RunResult, number: float) -> RunResult:
    values = {name: value.model_copy(update={"original": number}) for name, value in record.values.items()}
    away = {name: abs(number - (value.retrain or 0)) for name, value in values.items()}
    furthest = max(distance for name, distance in away.items() if name.startswith("mia/"))
    gap = (away["test"] + away["retain"] + away["forget"] + furthest) / 4
    values["retrain_gap"] = values["retrain_gap"].model_copy(update={"original": gap})
    return record.model_copy(update={"values": values})
