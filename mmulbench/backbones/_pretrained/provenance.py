"""Read what a file of weights says of the data that the weights were trained on."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import Any

TRAINED_ON = "mmulbench.trained_on"
"""Entry of a safetensors file's metadata: a JSON list of data fingerprints, or of names of files."""


def in_metadata(path: Path) -> frozenset[str]:
    """Return what a safetensors file says in its metadata; nothing where it is damaged or says nothing.

    Args:
        path: the file; files of other kinds say nothing.
    """
    if path.suffix != ".safetensors":
        return frozenset()
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            return file_names(json.loads((file.metadata() or {}).get(TRAINED_ON, "[]")))
    except (SafetensorError, ValueError, RecursionError):
        return frozenset()


def in_configuration(found: Any) -> frozenset[str]:
    """Return the training files that ALBEF's programs name beside the weights that they save.

    Args:
        found: content of the file.
    """
    config = found.get("config") if isinstance(found, dict) else None
    return file_names(config.get("train_file")) if isinstance(config, dict) else frozenset()


def file_names(value: Any) -> frozenset[str]:
    """Return texts without the folders that they may begin with; nothing of what is no text.

    Args:
        value: a text or a list of texts; anything may stand in a file.
    """
    texts = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    return frozenset(PurePosixPath(text).name for text in texts if isinstance(text, str) and text)
