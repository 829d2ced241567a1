"""Hold what the relation tasks on the Human Phenotype Ontology share: selection, split and graph."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, NamedTuple

import numpy as np
from pydantic import Field

from mmulbench import (
    Integers,
    Progress,
    RawItems,
    Recipe,
    Split,
    Task,
    TaskData,
    UsageError,
    data_fingerprint,
)
from mmulbench.tasks._relations.fixed_order import lots, shuffled, split_genes
from mmulbench.tasks._relations.hpo_files import ROOT, hpo_file, read_terms
from mmulbench.tasks._relations.non_relations import non_relations
from mmulbench.tasks._relations.ontology import Ontology

FEWEST = 5
"""Smallest number of relations of a subject that is picked: on average three in the graph, two asked for."""

IN_GRAPH = 0.6
"""Share of all relations that are edges of the graph."""

MOST_DRAWN = 0.8
"""Largest chance of a relation to be drawn: half of what is drawn is asked for, the rest may be edges."""


@dataclass(frozen=True)
class Subject:
    """Describes what phenotypes are related to: a gene, or a disease with its gene.

    Attributes:
        gene: symbol of the gene; all subjects of a gene are in one split.
        nodes: ids of the subject's nodes. Neighbours of the last one are the phenotypes, and the node before.
        phenotypes: ids of all phenotypes that the subject is related to.
    """

    gene: str
    nodes: tuple[str, ...]
    phenotypes: frozenset[str]


class SubjectList(NamedTuple):
    """Holds all subjects of a task.

    Attributes:
        subjects: subjects in a fixed order.
        names: name of each node of the subjects, by its id.
    """

    subjects: list[Subject]
    names: Mapping[str, str]


class Sizes(NamedTuple):
    """Says how many subjects and phenotypes take part.

    Attributes:
        subjects: largest number of subjects; 0 takes all that have a relation.
        phenotypes: largest number of phenotypes; 0 takes all that have a subject.
    """

    subjects: int
    phenotypes: int


@dataclass(frozen=True)
class Selection:
    """Holds the subjects and phenotypes that take part, and their relations by number.

    Attributes:
        phenotypes: ids of the phenotypes; a phenotype's number is its place.
        subjects: subjects; a subject's number is its place.
        drawn: for each subject, numbers of the phenotypes that questions are made of, see `labelled`.
        edges: for each subject, numbers of the phenotypes that the graph relates it to, unless it is asked
            about them as relations.
        excluded: for each subject, numbers of the phenotypes that are no non-relation of it: all that it is
            related to, and all above these in the ontology, since what has a phenotype has its superclass.
    """

    phenotypes: tuple[str, ...]
    subjects: list[Subject]
    drawn: list[list[int]]
    edges: list[list[int]]
    excluded: list[frozenset[int]]

    @property
    def genes(self) -> set[str]:
        """Genes that questions are made of."""
        return {one.gene for one, drawn in zip(self.subjects, self.drawn, strict=True) if drawn}


class LabelledPairs(NamedTuple):
    """Holds relations and non-relations.

    Attributes:
        pairs: (n, 2) numbers of a subject and of a phenotype.
        labels: (n,) 1 where they are related, else 0.
    """

    pairs: Integers
    labels: Integers


class HpoRelationTask(Task):
    """Asks whether a phenotype is related to a subject."""

    modalities = ("graph", "text")
    default_backbone = "gtnn:packaged"
    tuned_like = ("hpo_pgr", "gtnn:packaged")
    classes = ("no relation", "relation")
    # Not F1: there are as many relations as non-relations, so that a model that says yes to all reaches .667.
    utility = "accuracy"
    recipe = Recipe(epochs=20, lr=3e-3, weight_decay=0.01, batch_size=256, sampling="pair")

    name: ClassVar[str]
    """Registered name of the task."""

    @dataclass(frozen=True)
    class Config:
        """Holds the settings of a relation task on HPO.

        Attributes:
            subjects: number of genes (or diseases) that take part, of those with five relations or more; 0
                takes all that have any.
            phenotypes: number of phenotypes, those with a definition and the most subjects; 0 takes all that
                have a subject. One without a definition has its name alone as its text.
            relations: number of relations that are asked about a subject, on average, or two in five of its
                relations where that is less; 0 asks two in five of all, and the rest are edges.
            limit: number of subjects to use, and half as many phenotypes again; 0 uses all. For quick trials.
        """

        subjects: int = 2000
        phenotypes: Annotated[int, Field(ge=0)] = 3000
        relations: Annotated[int, Field(ge=0)] = 3
        limit: int = 0

        def __post_init__(self) -> None:
            for name in ("limit", "subjects"):
                if getattr(self, name) < 0 or 0 < getattr(self, name) < 20:
                    raise ValueError(f"{name} must be 0 (all) or at least 20")

    config: Config

    @abstractmethod
    def subjects(self) -> SubjectList:
        """Read all subjects.

        Raises:
            UsageError: if the package with HPO's files is missing.
            MmulbenchError: if HPO's files are damaged.
        """

    def load(self, data_dir: Path, progress: Progress) -> TaskData:
        """Read ontology and annotations from the installed package; ``data_dir`` is not used.

        Raises:
            UsageError: if the package is missing, or the settings leave too few genes.
            MmulbenchError: if HPO's files are damaged.
        """
        ontology = Ontology(read_terms(hpo_file("hp.obo", self.name)))
        subjects, names = self.subjects()
        selection = select(ontology, subjects, self.sizes, self.config.relations)
        if len(selection.genes) < 10:
            raise UsageError(
                f"{self.name}: fewer than 10 genes have enough relations to {len(selection.phenotypes)} "
                "phenotypes: set a larger task.phenotypes or task.limit"
            )
        terms = [ontology.terms[one] for one in selection.phenotypes]
        ids = sorted({node for subject in selection.subjects for node in subject.nodes})
        number = {node: len(terms) + place for place, node in enumerate(ids)}
        nodes = (*(term.name for term in terms), *(names[node] for node in ids))
        texts = tuple(f"{term.name}: {term.definition}" if term.definition else term.name for term in terms)
        blocks = [labelled(part, selection) for part in split_by_gene(selection)]
        pairs, labels = (np.concatenate(columns) for columns in zip(*blocks, strict=True))
        edges = graph(ontology, selection, number, pairs[labels == 1])
        ends = np.cumsum([len(block.labels) for block in blocks])
        train, validation, test = (
            Split(rows, pairs[rows, 1], labels[rows]) for rows in np.split(np.arange(len(pairs)), ends[:-1])
        )
        own = np.array([[number[node] for node in subject.nodes] for subject in selection.subjects])
        groups = np.concatenate([own[pairs[:, 0]], pairs[:, 1:]], axis=1)
        items = {"graph": RawItems(texts=nodes, groups=groups, edges=edges), "text": RawItems(texts=texts)}
        found = data_fingerprint((groups, labels, ends, edges), (*nodes, *texts))
        return TaskData(items, train, validation, test, found)

    @property
    def sizes(self) -> Sizes:
        """Numbers of subjects and phenotypes that take part."""
        config = self.config
        if config.limit:
            return Sizes(config.limit, config.limit * 3 // 2)
        return Sizes(config.subjects, config.phenotypes)


def select(ontology: Ontology, subjects: Sequence[Subject], sizes: Sizes, mean_asked: int) -> Selection:
    """Pick phenotypes by their number of subjects, subjects at random, and split each subject's relations.

    Args:
        ontology: terms of HPO.
        subjects: all subjects, in a fixed order.
        sizes: numbers of subjects and phenotypes that take part.
        mean_asked: mean number of relations that are asked about a subject; 0 asks as many as possible.
    """
    ids = _phenotypes(ontology, subjects, sizes.phenotypes)
    number = {one: place for place, one in enumerate(ids)}
    fewest = FEWEST if sizes.subjects else 1
    enough = [one for one in subjects if sum(found in number for found in one.phenotypes) >= fewest]
    picked = set(shuffled([one.nodes[-1] for one in enough], "genes")[: sizes.subjects or None])
    kept = [one for one in enough if one.nodes[-1] in picked]
    drawn, edges, excluded = [], [], []
    for subject in kept:
        known = {number[one] for one in subject.phenotypes if one in number}
        # Every subject has the root's phenotype: a question with but one answer, so that it is never asked.
        root = sorted(known & {number.get(ROOT, -1)})
        found = sorted(known.difference(root))
        alone = len(found) == 1
        most = 0 if alone else MOST_DRAWN
        chance = min(most, 2 * mean_asked / max(len(found), 1)) if mean_asked else most
        draw, show = lots(len(found), f"relations of {subject.nodes[-1]}").T
        drawn.append([one for one, lot in zip(found, draw, strict=True) if lot < chance])
        shown = alone | (show * (1 - chance / 2) < IN_GRAPH)
        edges.append([*root, *(one for one, lot in zip(found, shown, strict=True) if lot)])
        true = {one for one in subject.phenotypes if one in ontology.terms}
        true = true.union(*(ontology.above(one) for one in true))
        excluded.append(frozenset(number[one] for one in true if one in number))
    return Selection(ids, kept, drawn, edges, excluded)


def _phenotypes(ontology: Ontology, subjects: Sequence[Subject], size: int) -> tuple[str, ...]:
    """Return the ids of the phenotypes that take part, ascending: all with a subject where ``size`` is 0."""
    count = Counter(one for subject in subjects for one in subject.phenotypes)
    terms = ontology.terms
    found = [one for one in count if one in terms and (one == ROOT or ROOT in ontology.above(one))]
    if size:
        defined = [one for one in found if terms[one].definition and one != ROOT]
        found = sorted(defined, key=lambda one: (-count[one], one))[:size]
    return tuple(sorted(found))


def graph(ontology: Ontology, selection: Selection, number: Mapping[str, int], asked: Integers) -> Integers:
    """Make the edges: is_a between phenotypes, most other relations, and those of a subject's own nodes.

    Args:
        ontology: terms of HPO.
        selection: subjects and phenotypes that take part; the phenotypes are nodes 0 to p - 1.
        number: number of every other node, by its id.
        asked: (n, 2) numbers of the subjects and phenotypes of relations that are asked for.

    Returns:
        (2, e) numbers of nodes; every edge is there both ways.
    """
    links = ontology.links({one: place for place, one in enumerate(selection.phenotypes)})
    hidden = {*map(tuple, asked.tolist())}
    for place, (subject, found) in enumerate(zip(selection.subjects, selection.edges, strict=True)):
        own = [number[node] for node in subject.nodes]
        links += zip(own[1:], own[:-1], strict=True)
        links += [(own[-1], one) for one in found if (place, one) not in hidden]
    forth = np.array(links, dtype=np.int64).reshape(-1, 2).T
    return np.concatenate([forth, forth[::-1]], axis=1)


def split_by_gene(selection: Selection) -> list[list[int]]:
    """List the numbers of the train, validation and test subjects, a fixed draw of genes.

    Subjects of a gene that nothing is asked about are in no split: they are in the graph alone.
    """
    return [
        [number for number, subject in enumerate(selection.subjects) if subject.gene in genes]
        for genes in split_genes(selection.genes, "split").values()
    ]


def labelled(part: list[int], selection: Selection) -> LabelledPairs:
    """Make all pairs of some subjects, relations first, so that counting some tells nothing of the others.

    A fair coin says of each relation that is drawn whether it is asked for, or gives its subject and its
    phenotype to two non-relations. So a subject or phenotype is in as many of either on average, and whatever
    its other pairs are, a pair is a relation with a chance of one half. Exact balance would tell the class of
    a pair that is deleted: the one that is missing.

    Args:
        part: numbers of the subjects.
        selection: subjects and phenotypes that take part.
    """
    drawn = np.array([(one, phenotype) for one in part for phenotype in selection.drawn[one]], dtype=np.int64)
    order = np.array(shuffled(range(len(drawn)), f"classes {part[0]}"), dtype=np.int64)
    half = len(drawn) // 2
    true, given = drawn[np.sort(order[:half])], drawn[np.sort(order[half : 2 * half])]
    key = f"non-relations {part[0]}"
    false = non_relations(given, lambda one, phenotype: phenotype not in selection.excluded[one], key)
    labels = np.repeat(np.array([1, 0], dtype=np.int64), [len(true), len(false)])
    return LabelledPairs(np.concatenate([true, false]), labels)
