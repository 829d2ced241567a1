"""Say what lies above each term of the Human Phenotype Ontology, and which terms are neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mmulbench import MmulbenchError


@dataclass(frozen=True)
class Term:
    """Describes a phenotype.

    Attributes:
        name: name of the phenotype, such as ``Cleft palate``.
        definition: one or more sentences by HPO's curators; empty where there are none.
        parents: ids of the terms that the phenotype is a kind of (HPO's is_a).
    """

    name: str
    definition: str
    parents: tuple[str, ...]


class Ontology:
    """Holds terms with all that lies above each of them.

    Args:
        terms: terms by id.
    """

    def __init__(self, terms: Mapping[str, Term]) -> None:
        self.terms = terms
        self._above: dict[str, frozenset[str]] = {}

    def above(self, term: str) -> frozenset[str]:
        """Return the ids of all ancestors of a term, without itself.

        Raises:
            MmulbenchError: if is_a goes round in a circle.
        """
        if term not in self._above:
            self._climb(term)
        return self._above[term]

    def _climb(self, start: str) -> None:
        """Find the ancestors of a term and of all that lies above it.

        Raises:
            MmulbenchError: if is_a goes round in a circle.
        """
        path, stack = [start], [iter(self._parents(start))]
        while stack:
            parent = next(stack[-1], None)
            if parent is None:
                done = path.pop()
                stack.pop()
                parents = self._parents(done)
                self._above[done] = frozenset(parents).union(*(self._above[one] for one in parents))
            elif parent in path:
                raise MmulbenchError(f"{parent} is its own ancestor in the Human Phenotype Ontology")
            elif parent not in self._above:
                path.append(parent)
                stack.append(iter(self._parents(parent)))

    def _parents(self, term: str) -> tuple[str, ...]:
        return tuple(one for one in self.terms[term].parents if one in self.terms)

    def links(self, numbers: Mapping[str, int]) -> list[tuple[int, int]]:
        """Link each of some terms with its nearest ancestors among them.

        Args:
            numbers: number of each term that takes part, by id.

        Returns:
            Numbers of a term and of an ancestor, for each link.
        """
        found = []
        for term, number in numbers.items():
            nearest = {one for one in self.above(term) if one in numbers}
            hidden = {far for one in nearest for far in self.above(one)}
            found += sorted((number, numbers[one]) for one in nearest - hidden)
        return found
