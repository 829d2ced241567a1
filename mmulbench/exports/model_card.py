"""Model cards: what a reader of an exported model has to know, as text with code that loads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

CARD = "README.md"
"""Name of the file; hubs show it."""


@dataclass(frozen=True)
class ModelCard:
    """Holds what is to be known of an unlearned model. It names no unit: ids may be personal data.

    Attributes:
        task: registered name of the task.
        method: name of the method that made the model.
        settings: the method's settings by name.
        units: number of forget units.
        pairs: number of pairs in them.
        forget_digest: digest of the list of forgotten units.
        record: id of the run's record.
        verdict: verdict in one line.
        versions: versions by package.
        date: day on which it was made, as 2025-12-31.
        licence: licence of the weights, where it is known.
        trained_on: names or fingerprints of the data that it was trained on.
    """

    task: str
    method: str
    settings: Mapping[str, Any]
    units: int
    pairs: int
    forget_digest: str
    record: str
    verdict: str
    versions: Mapping[str, str]
    date: str
    licence: str = ""
    trained_on: tuple[str, ...] = field(default=())


def card_text(
    card: ModelCard, title: str, facts: Mapping[str, str], loading: Sequence[str], notes: Sequence[str]
) -> str:
    """Return a model card in Markdown, with the lines of data at its head that hubs read.

    Args:
        card: what is to be said.
        title: its heading.
        facts: further rows of its table, by name.
        loading: blocks of Python code, each of which loads the model in this folder.
        notes: what else is to be known of the files, a sentence or more each.
    """
    rows = {
        "Task": card.task,
        "Method": card.method,
        "Settings": ", ".join(f"{name}={value}" for name, value in card.settings.items()) or "none",
        "Forgotten": f"{card.units:,} units with {card.pairs:,} pairs",
        "Digest of the forget list": card.forget_digest,
        "Verdict": card.verdict,
        "Record": card.record,
        "Made on": card.date,
        "Made with": ", ".join(f"{name} {version}" for name, version in card.versions.items()),
        "Licence": card.licence or "not known here: that of the weights it was made from",
        **facts,
    }
    table = "\n".join(f"| {name} | {_cell(value)} |" for name, value in rows.items())
    code = "\n\n".join(f"```python\n{block.strip()}\n```" for block in loading)
    more = "".join(f"\n{note}\n" for note in notes)
    return (
        "---\ntags:\n- machine-unlearning\n- multimodal\n- mmulbench\n---\n\n"
        f"# {_cell(title)}\n\n"
        f"A model that was made to forget {card.units:,} units of its training data. "
        "Which ones is not said here; the digest names the list.\n\n"
        f"| | |\n|---|---|\n{table}\n\n"
        f"## How to load it\n\nIn this folder:\n\n{code}\n{more}"
    )


def _cell(value: str) -> str:
    """Return a text as one cell of a table."""
    return " ".join(value.split()).replace("|", "\\|")
