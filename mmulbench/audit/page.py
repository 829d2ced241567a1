"""Write the audit of a run as one HTML page that needs no script and no network.

The template escapes every text by itself: what a record says is anybody's text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from mmulbench import __version__
from mmulbench.audit.attacks import ROW_HEIGHT
from mmulbench.audit.gather import Audit
from mmulbench.audit.wording import interval, share

TEMPLATES = Path(__file__).parent / "templates"

STYLES = ("ranks.css", "style.css")
"""Styles of the page: of what models rank first, which pages of runs share, and all others."""

GENERATOR = '<meta name="generator" content="mmulbench report">'
"""What tells a page of this program from all others; the template has it near the top."""

VERDICTS = {
    "forgot": ("Forgotten", "good"),
    "did not forget": ("Not forgotten", "bad"),
    "over-forgot": ("Over-forgotten", "bad"),
    "cannot be judged": ("Cannot be judged", "open"),
    "reference": ("No deletion, but a reference", "open"),
    "no result": ("No result", "bad"),
}
"""Heading of each kind of verdict, and the class that gives it a colour."""

MEANINGS = {
    "forgot": "On every path, the attack sees no more than of a model that never saw the forgotten data.",
    "did not forget": "On one path at least, the attack still finds the forgotten data in the model.",
    "over-forgot": (
        "The model finds the forgotten data harder than a model that never saw them does. That tells which "
        "data were deleted just as well."
    ),
    "cannot be judged": "This run gives no ground to say that the data are forgotten, nor that they are not.",
    "reference": "This run is no method of deletion. It is what other runs are compared with.",
    "no result": "The run gave no model that could be judged. Nothing is shown to be deleted.",
}
"""What each kind of verdict means, in a sentence or two."""


class _Bounded(Protocol):
    """Describes what has the ends of an interval."""

    low: float | None
    high: float | None


def page_of(audit: Audit) -> str:
    """Return the page.

    Args:
        audit: everything that it says.
    """
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= FILTERS
    title, tone = VERDICTS[audit.judgement.kind]
    return environment.get_template("page.html").render(
        audit=audit,
        style=Markup("".join((TEMPLATES / name).read_text(encoding="utf-8") for name in STYLES)),
        generator=Markup(GENERATOR),
        verdict_title=title,
        verdict_tone=tone,
        verdict_meaning=MEANINGS[audit.judgement.kind],
        row_height=ROW_HEIGHT,
        version=__version__,
    )


def code(text: str) -> Markup:
    """Write a text with what stands between backticks as code, and everything escaped.

    Example:
        >>> str(code("run `a<b` now"))
        'run <code>a&lt;b</code> now'
    """
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def words(text: str) -> Markup:
    """Write a text so that lines break between words and, where a word is too long, in it; at no hyphen.

    Example:
        >>> str(words("a --b"))
        '<span class="word">a</span> <span class="word">--b</span>'
    """
    return Markup(" ").join(Markup('<span class="word">{}</span>').format(word) for word in text.split(" "))


def ends(one: _Bounded) -> str:
    """Write the interval of what has one.

    Args:
        one: what has one.
    """
    return interval(one.low, one.high)


FILTERS: Mapping[str, Callable[..., Any]] = {"share": share, "interval": ends, "code": code, "words": words}
"""What the template writes numbers and texts by."""
