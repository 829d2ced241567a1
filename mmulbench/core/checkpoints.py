"""Write checkpoints of a training now and then, so that a killed run continues in the middle of it.

A training that continues gives bit for bit what it would have given undisturbed. A checkpoint holds weights,
optimiser, schedule, random generator, early stop and cost; batches are drawn again, by the same generators.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from mmulbench import processes
from mmulbench.cache.artifacts import ArtifactCache
from mmulbench.cache.entry import Artifact
from mmulbench.cache.nested_names import flatten, unflatten
from mmulbench.core.training import Checkpoints, EarlyStop, Learner

ARTIFACT = "unfinished"
"""Kind of the cache's artifact that holds a checkpoint."""

SHARE = 0.05
"""Largest share of a training's time that is spent on writing checkpoints."""


class StoredCheckpoints(Checkpoints):
    """Keeps the last checkpoint of one piece of work in the cache.

    A piece of work may consist of several trainings, one after the other or one within the preparation of
    another. They are told apart by the order in which they begin. Trainings that began before the one in the
    checkpoint are repeated.

    Args:
        cache: where the checkpoint is kept. The caller holds the lock that makes the work its own.
        inputs: everything that the work depends on, as a cache key.
        every: shortest time between checkpoints in seconds, longer where writing one takes long; 0 writes one
            before every step.
    """

    def __init__(self, cache: ArtifactCache, inputs: Mapping[str, Any], every: float) -> None:
        self._cache = cache
        self._inputs = dict(inputs)
        self._every = every
        self._training = -1
        self._found: Artifact | None = None
        self._written = time.monotonic()
        self._pause = every

    def take_up(self, learner: Learner, stop: EarlyStop) -> int:
        """Continue where a killed process was, and return how many steps are done."""
        self._training += 1
        if self._training == 0 and processes.first_does(lambda: self._find() is not None):
            self._found = self._find()
        processes.meet()  # until all have read it, the first must not replace it
        if self._found is None or self._found.info["training"] != self._training:
            return 0
        found, self._found = self._found, None
        _restore(found, learner, stop)
        done: int = found.info["done"]
        self._cache.report(f"going on after step {done} of a training that was interrupted")
        return done

    def before_step(self, learner: Learner, stop: EarlyStop, done: int) -> None:
        """Keep the state, unless it was kept a moment ago or a later training's checkpoint is still needed.

        Where several processes make a run together, they are in lockstep, and the first keeps the state for
        all.
        """
        if not processes.is_first() or self._found is not None:
            return
        start = time.monotonic()
        if not done or start - self._written < self._pause:
            return
        with learner.meter.aside():
            artifact = _capture(learner, stop, {"training": self._training, "done": done})
            self._cache.put(ARTIFACT, self._inputs, artifact)
        self._written = time.monotonic()
        if self._every:
            self._pause = max(self._every, (self._written - start) / SHARE)

    def clear(self) -> None:
        """Delete the checkpoint, because the work is done."""
        if processes.is_first():
            self._cache.discard(ARTIFACT, self._inputs)

    def _find(self) -> Artifact | None:
        return self._cache.find(ARTIFACT, self._inputs)


def _capture(learner: Learner, stop: EarlyStop, info: Mapping[str, Any]) -> Artifact:
    """Return the state of a training."""
    optimiser = learner.optimizer.state_dict()
    schedule = None if learner.schedule is None else learner.schedule.state_dict()
    best, judged = stop.state()
    random = {"cpu": torch.get_rng_state()}
    if learner.device.type == "cuda":
        random["cuda"] = torch.cuda.get_rng_state(learner.device)
    parts: dict[str, Mapping[str, Tensor]] = {
        "model": learner.model.state_dict(),
        "best": best,
        "optimiser": flatten({str(number): values for number, values in optimiser["state"].items()}),
        "random": random,
    }
    return Artifact(
        flatten(parts),
        {
            **info,
            "groups": optimiser["param_groups"],
            "schedule": schedule,
            "judged": judged,
            "meter": learner.meter.state(),
        },
    )


def _restore(found: Artifact, learner: Learner, stop: EarlyStop) -> None:
    """Give a training the state that `_capture` returned."""
    # Copied, since the file may be replaced while its tensors are in use.
    parts = unflatten({name: value.clone() for name, value in found.tensors.items()})
    state = {int(number): values for number, values in unflatten(parts.get("optimiser", {})).items()}
    learner.model.load_state_dict(parts["model"])
    learner.optimizer.load_state_dict({"state": state, "param_groups": found.info["groups"]})
    if learner.schedule is not None:
        learner.schedule.load_state_dict(found.info["schedule"])
    stop.restore_state(parts.get("best", {}), found.info["judged"])
    learner.meter.restore(found.info["meter"])
    torch.set_rng_state(parts["random"]["cpu"])
    if learner.device.type == "cuda":
        torch.cuda.set_rng_state(parts["random"]["cuda"], learner.device)
