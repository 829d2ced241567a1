"""What the official relation tasks share: rows from files, splits without common units, HPO's graph."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mmulbench import DataReport, Integers, MmulbenchError, Progress, RawItems, Recipe, TaskData, fingerprint
from mmulbench.tasks._official.data_folder_task import DataFolderTask
from mmulbench.tasks._official.json_files import DataRow
from mmulbench.tasks._official.pair_table import SPLITS, Annotations, PairTable, Unit, clean
from mmulbench.tasks._relations.relation_graph import Knowledge, Node, nodes_of, relation_edges

LABELS = {"true": 1, "yes": 1, "1": 1, "false": 0, "no": 0, "0": 0}
"""Class by how a relation is written, in small letters."""


class RelationSentence(NamedTuple):
    """A sentence on a unit.

    Attributes:
        unit: ids of its nodes.
        names: what the row calls them.
        text: the sentence.
        label: 1 where the relation holds.
        where: file and line, for messages.
    """

    unit: Unit
    names: tuple[str, ...]
    text: str
    label: int
    where: str


SentencesBySplit = Mapping[str, Sequence[RelationSentence]]
"""Rows by split."""


@dataclass(frozen=True)
class RelationData:
    """Everything that was read.

    Attributes:
        annotations: units, texts and splits.
        nodes: names of the graph's nodes.
        groups: (u, k) each unit's nodes.
        edges: (2, e).
    """

    annotations: Annotations
    nodes: tuple[str, ...]
    groups: Integers
    edges: Integers


class RelationTask(DataFolderTask):
    """Does a sentence say that a gene, a phenotype and perhaps a disease are related?

    A text is a sentence in which HTML entities are replaced and white space is made one space. Nodes are the
    genes, diseases and phenotypes that the units name; they carry HPO's names, or where HPO does not know
    them, the data's. Edges are HPO's: is_a between phenotypes, and its relations among the nodes. None joins
    two nodes of a unit, whatever the unit's split and class, so that nothing asked for is in the graph. What
    implies it may be: a gene that is related to a phenotype is related to what lies above that in the
    ontology, too.

    A unit is in one split: where files have it in several, its rows stay in the last of train, validation and
    test, and are left out of the others.
    """

    modalities = ("graph", "text")
    default_backbone = "gtnn:packaged"
    tuned_like = ("hpo_pgr", "gtnn:packaged")
    classes = ("no relation", "relation")
    utility = "f1"
    recipe = Recipe(epochs=20, lr=3e-3, weight_decay=0.01, batch_size=256, sampling="pair")

    @abstractmethod
    def rows(self, folder: Path) -> SentencesBySplit:
        """Read the rows of every split from the task's folder.

        Raises:
            UsageError: the files are not there.
            MmulbenchError: they are damaged.
        """

    @abstractmethod
    def knowledge(self, nodes: Sequence[Node], folder: Path) -> Knowledge:
        """What HPO says of these nodes.

        Raises:
            UsageError: HPO's files are not there.
            MmulbenchError: they are damaged.
        """

    def load(self, data_dir: Path, progress: Progress) -> TaskData:
        """Read rows and ontology."""
        read = self._read(data_dir)
        annotations = read.annotations
        splits = annotations.splits
        columns = [
            column.tolist()
            for split in splits.values()
            for column in (split.first, split.second, split.label)
            if column is not None
        ]
        return TaskData(
            items={
                "graph": RawItems(texts=read.nodes, groups=read.groups, edges=read.edges),
                "text": RawItems(texts=annotations.texts),
            },
            **splits,
            fingerprint=fingerprint(
                [annotations.units, annotations.texts, read.nodes, read.edges.tolist(), columns]
            ),
        )

    def check(self, data_dir: Path, progress: Progress) -> DataReport:
        """Count what is there."""
        read = self._read(data_dir)
        return self.report(read.annotations, lambda unit: (read.nodes[node] for node in read.groups[unit]))

    def _read(self, data_dir: Path) -> RelationData:
        folder = self.folder(data_dir)
        parts = self.rows(folder)
        annotations = table_of(parts).build(labelled=True, limit=self.config.limit)
        nodes = nodes_of(annotations.units)
        known = self.knowledge(nodes, folder)
        called = _mentions(parts)
        number = {node: place for place, node in enumerate(nodes)}
        groups = [[number[node] for node in enumerate(unit)] for unit in annotations.units]
        return RelationData(
            annotations,
            tuple(known.names.get(node) or called[node] for node in nodes),
            np.array(groups, dtype=np.int64),
            relation_edges(annotations.units, nodes, known),
        )


def table_of(parts: SentencesBySplit) -> PairTable:
    """All rows, those of units that are in a later split left out and counted."""
    table = PairTable()
    home: dict[Unit, str] = {}
    for split in reversed(SPLITS):
        for row in parts[split]:
            found = home.setdefault(row.unit, split)
            if found == split:
                table.add(split, row.unit, row.text, row.where, row.label)
            else:
                table.rows[split] += 1
                table.dropped[f"in {split}, but what they are about is also in {found}"] += 1
    return table


def _mentions(parts: SentencesBySplit) -> dict[Node, str]:
    """What rows call each node most often; of names that are as frequent, the alphabetically first."""
    count: dict[Node, Counter[str]] = {}
    for row in (row for rows in parts.values() for row in rows):
        for node, name in zip(enumerate(row.unit), row.names, strict=True):
            count.setdefault(node, Counter())[name] += 1
    return {node: min(found, key=lambda one: (-found[one], one)) for node, found in count.items()}


def name_in(record: DataRow, column: str) -> str:
    """A field that names something: cleaned like a text, and not empty.

    Raises:
        MmulbenchError: it is missing, empty or not text.
    """
    value = clean(record.text(column))
    if not value:
        raise MmulbenchError(f"{record.where}: the field {column!r} is empty")
    return value


def label_in(record: DataRow, column: str) -> int:
    """The class that a field says.

    Raises:
        MmulbenchError: it is missing or says something else.
    """
    value: Any = record.value(column)
    label = LABELS.get(str(value).strip().lower())
    if label is None:
        known = ", ".join(LABELS)
        raise MmulbenchError(f"{record.where}: unknown {column} {str(value)[:40]!r}; known: {known}")
    return label
