"""What a sweep file or options ask for."""

from __future__ import annotations

from typing import Any

import pytest

from mmulbench.core.registry import METHODS
from mmulbench.errors import MmulbenchError, UsageError
from mmulbench.runs.open_task import resolve
from mmulbench.runs.request import Request, RunOptions
from mmulbench.sweeps.grid import Job, checked_grid, given_grid, id_of_sweep


def jobs(**content: object) -> list:
    return checked_grid(content, "file").jobs()


def titles(**content: object) -> list[str]:
    return [job.title for job in jobs(**content)]


TWO = {"task": "emoji", "method": ["mmul", "scrub"]}


def test_every_task_with_every_method_backbone_seed_and_size():
    found = jobs(
        task=["a", "b"], method=["m", "n"], backbone=["x", "y"], seed=[1, 2, 3], forget_size=[5, 0.1]
    )
    assert len(found) == len({job.job_id for job in found}) == 2 * 2 * 2 * 3 * 2
    assert {job.forget_size for job in found} == {"5", "0.1"}


def test_one_value_needs_no_list_and_seed_42_is_the_default():
    assert titles(task="emoji", method="mmul") == ["mmul on emoji, seed 42"]


def test_a_run_that_is_asked_for_twice_is_made_once():
    assert len(jobs(task=["emoji", "emoji"], method="mmul", seed=[1, 1])) == 1


def test_several_variants_of_a_method_are_runs_of_their_own():
    found = jobs(**TWO, methods={"scrub": [{"alpha": 0.5, "lr": "1e-4"}, {"alpha": 1}]})
    assert [job.settings for job in found] == [
        (),
        ("scrub.alpha=0.5", "scrub.lr=1e-4"),
        ("scrub.alpha=1",),
    ]


def test_settings_of_one_method_do_not_reach_the_others():
    found = jobs(**TWO, set=["recipe.epochs=1", "scrub.alpha=2"])
    assert [job.settings for job in found] == [
        ("recipe.epochs=1",),
        ("recipe.epochs=1", "scrub.alpha=2"),
    ]


def test_a_methods_own_settings_come_before_general_ones():
    found = jobs(**TWO, set={"epochs": 3, "scrub.lr": 0.1}, methods={"scrub": {"epochs": 1, "lr": 0.2}})
    assert [job.settings for job in found] == [("epochs=3",), ("scrub.epochs=1", "scrub.lr=0.2")]


def test_settings_may_be_a_mapping():
    (job,) = jobs(task="emoji", method="mmul", set={"task.limit": 40, "flag": True, "lr": 1e-05})
    assert job.settings == ("task.limit=40", "flag=true", "lr=1e-05")


def test_exclude_leaves_out_what_agrees_with_all_that_it_names():
    found = titles(**TWO, seed=[1, 2], exclude=[{"method": "scrub", "seed": 2}])
    assert found == ["mmul on emoji, seed 1", "scrub on emoji, seed 1", "mmul on emoji, seed 2"]


def test_include_adds_grids_that_take_what_they_do_not_name_from_the_sweep():
    found = titles(
        **TWO,
        set=["recipe.epochs=1"],
        methods={"scrub": {"alpha": 2}},
        include=[{"method": "npo", "seed": [7, 8]}, {"forget_size": 9, "set": []}],
    )
    assert found == [
        "mmul on emoji, seed 42, recipe.epochs=1",
        "scrub on emoji, seed 42, recipe.epochs=1, scrub.alpha=2",
        "npo on emoji, seed 7, recipe.epochs=1",
        "npo on emoji, seed 8, recipe.epochs=1",
        "mmul on emoji, seed 42, forget size 9",
        "scrub on emoji, seed 42, forget size 9, scrub.alpha=2",
    ]


def test_only_leaves_what_agrees_with_all_that_it_names_of_added_runs_too():
    whole = {
        **TWO,
        "seed": [1, 2],
        "include": [{"method": "mmul", "backbone": ["clip:mini", "blip:mini"], "set": {"recipe.lr": 0.1}}],
    }
    assert titles(**whole, only={"backbone": "blip:mini", "seed": 2}) == [
        "mmul on emoji, blip:mini, seed 2, recipe.lr=0.1"
    ]
    assert len(titles(**whole, only={"method": ["mmul", "scrub"]})) == len(titles(**whole)) == 8


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            {**TWO, "only": {"method": "scrubb"}},
            "only: method scrubb is not in the sweep; did you mean scrub",
        ),
        ({**TWO, "only": {"backbone": "clip:mini"}}, "only: backbone clip:mini is not in the sweep"),
        (
            {**TWO, "only": {"metod": "scrub"}},
            "file: only.metod: there is no such field; did you mean method?",
        ),
        (
            {
                **TWO,
                "include": [{"seed": 7}],
                "exclude": [{"method": "mmul"}],
                "only": {"seed": 42, "method": "mmul"},
            },
            "only: no run of the sweep agrees with all that is named",
        ),
        ({}, "the sweep has no runs: name at least one task and one method"),
        ({"task": "emoji"}, "the sweep has no runs: name at least one task and one method"),
        ({**TWO, "exclude": [{}]}, "the sweep has no runs: name at least one task and one method"),
        ({**TWO, "exclude": [{"method": "scrubb"}]}, "scrubb is not in the sweep; did you mean scrub?"),
        ({**TWO, "methods": {"scrubb": {}}}, "methods: scrubb has settings but is no method of the sweep"),
        ({**TWO, "metod": "mmul"}, "file: unknown field 'metod'; did you mean method or methods"),
        ({**TWO, "seed": "1-3"}, "parse string as an integer, not 1-3"),
        ({**TWO, "set": {"recipe.lr": None}}, "file: set: recipe.lr must have a single value"),
        ({**TWO, "set": {"recipe.lr": [1, 2]}}, "file: set: recipe.lr must have a single value"),
        ({**TWO, "methods": {"mmul": {"lr": None}}}, "file: methods.mmul.0: lr must have a single value"),
        ({**TWO, "seed": -1}, "file: seed.0: input should be greater than or equal to 0"),
        ({**TWO, "method": [{"mmul": 1}]}, "file: method.0: input should be a valid string"),
        (
            {**TWO, "exclude": [{"metod": "x"}]},
            "file: exclude.0.metod: there is no such field; did you mean method?",
        ),
    ],
)
def test_what_is_wrong_is_named(content, message):
    with pytest.raises(UsageError, match=r"^[^\n]+$") as caught:
        jobs(**content)
    assert message in str(caught.value)


def test_options_take_the_place_of_the_files_fields(tmp_path):
    file = tmp_path / "sweep.yaml"
    file.write_text("task: emoji\nmethod: [mmul, scrub]\nseed: [1, 2]\nset:\n  epochs: 1\n")
    found = given_grid(file, {"seed": [5]}).jobs()
    assert [(job.method, job.seed, job.settings) for job in found] == [
        ("mmul", 5, ("epochs=1",)),
        ("scrub", 5, ("epochs=1",)),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"task: [emoji", "sweep.yaml is no YAML: "),
        (b"\xff\xfe\x00", "sweep.yaml is no YAML: "),
        (b"[" * 5000, "sweep.yaml is no YAML: "),
        (b"", "sweep.yaml is no sweep: it must name at least task and method"),
        (b"- emoji", "sweep.yaml is no sweep: it must name at least task and method"),
        (b"!!python/object/apply:os.system ['touch hacked']", "sweep.yaml is no YAML: "),
    ],
)
def test_a_file_that_is_no_sweep_is_refused(text, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "sweep.yaml"
    file.write_bytes(text)
    with pytest.raises(UsageError, match=r"^[^\n]+$") as caught:
        given_grid(file, {})
    assert message in str(caught.value)
    assert not (tmp_path / "hacked").exists()


def test_a_file_that_is_not_there_or_cannot_be_read(tmp_path):
    with pytest.raises(UsageError, match="there is no sweep file"):
        given_grid(tmp_path / "sweep.yaml", {})
    with pytest.raises(MmulbenchError, match=r"cannot read .*: Is a directory"):
        given_grid(tmp_path, {})


def test_the_same_request_is_the_same_sweep():
    one, other = jobs(**TWO), jobs(**TWO, seed=1)
    assert id_of_sweep(one, {"device": "cpu"}) == id_of_sweep(one, {"device": "cpu"})
    names = {
        id_of_sweep(one, {"device": "cpu"}),
        id_of_sweep(one, {"device": "auto"}),
        id_of_sweep(other, {}),
    }
    assert len(names) == 3


def test_a_job_stands_for_the_same_as_a_request_that_says_it():
    said: dict[str, Any] = {"task": "emoji", "forget_size": "5", "settings": ("lr=0.1", "recipe.epochs=2")}
    options = RunOptions(untuned=True)
    of_job = resolve(Job(method="scrub", seed=3, **said), options, tuned=False)
    of_request = resolve(Request(methods=("scrub",), **said), options, tuned=False)
    assert (
        (of_job.task_name, of_job.forget_size)
        == ("emoji", 5)
        == (of_request.task_name, of_request.forget_size)
    )
    assert of_job.recipe == of_request.recipe and of_job.recipe.epochs == 2
    assert of_job.methods["scrub"].config == of_request.methods["scrub"].config
    assert of_job.methods["scrub"].config != METHODS.get("scrub").Config()


def test_a_list_is_named_with_its_content_and_jobs_without_one_keep_their_ids(tmp_path):
    path = tmp_path / "ids"
    path.write_text("a\n")
    (plain,) = jobs(task="emoji", method="mmul")
    (listed,) = jobs(task="emoji", method="mmul", forget=str(path))
    (where,) = jobs(task="emoji", method="mmul", forget_where=["a == b"])
    assert plain.job_id == "f3f6776a6ced"
    assert listed.forget.startswith(f"{path}@") and len({plain.job_id, listed.job_id, where.job_id}) == 3
    path.write_text("b\n")
    (changed,) = jobs(task="emoji", method="mmul", forget=str(path))
    assert changed.job_id != listed.job_id
    assert "forget where a == b" in where.title
    with pytest.raises(UsageError, match="cannot be read"):
        jobs(task="emoji", method="mmul", forget=str(tmp_path / "missing"))
