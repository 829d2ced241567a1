from __future__ import annotations

import math

import pytest
import torch
from labelled_toys import LabelledToy, labelled_problem, seeded_features
from toys import Toy, two_pair_problem, whole

from mmulbench.core.registry import TASKS
from mmulbench.methods.delete import Delete


def test_loss_by_hand():
    """Logits (log 2, log 3, 0): without class 1 they are (2/3, 0, 1/3); a blank student has thirds."""
    features = seeded_features(3)
    features.arrays["image"]["x"][:] = torch.tensor([math.log(2), math.log(3)])
    features.arrays["text"]["x"][:] = 1.0
    given = labelled_problem(labels=(1, 0, 0), forget=(0,), features=features)
    student = LabelledToy()
    student.classes.weight.data.zero_()
    loss = Delete().loss(student, whole(given.forget), given)
    assert loss.item() == pytest.approx(2 / 3 * math.log(2) + 1 / 3 * math.log(1), rel=1e-5)
    own = Delete().loss(LabelledToy(), whole(given.forget), given)
    assert own.item() == pytest.approx(-math.log(1 / 2), rel=1e-5), "minus log of what is not class 1"


def test_is_a_mean_over_the_batch():
    given = labelled_problem()
    model = LabelledToy()
    model.classes.weight.data *= 2
    alone = [
        Delete().loss(model, given.forget.batch(torch.tensor([i]).numpy()), given).item() for i in range(5)
    ]
    assert Delete().loss(model, whole(given.forget), given).item() == pytest.approx(sum(alone) / 5, rel=1e-5)


class Pair(LabelledToy):
    """Two classes."""

    def head(self, fused):
        return super().head(fused)[:, :2]


def test_with_two_classes_the_target_is_the_wrong_class():
    given = labelled_problem(labels=(0, 1, 0, 1), forget=(0, 1))
    given.outputs._original.__class__ = Pair
    student, batch = Pair(), whole(given.forget)
    expected = torch.nn.functional.cross_entropy(
        student(batch).logits["classification"], 1 - batch.targets.labels
    )
    assert Delete().loss(student, batch, given).item() == pytest.approx(expected.item())


def test_reads_the_forget_set_alone_and_forgets(monkeypatch):
    given, seen = labelled_problem(), set()
    real = Delete.loss
    monkeypatch.setattr(
        Delete, "loss", lambda self, m, b, p: seen.update(b.first.tolist()) or real(self, m, b, p)
    )
    model = Delete(Delete.Config(epochs=20, lr=0.05)).unlearn(given)
    assert seen == {0, 1, 2, 3, 4}
    assert model(whole(given.forget)).loss > given.original(whole(given.forget)).loss + 0.1


def test_classification_only():
    assert Delete.applies_to(TASKS.get("flags_ve")()) is None
    assert Delete.applies_to(TASKS.get("hpo_pgr")()) is None
    assert Delete.applies_to(TASKS.get("emoji")()).endswith("retrieval has no classes")
    given = two_pair_problem()
    with pytest.raises(ValueError, match="delete needs labelled pairs"):
        Delete().loss(Toy(), whole(given.forget), given)
