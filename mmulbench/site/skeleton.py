"""Fill the templates of the site: every text is escaped, and a page runs its own scripts alone."""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from mmulbench import __version__
from mmulbench.audit.page import FILTERS
from mmulbench.audit.page import TEMPLATES as AUDIT
from mmulbench.plain_text import visible

INDEX = "index.html"
RUNS = "runs"
"""The first page, and the folder of the pages of runs beside it."""

TEMPLATES = Path(__file__).parent / "templates"

STYLES = {"index": ("style.css", "index.css"), "run": ("style.css", "ranks.css", "run.css")}
"""Styles of each page, by its template; that of rankings belongs to the page of an audit."""

GENERATOR = '<meta name="generator" content="mmulbench report, site">'
"""What tells a page of a site from all others; the templates have it near the top."""


def rendered(name: str, **values: Any) -> str:
    """Fill a template, and give it the style that all pages share and its own.

    Args:
        name: name of the template, without suffix.
        **values: what it names.
    """
    style = Markup("".join(source(one) for one in STYLES[name]))
    template = _environment().get_template(f"{name}.html")
    return template.render(**values, style=style, generator=Markup(GENERATOR), version=__version__)


@functools.cache
def source(name: str) -> str:
    """Return the text of a style or script, of the site or else of an audit.

    Args:
        name: its file.
    """
    path = TEMPLATES / name
    return (path if path.exists() else AUDIT / name).read_text(encoding="utf-8")


def policy(scripts: Sequence[str]) -> str:
    """Return a policy that lets a page load nothing, and run these scripts alone.

    Args:
        scripts: the scripts, letter by letter.
    """
    hashes = [base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in scripts]
    allowed = " ".join(f"'sha256-{one}'" for one in hashes) or "'none'"
    return (
        f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src {allowed}; "
        "base-uri 'none'; form-action 'none'"
    )


def run_address(run_id: str) -> str:
    """Return the address of a run's page, as seen from the first page."""
    return f"{RUNS}/{run_id}.html"


def _without_controls(value: Any) -> Any:
    """Write out control characters in texts of records; what templates and scripts hold stays."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader([TEMPLATES, AUDIT]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_without_controls,
    )
    environment.filters |= FILTERS
    return environment
