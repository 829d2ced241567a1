from __future__ import annotations

import math

import pytest
import torch
from labelled_toys import LabelledToy, labelled_problem
from toys import Toy, toy_problem, two_pair_problem, whole

from mmulbench.methods._relabel import false_pairs, wrong_labels
from mmulbench.methods.random_label import RandomLabel
from mmulbench.seeds import torch_seeded


def test_a_wrong_class_is_never_the_true_one_and_any_other():
    labels = torch.arange(4).repeat(500)
    with torch_seeded(0, "test"):
        drawn = wrong_labels(labels, 4)
    assert (drawn != labels).all()
    counts = torch.bincount(labels * 4 + drawn, minlength=16).reshape(4, 4)
    assert (counts.diagonal() == 0).all() and counts.sum(1).tolist() == [500] * 4
    assert ((counts - 500 / 3).abs()[~torch.eye(4, dtype=torch.bool)] < 60).all()


def test_loss_with_two_classes_to_choose_from_by_hand():
    """One deleted pair of class 2 with equal logits: every wrong class costs log 3."""
    given = labelled_problem(labels=(2, 0, 0), forget=(0,))
    student = LabelledToy()
    student.classes.weight.data.zero_()
    loss = RandomLabel().loss(student, whole(given.forget), whole(given.retain), given)
    assert loss.item() == pytest.approx(2 * math.log(3))


def test_learns_wrong_classes_for_df_and_keeps_dr():
    given = labelled_problem()
    model = RandomLabel(RandomLabel.Config(epochs=30, lr=0.05)).unlearn(given)
    labels = whole(given.forget).targets.labels
    before, after = (
        torch.nn.functional.cross_entropy(m(whole(given.forget)).logits["classification"], labels)
        for m in (given.original, model)
    )
    assert after > before
    assert model(whole(given.retain)).loss < given.original(whole(given.retain)).loss


def test_false_pairs_never_belong_together():
    given = toy_problem(forget=(0, 1, 2))
    batch, known = (
        whole(given.forget),
        {*zip(*(given.retain.split.first, given.retain.split.second), strict=True)},
    )
    texts = set()
    with torch_seeded(0, "test"):
        for _ in range(50):
            found = false_pairs(batch, given.retain)
            assert torch.equal(found.first, batch.first)
            assert not given.retain.relations.pairwise(found.first, found.second).any()
            texts |= {*found.second.tolist()}
    # Image 2 shares text 7 with image 3, so it may never get it; images 0 and 1 may.
    assert texts == {second for _, second in known}


def test_a_false_batch_holds_the_drawn_pairs_for_true_and_no_others():
    given = toy_problem(forget=(0, 1))
    with torch_seeded(1, "test"):
        found = false_pairs(whole(given.forget), given.retain)
    pairs = {*zip(found.first.tolist(), found.second.tolist(), strict=True)}
    expected = [[(i, j) in pairs for j in found.second.tolist()] for i in found.first.tolist()]
    assert found.targets.related.tolist() == expected
    assert found.targets.labels is None


def test_retrieval_loss_by_hand():
    """Dr has one text, so pair (image 0, text 1) is the only false one: fused (0, 0), and no other text."""
    given = two_pair_problem(forget=(0, 2))
    given.forget.split.first[:], given.forget.split.second[:] = 0, 0
    loss = RandomLabel().loss(Toy(), whole(given.forget), whole(given.retain), given)
    false = math.log(2) + math.log(2)  # two equal pairs: similarities all 0, matching logits (0, 0)
    true = math.log(1 + math.exp(-2))
    assert loss.item() == pytest.approx(false + true)


def test_nothing_unrelated_to_draw():
    given = toy_problem(pairs=((0, 0), (1, 0)), forget=(0,), held_out=((6, 9),))
    with pytest.raises(ValueError, match="1 deleted items belong with nearly every item of the retain set"):
        false_pairs(whole(given.forget), given.retain)
