"""Tell from HPO's graph whether a gene's disease shows a phenotype."""

from __future__ import annotations

from mmulbench import OFFLINE_INSTALL, TASKS, DataInfo
from mmulbench.tasks._relations.hpo_files import hpo_file, read_disease_names, read_diseases
from mmulbench.tasks._relations.hpo_relation_task import HpoRelationTask, Subject, SubjectList


@TASKS.register("hpo_gdpr")
class HpoGdpr(HpoRelationTask):
    """Asks whether a gene's disease shows a phenotype.

    Items of the first modality are triples of a gene's, a disease's and a phenotype's node; the text is the
    phenotype's name and definition, by HPO's curators. Diseases are OMIM's: Orphanet lists many of them
    again, which would give answers away; of OMIM's with the same name one is kept. The few diseases with
    several genes stand with the alphabetically first.

    The graph holds the ontology's is_a, each disease's gene, and 60 % of all known phenotypes, both ways;
    relations that are asked for are never in it, whatever their split. Nodes carry names, a gene its symbol.

    Non-relations are sampled as in hpo_pgr: what the other pairs of its gene, its disease and its phenotype
    are tells nothing of a pair. Counting them tells a deleted pair's class with an AUC of .49, .49 and .49
    (forget sets of seeds 42, 87 and 21). None is a known relation or implied by one. 80 / 10 /
    10 % of the genes are train, validation and test, with all their diseases and all that is asked of these.

    With task.subjects, task.phenotypes and task.relations all 0, each of these diseases' 123,795 relations is
    either asked for or an edge.

    The forget unit is a gene-disease-phenotype triple, related or not. leaderboard.md has what methods reach
    on the task.
    """

    group = 3
    name = "hpo_gdpr"
    info = DataInfo(
        about="11,614 gene-disease-phenotype triples of the Human Phenotype Ontology, half of them known "
        "relations and half sampled non-relations, with curators' definitions and a graph of is_a and other "
        "relations.",
        terms="Free to use unaltered, with version and citation: release 2025-01-16, Köhler et al. "
        "docs/licences.md has the attribution.",
        source=OFFLINE_INSTALL,
        sizes={"train": (9_338, 9_338), "validation": (1_116, 1_116), "test": (1_160, 1_160)},
        unit="gene-disease-phenotype triple",
    )

    def subjects(self) -> SubjectList:
        """Read all diseases of OMIM, each with its first gene."""
        diseases = read_diseases(hpo_file("genes_to_phenotype.txt", self.name))
        names = read_disease_names(hpo_file("phenotype.hpoa", self.name))
        found, seen = [], set()
        for disease in sorted(diseases):
            name = names.get(disease, "").casefold()
            if disease.startswith("OMIM:") and name and name not in seen:
                gene = min(diseases[disease].genes)
                found.append(Subject(gene, (gene, disease), frozenset(diseases[disease].phenotypes)))
                seen.add(name)
        return SubjectList(found, {**{one.gene: one.gene for one in found}, **names})
