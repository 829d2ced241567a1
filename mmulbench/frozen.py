"""Define the base of all models that are stored or asked for."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """Forbids changes, unknown fields, NaN and infinity, so that what is stored is what was meant."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
