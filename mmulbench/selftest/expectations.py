"""What every metric, the verdict and the ranking have to say of each planted model: the truth table.

A row holds for all planted models: what it says of those that it sees nothing of, and what it says of the
others. So it tells as well what a metric cannot see.
"""

from __future__ import annotations

from collections.abc import Mapping

from mmulbench.selftest.row import Interval, Row
from mmulbench.selftest.shadow_rows import SHADOWS


def _beside(value: str, width: float, but: Mapping[str, Interval], sees: str) -> Row:
    """Return a row of differences to retrain: usually none, to so much."""
    return Row(value, (-width, width), but, beside_retrain=True, sees=sees)


UTILITY = (
    _beside(
        "test", 0.03, {"random": (-0.9, -0.5), "lost_utility": (-0.35, -0.1)}, "utility alone, no forgetting"
    ),
    _beside(
        "retain",
        0.03,
        {"random": (-1.0, -0.7), "lost_utility": (-0.2, -0.04)},
        "utility alone; what was trained on suffers less",
    ),
    _beside(
        "forget",
        0.04,
        {
            "untouched": (0.1, 0.3),
            "random": (-0.9, -0.5),
            "still_known": (0.06, 0.2),
            "over_forgotten": (-0.25, -0.1),
            "lost_utility": (-0.35, -0.1),
        },
        "both sides of retrain, but no single path, no shift, and of a memorised tenth hardly anything",
    ),
)

SEPARATION = (
    _beside(
        "forget_vs_retain_auc/contrastive",
        0.03,
        {
            "untouched": (-0.45, -0.25),
            "random": (-0.45, -0.25),
            "still_known": (-0.25, -0.08),
            "over_forgotten": (0.04, 0.15),
            "one_path": (-0.45, -0.25),
            "tenth_memorised": (-0.08, -0.03),
        },
        "both sides of retrain, path by path; a shift of all pairs is none, and lost utility is not seen",
    ),
    _beside(
        "forget_vs_retain_auc/matching",
        0.03,
        {
            "untouched": (-0.45, -0.2),
            "random": (-0.45, -0.2),
            "still_known": (-0.25, -0.08),
            "over_forgotten": (0.04, 0.15),
            "tenth_memorised": (-0.08, -0.01),
        },
        "the same on the path that `one_path` forgot on",
    ),
    _beside(
        "decoupling/contrastive/auc",
        0.012,
        {
            "untouched": (0.015, 0.06),
            "random": (-0.6, -0.4),
            "still_known": (0.008, 0.04),
            "over_forgotten": (-0.08, -0.02),
            "one_path": (0.015, 0.06),
            "lost_utility": (-0.08, -0.02),
        },
        "whether deleted pairs are scored like unrelated ones, which retrain does not do either",
    ),
)

ATTACKS = (
    _beside(
        "mia/contrastive",
        0.04,
        {
            "untouched": (0.25, 0.5),
            "still_known": (0.1, 0.3),
            "over_forgotten": (-0.3, -0.1),
            "one_path": (0.25, 0.5),
            "tenth_memorised": (0.01, 0.06),
        },
        "both sides of retrain alike; no shift of all pairs, and a memorised tenth is as large as noise",
    ),
    _beside(
        "mia/matching",
        0.04,
        {
            "untouched": (0.2, 0.5),
            "still_known": (0.1, 0.3),
            "over_forgotten": (-0.3, -0.1),
            "tenth_memorised": (0.01, 0.06),
        },
        "the same on the path that `one_path` forgot on",
    ),
    _beside(
        "mi_ratio/contrastive",
        0.06,
        {
            "untouched": (-0.8, -0.4),
            "random": (0.4, 1.2),
            "shifted": (0.6, 1.6),
            "still_known": (-0.6, -0.2),
            "over_forgotten": (0.4, 1.1),
            "one_path": (-0.8, -0.4),
            "tenth_memorised": (-0.15, -0.06),
            "lost_utility": (0.4, 1.1),
        },
        "a model that is less sure of everything looks like one that forgets more than retrain",
    ),
    _beside(
        "mi_ratio/matching",
        0.06,
        {
            "untouched": (-0.6, -0.2),
            "random": (0.1, 0.6),
            "shifted": (0.4, 1.2),
            "still_known": (-0.45, -0.1),
            "over_forgotten": (0.2, 0.7),
            "tenth_memorised": (-0.15, -0.01),
            "lost_utility": (0.25, 0.9),
        },
        "the same on the path that `one_path` forgot on",
    ),
)

PAIR_BY_PAIR = (
    Row(
        "agreement/contrastive",
        (0.88, 0.95),
        {"retrain_itself": (0.9999, 1.0001), "random": (-0.1, 0.1), "tenth_memorised": (0.75, 0.88)},
        sees="which pairs are hard, as well as another retrain knows; no shift of all deleted pairs",
    ),
    Row(
        "agreement/contrastive/residual_sd",
        (0.7, 0.95),
        {"retrain_itself": (0.0, 1e-6), "random": (1.5, 3.0), "tenth_memorised": (1.05, 1.5)},
        sees="how far single pairs lie from retrain's, in logits",
    ),
)

ENCODERS = tuple(
    _beside(
        f"{metric}/{modality}",
        0.04,
        {
            "untouched": (0.1, 0.3),
            "random": (-0.9, -0.6),
            "one_path": (0.1, 0.3),
            "lost_utility": (-0.75, -0.4),
        },
        "what encoders know of single items; nothing of pairs, so nothing of forgetting",
    )
    for metric in ("unimodal_cka", "unimodal_probe")
    for modality in ("image", "text")
)

GAP = (
    Row(
        "retrain_gap",
        (0.0, 0.02),
        {
            "retrain_itself": (0.0, 0.0),
            "untouched": (0.1, 0.2),
            "random": (0.5, 0.7),
            "still_known": (0.06, 0.12),
            "over_forgotten": (0.06, 0.12),
            "one_path": (0.07, 0.13),
            "tenth_memorised": (0.005, 0.03),
            "lost_utility": (0.1, 0.2),
        },
        sees="both sides alike, lost utility and the worst path; a memorised tenth is near the noise floor",
    ),
)

RECOVERY = tuple(
    Row(
        f"relearn/{path}",
        (-0.05, 0.05),
        {
            "retrain_itself": (0.0, 0.0),
            "untouched": (0.2, 0.32),
            "random": (-0.1, 0.15),
            "still_known": (0.1, 0.2),
            "over_forgotten": (-0.25, -0.08),
            "hidden": (0.15, 0.3),
            **({"one_path": (0.2, 0.32)} if path == "contrastive" else {}),
        },
        sees="both sides, and what is only hidden and comes back; a memorised tenth is as small as noise",
    )
    for path in ("contrastive", "matching")
)

ROWS = (*UTILITY, *SEPARATION, *ATTACKS, *PAIR_BY_PAIR, *ENCODERS, *GAP, *SHADOWS, *RECOVERY)
"""All rows; a metric without one is a failure of the tests."""

FORGOT, KNOWN, OVER = (
    "forgot",
    "did not forget (contrastive, matching)",
    "over-forgot (contrastive, matching)",
)

VERDICTS = {
    "retrain_itself": FORGOT,
    "perfect_retrain": FORGOT,
    "untouched": KNOWN,
    "shifted": FORGOT,
    "still_known": KNOWN,
    "over_forgotten": OVER,
    "one_path": "did not forget (contrastive)",
    "tenth_memorised": "forgot or did not forget",
    "lost_utility": FORGOT,
    "hidden": FORGOT,
}
"""What the verdict says of forgetting, and the paths that it names.

A memorised tenth is about as large as the noise floor, so that it depends on the seed. Of a random model it
only counts that its utility is lost: pairs of both sets are alike to it, which may be near retrain or not.
"""

LOST, KEPT = "lost", "kept"

UTILITIES = {"random": LOST, "lost_utility": LOST}
"""What the verdict says of utility; of the others that it is kept."""

BEST, WORSE, OUT = "best", "worse", "out"

RANKS = {
    "retrain_gap": {
        "retrain_itself": BEST,
        "perfect_retrain": BEST,
        "untouched": WORSE,
        "random": OUT,
        "shifted": BEST,
        "still_known": WORSE,
        "over_forgotten": WORSE,
        "one_path": WORSE,
        "tenth_memorised": BEST,
        "lost_utility": OUT,
        "hidden": BEST,
    },
    "mia/contrastive": {
        "perfect_retrain": BEST,
        "untouched": WORSE,
        "shifted": BEST,
        "still_known": WORSE,
        "over_forgotten": WORSE,
        "one_path": WORSE,
    },
    "mia/matching": {
        "perfect_retrain": BEST,
        "untouched": WORSE,
        "still_known": WORSE,
        "over_forgotten": WORSE,
        "one_path": BEST,
    },
}
"""By the value that rows are ranked by: which are among the best, and which do not compete."""
