from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from labelled_toys import LabelledToy, labelled_problem
from toys import changed, state_of, toy_features, whole

from mmulbench.core.registry import METHODS, TASKS
from mmulbench.methods.boundary_expand import BoundaryExpand
from mmulbench.methods.boundary_shrink import BoundaryShrink, nearest_wrong

# With all texts (1, 1), logits are (x, y, 0) for an image (x, y).
IMAGES = [[3.0, 2.9], [3.0, -1.0], [0.2, 0.1], [2.0, -0.05], [0.0, 0.0]]
LABELS = (0, 0, 0, 0, 1)


def problem(forget=(0, 1, 2, 3)):
    features = toy_features([*IMAGES, [0.0, 1.0]], [[1.0, 1.0]] * 6)
    return labelled_problem((*LABELS, 1), forget, features)


def near(given, bound):
    batch = whole(given.forget)
    return nearest_wrong(given.original, batch, given.outputs.encoded_batch(batch), bound).tolist()


def test_nearest_wrong_class_is_the_most_likely_but_the_own():
    assert near(problem(), 0.0) == [1, 2, 1, 2]


def test_the_step_can_change_which_class_is_nearest():
    """The fourth pair's second logit, -0.05, rises with the step, above the third, which is always 0."""
    assert near(problem(), 0.1) == [1, 2, 1, 1]


def test_with_two_classes_it_is_the_other():
    given = problem()
    given.original.classes = torch.nn.Linear(2, 2, bias=False).requires_grad_(False)
    assert near(given, 0.5) == [1, 1, 1, 1]


def test_shrink_loss_by_hand():
    given = problem()
    batch = whole(given.forget)
    logits = torch.tensor([[x, y, 0.0] for x, y in IMAGES[:4]])
    expected = -(logits.log_softmax(1)[torch.arange(4), [1, 2, 1, 2]]).mean()
    shrink = BoundaryShrink(BoundaryShrink.Config(bound=0.0))
    assert shrink.loss(LabelledToy(), batch, given).item() == pytest.approx(expected.item(), rel=1e-5)


def test_shrink_judges_with_the_original_not_the_student():
    given = problem()
    student = LabelledToy()
    student.classes.weight.data.neg_()
    batch = whole(given.forget)
    logits = -torch.tensor([[x, y, 0.0] for x, y in IMAGES[:4]])
    expected = -(logits.log_softmax(1)[torch.arange(4), [1, 2, 1, 2]]).mean()
    shrink = BoundaryShrink(BoundaryShrink.Config(bound=0.0))
    assert shrink.loss(student, batch, given).item() == pytest.approx(expected.item(), rel=1e-5)


class Direct(LabelledToy):
    """Tokens go into a module as they are, as into a transformer's layer."""

    def fuse(self, a, b):
        return (self.fusion(a.tokens) * b.tokens)[:, 0]


def test_the_step_can_be_taken_while_operations_are_counted():
    given = problem()
    batch, model = whole(given.forget), Direct().requires_grad_(False)
    encoded = given.outputs.encoded_batch(batch)
    found = given.meter.step("step", len(batch), lambda: nearest_wrong(model, batch, encoded, 0.1))
    assert found.tolist() == [1, 2, 1, 1]


def test_shrink_leaves_the_original_without_gradients():
    given = problem()
    BoundaryShrink(BoundaryShrink.Config(epochs=2)).unlearn(given)
    assert all(parameter.grad is None for parameter in given.original.parameters())


def test_expand_loss_by_hand():
    """A shadow class whose logit is 1 everywhere."""
    given = problem()
    model = LabelledToy()
    model.shadow = torch.nn.Linear(2, 1)
    model.shadow.weight.data.zero_()
    model.shadow.bias.data.fill_(1.0)
    logits = torch.tensor([[x, y, 0.0, 1.0] for x, y in IMAGES[:4]])
    expected = -logits.log_softmax(1)[:, 3].mean()
    found = BoundaryExpand().loss(model, whole(given.forget), given)
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)


def test_expand_trains_a_shadow_class_and_drops_it():
    given = problem()
    method = BoundaryExpand(replace(BoundaryExpand().config, epochs=3, lr=0.01))
    shadow = method.start(given).shadow
    assert shadow.weight.shape == (1, 2)
    model = method.unlearn(given)
    assert set(model.state_dict()) == set(LabelledToy().state_dict())
    assert "classes.weight" in changed(state_of(given.original), model)


@pytest.mark.parametrize("name", ["boundary_shrink", "boundary_expand"])
def test_deleted_pairs_are_less_their_own_class(name):
    given = problem()
    cls = METHODS.get(name)
    model = cls(replace(cls().config, epochs=20, lr=0.02)).unlearn(given)
    assert given.mean_loss(model, given.forget) > given.mean_loss(given.original, given.forget)
    assert cls.applies_to(TASKS.get("emoji_nlvr")()) is None
    assert "retrieval has no classes" in cls.applies_to(TASKS.get("emoji")())
