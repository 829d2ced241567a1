from __future__ import annotations

import math
from dataclasses import replace

from standings import WHOLE, line

from mmulbench.report.standing import listed_seeds


def test_lines_of_blocks_keep_their_order():
    assert [one.name for one in WHOLE.of_blocks("out", "ranked")] == [
        "near (tuned)",
        "as_near",
        "far",
        "broken",
    ]


def test_a_line_without_a_gap_comes_last():
    assert line("a", gap=0.2).gap == 0.2
    assert line("a", gap=None).gap == math.inf


def test_seeds_are_listed():
    assert listed_seeds(WHOLE) == "seeds 21, 42, 87"
    assert listed_seeds(replace(WHOLE, seeds=(42,))) == "seed 42"
