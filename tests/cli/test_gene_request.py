"""A request to forget genes, from end to end, on PGR: on a miniature of its layout, or on the real corpus.

The corpus is not shipped. Where it is on disk, in a folder ``pgr`` as `mmulbench data check pgr` wants it,
name the folder above it: ``MMULBENCH_TEST_DATA=data pytest tests/cli/test_gene_request.py``.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import pytest
import relation_miniatures as miniatures
from helpers import Bench

from mmulbench.core.registry import TASKS
from mmulbench.progress import Progress

SHORT = ["--set", "recipe.epochs=2", "--set", "mmul.epochs=1", "--device", "cpu", "--untuned"]
TINY = ["-b", "gtnn:tiny"]
GENES = 4


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """The folder of the corpus, or of its miniature."""
    if place := os.environ.get("MMULBENCH_TEST_DATA"):
        return Path(place).resolve()
    return miniatures.write_all(tmp_path_factory.mktemp("miniature") / "data")


def frequent_genes(data: Path) -> list[str]:
    """The genes that most training pairs name, less than a quarter of all together."""
    loaded = TASKS.get("pgr")().load(data, Progress())
    names, groups = loaded.items["graph"].texts, loaded.items["graph"].groups
    assert names is not None and groups is not None
    found = Counter(names[groups[unit][0]] for unit in loaded.train.first)
    chosen, total = [], 0
    for gene, count in found.most_common():
        if len(chosen) < GENES and total + count <= len(loaded.train) / 4:
            chosen.append(gene)
            total += count
    return chosen


@pytest.mark.slow
def test_genes_are_forgotten_and_the_model_is_judged_alike_from_outside(data, tmp_path):
    bench = Bench(tmp_path)
    genes = frequent_genes(data)
    assert genes
    (tmp_path / "genes.txt").write_text("".join(f"{gene}\n" for gene in genes))
    asked = ["-t", "pgr", "--data-dir", str(data), "--forget", str(tmp_path / "genes.txt"), *TINY]
    made = bench.run("run", "-m", "mmul", *asked, *SHORT, "--save-model", str(tmp_path / "model"), "--json")
    assert made.code == 0, made.err
    (record,) = made.records
    assert record.status == "done", record.reason
    loaded = TASKS.get("pgr")().load(data, Progress())
    names, groups = loaded.items["graph"].texts, loaded.items["graph"].groups
    assert names is not None and groups is not None
    units = {unit for unit in loaded.train.units if any(names[node] in genes for node in groups[unit])}
    assert record.spec.forget_size == len(units)
    assert not any(gene in json.dumps(record.spec.model_dump(mode="json")) for gene in genes)

    words = ["evaluate", str(tmp_path / "model"), "--name", "from_outside", *asked, *SHORT[:2], *SHORT[4:6]]
    judged = bench.run(*words, "--json")
    assert judged.code == 0, judged.err
    assert json.loads(judged.out)["values"] == json.loads(record.model_dump_json())["values"]
