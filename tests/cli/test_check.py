"""``mmulbench check``: one readable line a check, JSON, and the exit code."""

from __future__ import annotations

import json
from importlib.util import find_spec

import pytest
from helpers import here

from mmulbench import packages
from mmulbench.conformance.backbone_checks import backbone_checks
from mmulbench.conformance.method_checks import method_checks
from mmulbench.conformance.metric_checks import metric_checks
from mmulbench.conformance.task_checks import task_checks
from mmulbench.conformance.tiny_tasks import TINY_TASKS

BROKEN = '''
"""Draws from the global generator."""
import torch
from mmulbench.core.method import Method
from mmulbench.core.registry import METHODS


@METHODS.register("careless_noise")
class CarelessNoise(Method):
    def unlearn(self, problem):
        model = problem.copy_of_original()
        with torch.no_grad():
            next(model.parameters()).add_(torch.rand(()))
        return model
'''


@pytest.fixture(scope="module")
def broken(tmp_path_factory):
    path = tmp_path_factory.mktemp("plugin") / "noise.py"
    path.write_text(BROKEN)
    return path


@pytest.mark.slow
def test_a_built_in_method_holds():
    done = here("check", "method", "finetune")
    assert (done.code, done.err) == (0, "")
    first, *lines, empty, last = done.out.splitlines()
    assert first == "finetune on tiny models for retrieval, classification, two images, relations:"
    assert len(lines) == len(method_checks()) and not empty
    assert {line[0] for line in lines} == {"✓", "–"}
    for line, check in zip(lines, method_checks(), strict=True):
        assert f" s  {check.rule}" in line
    assert last == "The method finetune holds to the contract."


def test_a_method_that_applies_to_some_kinds_says_to_which():
    done = here("check", "method", "gnndelete")
    assert done.code == 0
    assert (
        "The original stays bit for bit what it was, frozen and in evaluation mode: only relations"
        in done.out
    )


def test_a_method_that_never_applies_says_why():
    done = here("check", "method", "unsir", "--json")
    found = json.loads(done.out)
    skipped = [check for check in found["checks"] if check["status"] == "skipped"]
    assert done.code == 0 and found["passed"] and len(skipped) == len(method_checks()) - 3
    assert all("pairs are deleted" in check["reason"] or check["on"] == [] for check in skipped)


def test_a_broken_plug_in_fails_in_one_line_each(broken):
    done = here("check", "method", "careless_noise", "--plugin", str(broken))
    assert done.code == 1
    failed = [line for line in done.out.splitlines() if line.startswith("✗")]
    assert len(failed) == 3
    assert "retrieval: it moved the global generator of torch: draw in a block" in failed[1]
    assert done.out.splitlines()[-1] == f"3 of {len(method_checks())} checks failed."


def test_json_has_every_check(broken):
    done = here("check", "method", "careless_noise", "--plugin", str(broken), "--json")
    found = json.loads(done.out)
    assert done.code == 1 and (found["method"], found["passed"]) == ("careless_noise", False)
    assert [check["check"] for check in found["checks"]] == [check.name for check in method_checks()]
    by_name = {check["check"]: check for check in found["checks"]}
    assert by_name["leaves_the_original_alone"]["on"] == [kind.name for kind in TINY_TASKS]
    assert by_name["counts_its_work"]["status"] == "failed"
    assert "its cost is zero" in by_name["counts_its_work"]["reason"]


@pytest.mark.slow
def test_a_built_in_backbone_holds():
    done = here("check", "backbone", "gtnn:tiny")
    assert (done.code, done.err) == (0, "")
    first, *lines, left_out, empty, last = done.out.splitlines()
    assert first == "gtnn:tiny on made-up items for classification, group classification:"
    assert len(lines) == len(backbone_checks()) and not empty and {line[0] for line in lines} == {"✓"}
    assert left_out == "Left out: classification: its items are no groups"
    assert last == "The backbone gtnn:tiny holds to the contract."


@pytest.mark.slow
def test_a_family_alone_is_its_first_variant():
    done = here("check", "backbone", "gtnn", "--json")
    found = json.loads(done.out)
    assert done.code == 0 and (found["backbone"], found["passed"]) == ("gtnn:packaged", True)
    assert [check["check"] for check in found["checks"]] == [check.name for check in backbone_checks()]


OPTIMIST = '''
"""GTNN that believes in every pair a little more than its logits say."""
from mmulbench import BACKBONES
from mmulbench.backbones.gtnn import Gtnn, GtnnBackbone


class Optimist(Gtnn):
    def association(self, a, b, labels=None):
        return {path: value + 1 for path, value in super().association(a, b, labels).items()}


@BACKBONES.register("optimist")
class OptimistBackbone(GtnnBackbone):
    name = "optimist"

    def build(self, shape):
        return Optimist(self.config, shape.classes, shape.group)
'''


@pytest.mark.slow
def test_a_backbone_of_a_plug_in_fails_in_one_line(tmp_path):
    path = tmp_path / "optimist.py"
    path.write_text(OPTIMIST)
    done = here("check", "backbone", "optimist:tiny", "--plugin", str(path))
    assert done.code == 1
    (failed,) = (line for line in done.out.splitlines() if line.startswith("✗"))
    assert "classification: the classification association of a pair is not that of its logits" in failed
    assert done.out.splitlines()[-1] == f"1 of {len(backbone_checks())} checks failed."


def test_a_package_that_a_backbone_lacks_is_one_line(monkeypatch):
    monkeypatch.setattr(
        packages, "find_spec", lambda name: None if name == "transformers" else find_spec(name)
    )
    done = here("check", "backbone", "clip:tiny")
    assert (done.code, done.out) == (2, "") and done.err.count("\n") == 1
    assert "backbone clip needs the package transformers: run pip install" in done.err


def test_an_unknown_variant_is_one_line():
    done = here("check", "backbone", "gtnn:tinny")
    assert done.code == 2 and "did you mean tiny" in done.err and done.err.count("\n") == 1


def test_a_task_that_comes_with_packages_holds():
    done = here("check", "task", "flags")
    assert done.code == 0, done.out
    *lines, _, last = done.out.splitlines()
    assert len(lines) == len(task_checks()) and {line[0] for line in lines} == {"✓", "–"}
    assert "the task is retrieval: it has no classes" in done.out
    assert last == "The task flags holds to the contract."


def test_missing_data_is_one_line(tmp_path):
    done = here("check", "task", "flickr30k", "--data-dir", str(tmp_path))
    assert (done.code, done.out) == (2, "")
    assert done.err.count("\n") == 1 and "flickr30k" in done.err and str(tmp_path) in done.err


def test_a_metric_holds():
    done = here("check", "metric", "retain")
    assert done.code == 0, done.out
    *lines, _, last = done.out.splitlines()
    assert len(lines) == len(metric_checks()) and {line[0] for line in lines} == {"✓", "–"}
    assert last == "The metric retain holds to the contract."


@pytest.mark.parametrize(
    ("kind", "name"),
    [("method", "mmull"), ("backbone", "gtn"), ("task", "emojii"), ("metric", "retein")],
)
def test_an_unknown_name_is_one_line(kind, name):
    done = here("check", kind, name)
    assert done.code == 2 and "did you mean" in done.err and done.err.count("\n") == 1


def test_a_missing_plug_in_is_one_line(tmp_path):
    done = here("check", "method", "mmul", "--plugin", str(tmp_path / "none.py"))
    assert done.code == 2 and "none.py" in done.err and done.err.count("\n") == 1
