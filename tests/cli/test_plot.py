"""``mmulbench plot`` prints what it writes, and says what it could not draw."""

from __future__ import annotations

from helpers import here
from planted_results import Planted, World

from mmulbench.records.store import ResultsStore


def test_figures_are_chosen_and_what_is_missing_is_said(tmp_path):
    for record in World(units=4, seeds=(42,)).records({"mmul": Planted()}, draws=0):
        ResultsStore(tmp_path / "results").write(record)
    words = ["plot", "--results-dir", str(tmp_path / "results"), "-o", str(tmp_path / "plots")]
    done = here(*words, "--figure", "cost,roc")
    assert done.code == 0, done.err
    assert done.out.split() == [
        str(tmp_path / "plots" / f"emoji-albef-packaged-4-cost.{form}")
        for form in ("png", "svg", "pdf", "csv")
    ]
    assert done.err.startswith("mmulbench: no figure roc of emoji-albef-packaged-4: no record has its scores")
    assert done.err.count("\n") == 1
    assert here(*words, "--figure", "cost,").code == 2
