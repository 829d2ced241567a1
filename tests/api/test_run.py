"""`mmulbench.run`: what the command line does, called from Python."""

from __future__ import annotations

import json
import os
from typing import Any

import forks
import pytest

import mmulbench

SETTINGS = {"task.limit": 60, "recipe.epochs": 1, "epochs": 1}
SMALL: dict[str, Any] = {"backbone": "albef:tiny", "settings": SETTINGS}

PLUGIN = '''
"""Leave the original as it is."""
from mmulbench import METHODS, Method

@METHODS.register("idle")
class Idle(Method):
    """f(x) = f(x)."""

    def unlearn(self, problem):
        """Return a copy of the original."""
        return problem.copy_of_original()
'''


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("api")
    return {"results_dir": root / "results", "cache_dir": root / "cache", "tuned_dir": root / "tuned"}


@pytest.fixture(scope="module")
def result(folders):
    return mmulbench.run("finetune", "emoji", progress=False, **SMALL, **folders)


def test_one_run_gives_its_record(result, folders):
    assert isinstance(result, mmulbench.RunResult)
    assert (result.status, result.spec.method, result.spec.seed) == ("done", "finetune", 42)
    (path,) = folders["results_dir"].rglob("*.json")
    assert json.loads(path.read_text()) == result.model_dump(mode="json")


def test_the_command_line_finds_the_same_record(result, folders, tmp_path):
    options = [f"--{name.replace('_', '-')}={folder}" for name, folder in folders.items()]
    items = [f"--set={key}={value}" for key, value in SMALL["settings"].items()]
    words = ["run", "-m", "finetune", "-t", "emoji", "-b", "albef:tiny", *items, *options, "--json"]
    environment = {**os.environ, "PYTHONPATH": str(forks.ROOT)}
    done = forks.python(tmp_path, environment, "-m", "mmulbench", *words)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [result.model_dump(mode="json")]
    assert "found the record of this run" in done.stderr


def test_the_model_of_a_run_is_written_also_when_its_record_is_found(result, folders, tmp_path):
    again = mmulbench.run(
        "finetune", "emoji", progress=False, save_model=tmp_path / "model", **SMALL, **folders
    )
    assert again == result
    assert json.loads((tmp_path / "model" / "mmulbench.json").read_text())["card"]["record"] == result.run_id
    with pytest.raises(mmulbench.UsageError, match="is there already"):
        mmulbench.run("finetune", "emoji", progress=False, save_model=tmp_path, **SMALL, **folders)


def test_what_the_record_says_makes_it_again(result):
    assert "--set recipe.epochs=1" in result.command
    assert "--backbone albef:tiny" in result.command


def test_several_methods_or_seeds_give_a_list_seed_by_seed(result, folders):
    found = mmulbench.run(
        ["finetune", "neggrad_plus"], "emoji", seed=[42, 1], progress=False, **SMALL, **folders
    )
    assert [(one.spec.seed, one.spec.method) for one in found] == [
        (42, "finetune"),
        (42, "neggrad_plus"),
        (1, "finetune"),
        (1, "neggrad_plus"),
    ]
    assert found[0] == result
    assert mmulbench.run(["finetune"], "emoji", progress=False, **SMALL, **folders) == [result]


def test_a_plugin_is_run_and_named_in_the_record(folders, tmp_path):
    path = tmp_path / "idle.py"
    path.write_text(PLUGIN)
    given = {**SMALL, "settings": {"task.limit": 60, "recipe.epochs": 1}}
    found = mmulbench.run("idle", "emoji", plugins=[str(path)], progress=False, **given, **folders)
    assert set(found.spec.plugins) == {"idle"}


def test_a_method_without_a_file_is_refused(folders):
    @mmulbench.METHODS.register("typed_in")
    class TypedIn(mmulbench.Method):
        """f(x) = f(x)."""

        def unlearn(self, problem):
            return problem.copy_of_original()

    try:
        with pytest.raises(mmulbench.UsageError, match="write it to a file and pass plugins"):
            mmulbench.run("typed_in", "emoji", **SMALL, **folders)
    finally:
        mmulbench.METHODS.discard("typed_in")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"method": "finetun"}, "did you mean finetune"),
        ({"task": "emojis"}, "did you mean emoji"),
        ({"seed": -1}, "negative"),
        ({"forget_size": 1.5}, "forget size 1.5 is out of range"),
        ({"settings": {"epochs": "many"}}, "valid integer"),
        ({"overwrite": "sometimes"}, "overwrite: Input should be 'never', 'failed' or 'always'"),
        ({"device": "gpu"}, "unknown"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_wrong_use_is_one_kind_of_exception_with_one_line(folders, changed, said):
    given: dict[str, Any] = {"method": "finetune", "task": "emoji", **SMALL, **folders, **changed}
    with pytest.raises(mmulbench.UsageError, match=said) as caught:
        mmulbench.run(**given)
    assert "\n" not in str(caught.value)


def test_a_diverging_run_is_returned_not_raised(folders):
    wild = {**SMALL, "settings": {**SMALL["settings"], "lr": 1e30}}
    found = mmulbench.run("gradient_ascent", "emoji", progress=False, **wild, **folders)
    assert found.status == "diverged" and found.reason
