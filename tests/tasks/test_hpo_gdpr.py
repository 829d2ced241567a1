"""The task hpo_gdpr: what is asked for is known, fair, and not in the graph."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mmulbench.progress import Progress
from mmulbench.runs.backbones import find_backbone
from mmulbench.runs.pipeline import Run, execute
from mmulbench.runs.prepare import prepare
from mmulbench.runs.run_spec import make_spec
from mmulbench.tasks._relations.hpo_files import ROOT, hpo_file, read_terms
from mmulbench.tasks._relations.ontology import Ontology
from mmulbench.tasks.hpo_gdpr import HpoGdpr


def load(**config):
    return HpoGdpr(HpoGdpr.Config(**config)).load(Path("data"), Progress())


@pytest.fixture(scope="module")
def data():
    return load()


@pytest.fixture(scope="module")
def known() -> set[tuple[str, str, str]]:
    """All triples by gene symbol, disease name and phenotype name, read in another way than the task does."""
    names = {}
    for line in hpo_file("phenotype.hpoa", "test").read_text(encoding="utf-8").splitlines():
        disease, name = [*line.split("\t"), ""][:2]
        names[disease] = min(name, names.get(disease, name))
    found = set()
    for line in hpo_file("genes_to_phenotype.txt", "test").read_text(encoding="utf-8").splitlines()[1:]:
        _, symbol, _, phenotype, _, disease = line.split("\t")
        if disease.startswith("OMIM:"):
            found.add((symbol, names[disease], phenotype))
    return found


def parts(data):
    return data.train, data.validation, data.test


def triples(data, split, label=None) -> list[tuple[str, ...]]:
    """Gene symbols, disease names and phenotype names of a split's pairs."""
    chosen = split.first if label is None else split.first[split.label == label]
    names = data.items["graph"].texts
    return [tuple(names[node] for node in group) for group in data.items["graph"].groups[chosen]]


def test_counts(data):
    graph = data.items["graph"]
    assert len(graph.texts) == 6792 and len(data.items["text"]) == 3000 and len(graph) == 11614
    assert [len(split) for split in parts(data)] == [9338, 1116, 1160]
    assert [int(split.label.sum()) * 2 for split in parts(data)] == [9338, 1116, 1160]
    assert len({disease for split in parts(data) for _, disease, _ in triples(data, split)}) == 1997
    assert graph.edges.shape == (2, 61206)


def test_relations_are_known_and_non_relations_are_neither_known_nor_implied(data, known):
    terms = read_terms(hpo_file("hp.obo", "test"))
    ontology, ids = Ontology(terms), {term.name: one for one, term in terms.items()}
    phenotypes: dict[str, set[str]] = {}
    for _, disease, phenotype in known:
        phenotypes.setdefault(disease, set()).add(phenotype)
    for split in parts(data):
        assert known.issuperset(triples(data, split, 1))
        for _, disease, phenotype in triples(data, split, 0):
            assert phenotype not in phenotypes[disease]
            below = [ids[one] for one in phenotypes[disease] if one in ids]
            assert not any(ids[phenotype] in ontology.above(one) for one in below)


def test_genes_diseases_and_phenotypes_are_in_relations_as_by_fair_coins(data):
    for split in parts(data):
        related, unrelated = (zip(*triples(data, split, label), strict=True) for label in (1, 0))
        for one, other in zip(related, unrelated, strict=True):
            here, there = Counter(one), Counter(other)
            spread = [(here[name] - there[name]) ** 2 / (here[name] + there[name]) for name in here | there]
            assert np.mean(spread) == pytest.approx(1, abs=4 * np.sqrt(2 / len(spread)))


def test_genes_and_diseases_are_in_one_split_and_have_names_of_their_own(data):
    names = [name.casefold() for name in data.items["graph"].texts[3000:]]
    assert len(set(names)) == len(names) and "-" not in names
    for place in range(2):
        sets = [{triple[place] for triple in triples(data, split)} for split in parts(data)]
        assert not any(one & other for one, other in itertools.combinations(sets, 2))


def test_no_relation_that_is_asked_for_is_in_the_graph(data):
    edges = {*map(tuple, data.items["graph"].edges.T.tolist())}
    assert edges == {(other, one) for one, other in edges}
    for gene, disease, phenotype in data.items["graph"].groups.tolist():
        assert (disease, phenotype) not in edges and (gene, phenotype) not in edges
        assert (gene, disease) in edges


def test_disease_edges_are_known(data, known):
    names = data.items["graph"].texts
    facts = {(disease, phenotype) for _, disease, phenotype in known}
    facts |= {(disease, gene) for gene, disease, _ in known}
    diseases = {disease for _, disease, _ in known}
    found = [(names[one], names[other]) for one, other in data.items["graph"].edges.T.tolist() if one >= 3000]
    assert all(pair in facts for pair in found if pair[0] in diseases)
    assert sum(pair[0] in diseases for pair in found) > 20_000


def test_every_known_triple_is_either_asked_for_or_an_edge():
    task = HpoGdpr(HpoGdpr.Config(subjects=0, phenotypes=0, relations=0))
    data, (diseases, name_of) = task.load(Path("data"), Progress()), task.subjects()
    ontology = Ontology(read_terms(hpo_file("hp.obo", "test")))
    known = {
        (name_of[one.nodes[-1]], ontology.terms[phenotype].name)
        for one in diseases
        for phenotype in one.phenotypes
        if ROOT in ontology.above(phenotype)
    }
    # A disease may have a phenotype's name: edges between phenotypes are not meant.
    names, phenotypes = data.items["graph"].texts, len(data.items["text"])
    asked = {triple[1:] for split in parts(data) for triple in triples(data, split, 1)}
    edges = data.items["graph"].edges.T.tolist()
    shown = {(names[one], names[other]) for one, other in edges if one >= phenotypes} & known
    assert asked | shown == known and not asked & shown and len(known) == 123_795


def test_limit_takes_few():
    few = load(limit=60)
    assert len({disease for split in parts(few) for _, disease, _ in triples(few, split)}) == 60
    assert all(len(split) for split in parts(few)) and few.fingerprint != load(limit=61).fingerprint


def test_it_runs_from_end_to_end(make_workspace, quick_method):
    workspace, task = make_workspace(), HpoGdpr(HpoGdpr.Config(limit=60))
    recipe = replace(task.recipe, epochs=1, batch_size=64)
    prepared = prepare("hpo_gdpr", task, find_backbone("gtnn:tiny", task), recipe, workspace)
    method = quick_method("mmul", batch_size=32)
    spec = make_spec(prepared, "mmul", method, 10, 42)
    found = execute(Run(spec, method, "test"), prepared, "always").result
    assert found.status == "done", found.reason
