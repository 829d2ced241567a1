"""Check that my_task reads what its folder holds, and keeps the contract of tasks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmulbench import TASKS, Progress, UsageError
from mmulbench.conformance.checks import Check, run_check
from mmulbench.conformance.task_checks import task_checks
from mmulbench.conformance.task_trial import TaskTrial, task_trial
from mmulbench.core.plugins import load_plugins  # plug-in

load_plugins([Path(__file__).with_name("my_task.py")])  # plug-in
SPLITS = ("train", "train", "validation", "test")


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> TaskTrial:
    """Load the task on forty noise images with two captions each; some begin with a quotation mark."""
    data_dir = tmp_path_factory.mktemp("data")
    folder = data_dir / "my_task"
    folder.mkdir()
    rng = np.random.default_rng(0)
    lines = ["image\tcaption\tsplit"]
    for index in range(40):
        Image.fromarray(rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)).save(folder / f"{index}.png")
        split = SPLITS[index % len(SPLITS)]
        lines += [f'{index}.png\t"picture" number {index}\t{split}', f"{index}.png\t{index} again\t{split}"]
    (folder / "captions.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8-sig")
    return task_trial("my_task", data_dir, Progress())


@pytest.mark.parametrize("check", task_checks(), ids=str)
def test_holds_to_the_contract(check: Check, trial: TaskTrial) -> None:
    """Run one check of the contract on the noise images."""
    outcome = run_check(check, [trial])
    if outcome.status == "skipped":
        pytest.skip(outcome.reason)
    assert outcome.status in ("passed", "noted"), outcome.reason


def test_counts(trial: TaskTrial) -> None:
    """Find a unit for every image, and a pair for every line."""
    found = {name: (len(split.units), len(split)) for name, split in trial.splits.items()}
    assert found == {"train": (20, 40), "validation": (10, 20), "test": (10, 20)}


def test_says_what_is_missing(tmp_path: Path) -> None:
    """Name the missing file in one line."""
    with pytest.raises(UsageError, match=r"captions\.tsv"):
        TASKS.get("my_task")().load(tmp_path, Progress())


def test_says_which_line_is_wrong(tmp_path: Path) -> None:
    """Name the line whose split is none."""
    (tmp_path / "my_task").mkdir()
    (tmp_path / "my_task" / "captions.tsv").write_text("image\tcaption\tsplit\na.png\ta\tdev\n")
    with pytest.raises(UsageError, match=r"captions\.tsv:2: needs image, caption and split"):
        TASKS.get("my_task")().load(tmp_path, Progress())
