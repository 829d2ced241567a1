from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from labelled_toys import LabelledToy, labelled_problem, seeded_features
from toys import Toy, changed, state_of, toy_problem, whole

from mmulbench.methods.bad_teacher import BadTeacher


def blank() -> LabelledToy:
    """Every class is a third."""
    model = LabelledToy()
    model.classes.weight.data.zero_()
    return model


def problem_by_hand():
    """Pairs 0 (deleted) and 1 have logits (log 2, 0, 0), so probabilities (1/2, 1/4, 1/4)."""
    features = seeded_features(3)
    for name, row in (("image", [math.log(2), 0.0]), ("text", [1.0, 1.0])):
        features.arrays[name]["x"][:] = torch.tensor(row)
    return labelled_problem(labels=(0, 1, 2), forget=(0,), features=features)


KL_BLANK = -math.log(3) / 3 * 3 - (math.log(1 / 2) + 2 * math.log(1 / 4)) / 3
"""KL((1/3, 1/3, 1/3) || (1/2, 1/4, 1/4))."""
KL_ORIGINAL = 0.5 * math.log(3 / 2) + 2 * 0.25 * math.log(3 / 4)
"""KL((1/2, 1/4, 1/4) || (1/3, 1/3, 1/3))."""


def mixed(given):
    data = BadTeacher(BadTeacher.Config(fraction=1.0)).mixture(given)
    assert sorted(data.split.first.tolist()) == [0, 1]
    return whole(data)


def test_deleted_pairs_follow_the_bad_teacher_and_the_rest_the_original():
    given = problem_by_hand()
    batch = mixed(given)
    loss = BadTeacher().loss(LabelledToy(), blank(), batch, given)
    assert loss.item() == pytest.approx(KL_BLANK / 2, rel=1e-5)
    loss = BadTeacher().loss(blank(), blank(), batch, given)
    assert loss.item() == pytest.approx(KL_ORIGINAL / 2, rel=1e-5)


def test_teachers_give_probabilities_not_raw_logits():
    """A constant added to all of a teacher's logits says nothing, and no divergence is negative."""
    given = problem_by_hand()
    batch = mixed(given)

    class Shifted(LabelledToy):
        def head(self, fused):
            return super().head(fused) - 50.0

    method = BadTeacher()
    assert method.loss(LabelledToy(), Shifted(), batch, given).item() == pytest.approx(0.0, abs=1e-5)
    assert method.loss(blank(), Shifted(), batch, given).item() == pytest.approx(KL_ORIGINAL, rel=1e-4)


def test_temperature():
    given = problem_by_hand()
    loss = BadTeacher(BadTeacher.Config(temperature=2.0)).loss(LabelledToy(), blank(), mixed(given), given)
    root = math.sqrt(2)
    p = [root / (root + 2), 1 / (root + 2), 1 / (root + 2)]
    expected = 4 * sum(1 / 3 * math.log(1 / 3 / value) for value in p) / 2
    assert loss.item() == pytest.approx(expected, rel=1e-4)


def test_the_mixture_holds_all_of_df_and_a_part_of_dr():
    pairs = tuple((i, i) for i in range(120))
    given = toy_problem(
        pairs=pairs, forget=tuple(range(20)), features=seeded_features(122), held_out=((121, 121),)
    )
    data = BadTeacher().mixture(given)
    first = data.split.first.tolist()
    assert first[:20] == [*range(20)] and len(first) == 20 + 30 and len({*first}) == 50
    assert np.array_equal(data.split.rows, data.split.first), "rows of the training split"
    assert first == BadTeacher().mixture(given).split.first.tolist()
    other = BadTeacher().mixture(replace(given, seed=1)).split.first.tolist()
    assert first[:20] == other[:20] and first[20:] != other[20:]
    small = toy_problem(pairs=pairs[:3], forget=(0, 1), features=seeded_features(122), held_out=((121, 121),))
    assert len(BadTeacher().mixture(small).split) == 3, "at least one pair of Dr"


def test_units_of_several_pairs_count_as_so_many():
    """The released notebook draws 30 % of Dr's samples: of 5 % deleted, 15 % of the mixture."""
    pairs = tuple((i, 5 * i + text) for i in range(40) for text in range(5))
    given = toy_problem(pairs=pairs, forget=(0, 1), features=seeded_features(202), held_out=((200, 201),))
    assert given.retain.sampling == "unit" and len(given.retain) == 38
    data = BadTeacher().mixture(given)
    deleted = np.isin(data.split.first, [0, 1])
    assert (int(deleted.sum()), int((~deleted).sum())) == (10, 57) and len(data) == 67
    assert deleted.mean() == pytest.approx(0.15, abs=0.005)


def test_labels_and_rows_go_with_their_pairs():
    """The original's outputs are found by row, and refuse a row of another pair."""
    given, labels = labelled_problem(forget=(3,)), (0, 1, 2, 0, 1, 2)
    for seed in range(5):
        split = BadTeacher(BadTeacher.Config(fraction=0.4)).mixture(replace(given, seed=seed)).split
        assert len(split) == 3 and split.label.tolist() == [labels[i] for i in split.first.tolist()]
    given = toy_problem()
    data = BadTeacher(BadTeacher.Config(fraction=1.0)).mixture(given)
    assert data.split.rows.tolist()[:4] == [0, 1, 2, 3] and len(data.split) == 4 + 8
    assert given.outputs.fused(whole(data)).shape == (12, 2)


def test_batches_mix_both_sets():
    pairs = tuple((i, i) for i in range(120))
    given = toy_problem(
        pairs=pairs, forget=tuple(range(30)), features=seeded_features(122), held_out=((121, 121),)
    )
    batches, steps = BadTeacher(BadTeacher.Config(epochs=2, batch_size=19)).batches(given)
    found = list(batches)
    assert steps == 3 and len(found) == 6
    assert all(0 < sum(i < 30 for i in batch.first.tolist()) < len(batch) for (batch,) in found)


def test_only_the_student_trains():
    """The regression: an optimiser that holds a teacher's parameters."""
    given, teachers = labelled_problem(), []

    def fresh(seed):
        teachers.append(blank())
        return teachers[-1]

    given = replace(given, fresh_model=fresh)
    before = state_of(given.original)
    model = BadTeacher(BadTeacher.Config(epochs=3, lr=0.05)).unlearn(given)
    assert len(teachers) == 1 and not changed(state_of(blank()), teachers[0])
    assert not any(p.requires_grad or p.grad is not None for p in teachers[0].parameters())
    assert not changed(before, given.original) and changed(before, model)


def test_moves_deleted_pairs_towards_the_bad_teacher():
    given = replace(labelled_problem(), fresh_model=lambda seed: blank())
    model = BadTeacher(BadTeacher.Config(epochs=40, lr=0.05)).unlearn(given)
    spread = [
        m(whole(given.forget)).logits["classification"].softmax(1).std(1).mean()
        for m in (given.original, model)
    ]
    assert spread[1] < spread[0] / 2


def test_retrieval_paths_by_hand():
    """A deleted pair alone: the contrastive path has one text, so only matching tells the teachers apart."""
    given = toy_problem(pairs=((0, 0), (1, 1)), forget=(0,), held_out=((6, 9),))
    bad = Toy()
    bad.matching.weight.data.zero_()
    batch = whole(given.forget)
    a, b = given.original.encode_batch(batch)
    logits = given.original.head(given.original.fuse(a, b))[0]
    p = logits.softmax(0)
    expected = sum(0.5 * math.log(0.5 / float(value)) for value in p) / 2
    assert BadTeacher().loss(Toy(), bad, batch, given).item() == pytest.approx(expected, rel=1e-4, abs=1e-7)
