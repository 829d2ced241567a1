"""What this project publishes: the seeds that its records have, and the studies that come with mmulbench."""

from __future__ import annotations

from pathlib import Path

PUBLISHED_SEEDS = (42, 87, 21, 100, 13)
"""Seeds that records are published for. They are the project's policy; tuning keeps away from them."""

OWN_STUDIES = Path(__file__).resolve().parents[1] / "studies"
"""Folder of the studies that come with mmulbench."""
