"""A metric that has too little to measure costs its own value, and says why; all others are there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from measured_by_hand import ORIGINAL, PATHS, RETRAIN, UNITS

from mmulbench.core.metric import HEADLINE
from mmulbench.core.observations import Estimate, Measurements
from mmulbench.core.registry import METRICS
from mmulbench.errors import NotApplicable
from mmulbench.evaluation.refusals import Refusals
from mmulbench.evaluation.values import compute_values, details, score_histograms


def with_items(count: int, *modalities: str) -> tuple[Measurements, Measurements]:
    """Original and retrain with so few test items of these modalities."""

    def cut(model: Measurements) -> Measurements:
        pooled = {name: rows[:count] if name in modalities else rows for name, rows in model.pooled.items()}
        return replace(model, pooled=pooled)

    return cut(ORIGINAL), cut(RETRAIN)


def metric(name: str):
    return METRICS.get(name)(name)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_test_items_cost_what_encoders_know_alone(count):
    original, retrain = with_items(count, "image", "text")
    found, missing = compute_values(original, original, retrain, UNITS, seed=0)
    every, nothing = compute_values(ORIGINAL, ORIGINAL, RETRAIN, UNITS, seed=0)
    assert missing == [
        f"{name}: needs at least 4 test items, there are {count} (image, text)"
        for name in ("unimodal_cka", "unimodal_probe")
    ]
    assert not nothing
    kept = {name: value for name, value in every.items() if not name.startswith("unimodal")}
    lost = {name: value.value for name, value in found.items() if name not in kept}
    assert {name: found[name] for name in kept} == kept
    assert lost == {"unimodal_cka": None, "unimodal_probe": None}
    assert found["unimodal_cka"].retrain is None and found["unimodal_cka"].direction == "not_below_retrain"


def test_a_modality_that_has_enough_keeps_its_detail():
    original, retrain = with_items(3, "image")
    found, missing = compute_values(original, original, retrain, UNITS, seed=0)
    assert "unimodal_cka: needs at least 4 test items, there are 3 (image)" in missing
    assert found["unimodal_cka"].value is None
    assert found["unimodal_cka/text"].value == pytest.approx(1.0) and "unimodal_cka/image" not in found
    assert "unimodal_cka/text/to_retrain" in found
    assert list(found)[: len(found) // 2].index("unimodal_cka") < list(found).index("unimodal_cka/text")


def without_losses(model: Measurements) -> Measurements:
    return replace(model, losses={path: model.losses[path] for path in PATHS if path != "contrastive"})


def test_a_path_without_losses_has_no_attack_and_nothing_that_reads_it():
    original, retrain = without_losses(ORIGINAL), without_losses(RETRAIN)
    found, missing = compute_values(original, original, retrain, UNITS, seed=0)
    for name in ("mia", "mi_ratio", "agreement", "retrain_gap"):
        assert found[name].value is None, name
    for name in ("mia/matching", "forget_vs_retain_auc", "test", "unimodal_cka"):
        assert found[name].value is not None, name
    why = "there are no validation pairs, the negatives of the contrastive loss (contrastive)"
    assert f"mia: {why}" in missing
    assert "retrain_gap: it reads mia, which has no value" in missing


def test_without_unrelated_pairs_only_decoupling_is_missing():
    def cut(model: Measurements) -> Measurements:
        return replace(
            model,
            scores={
                path: {name: one for name, one in by_set.items() if name != "unrelated"}
                for path, by_set in model.scores.items()
            },
        )

    original, retrain = cut(ORIGINAL), cut(RETRAIN)
    found, missing = compute_values(original, original, retrain, UNITS, seed=0)
    assert missing == ["decoupling: no two items of the retain set are unrelated (contrastive, matching)"]
    assert not any(name.startswith("decoupling") for name in found)
    assert all(value.value is not None for value in found.values())
    assert score_histograms(original, original)["matching"].before.keys() == {"forget", "retain"}


def test_a_set_that_does_not_exist_is_a_mistake_and_no_refusal():
    class Wrong(type(metric("mia"))):  # type: ignore[misc]
        def compute(self, observation):
            return {HEADLINE: Estimate(float(observation.model.losses["tset"].mean()), 1)}

    with pytest.raises(KeyError, match="tset"):
        details([Wrong("mia")], ORIGINAL, ORIGINAL, RETRAIN, UNITS, 0, Refusals().ask)


def test_who_does_not_collect_refusals_gets_them():
    original, retrain = with_items(3, "image", "text")
    with pytest.raises(NotApplicable, match="at least 4 test items"):
        details([metric("unimodal_cka")], original, original, retrain, UNITS, 0)


def test_what_one_model_lacks_is_left_out_of_all():
    refusals, mia = Refusals(), metric("mia")

    def refuse():
        raise NotApplicable("too few")

    given = {HEADLINE: Estimate(0.5, 1)}
    assert refusals.ask(mia, "matching", lambda: given) == given
    assert refusals.ask(mia, "matching", refuse) == {}
    names = ["mia/matching", "mia/matching/accuracy", "mia/matching2", "mia/contrastive", "test"]
    kept = refusals.without({name: Estimate(float(np.pi), 1) for name in names})
    assert list(kept) == ["mia/matching2", "mia/contrastive", "test"]
    metrics = [mia, metric("test"), metric("retrain_gap")]
    assert refusals.metrics(metrics) == ["mia", "retrain_gap"]
    assert refusals.lines(metrics) == [
        "mia: too few (matching)",
        "retrain_gap: it reads mia, which has no value",
    ]
