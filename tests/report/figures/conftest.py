"""Tables of planted methods to draw figures of."""

from __future__ import annotations

import pytest
from planted_results import Planted, World

from mmulbench.report.aggregate import group_records

PLANTED = {
    "contrastive_leaks": Planted({"mia/contrastive": 0.2, "mia/matching": -0.1}),
    "matching_over_forgets": Planted({"mia/contrastive": 0.05, "mia/matching": -0.3}),
    "broken": Planted({"retain": -0.1}),
    "original": Planted({"mia/contrastive": 0.3, "mia/matching": 0.3}),
}


@pytest.fixture(scope="package")
def group():
    """Planted methods on two paths, with five other retrains of each of three seeds."""
    (found,) = group_records(World().records(PLANTED))
    return found


@pytest.fixture(scope="package")
def bare_group():
    """The same without other retrains."""
    (found,) = group_records(World().records(PLANTED, draws=0))
    return found
