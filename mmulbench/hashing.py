"""Name contents by their hash: the same data, written the same way, has the same digest."""

from __future__ import annotations

import hashlib
import json


def canonical_json(value: object) -> str:
    """Return JSON with sorted keys and no white space: equal values give equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def fingerprint(value: object) -> str:
    """Return the SHA-256 (64 hexadecimal digits) of a JSON-serialisable value."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()
