"""Tell from HPO's graph whether a gene and a phenotype are related."""

from __future__ import annotations

from mmulbench import OFFLINE_INSTALL, TASKS, DataInfo
from mmulbench.tasks._relations.hpo_files import hpo_file, read_genes
from mmulbench.tasks._relations.hpo_relation_task import HpoRelationTask, Subject, SubjectList


@TASKS.register("hpo_pgr")
class HpoPgr(HpoRelationTask):
    """Asks whether a gene is related to a phenotype.

    Items of the first modality are pairs of a gene's and a phenotype's node; the text is the phenotype's name
    and definition, by HPO's curators. The graph holds the ontology's is_a and 60 % of all known relations,
    both ways; relations that are asked for are never in it, whatever their split. Nodes carry
    names: a gene its symbol, a phenotype its name.

    Non-relations are sampled: a fair coin says of each relation that is drawn whether it is asked for, or
    gives its gene and its phenotype to two non-relations. So how popular either is tells nothing, and neither
    does what is missing where pairs are deleted: counting relations and non-relations of a deleted pair's
    gene and phenotype tells its class with an AUC of .50, .53 and .52 (forget sets of seeds 42, 87 and 21).
    None is a known relation or implied by one; since
    no database is complete, some may be relations that nobody has found yet. 80 / 10 / 10 % of the genes are
    train, validation and test: all relations that are asked about a gene are in one split.

    With task.subjects, task.phenotypes and task.relations all 0, every gene-phenotype pair that HPO knows
    below Phenotypic abnormality is either asked for or an edge, none is both: 245,265 pairs, or 245,296 since
    the six genes without a symbol are told apart here, by NCBI's id. Two in five are asked for, each drawn
    on its own; a gene's only relation is an edge, and so are the 54 to Phenotypic abnormality itself, which
    every gene has and no non-relation can match.

    The forget unit is a gene-phenotype pair, related or not. leaderboard.md has what methods reach on the
    task.
    """

    group = 2
    name = "hpo_pgr"
    info = DataInfo(
        about="11,782 gene-phenotype pairs of the Human Phenotype Ontology, half of them known relations and "
        "half sampled non-relations, with curators' definitions and a graph of is_a and other relations.",
        terms="Free to use unaltered, with version and citation: release 2025-01-16, Köhler et al. "
        "docs/licences.md has the attribution.",
        source=OFFLINE_INSTALL,
        sizes={"train": (9_478, 9_478), "validation": (1_140, 1_140), "test": (1_164, 1_164)},
        unit="gene-phenotype pair",
    )

    def subjects(self) -> SubjectList:
        """Read all genes by symbol; where all take part, those without a symbol too."""
        file = hpo_file("genes_to_phenotype.txt", self.name)
        phenotypes = read_genes(file, unnamed=self.sizes.subjects == 0)
        found = [Subject(gene, (gene,), frozenset(phenotypes[gene])) for gene in sorted(phenotypes)]
        return SubjectList(found, {gene: gene for gene in phenotypes})
