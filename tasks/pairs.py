"""Retrieve pictures of your own by their texts: pairs that a table names, without writing a class."""

from __future__ import annotations

from mmulbench import TASKS, DataInfo
from mmulbench.tasks._tables.table_task import TableTask


@TASKS.register("pairs")
class Pairs(TableTask):
    """Asks which texts belong to which picture of a table of your own.

    A row is a picture and a text that belong together; a picture may have several texts, and a text several
    pictures. An epoch visits every pair.

    Epochs and weight decay are those published for ALBEF on Flickr30K, the learning rate is for the default
    backbone. Nothing is known of your data: look at what the original reaches before you judge methods.
    """

    name = "pairs"
    info = DataInfo(
        about="Your own images and texts: a row of a table for each pair that belongs together.",
        terms="Yours.",
        source="write a table with the columns image and text, and unit and split if you like; "
        "--set task.table=FILE names it",
        layout=(
            "nothing, where --set task.table=FILE names a .csv, .tsv, .jsonl or .parquet",
            "  or pairs/table.csv (.tsv, .jsonl, .parquet), with names of images from pairs/",
            "  or --set task.table=FOLDER: images with metadata.csv (file_name, text)",
        ),
    )
