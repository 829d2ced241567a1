"""Describe tasks on a table of one's own: settings, what is read, what is forgotten, what a check reports."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import ClassVar

import numpy as np

from mmulbench import DataReport, Integers, MmulbenchError, Progress, Recipe, TaskData
from mmulbench.broken_off import doubt_about
from mmulbench.core.item_names import ListColumns, columns_of, same_name
from mmulbench.file_digests import Hints
from mmulbench.tasks._official.data_folder_task import DataFolderTask
from mmulbench.tasks._official.images import Images
from mmulbench.tasks._official.pair_table import SPLITS
from mmulbench.tasks._official.same_images import SameImages
from mmulbench.tasks._tables.arrangement import Rows, Shares, owners_of, splits_of, torn
from mmulbench.tasks._tables.column_values import ColumnValues
from mmulbench.tasks._tables.folder_table import metadata_table
from mmulbench.tasks._tables.hub_table import open_hub_table
from mmulbench.tasks._tables.named_pictures import find_pictures, named_pictures
from mmulbench.tasks._tables.reading import Reading, sample, shared_line, units_line
from mmulbench.tasks._tables.table_data import TableData, images_of, pairs_of, table_data
from mmulbench.tasks._tables.table_file import SUFFIXES, Table, read_table
from mmulbench.tasks._tables.table_source import TableSource, open_table, table_in

STEM = "table"
"""Name, without its suffix, of the table in the data folder that is read where none is named."""

LISTED = 20
"""Largest number of units in several splits that a check lists."""


class TableTask(DataFolderTask):
    """Describes a task whose pairs a user has in a table, each with a picture or two that are files.

    A picture is known by its content: two names of one picture are one item with the texts of both. The
    forget unit is an item with all its texts. Where a column of units is named, all items of one value are
    one unit: they are in one split, are forgotten together, and count as one in ``--forget-size``. Units of
    which one has a copy of the other's picture are one, too.

    Without a column of splits, splits are drawn by unit; where only validation is missing, it is drawn from
    the training units. Pictures are decoded when a backbone prepares them, never kept.
    """

    modalities = ("image", "text")
    default_backbone = "albef:packaged"
    tuned_like = ("emoji", "albef:packaged")
    rerank = 128
    gallery = 1000
    recipe = Recipe(epochs=5, lr=1e-3, weight_decay=0.02, batch_size=128, sampling="pair")

    optional: ClassVar[frozenset[str]] = frozenset({"unit", "split"})
    """What a table may lack."""

    @dataclass(frozen=True)
    class Config(DataFolderTask.Config):
        """Holds the settings of a task on a table.

        Attributes:
            limit: number of images to use of each split, evenly spread; 0 uses all. For quick trials.
            table: file of the table (.csv, .tsv, .jsonl or .parquet), from where you stand; or a folder with
                metadata.csv, metadata.jsonl or metadata.parquet beside the images; or a folder of parquet
                files with images inside, or such a data set on a hub, owner/name or owner/name@revision.
                Empty: table.csv (.tsv, .jsonl, .parquet) in the task's folder in the data folder.
            images: folder that the names of images are relative to; empty: that of the table.
            image: column with the name of the image file; empty: guessed by its name.
            text: column with the text; empty: guessed by its name.
            unit: column with what is deleted together, such as a person; empty: each image is a unit.
            split: column with train, validation or test; empty: guessed by its name, or drawn; -: drawn.
            encoding: encoding of a CSV or TSV, such as cp1252; empty: UTF-8, or what a byte-order mark says.
            validation_share: part of the units that is drawn for validation.
            test_share: part of the units that is drawn for test.
            split_seed: seed of the drawn splits.
        """

        table: str = ""
        images: str = ""
        image: str = ""
        text: str = ""
        unit: str = ""
        split: str = ""
        encoding: str = ""
        validation_share: float = 0.1
        test_share: float = 0.1
        split_seed: int = 0

        def __post_init__(self) -> None:
            super().__post_init__()
            shares = (self.validation_share, self.test_share)
            if min(shares) <= 0 or sum(shares) >= 1:
                raise ValueError("validation_share and test_share must be above 0, and together below 1")

    config: Config

    def named(self) -> dict[str, str]:
        """Return the name that the user says for each column that is looked for, or nothing."""
        config = self.config
        return {"image": config.image, "text": config.text, "unit": config.unit, "split": config.split}

    @property
    def pictures(self) -> tuple[str, ...]:
        """Say what holds the pictures of an item."""
        return ("image",)

    def texts(self, source: TableSource) -> Sequence[str]:
        """Return the text of each row."""
        return source.table.cells(source.columns["text"])

    def labels(self, source: TableSource) -> Sequence[str] | None:
        """Return the label of each row; None for retrieval."""
        return None

    def folder_table(self, folder: Path) -> Table | None:
        """Make a table of a folder of pictures; None where it is of another form."""
        return metadata_table(folder, self.config.encoding)

    def open(self, data_dir: Path, progress: Progress) -> TableSource:
        """Open the table, and find its columns.

        Args:
            data_dir: data folder, where a table is looked for that no setting names.
            progress: shows bars, and which columns were guessed.

        Raises:
            UsageError: if the table is not there, or lacks a column.
            MmulbenchError: if it is damaged.
        """
        source = self._open(data_dir, progress)
        if guessed := ", ".join(f"{role}={column}" for role, column in source.guessed.items()):
            progress.note(
                f"{source.table.name}: columns taken by their names: {guessed} (--set task.image=COLUMN …)"
            )
        return source

    def _open(self, data_dir: Path, progress: Progress) -> TableSource:
        config, named = self.config, self.named()
        path = Path(config.table).expanduser() if config.table else self.folder(data_dir)
        images = Path(config.images).expanduser() if config.images else path
        if not config.table:
            table = table_in(path, STEM, config.encoding) if path.is_dir() else None
            if table is None:
                raise self.missing("a table, --set task.table=FILE", path)
            return open_table(table, images, named, self.optional)
        if path.is_dir():
            table = self.folder_table(path)
            if table is not None:
                return open_table(table, images, named, self.optional)
        elif path.suffix.lower() in SUFFIXES or path.exists() or "/" not in config.table:
            table = read_table(path, config.encoding)
            return open_table(table, images if config.images else path.parent, named, self.optional)
        return open_hub_table(config.table, named, self.optional, progress)

    def read(self, source: TableSource, hints: Hints, progress: Progress) -> Reading:
        """Read all rows, and find every picture, without decoding any.

        Args:
            source: the table.
            hints: where digests of pictures are looked up and noted.
            progress: shows bars, and what was drawn or left out.

        Raises:
            MmulbenchError: if the table is damaged.
        """
        named = named_pictures(source, self.pictures)
        pictures = find_pictures(source, named, hints, progress)
        names, items = pictures.items(named)
        table = source.table
        units = table.cells(source.columns["unit"]) if "unit" in source.columns else [""] * len(table)
        given = table.cells(source.columns["split"]) if "split" in source.columns else []
        rows = Rows(named.written, items, names, [*map(same_name, units)], given, table.where)
        owners = owners_of(rows)
        splits, lines = self._splits(rows, owners, progress)
        pairs = pairs_of(rows, self.texts(source), self.labels(source), splits, self.config.limit)
        return Reading(source, rows, owners, pictures, lines, pairs)

    def _splits(self, rows: Rows, owners: Integers, progress: Progress) -> tuple[list[str], list[str]]:
        """Return the split of each row, that of its unit's first row, and the units that are in several.

        Raises:
            MmulbenchError: if a split is unknown, or there are too few units to draw from.
        """
        config = self.config
        shares = Shares(config.validation_share, config.test_share, config.split_seed)
        drawn = f"of the units by the seed {config.split_seed} (--set task.split=COLUMN names splits)"
        splits = splits_of(rows)
        if set(splits) <= {"train"}:
            progress.note(
                f"splits are drawn: {config.validation_share:.0%} for validation and "
                f"{config.test_share:.0%} for test {drawn}"
            )
            return shares.drawn(rows, owners), []
        lines = torn(rows, owners, splits)
        by_row = owners[rows.items]
        splits = [splits[row] for row in rows.first_rows(by_row)[by_row].tolist()]
        if "validation" not in splits:
            progress.note(f"validation is drawn: {config.validation_share:.0%} {drawn}")
            splits = shares.drawn(rows, owners, splits)
        return splits, lines

    def load(self, data_dir: Path, progress: Progress) -> TableData:
        """Read the table, find every picture and take its digest, without decoding any.

        Raises:
            UsageError: if the table is not there, or lacks a column.
            MmulbenchError: if the table is damaged, a picture is missing, or a unit is in several splits.
        """
        source = self.open(data_dir, progress)
        hints = Hints(source.images)
        found = self.read(source, hints, progress)
        for lines in (found.pictures.faults, found.torn):
            if lines:
                more = (
                    f" (and {len(lines) - 1:,} more: {self._check_command(data_dir)})"
                    if len(lines) > 1
                    else ""
                )
                raise MmulbenchError(f"{lines[0]}{more}")
        for line in self.remarks(found):
            progress.note(line)
        images, groups = images_of(found.pairs.annotations)
        stored = Images(images, [found.pictures.stored[name] for name in images], hints)
        table = source.table
        columns = {name: ColumnValues.of(cells, found.pairs.rows) for name, cells in table.columns.items()}
        names = found.named_units()
        data = table_data(found.pairs, stored, groups, names, columns, source.columns)
        units = self.unit_count(data)
        if units < 2:
            raise MmulbenchError(
                f"{table.name}: {units} training unit: it takes one to forget and one to keep"
            )
        return data

    def remarks(self, found: Reading) -> list[str]:
        """Say what was left out, and which pictures are the same under several names, a line each."""
        dropped = found.pairs.annotations.dropped
        lines = [f"rows left out: {count:,} ({why})" for why, count in dropped.items()]
        if copies := found.pictures.copies:
            name, other = copies[0]
            lines.append(
                f"copies of pictures, byte by byte: {len(copies):,}, such as {name} of {other}; copies are "
                "one item with it, which has the texts of all"
            )
        return [*lines, *shared_line(found)]

    def check(self, data_dir: Path, progress: Progress) -> DataReport:
        """Count what is there, find and decode every picture, and find those that are the same."""
        source = self.open(data_dir, progress)
        found = self.read(source, Hints(source.images), progress)
        annotations, names = found.pairs.annotations, images_of(found.pairs.annotations)[0]
        same, problems = SameImages(annotations), [*found.pictures.faults, *found.torn[:LISTED]]
        doubts = list[str]()
        sizes = dict[str, str]()
        for name in progress.track(names, len(names), "decode images"):
            if name not in found.pictures.stored:
                continue
            try:
                image = found.pictures.stored[name]
                pixels = image.read()
                if doubt := doubt_about(image.content()):
                    doubts.append(f"{source.images / name}: {doubt}")
            except MmulbenchError as error:
                problems.append(str(error))
                continue
            sizes[name] = f"{pixels.shape[1]} × {pixels.shape[0]} pixels"
            same.add(name, pixels)
        if len(found.torn) > LISTED:
            problems.append(f"and {len(found.torn) - LISTED:,} more units in several splits")
        splits = annotations.splits
        counts = {split: (len(splits[split].units), len(splits[split])) for split in SPLITS}
        notes = [*self.remarks(found), *same.lines(), *doubts, *units_line(found)]
        return DataReport(counts, annotations.dropped, problems, sample(found, sizes), notes)

    def unit_numbers(self, data: TaskData) -> Integers | None:
        """Return which unit of the table each training item is of; None where each is one by itself."""
        assert isinstance(data, TableData)
        owners = data.owners[data.train.units]
        return owners if len(np.unique(owners)) < len(owners) else None

    def item_names(self, data: TaskData, modality: str) -> Sequence[str]:
        """Return the unit of each item as the table has it, or the name of its file; of texts, themselves."""
        assert isinstance(data, TableData)
        return data.names if modality == self.modalities[0] else super().item_names(data, modality)

    def other_names(self, data: TaskData) -> Mapping[str, Sequence[int]]:
        """Return the names of copies, which are one item with another picture, and of their units."""
        assert isinstance(data, TableData)
        return data.other_names

    def list_columns(self, data: TaskData) -> ListColumns:
        """Return the names of the table's own columns, so that rows of it are a list; then the usual ones."""
        assert isinstance(data, TableData)
        own, usual = data.called, super().list_columns(data)
        units = [own[role] for role in ("unit", "image") if role in own][:1]
        return ListColumns(
            (*units, *usual.units), (*([own["text"]] if "text" in own else []), *usual.partners)
        )

    def pair_columns(self, data: TaskData) -> Mapping[str, Sequence[str]]:
        """Return all columns of the table, and text and label by these names where none is called so."""
        assert isinstance(data, TableData)
        return {**columns_of(self, data), **data.columns}

    def _check_command(self, data_dir: Path) -> str:
        """Return the command that lists all that is wrong."""
        words = ["mmulbench", "data", "check", self.name]
        for field in fields(self.config):
            value = getattr(self.config, field.name)
            if value != field.default:
                words += ["--set", f"task.{field.name}={value}"]
        return shlex.join(words if self.config.table else [*words, "--data-dir", str(data_dir)])
