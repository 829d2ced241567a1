"""``mmulbench selftest metrics``: a table or JSON, and an exit code."""

from __future__ import annotations

import json

import pytest

from mmulbench.cli.app import main
from mmulbench.metrics import membership
from mmulbench.selftest import judged, trial
from mmulbench.selftest.planted import PLANTED

PLUGIN = '''
"""The mean score of the forget set."""

from mmulbench.core.metric import HEADLINE, Needs, PathMetric
from mmulbench.core.observations import Estimate
from mmulbench.core.registry import METRICS


@METRICS.register("mean_score")
class MeanScore(PathMetric):
    """Measures the mean score of the forget set."""

    title = "Mean score"
    direction = "closest_to_retrain"
    definition = "mean association score of forget-set pairs"
    source = "my own"
    needs = Needs(scores=("forget",))
    chance = None

    def compute(self, observation):
        """Compute the mean."""
        scores = observation.model.scores["forget"]
        return {HEADLINE: Estimate(float(scores.mean()), len(scores))}
'''

FEW = tuple(one for one in PLANTED if one.name in ("perfect_retrain", "untouched", "over_forgotten"))


@pytest.fixture(autouse=True)
def few_models(monkeypatch):
    for module in (judged, trial):
        monkeypatch.setattr(module, "PLANTED", FEW)


def test_all_is_true(capsys):
    assert main(["selftest", "metrics"]) == 0
    out = capsys.readouterr().out
    assert "over_forgotten: as far from retrain as still_known, the other way" in out
    assert "over-forgot (contrastive, matching)" in out
    last = out.splitlines()[-1]
    assert last.endswith(" statements are true.")
    assert last.split()[0] == last.split()[2]


def test_a_plug_in_s_metric_is_shown_without_judgement(capsys, tmp_path):
    plugin = tmp_path / "mean_score.py"
    plugin.write_text(PLUGIN)
    assert main(["selftest", "metrics", "--plugin", str(plugin), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["ok"] is True
    assert found["models"]["untouched"] == "the original as it was"
    own = {one["planted"]: one for one in found["statements"] if one["measure"] == "mean_score/matching"}
    assert list(own) == [one.name for one in FEW]
    assert all(one["holds"] is None and one["expected"] == "" for one in own.values())
    assert float(own["untouched"]["found"]) > float(own["over_forgotten"]["found"]) + 2


def test_what_is_wrong_is_named_and_exits_with_1(capsys, monkeypatch):
    attack = membership.loss_attack
    monkeypatch.setattr(membership, "loss_attack", lambda a, b, c, d, seed: attack(c, d, a, b, seed))
    assert main(["selftest", "metrics"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("wrong: mia/contrastive - retrain of untouched is -0.") for line in lines)


def test_a_plug_in_that_fails_is_one_line(capsys, tmp_path):
    plugin = tmp_path / "mean_score.py"
    plugin.write_text(PLUGIN.replace("scores.mean()", "scores.no_such()"))
    assert main(["selftest", "metrics", "--plugin", str(plugin)]) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith(
        "mmulbench: metric mean_score fails on the planted model original: AttributeError"
    )
