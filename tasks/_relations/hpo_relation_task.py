"""What the relation tasks on the Human Phenotype Ontology share: choice, split, graph, non-relations."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

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
from mmulbench.tasks._relations.hpo_files import ROOT, Ontology, hpo_file, read_terms
from mmulbench.tasks._relations.non_relations import non_relations, shuffled

FEWEST = 5
"""Subjects are picked from those with this many relations or more: three in the graph, two asked for."""

IN_GRAPH = 0.6
"""The part of each subject's relations that are edges of the graph."""


@dataclass(frozen=True)
class Subject:
    """What phenotypes are related to: a gene, or a disease with its gene.

    Attributes:
        gene: symbol; all subjects of a gene are in one split.
        nodes: ids of its nodes; phenotypes are neighbours of the last one, and so is the one before it.
        phenotypes: ids of all phenotypes it is related to.
    """

    gene: str
    nodes: tuple[str, ...]
    phenotypes: frozenset[str]


@dataclass(frozen=True)
class Selection:
    """The subjects and phenotypes that take part, and what is known of them.

    Attributes:
        phenotypes: ids; a phenotype's number is its place.
        subjects: a subject's number is its place.
        shown: for each subject, numbers of the phenotypes that the graph relates it to.
        asked: for each subject, numbers of those it is asked about.
        excluded: for each subject, numbers of all phenotypes that it is related to, and of what lies above
            them in the ontology: what has a phenotype has its superclass, too.
    """

    phenotypes: tuple[str, ...]
    subjects: list[Subject]
    shown: list[list[int]]
    asked: list[list[int]]
    excluded: list[frozenset[int]]

    @property
    def genes(self) -> set[str]:
        """Those with a relation that is asked for."""
        return {one.gene for one, asked in zip(self.subjects, self.asked, strict=True) if asked}


class HpoRelationTask(Task):
    """Is a phenotype related to a subject?"""

    modalities = ("graph", "text")
    default_backbone = "gtnn:packaged"
    tuned_like = ("hpo_pgr", "gtnn:packaged")
    classes = ("no relation", "relation")
    # Not F1: there are as many relations as non-relations, so that a model that says yes to all reaches .667.
    utility = "accuracy"
    recipe = Recipe(epochs=20, lr=3e-3, weight_decay=0.01, batch_size=256, sampling="pair")
    title: ClassVar[str]
    """Name of the task, for messages."""

    @dataclass(frozen=True)
    class Config:
        """Settings of the task.

        Attributes:
            subjects: how many genes (or diseases) take part, of those with five relations or more; 0 takes
                all that have any.
            phenotypes: how many phenotypes, those with a definition and the most subjects; 0 takes all that
                have a subject. One without a definition has its name alone as its text.
            relations: relations that are asked about one, at most; 0 asks all that are not in the graph.
            limit: use only this many, and half as many phenotypes again; 0 uses all. For quick trials.
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
    def subjects(self) -> tuple[list[Subject], Mapping[str, str]]:
        """All subjects, in a fixed order, and the names of their nodes by id."""

    def load(self, data_dir: Path, progress: Progress) -> TaskData:
        """Read ontology and annotations from the installed package; ``data_dir`` is not used."""
        ontology = Ontology(read_terms(hpo_file("hp.obo", self.title)))
        subjects, names = self.subjects()
        chosen = choose(ontology, subjects, self._sizes(), self.config.relations)
        if len(chosen.genes) < 10:
            raise UsageError(
                f"{self.title}: fewer than 10 genes have enough relations to {len(chosen.phenotypes)} "
                "phenotypes: set a larger task.phenotypes or task.limit"
            )
        terms = [ontology.terms[one] for one in chosen.phenotypes]
        ids = sorted({node for subject in chosen.subjects for node in subject.nodes})
        number = {node: len(terms) + place for place, node in enumerate(ids)}
        nodes = (*(term.name for term in terms), *(names[node] for node in ids))
        texts = tuple(f"{term.name}: {term.definition}" if term.definition else term.name for term in terms)
        edges = graph(ontology, chosen, number)
        blocks = [labelled(part, chosen) for part in split_by_gene(chosen)]
        pairs, labels = (np.concatenate(columns) for columns in zip(*blocks, strict=True))
        ends = np.cumsum([len(block[1]) for block in blocks])
        train, validation, test = (
            Split(rows, pairs[rows, 1], labels[rows]) for rows in np.split(np.arange(len(pairs)), ends[:-1])
        )
        own = np.array([[number[node] for node in subject.nodes] for subject in chosen.subjects])
        groups = np.concatenate([own[pairs[:, 0]], pairs[:, 1:]], axis=1)
        items = {"graph": RawItems(texts=nodes, groups=groups, edges=edges), "text": RawItems(texts=texts)}
        found = data_fingerprint((groups, labels, ends, edges), (*nodes, *texts))
        return TaskData(items, train, validation, test, found)

    def _sizes(self) -> tuple[int, int]:
        """How many subjects and phenotypes take part."""
        config = self.config
        if config.limit:
            return config.limit, config.limit * 3 // 2
        return config.subjects, config.phenotypes


def choose(
    ontology: Ontology, subjects: Sequence[Subject], sizes: tuple[int, int], most_asked: int
) -> Selection:
    """Pick phenotypes by how many subjects they have, subjects at random; split each one's relations.

    Args:
        ontology: HPO.
        subjects: all there are, in a fixed order.
        sizes: how many subjects and phenotypes; 0 is all.
        most_asked: relations that are asked about a subject, at most; 0 is all that are not in the graph.
    """
    ids = _phenotypes(ontology, subjects, sizes[1])
    number = {one: place for place, one in enumerate(ids)}
    fewest = FEWEST if sizes[0] else 1
    enough = [one for one in subjects if sum(found in number for found in one.phenotypes) >= fewest]
    picked = set(shuffled([one.nodes[-1] for one in enough], "genes")[: sizes[0] or None])
    kept = [one for one in enough if one.nodes[-1] in picked]
    shown, asked, excluded = [], [], []
    for subject in kept:
        known = {number[one] for one in subject.phenotypes if one in number}
        # Every subject has the root's phenotype: a question with but one answer, so that it is never asked.
        root = known & {number.get(ROOT, -1)}
        order = shuffled(known - root, f"relations of {subject.nodes[-1]}")
        cut = round(IN_GRAPH * len(order))
        shown.append(sorted([*root, *order[:cut]]))
        asked.append(sorted(order[cut:][: most_asked or None]))
        true = {one for one in subject.phenotypes if one in ontology.terms}
        true = true.union(*(ontology.above(one) for one in true))
        excluded.append(frozenset(number[one] for one in true if one in number))
    return Selection(ids, kept, shown, asked, excluded)


def _phenotypes(ontology: Ontology, subjects: Sequence[Subject], size: int) -> tuple[str, ...]:
    """Ids of the phenotypes that take part, ascending: all that have a subject where ``size`` is 0."""
    count = Counter(one for subject in subjects for one in subject.phenotypes)
    terms = ontology.terms
    found = [one for one in count if one in terms and (one == ROOT or ROOT in ontology.above(one))]
    if size:
        defined = [one for one in found if terms[one].definition and one != ROOT]
        found = sorted(defined, key=lambda one: (-count[one], one))[:size]
    return tuple(sorted(found))


def graph(ontology: Ontology, chosen: Selection, number: Mapping[str, int]) -> Integers:
    """(2, e) edges, both ways: is_a between phenotypes, the relations that are shown, and subjects' own.

    Args:
        ontology: HPO.
        chosen: what takes part; its phenotypes are nodes 0 to p - 1.
        number: of all other nodes, by id.
    """
    links = ontology.links({one: place for place, one in enumerate(chosen.phenotypes)})
    for subject, found in zip(chosen.subjects, chosen.shown, strict=True):
        own = [number[node] for node in subject.nodes]
        links += [*zip(own[1:], own[:-1], strict=True), *((own[-1], one) for one in found)]
    forth = np.array(links, dtype=np.int64).reshape(-1, 2).T
    return np.concatenate([forth, forth[::-1]], axis=1)


def split_by_gene(chosen: Selection) -> list[list[int]]:
    """Numbers of the train, validation and test subjects: a fixed 80 / 10 / 10 % draw of genes.

    Subjects of a gene that nothing is asked about are in none of them: they are in the graph alone.
    """
    genes = shuffled(chosen.genes, "split")
    tenth = len(genes) // 10
    parts = (genes[2 * tenth :], genes[tenth : 2 * tenth], genes[:tenth])
    return [
        [number for number, subject in enumerate(chosen.subjects) if subject.gene in set_of]
        for set_of in map(set, parts)
    ]


def labelled(part: list[int], chosen: Selection) -> tuple[Integers, Integers]:
    """All pairs of some subjects: (n, 2) subject and phenotype, and (n,) class, relations first."""
    true = np.array([(one, phenotype) for one in part for phenotype in chosen.asked[one]], dtype=np.int64)
    key = f"non-relations {part[0]}"
    false = non_relations(true, lambda one, phenotype: phenotype not in chosen.excluded[one], key)
    labels = np.repeat(np.array([1, 0], dtype=np.int64), [len(true), len(false)])
    return np.concatenate([true, false]), labels
