"""A method that lives in another package."""

from __future__ import annotations
