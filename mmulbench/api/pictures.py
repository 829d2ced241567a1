"""Check that published pictures show the records that are there: only what changed is computed again."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from mmulbench.checked_json import read_checked, write_checked
from mmulbench.hashing import fingerprint
from mmulbench.records.group_key import GroupKey
from mmulbench.records.schema import RunResult
from mmulbench.report.picture_check import published_pictures, stale_pictures
from mmulbench.report.picture_names import family_stems, picture_stems
from mmulbench.validity.index import Entry, RecordIndex, content_of
from mmulbench.validity.sift import sift

FORMAT = 1
"""Version of the file of what pictures say of their numbers."""


def picture_faults(folder: Path, cache: Path | None) -> list[str]:
    """Return a line for each published picture of a results folder that its records do not make.

    Args:
        folder: the results folder.
        cache: folder where what pictures show is remembered; None for nowhere.

    Raises:
        ContentChanged: Records are being written.
    """
    published = published_pictures(folder)
    if not published:
        return []
    index = RecordIndex(folder, cache)
    entries, _ = sift(index.entries(), folder)
    of_table: dict[GroupKey, list[Entry]] = {}
    for entry in entries:
        of_table.setdefault(GroupKey.of_text(entry.known.table), []).append(entry)
    drawn = [key for key in of_table if any(one.known.status == "done" for one in of_table[key])]
    keys = {stem: [key] for key, stem in picture_stems(drawn).items()} | family_stems(drawn)
    name = fingerprint(os.fsencode(folder.absolute()).hex())[:16]
    place = None if cache is None or index.code is None else cache / "pictures" / f"{name}.json"
    known: dict[str, str] = {} if place is None else read_checked(place, FORMAT) or {}
    remembered, used = dict(known), dict[str, str]()

    def shown(stem: str) -> Mapping[str, str]:
        if stem not in keys:
            return {}
        records = [one for key in keys[stem] for one in of_table[key]]
        kinds = sorted(published[stem])
        content = [(one.known.home, one.digest) for one in records]
        digest = fingerprint([index.code, kinds, sorted(content)])
        if digest not in known:
            known[digest] = json.dumps(_drawn(records, kinds))
        used[digest] = known[digest]
        return dict(json.loads(used[digest]))

    lines = stale_pictures(published, shown)
    if place is not None and used != remembered:
        write_checked(place, FORMAT, used)
    return lines


def _drawn(entries: Sequence[Entry], kinds: Sequence[str]) -> dict[str, str]:
    """Return what pictures of a table, or of a family of tables, say of their numbers today, by kind.

    Raises:
        ContentChanged: One of the files is another than it was.
    """
    from mmulbench.report.plots import picture_descriptions  # it takes long to import

    return picture_descriptions([RunResult.model_validate_json(content_of(one)) for one in entries], kinds)
