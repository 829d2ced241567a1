"""What shadow models have to say of each planted model: the truth table's rows of attacks and KLOM."""

from __future__ import annotations

from collections.abc import Mapping

from mmulbench.selftest.row import Interval, Row

EXACTLY_HALF, ALL = (0.4999, 0.5001), (0.9, 1.0)

U_LIRA: Mapping[str, Interval] = {
    "retrain_itself": EXACTLY_HALF,
    "untouched": ALL,
    "random": (0.8, 1.0),
    "still_known": (0.85, 1.0),
    "over_forgotten": (0.85, 1.0),
    "one_path": ALL,
    "tenth_memorised": (0.55, 0.65),
}

LIRA: Mapping[str, Interval] = {
    "untouched": ALL,
    "random": (0.3, 0.7),
    "still_known": (0.85, 1.0),
    "over_forgotten": (0.0, 0.15),
    "one_path": ALL,
    "tenth_memorised": (0.53, 0.62),
}


def _without_one_path(but: Mapping[str, Interval]) -> dict[str, Interval]:
    """Return what the matching path says: the planted model `one_path` forgot on it."""
    return {planted: interval for planted, interval in but.items() if planted != "one_path"}


SHADOWS = (
    Row(
        "u_lira/contrastive",
        (0.46, 0.54),
        U_LIRA,
        sees="any difference of deleted pairs, without a side, but no shift of all pairs",
    ),
    Row(
        "u_lira/matching",
        (0.46, 0.54),
        _without_one_path(U_LIRA),
        sees="the same on the path that `one_path` forgot on",
    ),
    Row(
        "u_lira/contrastive/tpr@1%",
        (0.0, 0.03),
        {
            "untouched": ALL,
            "random": (0.2, 0.7),
            "still_known": (0.4, 0.8),
            "over_forgotten": (0.4, 0.8),
            "one_path": ALL,
            "tenth_memorised": (0.06, 0.15),
        },
        sees="that a few pairs are surely found: a memorised tenth is ten times as many as there should be",
    ),
    Row(
        "u_lira/contrastive/forget",
        (0.46, 0.54),
        {**U_LIRA, "shifted": ALL, "lost_utility": ALL},
        sees="the attack as it is: a shift of all pairs looks like a leak",
    ),
    Row(
        "u_lira/contrastive/test",
        (0.46, 0.54),
        {
            "retrain_itself": EXACTLY_HALF,
            "random": (0.85, 1.0),
            "shifted": ALL,
            "lost_utility": ALL,
        },
        sees="the control: whether the model was changed as a whole",
    ),
    Row(
        "lira/contrastive",
        (0.47, 0.53),
        LIRA,
        sees="as u_lira, with a side: below .5 is over-forgotten",
    ),
    Row(
        "lira/matching",
        (0.47, 0.53),
        _without_one_path(LIRA),
        sees="the same on the path that `one_path` forgot on",
    ),
    Row(
        "rmia/contrastive",
        (0.47, 0.53),
        {
            "untouched": ALL,
            "random": (0.56, 0.8),
            "shifted": (0.55, 0.8),
            "still_known": (0.75, 0.97),
            "over_forgotten": (0.1, 0.35),
            "one_path": ALL,
            "tenth_memorised": (0.53, 0.6),
            "lost_utility": (0.55, 0.8),
        },
        sees="both sides; a shift of all pairs is not wholly taken out, since probabilities end at 1",
    ),
    Row(
        "klom/contrastive",
        (-0.3, 0.3),
        {
            "retrain_itself": (-1.2, -0.3),
            "untouched": (5.0, 12.0),
            "random": (2.0, 8.0),
            "shifted": (4.0, 10.0),
            "still_known": (2.5, 8.0),
            "over_forgotten": (2.5, 8.0),
            "one_path": (5.0, 12.0),
            "tenth_memorised": (0.4, 1.5),
            "lost_utility": (2.5, 8.0),
        },
        sees="any difference of deleted pairs, shifts of all pairs too; a copy of retrain is below chance",
    ),
)
