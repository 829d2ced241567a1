from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
import torch
from toys import Toy, changed, state_of, toy_features, toy_problem, whole

from mmulbench.core.forget_set import ForgetSet
from mmulbench.core.original_outputs import OriginalOutputs
from mmulbench.core.registry import TASKS
from mmulbench.evaluation.values import compute_values
from mmulbench.methods.mmul import Mmul
from mmulbench.runs.backbones import find_backbone
from mmulbench.runs.prepare import prepare
from mmulbench.runs.scenario import Scenario

# Forget pair: image (1, 2), text (3, 1). Both retain pairs, and both unrelated ones: (1, 1), (2, 3).
FEATURES = toy_features([[1, 2], [1, 1], [1, 1]], [[3, 1], [2, 3], [2, 3]])


def small_problem():
    pairs = ((0, 0), (1, 1), (2, 2))
    return toy_problem(pairs=pairs, forget=(0,), features=FEATURES, held_out=((0, 0),))


def student():
    """Doubles images. Fused: forget (6, 4) where unrelated is (2, 3); retain (4, 6) where it was (2, 3)."""
    model = Toy()
    model.image.weight.data *= 2
    return model


MD = (4**2 + 1**2) / 2
UKR = (1**2 + 2**2 + 0 + 0) / 4
MKR = (2**2 + 3**2) / 2


def loss_of(model, **settings) -> float:
    given = small_problem()
    method = Mmul(Mmul.Config(**settings))
    return method.loss(model, whole(given.forget), whole(given.retain), given).item()


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ((1, 0, 0), MD),
        ((0, 1, 0), UKR),
        ((0, 0, 1), MKR),
        ((1, 1, 1), MD + UKR + MKR),
        ((2, 3, 0.5), 2 * MD + 3 * UKR + 0.5 * MKR),
        ((0, 0, 0), 0),
    ],
)
def test_each_loss_alone_and_weighted(weights, expected):
    alpha, beta, gamma = weights
    assert loss_of(student(), alpha=alpha, beta=beta, gamma=gamma) == pytest.approx(expected)


def test_the_untouched_original_has_only_modality_decoupling_to_pay():
    assert loss_of(Toy()) == pytest.approx(((3 - 2) ** 2 + (2 - 3) ** 2) / 2)


@pytest.mark.parametrize(
    ("weights", "encodes", "fuses"),
    [
        ((1, 1, 1), 2, 1),
        ((0, 1, 1), 2, 1),
        ((0, 1, 0), 2, 0),
        ((1, 0, 0), 2, 1),
        ((0, 0, 1), 2, 1),
        ((0, 0, 0), 0, 0),
    ],
)
def test_a_loss_with_weight_0_is_not_computed(weights, encodes, fuses, monkeypatch):
    calls, model = Counter(), student()
    for name in ("encode", "fuse"):
        real = getattr(Toy, name)

        def counting(self, *args, name=name, real=real):
            calls[name] += self is model
            return real(self, *args)

        monkeypatch.setattr(Toy, name, counting)
    alpha, beta, gamma = weights
    loss_of(model, alpha=alpha, beta=beta, gamma=gamma)
    assert (calls["encode"], calls["fuse"]) == (encodes, fuses)


def test_fusion_variant_moves_only_fusion_and_runs_no_encoder(monkeypatch):
    given, encoders = toy_problem(), Counter()
    real = Toy.encode

    def counting(self, modality, inputs):
        encoders[self is given.original] += 1
        return real(self, modality, inputs)

    monkeypatch.setattr(Toy, "encode", counting)
    before = state_of(given.original)
    model = Mmul(Mmul.Config(epochs=3, batch_size=2, trainable="fusion")).unlearn(given)
    assert changed(before, model) == {"fusion.weight"}
    assert {name for name, p in model.named_parameters() if p.requires_grad} == {
        "fusion.weight",
        "matching.weight",
    }
    # The original's two encoders ran once over all training items, and before that on one item each, to see
    # how large their tokens are; the student's never.
    assert encoders == {True: 4}


def test_full_variant_moves_the_encoders():
    given = toy_problem()
    before = state_of(given.original)
    model = Mmul(Mmul.Config(epochs=1, batch_size=2)).unlearn(given)
    assert changed(before, model) == {"image.weight", "text.weight", "fusion.weight"}


def test_ukr_alone_leaves_the_fusion_module():
    given = toy_problem(original=student())
    given.copy_of_original = lambda: Toy()  # type: ignore[method-assign]
    model = Mmul(Mmul.Config(epochs=1, alpha=0, gamma=0)).unlearn(given)
    assert changed(state_of(Toy()), model) == {"image.weight"}


def test_fusion_variant_gives_the_same_loss_without_ukr():
    torch.manual_seed(0)
    model = Toy()
    model.fusion.weight.data = torch.randn(2, 2)
    assert loss_of(model, trainable="fusion") == pytest.approx(loss_of(model, beta=0))


def test_variants_on_albef(emoji, quick_method, make_problem, original):
    fusion = {id(p) for p in original.fusion_parameters()}
    names = {name for name, p in original.named_parameters() if id(p) in fusion}
    before = state_of(original)
    only = changed(before, quick_method("mmul", trainable="fusion").unlearn(make_problem()))
    assert only and only < names
    everything = changed(before, quick_method("mmul", trainable="all").unlearn(make_problem()))
    assert only <= everything
    assert {name.split(".")[0] for name in everything} == {"image", "text", "fusion"}


@pytest.mark.parametrize("partner", ["retain", "forget"])
def test_partners_are_never_true_pairs(partner, monkeypatch):
    given, drawn = toy_problem(forget=(0, 1, 2)), set()
    real = OriginalOutputs.fused_pairs

    def recording(self, pairs):
        drawn.update(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))
        return real(self, pairs)

    monkeypatch.setattr(OriginalOutputs, "fused_pairs", recording)
    Mmul(Mmul.Config(epochs=200, batch_size=2, partner=partner)).unlearn(given)
    images, texts = {
        "retain": ((3, 4, 5), (3, 4, 5, 7, 8)),
        "forget": ((0, 1, 2), (0, 1, 2, 6, 7)),
    }[partner]
    true = {(i, t) for i in images for t in (i, 6 + i // 2)}
    # Every unrelated pair comes up and nothing else: partners are no fixed points either.
    assert drawn == {(i, t) for i in images for t in texts} - true


def test_partner_from_a_single_forget_unit_is_an_error_that_says_what_to_do():
    with pytest.raises(
        ValueError, match=r"no unrelated pairs among the items of 1 units.*from the retain set"
    ):
        Mmul(Mmul.Config(partner="forget")).unlearn(toy_problem(forget=(0,)))


def test_partner_from_a_single_forget_unit_is_recorded(record, quick_method):
    found = record(quick_method("mmul", partner="forget"), "mmul", forget_size=1)
    assert found.status == "failed"
    assert "draw partners from the retain set" in found.reason


@pytest.mark.slow
def test_beta_is_what_keeps_the_encoders(workspace):
    """The paper's property (b): without the loss of unimodal retention, encoders lose what they knew."""
    task = TASKS.get("emoji")(TASKS.get("emoji").Config(**{"limit": 200}))
    recipe = replace(task.recipe, epochs=4, batch_size=16)
    prepared = prepare("emoji", task, find_backbone("albef:tiny", task), recipe, workspace)
    scenario = Scenario(prepared, ForgetSet(task.forget_units(prepared.data, 20, 42)), 42)
    before = scenario.measure(scenario.original().model, scenario.sampled_sets)
    units = {name: split.first for name, split in scenario.sampled_sets.splits.items()}
    found = {}
    for beta in (0.0, 10.0):
        config = Mmul.Config(beta=beta, lr=3e-3, epochs=3, batch_size=16)
        after = scenario.measure(Mmul(config).unlearn(scenario.problem()), scenario.sampled_sets)
        values, _ = compute_values(after, before, None, units, seed=0)
        found[beta] = {name: value.value for name, value in values.items() if "unimodal" in name}
        assert values["unimodal_cka"].original == pytest.approx(1.0)
    for name in ("unimodal_cka/image", "unimodal_cka/text", "unimodal_cka", "unimodal_probe"):
        assert found[10.0][name] > found[0.0][name] + 0.04, name
    assert found[10.0]["unimodal_cka"] > found[0.0]["unimodal_cka"] + 0.1
