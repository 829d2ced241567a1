"""Shadow models: what a run's values on them are made of, and that nothing is computed twice."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest

from mmulbench.core.forget_set import ForgetSet
from mmulbench.core.registry import TASKS
from mmulbench.errors import Diverged
from mmulbench.evaluation.measure import measure
from mmulbench.metrics.catalogue import headline_metrics, shadow_metrics
from mmulbench.metrics.klom import klom
from mmulbench.metrics.populations import confidence
from mmulbench.metrics.shadow_attacks import rmia, u_lira
from mmulbench.progress import Progress
from mmulbench.runs.backbones import find_backbone
from mmulbench.runs.pipeline import Run, execute, is_settled
from mmulbench.runs.prepare import prepare
from mmulbench.runs.run_spec import make_spec
from mmulbench.runs.scenario import Scenario
from mmulbench.runs.shadow_models import second_seed, shadow_seed
from mmulbench.runs.unlearn import unlearn

SEED = 42
SIZE = 4


class Counting:
    """A method that says whom it unlearns, by training seed; and does what is to happen to some."""

    def __init__(self, method, **happens):
        self._method, self._happens = method, {shadow_seed(int(k[1:])): v for k, v in happens.items()}
        self.seeds = []

    def __getattr__(self, name):
        return getattr(self._method, name)

    def unlearn(self, problem):
        self.seeds.append(problem.seed)
        if problem.seed in self._happens:
            raise self._happens[problem.seed]
        return self._method.unlearn(problem)


@pytest.fixture(scope="module")
def made(emoji):
    """Makes a run, and gives its record."""

    def make(method, name, shadows, seed=SEED, overwrite="always", prepared=emoji):
        spec = make_spec(prepared, name, method, SIZE, seed)
        return execute(Run(spec, method, "test", shadows=shadows), prepared, overwrite).result

    return make


@pytest.fixture(scope="module")
def mmul(quick_method):
    return quick_method("mmul", lr=3e-3)


@pytest.fixture(scope="module")
def judged(made, mmul):
    return made(mmul, "mmul", 2)


def test_a_record_with_shadow_models_has_all_that_one_without_has_and_more(made, mmul, judged):
    plain = made(mmul, "mmul", 0)
    assert judged.run_id == plain.run_id
    assert (judged.shadows, plain.shadows) == (2, 0)
    more = judged.values.keys() - plain.values.keys()
    assert {key.split("/")[0] for key in more} == {metric.name for metric in shadow_metrics()}
    assert {key: judged.values[key] for key in plain.values} == plain.values
    assert judged.histograms == plain.histograms
    for metric in shadow_metrics():
        assert judged.values[metric.name].direction == metric.direction


@pytest.mark.slow
def test_the_values_are_those_of_models_made_one_by_one(emoji, mmul, judged):
    forget = ForgetSet(emoji.task.forget_units(emoji.data, SIZE, SEED))
    sets = Run(judged.spec, mmul, "test").scenario(emoji).sampled_sets
    kinds = {"unlearned": [], "originals": [], "retrained": [], "retrained again": []}
    for seed, second in zip((SEED, shadow_seed(1), shadow_seed(2)), map(second_seed, range(3)), strict=True):
        scenario = Scenario(emoji, forget, seed)
        trained = (unlearn(mmul, scenario.problem()), scenario.original(), scenario.retrain())
        models = [*(one.model for one in trained), Scenario(emoji, forget, second).retrain().model]
        for found, model in zip(kinds.values(), models, strict=True):
            found.append(measure(model, sets, 0, Progress()).losses)
    for path in ("contrastive", "matching"):
        unlearned, originals, retrained, again = (
            {
                name: confidence(np.stack([model[path][name] for model in models]))
                for name in ("forget", "test")
            }
            for models in kinds.values()
        )
        assert len(np.unique(np.concatenate([retrained["test"], again["test"]]), axis=0)) == 6
        wanted = {
            f"rmia/{path}": rmia(unlearned, retrained, originals)["headline"].value,
            f"klom/{path}/forget": klom(unlearned["forget"], retrained["forget"]).mean(),
            f"klom/{path}/test": klom(unlearned["test"], retrained["test"]).mean(),
        } | {
            f"u_lira/{path}{end}": u_lira(unlearned, retrained)[part].value
            for end, part in (("", "headline"), ("/forget", "forget"), ("/test", "test"))
        }
        for name, value in wanted.items():
            assert judged.values[name].value == pytest.approx(value), name
        own = judged.values[f"u_lira/{path}"]
        assert own.original == pytest.approx(u_lira(originals, retrained)["headline"].value)
        assert own.retrain == pytest.approx(u_lira(again, retrained)["headline"].value)
        floor = klom(again["test"], retrained["test"]).mean()
        assert judged.values[f"klom/{path}/test"].retrain == pytest.approx(floor)


def test_retrain_is_judged_by_a_second_population_and_never_by_itself(made, quick_method, judged):
    found = made(quick_method("retrain"), "retrain", 2)
    for name, value in found.values.items():
        if name.split("/")[0] in ("u_lira", "lira", "rmia", "klom"):
            assert value.value == value.retrain, name
            if name in judged.values and "/" in name and not name.startswith("klom"):
                assert value.retrain == judged.values[name].retrain, name
    floor = found.values["klom/matching/forget"].value
    assert floor is not None and floor > 0.0


def test_the_original_in_the_place_of_an_unlearned_model_is_the_original(made, quick_method):
    found = made(quick_method("original"), "original", 2)
    for name in ("u_lira/matching", "lira/matching/test", "rmia/contrastive", "klom/matching/retain"):
        assert found.values[name].value == found.values[name].original


def test_what_one_attacker_finds_worst_is_the_headline(judged):
    for name in ("u_lira", "lira", "rmia"):
        paths = [judged.values[f"{name}/{path}"] for path in ("contrastive", "matching")]
        worst = max(paths, key=lambda path: abs(path.value - path.retrain))
        assert judged.values[name] == worst


def test_what_so_few_models_cannot_tell_is_said_to_be_missing(judged):
    pairs = judged.values["u_lira/matching"].n // 2
    assert 50 <= pairs < 1000
    assert not any("tpr" in name for name in judged.values)
    assert judged.values["klom"].value is None
    assert judged.values["klom/matching/forget"].value is not None
    rates = [
        f"true-positive rates at {rate} false positives: they take {pairs_needed} pairs of retrained models "
        f"and there are {pairs}; more shadow models give more"
        for rate, pairs_needed in (("1%", "1,000"), ("0.1%", "10,000"))
    ]
    refused = "klom: 3 models of each kind; at least 64, so that only its details are given"
    assert judged.missing == [refused, *rates]


def test_a_record_without_the_headline_that_takes_more_models_is_complete(judged, mmul):
    assert judged.values["klom"].value is judged.values["klom"].retrain is None
    assert is_settled(judged, Run(judged.spec, mmul, "test", shadows=2), "failed")
    lost = {**judged.values, "mia": judged.values["mia"].model_copy(update={"retrain": None})}
    incomplete = judged.model_copy(update={"values": lost})
    assert not is_settled(incomplete, Run(judged.spec, mmul, "test", shadows=2), "failed")


def test_progress_counts_every_model_of_the_populations(made, quick_method, emoji):
    class Told(Progress):
        counted: ClassVar[dict[str, list[int]]] = {}

        def counter(self, total, description):
            self.counted[description] = [total, 0]

            def tick():
                self.counted[description][1] += 1

            return tick

    told = Told()
    prepared = replace(emoji, workspace=replace(emoji.workspace, progress=told))
    made(quick_method("finetune"), "finetune", 2, prepared=prepared)
    assert told.counted["models of shadow training seeds"] == [12, 12]


@pytest.mark.slow
def test_originals_serve_every_forget_set_and_retrains_every_method(made, quick_method, judged, workspace):
    root = workspace.cache.folder("original", {}).parent.parent

    def built():
        return {kind: {p.name for p in (root / kind).iterdir()} for kind in ("original", "retrain")}

    before = built()
    made(quick_method("finetune"), "finetune", 2)
    assert built() == before
    made(quick_method("finetune"), "finetune", 2, seed=87)
    assert len(built()["original"] - before["original"]) == 1  # the run's own
    assert len(built()["retrain"] - before["retrain"]) == 6  # and as many second ones


@pytest.mark.slow
def test_a_killed_run_goes_on_with_the_shadow_model_it_was_at(made, quick_method):
    wanted = made(quick_method("gradient_ascent"), "gradient_ascent", 3)
    killed = Counting(quick_method("gradient_ascent"), s3=KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        made(killed, "gradient_ascent", 3)
    assert killed.seeds == [SEED, *map(shadow_seed, (1, 2, 3))]
    again = Counting(quick_method("gradient_ascent"))
    found = made(again, "gradient_ascent", 3)
    assert again.seeds == [SEED, shadow_seed(3)]
    assert found.values == wanted.values


@pytest.mark.slow
def test_a_method_that_was_changed_meanwhile_unlearns_all_again(made, quick_method, monkeypatch):
    method = quick_method("l1_sparse")
    with pytest.raises(KeyboardInterrupt):
        made(Counting(method, s2=KeyboardInterrupt()), "l1_sparse", 2)
    with monkeypatch.context() as context:
        context.setattr("mmulbench.runs.shadow_models.code_digest", lambda module: "changed")
        again = Counting(method)
        made(again, "l1_sparse", 2)
    assert again.seeds == [SEED, shadow_seed(1), shadow_seed(2)]


@pytest.mark.slow
def test_what_a_method_made_is_forgotten_once_it_is_recorded(made, quick_method):
    for _ in range(2):  # the code may have changed, which no id tells
        counting = Counting(quick_method("cf_k"))
        made(counting, "cf_k", 2)
        assert counting.seeds == [SEED, shadow_seed(1), shadow_seed(2)]


@pytest.mark.slow
def test_a_shadow_model_that_diverges_costs_the_values_that_rest_on_it(made, quick_method):
    method = Counting(quick_method("npo"), s2=Diverged("the loss became nan"))
    found = made(method, "npo", 2)
    assert (found.status, found.shadows) == ("done", 2)
    assert all(found.values[metric.name].value is not None for metric in headline_metrics())
    assert not any(metric.name in found.values for metric in shadow_metrics())
    assert found.missing == ["u_lira, lira, rmia, klom: shadow model 2 of 2 diverged: the loss became nan"]
    assert made(method, "npo", 2, overwrite="failed") == found


def test_a_method_that_fails_on_a_shadow_model_has_failed(made, quick_method):
    found = made(Counting(quick_method("scrub"), s1=ValueError("oh no")), "scrub", 2)
    assert found.status == "failed"
    assert found.reason.startswith("ValueError: oh no")


@pytest.mark.parametrize(
    ("there", "asked", "settled"), [(2, 2, True), (3, 2, True), (0, 2, False), (1, 2, False), (2, 0, True)]
)
def test_a_record_with_fewer_shadow_models_is_made_again(judged, mmul, there, asked, settled):
    record = judged.model_copy(update={"shadows": there})
    run = Run(judged.spec, mmul, "test", shadows=asked)
    assert is_settled(record, run, "failed") is settled
    assert is_settled(record, run, "never")


def test_where_a_method_does_not_apply_nothing_is_trained(judged, mmul):
    empty = {"values": {}, "by_unit": {}, "histograms": {}, "cost": None, "shadows": 0, "models": {}}
    record = judged.model_copy(update={"status": "not_applicable", "reason": "it does not apply", **empty})
    assert is_settled(record, Run(judged.spec, mmul, "test", shadows=2), "failed")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "backbone", "limit"),
    [("emoji_nlvr", "albef:tiny", 80), ("flags_ve", "vilt:tiny", 60), ("hpo_pgr", "gtnn:tiny", 60)],
)
def test_tasks_with_labels_have_shadow_models_too(made, quick_method, workspace, name, backbone, limit):
    task = TASKS.get(name)(TASKS.get(name).Config(**{"limit": limit}))
    recipe = replace(task.recipe, epochs=1)
    prepared = prepare(name, task, find_backbone(backbone, task), recipe, workspace)
    found = made(quick_method("finetune"), "finetune", 2, prepared=prepared)
    assert found.status == "done", found.reason
    judged = [found.values[metric.name] for metric in shadow_metrics() if metric.name != "klom"]
    assert all(0.0 < (value.retrain or 0.0) < 1.0 for value in judged)
