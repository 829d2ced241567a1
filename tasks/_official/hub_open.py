"""Open a data set on a hub, or a folder in the same form: parquet files are read, and nothing else."""

from __future__ import annotations

import glob
import os
import re
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mmulbench import MmulbenchError, UsageError, fingerprint
from mmulbench.errors import text_of
from mmulbench.file_digests import Hints, Stamp, digests_of
from mmulbench.lfs_pointers import refuse_lfs_pointer
from mmulbench.parquet_sizes import open_encoded, refuse_large, size_of
from mmulbench.progress import Track
from mmulbench.tasks._official.hub_rows import ColumnNames, HubData
from mmulbench.tasks._official.json_files import DOCUMENT_BYTES

if TYPE_CHECKING:
    from datasets import Dataset, DatasetBuilder

HUB_INSTALL = 'pip install "mmulbench[hub]"'
"""Command that installs what reading from a hub needs."""

NAME = re.compile(r"(?P<path>\w[\w.-]*/\w[\w.-]*)(@(?P<revision>[\w./-]+))?")
"""Name of a data set on a hub, with or without a revision."""

CARD = "README.md"
"""File that may say which files of a folder are which split, and what their columns hold."""

TIMEOUT = 10
"""Time limit for the hub's first answer, in seconds; `datasets` alone gives up after 23 s and more."""


class Place(NamedTuple):
    """Says where the library finds a data set, and where it keeps what it makes of it.

    Attributes:
        path: absolute path of a folder, or name on a hub.
        revision: revision on a hub; None for the newest, and for a folder.
        cache: folder of the library's cache; None for its own choice.
    """

    path: str
    revision: str | None = None
    cache: str | None = None


def open_hub(name: str, columns: ColumnNames, otherwise: str, track: Track) -> HubData:
    """Open a data set; one on a hub is downloaded once, into the library's own cache.

    Args:
        name: path of a folder, or ``owner/name`` or ``owner/name@revision`` on a hub.
        columns: names of the columns that are looked for.
        otherwise: how to do without the hub, for messages.
        track: shows a bar while files are hashed.

    Raises:
        UsageError: if the data set cannot be found, or is not of a form that is read.
        MmulbenchError: if the data set is damaged.
    """
    try:
        import datasets
    except ImportError as error:
        raise UsageError(f"task.hub needs the package datasets: run {HUB_INSTALL}; or {otherwise}") from error
    if not sys.stderr.isatty():
        datasets.disable_progress_bars()
    place = _located(name, otherwise, track)
    builder = _builder(name, place, otherwise)
    _refuse_outside(name, place, builder)
    return HubData(name, _splits(name, builder), columns, track)


def _located(name: str, otherwise: str, track: Track) -> Place:
    """Return the place of a data set, once it is known to exist.

    Raises:
        UsageError: if it cannot be found.
        MmulbenchError: if a parquet file of the folder is a Git LFS pointer, or too large in memory.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        for file in sorted(folder.rglob("*.parquet")):
            refuse_lfs_pointer(file)
            _refuse_bomb(file)
        return Place(str(folder.absolute()), cache=_cache_of(folder, track))
    match = NAME.fullmatch(name)
    if match is None:
        raise UsageError(f"task.hub={name}: neither a folder that is there nor like owner/name; {otherwise}")
    _reach(name, match["path"], match["revision"], otherwise)
    return Place(match["path"], match["revision"])


def _refuse_bomb(path: Path) -> None:
    """Refuse a parquet file of a folder whose texts are in memory far larger than in the file.

    Texts inside of lists, and pictures, are not counted.

    Raises:
        MmulbenchError: if they are.
    """
    import pyarrow as pa
    from pyarrow import parquet, types

    with suppress(pa.ArrowException, ValueError, OSError):  # a damaged one is named where it is read
        with path.open("rb") as opened, parquet.ParquetFile(opened) as file:
            fields = [(field.name, field.type) for field in file.schema_arrow]
        kinds = {name: kind.value_type if types.is_dictionary(kind) else kind for name, kind in fields}
        texts = [name for name, kind in kinds.items() if types.is_string(kind) or types.is_large_string(kind)]
        with path.open("rb") as opened, open_encoded(opened, texts) as file:
            refuse_large(path, file, texts, DOCUMENT_BYTES)
            for group in range(file.metadata.num_row_groups):
                table = file.read_row_group(group, columns=texts)
                if sum(map(size_of, table.columns)) > DOCUMENT_BYTES:
                    raise MmulbenchError(f"{path}: columns of more than {DOCUMENT_BYTES:,} bytes are refused")


def _refuse_outside(name: str, place: Place, builder: DatasetBuilder) -> None:
    """Refuse a folder whose card names files that do not lie in it; nothing of them was read.

    Raises:
        UsageError: if it does.
    """
    if not Path(place.path).is_dir():
        return
    named = builder.config.data_files
    for file in (one for files in (named or {}).values() for one in files):
        if not Path(os.path.abspath(file)).is_relative_to(place.path):  # noqa: PTH100 - links are not followed
            raise UsageError(f"task.hub={name}: its {CARD} names {file}, which is not in the folder: refused")


def _cache_of(folder: Path, track: Track) -> str:
    """Return the folder of the library's cache for a folder's content; by itself, it looks at times alone."""
    import datasets

    read = (file for file in folder.rglob("*") if file.suffix == ".parquet" or file.name == CARD)
    files = {str(file.relative_to(folder)): file for file in sorted(read) if file.is_file()}
    stamped = {name: (file, Stamp.of(file.stat())) for name, file in files.items()}
    digests = digests_of(stamped, Hints(folder), track)
    return str(Path(datasets.config.HF_DATASETS_CACHE) / f"content-{fingerprint(digests)[:16]}")


def _reach(name: str, path: str, revision: str | None, otherwise: str) -> None:
    """Ask the hub once whether a data set exists, since `datasets` tries six times before it gives up.

    Raises:
        UsageError: if the hub refuses the data set, or cannot be reached.
    """
    import datasets
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    if datasets.config.HF_HUB_OFFLINE:
        return
    try:
        HfApi().dataset_info(path, revision=revision, timeout=TIMEOUT)
    except HfHubHTTPError as error:
        raise UsageError(f"task.hub={name}: the hub refuses it: {text_of(error)}; {otherwise}") from error
    except Exception as error:  # each release of the client has another class for no connection
        raise UsageError(
            f"task.hub={name}: neither a folder, nor can the hub be reached ({text_of(error)}); "
            f"HF_HUB_OFFLINE=1 takes what has been downloaded before, or {otherwise}"
        ) from error


def _builder(name: str, place: Place, otherwise: str) -> DatasetBuilder:
    """Make the library's reader of a data set, which has to be that of parquet files or of its own cache.

    Raises:
        UsageError: if it cannot be opened, or holds no parquet files.
    """
    from datasets import load_dataset_builder
    from datasets.packaged_modules.cache.cache import Cache
    from datasets.packaged_modules.parquet.parquet import Parquet

    try:
        builder = load_dataset_builder(place.path, revision=place.revision, cache_dir=place.cache)
        found = builder if isinstance(builder, (Parquet, Cache)) else _parquet_alone(place)
    except RuntimeError as error:  # raised for a data set that is a script, and nothing of it is run
        raise UsageError(
            f"task.hub={name}: {text_of(error)}; scripts are not run here. "
            "The hub often keeps a parquet copy: "
            f"task.hub={place.path}@refs/convert/parquet; or {otherwise}"
        ) from error
    except (OSError, ValueError) as error:  # one reason: splits of several kinds of files
        found = _parquet_alone(place)
        if found is None:
            raise UsageError(f"task.hub={name} cannot be opened: {text_of(error)}; {otherwise}") from error
    if found is None:
        fewer = "" if Path(place.path).is_dir() else ", or more of another kind (a folder with both is read)"
        raise UsageError(
            f"task.hub={name} holds no parquet files{fewer}, and nothing else is read; {otherwise}"
        )
    return found


def _parquet_alone(place: Place) -> DatasetBuilder | None:
    """Make the library's reader of a folder's parquet files, as if nothing lay beside them.

    The library itself reads the commonest kind of file in a folder, and nothing else.

    Returns:
        The reader; None where there are no parquet files to read, or the data set is on a hub.
    """
    from datasets import load_dataset_builder
    from datasets.data_files import DataFilesDict, _get_data_files_patterns, resolve_pattern

    if not Path(place.path).is_dir():
        return None
    only: Any = {"base_path": place.path, "allowed_extensions": [".parquet"]}
    try:  # the public get_data_patterns would let the other files say what the splits are
        patterns = _get_data_files_patterns(partial(resolve_pattern, **only))
    except (FileNotFoundError, ValueError):  # none, or splits of names that no split may have
        return None
    found = DataFilesDict.from_patterns(patterns, **only)
    files = {split: [glob.escape(file) for file in names] for split, names in found.items()}
    return load_dataset_builder("parquet", data_files=files, cache_dir=place.cache)


def _splits(name: str, builder: DatasetBuilder) -> dict[str, Dataset]:
    """Read the data set, by its own names of the splits.

    Raises:
        MmulbenchError: if the data set cannot be read.
    """
    from datasets.exceptions import DatasetsError

    try:
        builder.download_and_prepare()
        return {str(split): data.with_format("arrow") for split, data in builder.as_dataset().items()}
    except (DatasetsError, OSError, ValueError) as error:
        cause = error.__cause__ or error
        raise MmulbenchError(f"task.hub={name} cannot be read: {text_of(cause)}") from error
