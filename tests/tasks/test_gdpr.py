"""GDPR, read from miniatures in all its forms, up to a record."""

from __future__ import annotations

import json
import shutil
from itertools import combinations
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import relation_miniatures as miniatures
from official_data import load, mmulbench, quick_records

from mmulbench.core.registry import TASKS
from mmulbench.progress import Progress


@pytest.fixture
def own(tmp_path) -> Path:
    """The miniature, to spoil."""
    miniatures.write_gdpr(tmp_path / "data")
    return tmp_path / "data"


def one_file(root: Path, suffix: str) -> Path:
    """Put all rows into one file, each once."""
    folder = root / "gdpr"
    for path in [*folder.glob("t*n.tsv"), *folder.glob("validation.*"), *folder.glob("test.*")]:
        path.unlink()
    return miniatures.rewrite(folder / "gdpr.tsv", suffix, miniatures.gdpr_rows())


def parts(data):
    return data.train, data.validation, data.test


def triples_of(data, split) -> list[tuple[Any, ...]]:
    """Names of the nodes, text and label of a split's pairs."""
    graph, texts = data.items["graph"], data.items["text"].texts
    columns = zip(split.first.tolist(), split.second.tolist(), split.label.tolist(), strict=True)
    return [(*(graph.texts[node] for node in graph.groups[i]), texts[j], label) for i, j, label in columns]


def test_counts(kept):
    data = load("gdpr", kept)
    assert [len(split) for split in parts(data)] == [72, 20, 16]
    assert data.items["graph"].groups.shape == (108, 3)
    report = TASKS.get("gdpr")().check(kept, Progress())
    assert report.counts == {"train": (72, 76), "validation": (20, 20), "test": (16, 16)}
    assert report.dropped == {"in train, but what they are about is also in validation": 4}


def test_rows_are_read_as_they_are(kept):
    """Nodes carry HPO's names, however the data spells them; relations come in six spellings."""
    data = load("gdpr", kept)
    number = {symbol: place for place, symbol in enumerate(miniatures.GENES.values())}
    ids = {name: one for one, (name, _) in miniatures.PHENOTYPES.items()}
    for split in parts(data):
        for gene, disease, phenotype, text, label in triples_of(data, split):
            assert text == f'{gene} & "{disease}": {phenotype.lower()}, case {number[gene]}'
            assert label == miniatures.holds(number[gene], ids[phenotype])
    said = {row["relation"] for row in miniatures.gdpr_rows()}
    assert said == {"FALSE", "no", "0", "True", "YES", "1"}


@pytest.mark.parametrize("suffix", [".tsv", ".jsonl", ".parquet"])
def test_all_forms_give_the_same(suffix, own):
    before = load("gdpr", own)
    for path in [own / "gdpr" / name for name in ("train.tsv", "validation.jsonl", "test.tsv")]:
        miniatures.rewrite(path, suffix)
    assert load("gdpr", own).fingerprint == before.fingerprint


def test_tables_that_pandas_wrote_say_what_it_was_given(own):
    before = load("gdpr", own)
    for path in (own / "gdpr").glob("t*.tsv"):
        pd.DataFrame(miniatures.rows_in(path)).to_csv(path, sep="\t", index=False)
        assert '""' in path.read_text()
    assert load("gdpr", own).fingerprint == before.fingerprint


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_relations_may_be_booleans_or_numbers(suffix, own):
    before = load("gdpr", own)
    path = own / "gdpr" / "test.tsv"
    rows: list[dict[str, Any]] = [*miniatures.rows_in(path)]
    for row in rows:
        row["relation"] = row["relation"].lower() in ("true", "yes", "1")
    miniatures.rewrite(path, suffix, rows)
    assert load("gdpr", own).fingerprint == before.fingerprint
    for row in rows:
        row["relation"] = int(row["relation"])
    miniatures.rewrite(path, suffix, rows)
    assert load("gdpr", own).fingerprint == before.fingerprint


@pytest.mark.parametrize("suffix", [".tsv", ".jsonl", ".parquet"])
def test_one_file_is_split_by_gene(suffix, own):
    one_file(own, suffix)
    data = load("gdpr", own)
    genes = [{gene for gene, *_ in triples_of(data, split)} for split in parts(data)]
    assert [len(found) for found in genes] == [20, 2, 2]
    assert len(set().union(*genes)) == 24 and not genes[0] & genes[1]
    assert sum(len(split) for split in parts(data)) == len(miniatures.gdpr_rows())
    miniatures.rewrite(own / "gdpr" / "gdpr.x", suffix, miniatures.gdpr_rows()[::-1])
    again = load("gdpr", own)
    for one, other in zip(parts(data), parts(again), strict=True):
        assert sorted(triples_of(data, one)) == sorted(triples_of(again, other))


def test_columns_in_any_order_after_windows(own):
    before = load("gdpr", own)
    path = own / "gdpr" / "test.tsv"
    order = ["disease", "note", "text", "relation", "phenotype", "gene"]
    rows = [[{**row, "note": '"'}[column] for column in order] for row in miniatures.rows_in(path)]
    miniatures.write_tsv(path, order, [*rows, []], end="\r\n", start=b"\xef\xbb\xbf")
    assert load("gdpr", own).fingerprint == before.fingerprint


def known_links() -> set[frozenset[str]]:
    """All that the small HPO relates, by name."""
    names = {one: name for one, (name, _) in miniatures.PHENOTYPES.items()}
    found = {frozenset({"Neoplasm", "Glioma"})}
    for number, (gene, symbol) in enumerate(miniatures.GENES.items()):
        if gene != miniatures.UNKNOWN:
            disease = f"Syndrome {number % 8}"
            for one in list(names)[1 + number % 2 :: 2]:
                found |= {frozenset(pair) for pair in combinations((symbol, disease, names[one]), 2)}
    return found


def test_the_graph_is_what_hpo_knows_but_not_what_is_asked(kept):
    """Whichever spelling of a disease or phenotype is asked about, no other spelling tells the answer."""
    data = load("gdpr", kept)
    names, edges = data.items["graph"].texts or (), data.items["graph"].edges.T.tolist()
    found = {frozenset({names[one], names[other]}) for one, other in edges}
    asked = {
        frozenset(pair)
        for split in parts(data)
        for row in triples_of(data, split)
        for pair in combinations(row[:3], 2)
    }
    on_nodes = {link for link in known_links() if link <= {*names}}
    for some, phenotype in ((on_nodes & asked, "Sei"), (found, "Gli")):
        kinds = {frozenset(name[:3] for name in link) for link in some}
        assert kinds > {frozenset(pair) for pair in combinations(("GEN", "Syn", phenotype), 2)}
    assert found == on_nodes - asked and len(on_nodes & asked) > 20
    assert {*map(tuple, edges)} == {(other, one) for one, other in edges}


def test_two_diseases_of_a_name_are_one_to_the_graph(own):
    """What is asked about OMIM's is not told by Orphanet's."""
    folder = own / "gdpr"
    (folder / "phenotype.hpoa").write_text("OMIM:600\tSyndrome 0\t\nORPHA:5\tsyndrome 0\t\n")
    lines = (folder / "genes_to_phenotype.txt").read_text() + "100\tGEN0\tHP:0000004\tx\t-\tORPHA:5\n"
    (folder / "genes_to_phenotype.txt").write_text(lines)
    row = {"gene": "GEN0", "phenotype": "HP:0000004", "text": "x", "relation": "1"}
    others = [{**row, "gene": f"G{number}", "disease": "ORPHA:5"} for number in range(3)]
    others = [{**other, "phenotype": "HP:0000007"} for other in others]
    miniatures.rewrite(folder / "train.tsv", ".jsonl", [{**row, "disease": "OMIM:600"}, others[0]])
    miniatures.rewrite(folder / "validation.jsonl", ".jsonl", others[1:2])
    miniatures.rewrite(folder / "test.tsv", ".jsonl", others[2:])
    data = load("gdpr", own)
    names = data.items["graph"].texts
    found = {frozenset({names[i], names[j]}) for i, j in data.items["graph"].edges.T.tolist()}
    assert not [link for link in found if "Tall stature" in link]
    assert len([name for name in names if name.casefold() == "syndrome 0"]) == 2


def test_names_that_hpo_lacks_are_nodes_without_edges(own):
    for path in (own / "gdpr").glob("t*.tsv"):
        text = path.read_text().replace("GEN4\t", "NEW\t").replace("\tSyndrome 0\t", "\tNew disease\t")
        path.write_text(text.replace("\tSEIZURE\t", "\tA  new &amp; sign\t"))
    data = load("gdpr", own)
    names, ends = data.items["graph"].texts, {*data.items["graph"].edges.reshape(-1).tolist()}
    for name in ("NEW", "New disease", "A new & sign"):
        assert name in names and names.index(name) not in ends
    assert names.index("GEN6") in ends


@pytest.mark.slow
def test_without_files_beside_the_data_the_packages_ontology_is_used(own):
    for name in ("hp.obo", "genes_to_phenotype.txt", "phenotype.hpoa"):
        (own / "gdpr" / name).unlink()
    for path in (own / "gdpr").glob("*.*"):
        path.write_text(path.read_text().replace("GEN1\t", "FBN1\t").replace("OMIM:601", "OMIM:154700"))
        path.write_text(path.read_text().replace("TALL STATURE", "aortic root ANEURYSM"))
    graph = load("gdpr", own).items["graph"]
    names = graph.texts or ()
    assert {"FBN1", "Marfan syndrome", "Aortic root aneurysm"} <= {*names}
    assert len(graph.edges.T) > 0


@pytest.mark.parametrize("limit", [5, 10])
def test_limit_takes_so_many_triples_of_each_split(limit, kept):
    assert [len(split.units) for split in parts(load("gdpr", kept, limit=limit))] == [limit] * 3


@pytest.mark.parametrize(
    ("gone", "needed"),
    [
        (["train.tsv"], "train.tsv (or .jsonl, .parquet)"),
        (["train.tsv", "test.tsv"], "train.tsv, test.tsv (or .jsonl, .parquet)"),
        (["train.tsv", "validation.jsonl", "test.tsv"], "train.tsv, validation.tsv, test.tsv (or .jsonl, "),
        ([], ""),
    ],
)
def test_no_data(gone, needed, own, capsys):
    for name in gone:
        (own / "gdpr" / name).unlink()
    if not gone:
        shutil.rmtree(own / "gdpr")
    code, _, err = mmulbench(capsys, "data", "check", "gdpr", "--data-dir", own)
    assert code == 2 and err.count("\n") == 1
    assert f"gdpr needs {needed or 'train.tsv, validation.tsv, test.tsv (or'}" in err
    assert (", or gdpr.tsv, looked for" in err) == (len(gone) in (0, 3))
    assert "mmulbench data info gdpr" in err and "--task hpo_gdpr" in err


def test_data_info_and_check(kept, capsys):
    info = TASKS.get("gdpr").info
    code, out, _ = mmulbench(capsys, "data", "info", "gdpr")
    assert code == 0 and all(part in out for part in (info.about, info.terms, info.source, *info.layout))
    code, out, _ = mmulbench(capsys, "data", "check", "gdpr", "--data-dir", kept)
    assert code == 0 and "All is there." in out
    assert "4 sentences: in train, but what they are about is also in validation" in out
    code, out, _ = mmulbench(capsys, "data", "check", "gdpr", "--data-dir", kept, "--json")
    found = json.loads(out)
    assert code == 0 and found["complete"] and found["splits"]["train"]["pairs"] == 76
    assert len(found["sample"]) == 3 and "GEN0 + Syndrome 0 + " in found["sample"][0]


@pytest.mark.slow
def test_runs_from_files_to_record(kept, tmp_path, capsys):
    for record in quick_records(capsys, "gdpr", "gtnn:tiny", kept, tmp_path):
        assert record["spec"]["forget_size"] == 4
        assert record["values"]["test/f1"]["value"] is not None
