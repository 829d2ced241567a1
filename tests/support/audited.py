"""Audits of committed records, as they are and with fields forged."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from forged import forged

from mmulbench.audit.examples import Examples
from mmulbench.audit.gather import LEFT_OUT, Audit, Choices, audit_of
from mmulbench.records.schema import RunResult, Value
from mmulbench.report.floor import Floor

DIGEST = "5" * 64
NONE = Examples(reason=LEFT_OUT)


def audited(result: RunResult, *, floor: Floor | None = None, show_ids: bool = False) -> Audit:
    return audit_of(result, floor or Floor(), NONE, DIGEST, Choices(show_ids))


def audited_with(changes: dict[str, Any], method: str = "mmul", **how: Any) -> Audit:
    """The audit of a committed record of emoji with some fields forged."""
    return audited(forged(changes, method), **how)


def without_retrain(record: RunResult) -> RunResult:
    """A record as `--no-reference` leaves it."""
    bare = {
        key: Value(**{**value.model_dump(), "retrain": None})
        for key, value in record.values.items()
        if key not in ("retrain_gap", "agreement") and not key.startswith("agreement/")
    }
    return record.model_copy(update={"values": bare})


def beside_validation(record: RunResult) -> RunResult:
    """The same, with attacks on validation data; only the contrastive path knows the forget set."""
    bare, values = without_retrain(record), {}
    ends = {"contrastive": (0.8, 0.7, 0.9), "matching": (0.45, 0.38, 0.52)}
    for path, (value, low, high) in ends.items():
        one = Value(value=value, n=99, direction="closest_to_retrain", low=low, high=high, chance=0.5)
        values[f"mia/{path}/against_validation"] = one
        unseen = {"value": 0.51, "low": 0.46, "high": 0.56}
        values[f"mia/{path}/validation"] = one.model_copy(update=unseen)
    return bare.model_copy(update={"values": {**bare.values, **values}})


class Page(HTMLParser):
    """A page taken apart: its elements with their attributes, the rows of its tables, and all its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._inside = False
        self.elements: list[tuple[str, dict[str, str]]] = []
        self._texts: list[str] = []
        self.rows: list[list[str]] = []
        self.feed(text)
        self.text = " ".join("".join(self._texts).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag == "tr":
            self.rows.append([])
        if tag in ("th", "td"):
            self.rows[-1].append("")
            self._inside = True
        if tag not in ("span", "code", "strong", "dfn"):
            self._texts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("th", "td"):
            self._inside = False

    def handle_data(self, data: str) -> None:
        self._texts.append(data)
        if self._inside:
            self.rows[-1][-1] += data

    def all(self, *tags: str) -> list[dict[str, str]]:
        return [attributes for tag, attributes in self.elements if tag in tags]
