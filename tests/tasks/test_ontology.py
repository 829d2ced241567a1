"""What lies above a term is found, and circles are refused."""

from __future__ import annotations

import pytest

from mmulbench.errors import MmulbenchError
from mmulbench.tasks._relations.ontology import Ontology, Term


def family(**parents: str) -> Ontology:
    return Ontology({name: Term(name, "", tuple(found)) for name, found in parents.items()})


def test_ancestors_and_links_to_the_nearest_of_them():
    ontology = family(a="", b="a", c="b", d="cb", e="da", f="zc")
    assert {one: "".join(sorted(ontology.above(one))) for one in "afde"} == {
        "a": "",
        "f": "abc",
        "d": "abc",
        "e": "abcd",
    }
    assert sorted(ontology.links({"a": 0, "b": 1, "e": 2, "f": 3})) == [(1, 0), (2, 1), (3, 1)]


def test_a_circle_is_refused():
    with pytest.raises(MmulbenchError, match="its own ancestor"):
        family(a="c", b="a", c="b").above("a")
