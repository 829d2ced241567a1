"""A task that lives in another package."""

from __future__ import annotations
