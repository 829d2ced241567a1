"""Tell the class of pictures of your own and a text: rows of a table, without writing a class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mmulbench import TASKS, DataInfo, Progress
from mmulbench.tasks._tables.folder_table import class_table
from mmulbench.tasks._tables.table_data import TableData
from mmulbench.tasks._tables.table_file import Table
from mmulbench.tasks._tables.table_source import TableSource
from mmulbench.tasks._tables.table_task import TableTask

ANY_CLASS: tuple[str, ...] = ("the labels of the table",)
"""What stands for the classes until a table was read."""


@TASKS.register("labelled")
class Labelled(TableTask):
    """Asks for the class of a picture, or two, and a text: rows of a table of your own.

    A statement on an image that is true or false, a hypothesis that it entails or contradicts, a question
    with one of a few answers: the classes are the labels of the table. With ``task.image2`` a row has two
    pictures, as in NLVR2, and the forget unit is the two with all their texts.

    Epochs and weight decay are those published for ALBEF on NLVR2, the learning rate is for the default
    backbone. Nothing is known of your data: look at what the original reaches before you judge methods.
    """

    name = "labelled"
    classes = ANY_CLASS
    info = DataInfo(
        about="Your own images and texts, each with a class: a row of a table for each.",
        terms="Yours.",
        source="write a table with the columns image, text and label, and image2, unit and split if you "
        "like; --set task.table=FILE names it",
        layout=(
            "nothing, where --set task.table=FILE names a .csv, .tsv, .jsonl or .parquet",
            "  or labelled/table.csv (.tsv, .jsonl, .parquet), with names of images from labelled/",
            "  or --set task.table=FOLDER: images with metadata.csv (file_name, text, label)",
            "  or --set task.table=FOLDER --set task.prompt=TEXT: images in a folder for each class",
        ),
    )

    @dataclass(frozen=True)
    class Config(TableTask.Config):
        """Holds the settings of a task on a table with labels.

        Attributes:
            image2: column with the name of the second image, where a row has two.
            label: column with the class; empty: guessed by its name.
            prompt: text of every row, where the table has no column of texts.
        """

        image2: str = ""
        label: str = ""
        prompt: str = ""

    config: Config

    def __init__(self, config: Config | None = None) -> None:
        super().__init__(config)
        self.group = len(self.pictures)  # type: ignore[misc]

    @property
    def pictures(self) -> tuple[str, ...]:
        """Say what holds the pictures of an item."""
        return ("image", "image2") if self.config.image2 else ("image",)

    def named(self) -> dict[str, str]:
        """Return the name that the user says for each column that is looked for, or nothing."""
        second = {"image2": self.config.image2} if self.config.image2 else {}
        return {**super().named(), **second, "label": self.config.label}

    @property
    def optional(self) -> frozenset[str]:  # type: ignore[override]
        """Say what a table may lack."""
        return super().optional | ({"text"} if self.config.prompt else set())

    def texts(self, source: TableSource) -> Sequence[str]:
        """Return the text of each row: that of its column, or of all rows."""
        return super().texts(source) if "text" in source.columns else [self.config.prompt] * len(source.table)

    def labels(self, source: TableSource) -> Sequence[str]:
        """Return the label of each row."""
        return [label.strip() for label in source.table.cells(source.columns["label"])]

    def folder_table(self, folder: Path) -> Table | None:
        """Make a table of a folder of pictures, by its metadata or its folders of classes."""
        return super().folder_table(folder) or class_table(folder)

    def load(self, data_dir: Path, progress: Progress) -> TableData:
        """Read the table, and learn the classes from it."""
        data = super().load(data_dir, progress)
        self.classes = data.classes  # type: ignore[misc]
        return data
