"""Every registered backbone holds to the contract, in each of its variants that is quick to try."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from mmulbench.conformance.backbone_checks import backbone_checks
from mmulbench.conformance.backbone_trial import backbone_trials
from mmulbench.conformance.checks import run_check
from mmulbench.core.registry import BACKBONES

SLOW = ("base", "small", "small-siglip", "mini", "mini-siglip")
QUICK = [
    f"{family}:{variant}"
    for family in BACKBONES.names()
    for variant in BACKBONES.get(family).variants
    if variant not in SLOW
]
UNPADDED = ("clip:tiny", "clip:tiny-siglip", "gtnn:packaged", "gtnn:gcn", "gtnn:gat")


@pytest.mark.slow
@pytest.mark.parametrize("name", QUICK)
def test_a_backbone_holds_to_the_contract(name):
    trials = backbone_trials(name)
    outcomes = [run_check(check, trials) for check in backbone_checks()]
    assert not [(outcome.check, outcome.reason) for outcome in outcomes if outcome.status == "failed"]
    skipped = [outcome.check for outcome in outcomes if outcome.status == "skipped"]
    assert skipped == (["ignores_padding"] if name in UNPADDED else [])


def test_every_family_is_tried():
    assert {name.partition(":")[0] for name in QUICK} == set(BACKBONES.names())


@pytest.mark.parametrize("family", BACKBONES.names())
def test_the_identity_is_the_name_and_every_setting(family):
    cls = BACKBONES.get(family)
    for variant in cls.variants:
        backbone = cls(variant)
        settings = {key: value for key, value in backbone.identity.items() if key != "name"}
        assert backbone.identity["name"] == f"{family}:{variant}"
        assert asdict(backbone.config) == settings
