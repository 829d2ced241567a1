"""What this project publishes: the seeds of its records, the studies that come with it, what competes."""

from __future__ import annotations

from pathlib import Path

PUBLISHED_SEEDS = (42, 87, 21, 100, 13)
"""Seeds that records are published for. They are the project's policy; tuning keeps away from them."""

UTILITY_TOLERANCE = 0.03
"""What lies this far below retrain in test or retain utility, on the mean over seeds, does not compete."""

MINIMUM_UNITS = 50
"""With fewer forget units nothing is judged or ranked: one attack's AUC has a standard error above .03."""

OWN_STUDIES = Path(__file__).resolve().parents[1] / "studies"
"""Folder of the studies that come with mmulbench."""
