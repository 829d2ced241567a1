from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn
from toys import CPU, Toy, changed, state_of, toy_problem

from mmulbench.cache.artifacts import ArtifactCache
from mmulbench.core.checkpoints import ARTIFACT, StoredCheckpoints
from mmulbench.core.cost import CostMeter
from mmulbench.core.descent import OneSetMethod
from mmulbench.core.training import Checkpoints, Recipe, fit
from mmulbench.methods.scrub import Scrub
from mmulbench.progress import Progress

RECIPE = Recipe(epochs=3, lr=0.05, batch_size=2)
STEPS = 6
"""Of the recipe on the toy's retain set."""


class Killed(BaseException):
    pass


class Killing(StoredCheckpoints):
    """Keeps a checkpoint before every step, and is killed before one of them."""

    def __init__(self, cache, step):
        super().__init__(cache, {"work": "test"}, every=0.0)
        self.left = step

    def before_step(self, learner, stop, done):
        super().before_step(learner, stop, done)
        if self.left == 0:
            raise Killed
        self.left -= 1


class Dropping(Toy):
    """Draws from torch's global generator in training."""

    def encode(self, modality, inputs):
        dropped = nn.functional.dropout(inputs["x"], 0.3, self.training)
        return super().encode(modality, {"x": dropped})


@pytest.fixture
def notes():
    return []


@pytest.fixture
def cache(tmp_path, notes):
    return ArtifactCache(tmp_path, notes.append)


def going_on(cache):
    return StoredCheckpoints(cache, {"work": "test"}, every=1e9)


def trained(checkpoints):
    with CostMeter(CPU) as meter:
        model = fit(Dropping(), toy_problem().retain, RECIPE, 0, meter, Progress(), "train", checkpoints)
    cost = meter.cost()
    return model, (cost.flops, cost.samples, cost.steps)


@pytest.mark.parametrize("step", range(1, STEPS))
def test_a_killed_training_goes_on_to_the_same_weights_at_the_same_cost(cache, notes, step):
    wanted, cost = trained(Checkpoints())
    with pytest.raises(Killed):
        trained(Killing(cache, step))
    found, spent = trained(going_on(cache))
    assert not changed(state_of(wanted), found)
    assert spent == cost
    assert notes == [f"going on after step {step} of a training that was interrupted"]


@pytest.mark.parametrize("before", [True, False], ids=["left where there is a GPU", "gone on with there"])
def test_a_training_on_the_processor_asks_for_no_gpu(cache, monkeypatch, before):
    wanted, _ = trained(Checkpoints())
    monkeypatch.setattr(torch.cuda, "is_available", lambda: before)
    with pytest.raises(Killed):
        trained(Killing(cache, 3))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: not before)
    found, _ = trained(going_on(cache))
    assert not changed(state_of(wanted), found)


def test_only_what_is_left_is_computed(cache):
    with pytest.raises(Killed):
        trained(Killing(cache, 4))
    rest = Killing(cache, STEPS)
    trained(rest)
    assert STEPS - rest.left == 2


def test_a_training_killed_twice_goes_on_twice(cache):
    wanted, cost = trained(Checkpoints())
    for step in (3, 1):
        with pytest.raises(Killed):
            trained(Killing(cache, step))
    found, spent = trained(going_on(cache))
    assert not changed(state_of(wanted), found) and spent == cost


class Halving(OneSetMethod):
    """Descends on the task's loss; judged on validation data."""

    reads = "retain"

    def loss(self, model, batch, problem):
        return model(batch).loss


def unlearned(method, checkpoints):
    problem = replace(toy_problem(original=Dropping()), checkpoints=checkpoints)
    with problem.meter:
        return method.unlearn(problem), problem.meter.cost().samples


# The fifth epoch is its best; two more that are worse end it.
EARLY = Halving.Config(epochs=8, batch_size=2, lr=0.3, patience=2)


@pytest.mark.parametrize("step", [3, 9, 11, 13])
def test_early_stop_is_part_of_a_checkpoint(cache, step):
    wanted, samples = unlearned(Halving(EARLY), Checkpoints())
    assert samples == 7 * (4 + 2)  # of Dr, and of the validation split
    with pytest.raises(Killed):
        unlearned(Halving(EARLY), Killing(cache, step))
    found, spent = unlearned(Halving(EARLY), going_on(cache))
    assert not changed(state_of(wanted), found)
    assert spent == samples


@pytest.mark.parametrize("rewind", [False, True])
@pytest.mark.parametrize("step", [1, 5, 8])
def test_scrub_goes_on_in_either_phase(cache, step, rewind):
    method = Scrub(Scrub.Config(epochs=3, batch_size=2, lr=0.1, rewind=rewind))
    wanted, samples = unlearned(method, Checkpoints())
    killing = Killing(cache, step)
    if rewind:  # keeps none, so begins again
        unlearned(method, killing)
        assert killing.left == step
    else:
        with pytest.raises(Killed):
            unlearned(method, killing)
    found, spent = unlearned(method, going_on(cache))
    assert not changed(state_of(wanted), found) and spent == samples


class Twice(OneSetMethod):
    """Trains a helper first, as KGA does."""

    reads = "retain"

    def loss_of(self, model, problem):
        helper = problem.train_from_scratch(problem.retain)
        return lambda batch: (model(batch).fused - helper(batch).fused).square().mean()

    def loss(self, model, batch, problem):
        raise NotImplementedError


@pytest.mark.parametrize("step", [1, 3, 4, 6])
def test_trainings_within_one_piece_of_work_are_told_apart(cache, step):
    method = Twice(Twice.Config(epochs=2, batch_size=2, lr=0.1))
    wanted, samples = unlearned(method, Checkpoints())
    with pytest.raises(Killed):
        unlearned(method, Killing(cache, step))
    found, spent = unlearned(method, going_on(cache))
    assert not changed(state_of(wanted), found) and spent == samples


def test_a_training_that_is_repeated_leaves_the_checkpoint_of_a_later_one_alone(cache):
    method = Twice(Twice.Config(epochs=2, batch_size=2, lr=0.1))
    with pytest.raises(Killed):
        unlearned(method, Killing(cache, 6))
    before = cache.find(ARTIFACT, {"work": "test"})
    with pytest.raises(Killed):
        unlearned(method, Killing(cache, 2))
    assert cache.find(ARTIFACT, {"work": "test"}).info == before.info


def test_a_damaged_checkpoint_is_reported_and_not_used(cache, notes):
    wanted, cost = trained(Checkpoints())
    with pytest.raises(Killed):
        trained(Killing(cache, 4))
    path = cache.folder(ARTIFACT, {"work": "test"}) / "tensors.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    found, spent = trained(going_on(cache))
    assert not changed(state_of(wanted), found) and spent == cost
    assert len(notes) == 1 and "is damaged (the checksum" in notes[0]


def test_none_is_written_before_it_is_time_and_none_is_left(cache):
    checkpoints = going_on(cache)
    trained(checkpoints)
    assert cache.find(ARTIFACT, {"work": "test"}) is None
    with pytest.raises(Killed):
        trained(Killing(cache, 1))
    checkpoints.clear()
    assert cache.find(ARTIFACT, {"work": "test"}) is None


def test_seconds_of_both_parts_are_counted(cache):
    with pytest.raises(Killed):
        trained(Killing(cache, 3))
    kept = cache.find(ARTIFACT, {"work": "test"}).info["meter"]["seconds"]
    with CostMeter(CPU) as meter:
        fit(Dropping(), toy_problem().retain, RECIPE, 0, meter, Progress(), "train", going_on(cache))
    assert kept > 0 and meter.cost().seconds > kept


def test_writing_takes_a_small_part_of_the_time(cache, monkeypatch):
    clock = iter(range(1000))  # each look at the clock is a second: writing takes one, so 20 pass between
    monkeypatch.setattr("mmulbench.core.checkpoints.time.monotonic", lambda: next(clock))
    written = []
    monkeypatch.setattr(cache, "put", lambda *_: written.append(1))
    fit(
        Toy(),
        toy_problem().retain,
        replace(RECIPE, epochs=20),
        0,
        CostMeter(CPU).__enter__(),
        Progress(),
        "train",
        StoredCheckpoints(cache, {"work": "test"}, every=1e-9),
    )
    assert 1 <= len(written) <= 40 / 20 + 1


def test_weights_that_do_not_train_and_buffers_are_kept(cache):
    torch.manual_seed(0)
    found = Toy()
    found.register_buffer("seen", torch.zeros(1))

    class Counting(OneSetMethod):
        reads = "retain"

        def start(self, problem):
            model = super().start(problem)
            model.register_buffer("seen", torch.zeros(1))
            return model

        def loss(self, model, batch, problem):
            model.seen += 1
            return model(batch).loss

    method = Counting(Counting.Config(epochs=2, batch_size=2))
    with pytest.raises(Killed):
        unlearned(method, Killing(cache, 3))
    model, _ = unlearned(method, going_on(cache))
    assert model.seen.item() == 4
