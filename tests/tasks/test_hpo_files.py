"""HPO's files are read as they are, and damage is named by file and line."""

from __future__ import annotations

import re

import pytest

from mmulbench.errors import MmulbenchError
from mmulbench.tasks._relations.hpo_files import (
    read_disease_names,
    read_diseases,
    read_genes,
    read_terms,
)
from mmulbench.tasks._relations.ontology import Term

OBO = """format-version: 1.2

[Term]
id: HP:0000001
name: All

[Term]
id: HP:0000118
name: Phenotypic abnormality
is_a: HP:0000001 ! All

[Term]
id: HP:0000002
name: Abnormality of height
def: "Said to be \\"odd\\",  or not." [https://x]
is_a: HP:0000118 ! Phenotypic abnormality
is_a: HP:0000001 {source="x"} ! All

[Term]
id: HP:0000003
name: Gone
is_obsolete: true

[Typedef]
id: part_of
name: part of
"""


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["unix", "windows"])
def test_terms_are_read_as_they_are(tmp_path, end):
    file = tmp_path / "hp.obo"
    file.write_bytes(OBO.replace("\n", end).encode())
    assert read_terms(file) == {
        "HP:0000001": Term("All", "", ()),
        "HP:0000118": Term("Phenotypic abnormality", "", ("HP:0000001",)),
        "HP:0000002": Term(
            "Abnormality of height", 'Said to be "odd", or not.', ("HP:0000118", "HP:0000001")
        ),
    }


@pytest.mark.parametrize(
    ("line", "damage"), [(4, "id: nonsense"), (5, "no colon here"), (13, "is_a: HP:12 ! short"), (5, "\xff")]
)
def test_damaged_terms_are_named_by_file_and_line(tmp_path, line, damage):
    lines = OBO.split("\n")
    lines[line - 1] = damage
    file = tmp_path / "hp.obo"
    file.write_bytes("\n".join(lines).encode("latin-1"))
    place = f"{file}: not UTF-8" if damage == "\xff" else f"{file}:{line}: not a line of an OBO file"
    with pytest.raises(MmulbenchError, match=re.escape(place)):
        read_terms(file)


LINE = "10\tNAT2\tHP:0000007\tSome name\t-\tOMIM:1"


@pytest.mark.parametrize(
    "damage",
    ["10", "10\tNAT2", LINE.replace("NAT2", ""), LINE.replace("HP:0000007", "HP:7"), LINE.replace("\t", ",")],
)
def test_damaged_annotations_are_named_by_file_and_line(tmp_path, damage):
    file = tmp_path / "genes.txt"
    file.write_text(f"header\n{LINE}\n{damage}\n", encoding="utf-8")
    for read in (read_genes, read_diseases):
        with pytest.raises(MmulbenchError, match=re.escape(f"{file}:3: needs gene id, symbol")):
            read(file)


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["unix", "windows"])
def test_annotations_are_gathered_by_gene_and_by_disease(tmp_path, end):
    other = LINE.replace("NAT2", "A").replace("0007", "0008")
    file = tmp_path / "genes.txt"
    lines = [LINE, LINE, other, other.replace("OMIM:1", "OMIM:2"), LINE.replace("NAT2", "-"), ""]
    file.write_bytes(end.join(["header", *lines]).encode())
    assert read_genes(file) == {"NAT2": {"HP:0000007"}, "A": {"HP:0000008"}}
    assert read_diseases(file) == {
        "OMIM:1": ({"NAT2", "A"}, {"HP:0000007", "HP:0000008"}),
        "OMIM:2": ({"A"}, {"HP:0000008"}),
    }


def test_genes_without_a_symbol_are_told_apart_by_their_ids(tmp_path):
    file = tmp_path / "genes.txt"
    other = LINE.replace("10\t", "11\t").replace("0007", "0008")
    lines = [LINE, *(one.replace("NAT2", "-") for one in (LINE, other))]
    file.write_text("\n".join(["header", *lines]), encoding="utf-8")
    assert read_genes(file) == {"NAT2": {"HP:0000007"}}
    assert read_genes(file, unnamed=True) == {
        "NAT2": {"HP:0000007"},
        "NCBI gene 10": {"HP:0000007"},
        "NCBI gene 11": {"HP:0000008"},
    }


def test_disease_names(tmp_path):
    file = tmp_path / "phenotype.hpoa"
    lines = ["#version: x", "database_id\tdisease_name\t", "OMIM:1\tB\t", "OMIM:1\tA\tNOT", "D:2\tC\t\tx"]
    file.write_text("\n".join(lines), encoding="utf-8")
    assert read_disease_names(file) == {"OMIM:1": "A", "D:2": "C"}
    file.write_text("\n".join(lines), encoding="utf-8-sig")
    assert read_disease_names(file) == {"OMIM:1": "A", "D:2": "C"}
    file.write_text("\n".join([*lines, "OMIM:3\t\tx"]), encoding="utf-8")
    with pytest.raises(MmulbenchError, match=re.escape(f"{file}:6: needs disease id and name")):
        read_disease_names(file)


def test_an_endless_line_is_refused(tmp_path):
    file = tmp_path / "genes.txt"
    file.write_text("header\n" + "x" * 3_000_000, encoding="utf-8")
    with pytest.raises(MmulbenchError, match=re.escape(f"{file}:2: longer than")):
        read_genes(file)
