"""Find the columns of a table that hold pictures, texts, labels, units and splits."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence

from mmulbench import UsageError
from mmulbench.errors import did_you_mean

GUESSES = {
    "image": (
        "image",
        "image_path",
        "image_file",
        "image_name",
        "file_name",
        "filename",
        "filepath",
        "path",
        "file",
        "img",
        "img_path",
        "picture",
        "photo",
        "left_image",
        "image1",
    ),
    "text": (
        "text",
        "caption",
        "sentence",
        "statement",
        "hypothesis",
        "description",
        "title",
        "question",
        "alt",
    ),
    "label": ("label", "class", "gold_label", "category", "target", "answer", "y"),
    "split": ("split", "partition", "fold", "subset", "set"),
}
"""By what is looked for, names that columns have in tables of others, the likeliest first; small and capital
letters, spaces and hyphens make no difference."""

NONE = "-"
"""Name that says that there is no column, so that none is guessed."""


def find_columns(
    place: str,
    there: Sequence[str],
    nested: Mapping[str, str],
    named: Mapping[str, str],
    optional: frozenset[str],
) -> dict[str, str]:
    """Find the column of everything that is looked for.

    Args:
        place: what messages call the table.
        there: names of its columns.
        nested: those of them that cannot be used, each with what it holds.
        named: by what is looked for, the name that the user says, or nothing; `NONE` where there is none.
        optional: what may be missing, where it is not named.

    Returns:
        Name of the column by what is looked for; what is not there is left out.

    Raises:
        UsageError: if a column is missing, or holds no single values.
    """
    found = dict[str, str]()
    for role, name in named.items():
        if name == NONE and role in optional:
            continue
        column = (
            _named(place, there, role, name)
            if name
            else _guessed(there, role, {*named.values(), *found.values()})
        )
        if column is None and role not in optional:
            instead = _INSTEAD if role == "text" and "label" in named else ""
            raise UsageError(
                f"{place}: no column has a name that is known for the {role}: say it, --set "
                f"task.{role}=COLUMN{instead}; {listed(there)}"
            )
        if column is not None and column in nested:
            raise UsageError(
                f"{place}: the column {column!r} holds {nested[column]}{_ADVICE[role == 'image']}"
            )
        if column is not None:
            found[role] = column
    return found


_ADVICE = {
    True: ", not names of files: for pictures inside of parquet files, give the folder of the files, "
    "--set task.table=FOLDER",
    False: ": a row needs one value there; a picture with several texts has a row for each",
}

_INSTEAD = ", or give all rows one text, --set task.prompt=TEXT"


def listed(names: Sequence[str]) -> str:
    """Say which columns a table has."""
    return f"its columns are: {', '.join(names)}"


def _named(place: str, there: Sequence[str], role: str, name: str) -> str:
    """Return the column that the user names.

    Raises:
        UsageError: if there is none.
    """
    if name not in there:
        near = did_you_mean(name, there)
        hint = near if "did you mean" in near else ""
        raise UsageError(f"--set task.{role}={name}: {place} has no such column{hint}; {listed(there)}")
    return name


def _guessed(there: Sequence[str], role: str, taken: Container[str]) -> str | None:
    """Return the column whose name is the likeliest; None where no name is known."""
    free = [name for name in there if name not in taken]
    by_name = {_plain(name): name for name in reversed(free)}
    return next((by_name[guess] for guess in GUESSES.get(role, ()) if guess in by_name), None)


def _plain(name: str) -> str:
    return re.sub(r"[\s\-.]+", "_", name.strip()).lower()
