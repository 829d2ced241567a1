"""Hold what the official relation tasks share: rows from files, splits without common units, HPO's graph."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mmulbench import DataReport, Integers, MmulbenchError, Progress, RawItems, Recipe, TaskData, fingerprint
from mmulbench.tasks._official.data_folder_task import DataFolderTask
from mmulbench.tasks._official.json_files import DataRow
from mmulbench.tasks._official.pair_table import SPLITS, Annotations, PairTable, Unit, clean
from mmulbench.tasks._relations.relation_graph import Knowledge, Node, nodes_of, relation_edges

LABELS = {"true": 1, "yes": 1, "1": 1, "false": 0, "no": 0, "0": 0}
"""Class by the word for it, in small letters."""


class RelationSentence(NamedTuple):
    """Holds a sentence about a unit.

    Attributes:
        unit: ids of the unit's nodes.
        names: names of the nodes in the file.
        text: words of the sentence.
        label: 1 where the nodes are related, else 0.
        where: file and line of the sentence, for messages.
    """

    unit: Unit
    names: tuple[str, ...]
    text: str
    label: int
    where: str


SentencesBySplit = Mapping[str, Sequence[RelationSentence]]
"""Sentences by the name of their split."""


@dataclass(frozen=True)
class RelationData:
    """Holds everything that was read for a relation task.

    Attributes:
        annotations: units, texts and splits.
        nodes: names of the graph's nodes.
        groups: (u, k) numbers of each unit's nodes.
        edges: (2, e) numbers of the nodes that edges join.
    """

    annotations: Annotations
    nodes: tuple[str, ...]
    groups: Integers
    edges: Integers


class RelationTask(DataFolderTask):
    """Asks whether the gene, the phenotype and perhaps the disease that a sentence names are related.

    A text is a sentence in which HTML entities are replaced and white space is made one space. Nodes are the
    genes, diseases and phenotypes that the units name. A node carries HPO's name, or the data's where HPO
    does not know the node. Edges are HPO's: is_a between phenotypes, and its relations among the nodes. None
    joins two nodes of a unit, whatever the unit's split and class, so that nothing asked for is in the graph.
    Facts that imply it may be: a gene that is related to a phenotype is also related to the phenotypes above
    that in the ontology.

    A unit is in one split. Where files have it in several, its rows stay in the last of train, validation and
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
        """Read the sentences of every split from the task's folder.

        Raises:
            UsageError: if the files are not there.
            MmulbenchError: if the files are damaged.
        """

    @abstractmethod
    def knowledge(self, nodes: Sequence[Node], folder: Path) -> Knowledge:
        """Look up what HPO says of the nodes.

        Args:
            nodes: nodes of the graph.
            folder: folder of the task's data.

        Raises:
            UsageError: if HPO's files are not there.
            MmulbenchError: if HPO's files are damaged.
        """

    def load(self, data_dir: Path, progress: Progress) -> TaskData:
        """Read sentences and ontology."""
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
    """Collect all sentences; those of units that are in a later split, too, are left out and counted."""
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
    """Find each node's most frequent name in the files, the alphabetically first of equally frequent ones."""
    count: dict[Node, Counter[str]] = {}
    for row in (row for rows in parts.values() for row in rows):
        for node, name in zip(enumerate(row.unit), row.names, strict=True):
            count.setdefault(node, Counter())[name] += 1
    return {node: min(found, key=lambda one: (-found[one], one)) for node, found in count.items()}


def name_in(row: DataRow, column: str) -> str:
    """Read a field that names something, cleaned like a text.

    Args:
        row: row of a file.
        column: name of the field.

    Raises:
        MmulbenchError: if the field is missing, empty or not text.
    """
    value = clean(row.text(column))
    if not value:
        raise MmulbenchError(f"{row.where}: the field {column!r} is empty")
    return value


def label_in(row: DataRow, column: str) -> int:
    """Read a field that says a class, one of `LABELS`.

    Args:
        row: row of a file.
        column: name of the field.

    Raises:
        MmulbenchError: if the field is missing or says something else.
    """
    value = row.value(column)
    label = LABELS.get(str(value).strip().lower())
    if label is None:
        known = ", ".join(LABELS)
        raise MmulbenchError(f"{row.where}: unknown {column} {str(value)[:40]!r}; known: {known}")
    return label
