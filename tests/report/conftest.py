"""Records as a run would leave them, built from a few numbers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal

import pytest

from mmulbench.metrics.catalogue import built_in
from mmulbench.records.schema import Cost, Environment, RunResult, RunSpec, Value

ENVIRONMENT = Environment(
    mmulbench="0.1.0",
    git_commit="abc1234",
    python="3.11.9",
    platform="Linux",
    device="cpu",
    threads=2,
    packages={"torch": "2.13.0", "numpy": "2.4.6"},
)
DIRECTIONS = {metric.name: metric.direction for metric in built_in()}
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
RETRAIN_SECONDS = 250.0


def make_value(key: str, number: float | None, **fields: Any) -> Value:
    direction = DIRECTIONS.get(key.split("/")[0], "higher")
    return Value(value=number, n=fields.pop("n", 100), direction=direction, **fields)


def make_record(
    method: str = "mmul",
    seed: int = 42,
    values: dict[str, float | dict[str, Any] | None] | None = None,
    seconds: float | Literal["by ratio"] | None = "by ratio",
    ratio: float | None = 0.04,
    **fields: Any,
) -> RunResult:
    """Numbers in `values` are a value alone, or the fields of a `Value` with `value` named "value"."""
    spec_fields = {name: fields.pop(name) for name in list(fields) if name in RunSpec.model_fields}
    defaults: dict[str, Any] = {
        "task": "emoji",
        "backbone": "albef:packaged",
        "forget_size": 70,
        "data_fingerprint": "d" * 64,
        "recipe": {"epochs": 5, "lr": 0.001},
    }
    spec = RunSpec(method=method, seed=seed, **(defaults | spec_fields))
    built = {}
    for key, entry in (values or {}).items():
        entry = dict(entry) if isinstance(entry, dict) else {"value": entry}
        built[key] = make_value(key, entry.pop("value"), **entry)
    if seconds == "by ratio":
        seconds = RETRAIN_SECONDS * (0.04 if ratio is None else ratio)
    cost = None if seconds is None else Cost(seconds=seconds, seconds_ratio=ratio, samples=1000, steps=50)
    defaults = {
        "status": "done",
        "command": f"mmulbench run --task {spec.task} --method {method} --seed {seed}",
        "environment": ENVIRONMENT,
        "started": NOON,
        "finished": NOON,
    }
    return RunResult(run_id=spec.run_id, spec=spec, values=built, cost=cost, **(defaults | fields))


@pytest.fixture(scope="session")
def record() -> Callable[..., RunResult]:
    return make_record
