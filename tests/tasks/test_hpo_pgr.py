"""The task hpo_pgr: what is asked for is known, fair, and not in the graph."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from mmulbench.errors import UsageError
from mmulbench.progress import Progress
from mmulbench.runs.backbones import find_backbone
from mmulbench.runs.pipeline import Run, execute
from mmulbench.runs.prepare import prepare
from mmulbench.runs.run_spec import make_spec
from mmulbench.tasks._relations.hpo_files import hpo_file
from mmulbench.tasks.hpo_pgr import HpoPgr

ABOVE_ALL = "Phenotypic abnormality"


def load(**config):
    return HpoPgr(HpoPgr.Config(**config)).load(Path("data"), Progress())


@pytest.fixture(scope="module")
def data():
    return load()


@pytest.fixture(scope="module")
def everything():
    return load(subjects=0, phenotypes=0, relations=0)


@cache
def file_text(name: str) -> str:
    return hpo_file(name, "test").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def annotated() -> dict[str, set[str]]:
    """By gene symbol, its phenotypes' names, read in another way than the task does."""
    found = defaultdict(set)
    for line in file_text("genes_to_phenotype.txt").splitlines()[1:]:
        _, symbol, _, name, *_ = line.split("\t")
        found[symbol].add(name)
    return found


@pytest.fixture(scope="module")
def implied() -> dict[str, set[str]]:
    """By a phenotype's name, the names of itself and all its ancestors, read in another way."""
    names, parents = {}, {}
    for stanza in file_text("hp.obo").split("\n[Term]\n")[1:]:
        term = re.search(r"^id: (\S+)", stanza, re.M).group(1)
        names[term] = re.search(r"^name: (.+)", stanza, re.M).group(1)
        parents[term] = re.findall(r"^is_a: (\S+)", stanza, re.M)

    @cache
    def up(term):
        return frozenset({names[term]}).union(*(up(parent) for parent in parents[term]))

    return {names[term]: up(term) for term in names}


def parts(data):
    return data.train, data.validation, data.test


def pairs_of(data, split, label=None) -> list[tuple[str, str]]:
    """Gene symbols and phenotype names of a split's pairs."""
    chosen = split.first if label is None else split.first[split.label == label]
    names = data.items["graph"].texts
    return [(names[gene], names[phenotype]) for gene, phenotype in data.items["graph"].groups[chosen]]


def test_counts(data):
    graph = data.items["graph"]
    assert len(graph.texts) == 5000 and len(data.items["text"]) == 3000 and len(graph) == 11782
    assert [len(split) for split in parts(data)] == [9478, 1140, 1164]
    assert [len({gene for gene, _ in pairs_of(data, split)}) for split in parts(data)] == [1598, 199, 199]
    assert [int(split.label.sum()) * 2 for split in parts(data)] == [9478, 1140, 1164]
    assert graph.edges.shape == (2, 117502)


def test_relations_are_known_and_non_relations_are_neither_known_nor_implied(data, annotated, implied):
    for split in parts(data):
        assert all(phenotype in annotated[gene] for gene, phenotype in pairs_of(data, split, 1))
        for gene, phenotype in pairs_of(data, split, 0):
            assert not any(phenotype in implied.get(known, {known}) for known in annotated[gene])


@pytest.mark.parametrize("size", ["data", "everything"])
def test_genes_and_phenotypes_are_in_relations_as_by_fair_coins(size, request):
    """As often as in non-relations on average, and not exactly as often: that would tell deleted classes."""
    data = request.getfixturevalue(size)
    for split in parts(data):
        related, unrelated = (zip(*pairs_of(data, split, label), strict=True) for label in (1, 0))
        for one, other in zip(related, unrelated, strict=True):
            here, there = Counter(one), Counter(other)
            names = sorted({*here, *there})
            total = np.array([here[name] + there[name] for name in names])
            surplus = np.array([here[name] - there[name] for name in names])
            assert np.mean(surplus**2 / total) == pytest.approx(1, abs=4 * np.sqrt(2 / len(names)))
            large = total >= 20
            assert not (np.abs(surplus[large]) > 5 * np.sqrt(total[large])).any()


def count_guess(data, seed: int) -> float:
    """The AUC with which a deleted pair's class follows from what its gene and phenotype lack in Dr."""
    groups, train = data.items["graph"].groups, data.train
    gone = np.isin(train.first, HpoPgr().forget_units(data, 474, seed))
    missing = np.zeros(len(data.items["graph"].texts))
    np.add.at(missing, groups[train.first[~gone]].ravel(), np.repeat(1 - 2 * train.label[~gone], 2))
    return float(roc_auc_score(train.label[gone], missing[groups[train.first[gone]]].sum(1)))


def test_what_is_missing_does_not_tell_deleted_classes(data):
    assert [count_guess(data, seed) for seed in (42, 87, 21)] == pytest.approx([0.5] * 3, abs=0.05)


@pytest.mark.parametrize("size", ["data", "everything"])
def test_all_that_is_asked_about_a_gene_is_in_one_split(size, request):
    data = request.getfixturevalue(size)
    genes = [{gene for gene, _ in pairs_of(data, split)} for split in parts(data)]
    assert not (genes[0] & genes[1] or genes[0] & genes[2] or genes[1] & genes[2])


def links(data) -> set[tuple[str, str]]:
    names = data.items["graph"].texts
    return {(names[one], names[other]) for one, other in data.items["graph"].edges.T.tolist()}


def test_no_relation_that_is_asked_for_is_in_the_graph(data):
    found = links(data)
    asked = {pair for split in parts(data) for pair in pairs_of(data, split)}
    assert len(asked) == 11782
    assert not {(one, other) for one, other in found if (one, other) in asked or (other, one) in asked}


def test_a_relation_that_is_forgotten_is_nowhere_else(data):
    """Neither as an edge nor as another pair of the training split."""
    units = HpoPgr().forget_units(data, 474, 42)
    forget, retain = data.train.only(units), data.train.without(units)
    gone, kept = {*pairs_of(data, forget)}, {*pairs_of(data, retain)}
    assert len(gone) == 474 and not gone & kept
    assert not gone & links(data)


def test_the_graph_is_is_a_and_most_of_each_genes_other_relations(data, annotated, implied):
    names, edges = data.items["graph"].texts, data.items["graph"].edges
    assert {*map(tuple, edges.T.tolist())} == {*map(tuple, edges[::-1].T.tolist())}
    phenotypes, shown = {*names[:3000]}, Counter()
    for one, other in ((names[i], names[j]) for i, j in edges.T.tolist() if i > j or i < 3000 > j):
        if one in phenotypes:
            assert other in implied[one] or one in implied[other]
        else:
            assert other in annotated[one]
            shown[one] += 1
    for gene in names[3000:]:
        known = len(annotated[gene] & phenotypes)
        assert abs(shown[gene] - 0.6 * known) <= 5 * np.sqrt(0.24 * known)
    assert sum(shown.values()) == pytest.approx(
        0.6 * sum(len(annotated[gene] & phenotypes) for gene in names[3000:]), rel=0.01
    )


def test_texts_are_the_second_nodes_name_and_definition(data):
    texts, groups = data.items["text"].texts, data.items["graph"].groups
    for split in parts(data):
        for item, text in zip(split.first[:200], split.second[:200], strict=True):
            name = data.items["graph"].texts[groups[item, 1]]
            assert texts[text].startswith(f"{name}: ") and len(texts[text]) > len(name) + 5
    chest = next(text for text in texts if text.startswith("Pectus excavatum: "))
    assert "(pectus) a caved-in" in chest or '("pectus") a caved-in ("excavatum") appearance.' in chest


@pytest.fixture(scope="module")
def all_pairs(implied) -> set[tuple[str, str, str]]:
    """NCBI ids, symbols and phenotype names of all lines about a phenotypic abnormality."""
    rows = [line.split("\t") for line in file_text("genes_to_phenotype.txt").splitlines()[1:]]
    return {(row[0], row[1], row[3]) for row in rows if ABOVE_ALL in implied.get(row[3], ())}


@pytest.fixture(scope="module")
def all_named(all_pairs) -> set[tuple[str, str]]:
    """The same by the names that their nodes have."""
    return {(symbol if symbol != "-" else f"NCBI gene {gene}", name) for gene, symbol, name in all_pairs}


def test_every_known_pair_is_either_asked_for_or_an_edge(everything, all_pairs, all_named):
    assert len({(symbol, name) for _, symbol, name in all_pairs}) == 245_265 and len(all_named) == 245_296
    asked = [pair for split in parts(everything) for pair in pairs_of(everything, split, 1)]
    shown = [pair for pair in links(everything) if pair in all_named]
    assert len(asked) == 98_172 and len(shown) == 147_124
    assert {*asked, *shown} == all_named and len(asked) + len(shown) == 245_296


def test_all_non_relations_are_neither_known_nor_implied_nor_edges(everything, all_named, implied):
    true = {(gene, above) for gene, name in all_named for above in implied[name]}
    found = [pair for split in parts(everything) for pair in pairs_of(everything, split, 0)]
    assert len(found) == 98_172 and not true & {*found} and not links(everything) & {*found}


def test_a_genes_only_relation_is_an_edge_and_so_is_what_every_gene_has(everything, all_named):
    relations = Counter(gene for gene, _ in all_named)
    asked = {pair for split in parts(everything) for pair in pairs_of(everything, split)}
    lonely = {gene for gene, count in relations.items() if count == 1}
    assert len(lonely) == 118 and lonely <= {*everything.items["graph"].texts}
    assert not lonely & {gene for gene, _ in asked} and ABOVE_ALL not in {name for _, name in asked}
    two = {gene for gene, count in relations.items() if count == 2}
    assert len(two & {gene for gene, _ in asked}) > 0.9 * len(two)


def test_a_phenotype_without_definition_takes_part_where_all_do_with_its_name(data, everything, all_pairs):
    stanzas = [one for one in file_text("hp.obo").split("\n[Term]\n")[1:] if "\ndef: " not in one]
    undefined = {re.search(r"^name: (.+)", one, re.M).group(1) for one in stanzas}
    undefined &= {name for _, _, name in all_pairs}
    names, texts = everything.items["graph"].texts[:10_155], everything.items["text"].texts
    assert len(undefined) == 1_330 and undefined == {*names} & {*texts}
    for name, text in zip(names, texts, strict=True):
        assert name in undefined or (text.startswith(f"{name}: ") and len(text) > len(name) + 2)
    assert not undefined & {*data.items["graph"].texts}


def test_limit_takes_few_genes_and_phenotypes():
    few = load(limit=60)
    assert len(few.items["graph"].texts) == 60 + 90
    genes = [{gene for gene, _ in pairs_of(few, split)} for split in parts(few)]
    assert [len(found) for found in genes] == [48, 6, 6]
    assert few.fingerprint == load(limit=60).fingerprint != load(limit=61).fingerprint


def test_sizes_are_settings():
    more = load(subjects=300, phenotypes=400, relations=0)
    assert len(more.items["text"]) == 400 and len(more.items["graph"].texts) == 700
    assert len(more.items["graph"]) > len(load(subjects=300, phenotypes=400, relations=2).items["graph"])


def test_too_few_phenotypes_to_ask_about():
    with pytest.raises(UsageError, match="fewer than 10 genes have enough relations to 4 phenotypes"):
        load(phenotypes=4)
    with pytest.raises(UsageError, match="fewer than 10 genes have enough relations to 1 phenotypes"):
        load(subjects=0, phenotypes=1)


@pytest.fixture(scope="module")
def small(make_workspace):
    """60 genes, gtnn:tiny, two epochs."""
    task = HpoPgr(HpoPgr.Config(limit=60))
    recipe = replace(task.recipe, epochs=2, batch_size=64)
    return prepare("hpo_pgr", task, find_backbone("gtnn:tiny", task), recipe, make_workspace())


@pytest.mark.parametrize("name", ["mmul", "scrub", "gradient_ascent", "retrain"])
def test_methods_run_on_it_from_end_to_end(name, small, quick_method):
    method = quick_method(name, **({} if name == "retrain" else {"batch_size": 32}))
    spec = make_spec(small, name, method, 10, 42)
    found = execute(Run(spec, method, "test"), small, "always").result
    assert found.status == "done", found.reason
    assert {"test", "test/f1", "mia/classification", "retrain_gap"} <= set(found.values)
    assert found.values["forget"].n == 10 and found.cost.flops > 0
    if name == "retrain":
        assert found.values["retrain_gap"].value == 0
    else:
        assert found.values["mia/classification"].value != found.values["mia/classification"].original
