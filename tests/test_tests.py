"""The tests of a module are found by its name, and what the hooks of the tests name is there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from sets_of_tests import SERIAL, SLOW, SPREAD, TESTS, in_any

PACKAGE = TESTS.parent / "mmulbench"

TESTED_BY = {
    "api/test_run.py": ["api/progress"],
    "audit/test_contents.py": ["audit/items", "audit/rankings"],
    "backbones/test_albef.py": [
        "backbones/_aligned_retrieval",
        "backbones/_encoder_sizes",
        "backbones/_encoders",
        "backbones/_packaged_encoders",
    ],
    "backbones/test_albef_checkpoint.py": ["backbones/_albef_config", "backbones/_pretrained/albef_layout"],
    "backbones/test_blip.py": ["backbones/_blip_models"],
    "backbones/test_clip.py": ["backbones/_clip_models", "backbones/_pixels"],
    "backbones/test_pretrained.py": [
        "backbones/_checkpoint_backbone",
        "backbones/_pretrained/transformers_checkpoint",
        "backbones/_pretrained/foreign_files",
        "backbones/_pretrained/checkpoint_names",
    ],
    "backbones/test_vilt.py": ["backbones/_vilt_models"],
    "cache/test_blockwise.py": ["cache/block_layout"],
    "cli/test_bad_input.py": ["cli/options"],
    "cli/test_check.py": ["conformance/report", "conformance/tiny_problems", "conformance/tiny_tasks"],
    "cli/test_commands.py": ["__main__", "cli/app", "cli/list_output", "runs/session"],
    "cli/test_leaderboard_output.py": ["cli/leaderboard"],
    "cli/test_data_check.py": ["core/data_info"],
    "cli/test_evaluate.py": ["cli/export", "handover/again", "runs/outside"],
    "cli/test_new.py": ["authoring/scaffold", "cli/author"],
    "cli/test_processes.py": ["cli/launch", "cli/process"],
    "cli/test_sweep_commands.py": ["cli/sweep", "sweeps/__main__"],
    "cli/test_tune.py": ["cli/tune_output", "tuning/session"],
    "core/test_model.py": ["core/backbone"],
    "core/test_registry.py": ["core/descriptions"],
    "conformance/test_backbone_checks.py": ["conformance/backbone_trial"],
    "conformance/test_method_checks.py": [
        "conformance/checks",
        "conformance/global_randomness",
        "conformance/method_trial",
    ],
    "conformance/test_task_checks.py": ["conformance/task_trial"],
    "conformance/test_metric_checks.py": ["conformance/planted_models"],
    "evaluation/test_measure.py": ["evaluation/pair_losses"],
    "evaluation/test_retrieval.py": ["core/encoding"],
    "evaluation/test_values.py": ["core/metric", "core/observations", "metrics/catalogue/"],
    "methods/test_boundary.py": ["methods/boundary_expand", "methods/boundary_shrink"],
    "methods/test_cf_k.py": ["methods/_blocks", "methods/eu_k"],
    "methods/test_counterfactual.py": ["methods/_confidence"],
    "methods/test_gnndelete.py": ["methods/_deletion"],
    "methods/test_l_codec.py": ["methods/_codec", "methods/_slices"],
    "methods/test_methods_contract.py": ["methods/erm_ktp", "methods/unsir"],
    "methods/test_random_label.py": ["methods/_relabel"],
    "methods/test_scrub.py": ["methods/_paths"],
    "metrics/test_utility.py": ["metrics/classification"],
    "api/test_tables.py": ["records/group_key", "report/kept_tables"],
    "records/test_published_records.py": ["records/schema"],
    "records/test_published_studies.py": ["records/published"],
    "report/test_leaderboard.py": ["report/columns", "report/page"],
    "report/test_plots.py": ["report/style"],
    "runs/test_pipeline.py": [
        "records/environment",
        "runs/open_task",
        "runs/outcome",
        "runs/references",
        "runs/unlearn",
    ],
    "runs/test_shadow_models.py": ["evaluation/population_values"],
    "selftest/test_expectations.py": ["selftest/row", "selftest/shadow_rows"],
    "sweeps/test_choose_executor.py": ["sweeps/debug", "sweeps/executor"],
    "validity/test_index.py": ["validity/known"],
    "tasks/test_emoji.py": ["tasks/_pictures/picture_task", "tasks/_pictures/twemoji"],
    "tasks/test_gdpr_hostile.py": ["tasks/_relations/relation_files"],
    "tasks/test_hpo_pgr.py": ["tasks/_relations/hpo_relation_task"],
    "tasks/test_official.py": [
        "tasks/_official/caption_task",
        "tasks/_official/data_folder_task",
        "tasks/_official/image_text_task",
        "tasks/coco",
        "tasks/flickr30k",
        "tasks/nlvr2",
        "tasks/snli_ve",
    ],
    "tasks/test_official_hostile.py": ["tasks/_official/json_files"],
    "tasks/test_pgr.py": ["tasks/_relations/relation_graph", "tasks/_relations/relation_task"],
    "tasks/test_tasks_contract.py": ["core/task"],
}
"""Modules, or folders of them, without a test file of their own, by the file that tests them.

The list may only shrink: a new module gets a test file of its name.
"""

ELSEWHERE = [entry for entries in TESTED_BY.values() for entry in entries]


def modules() -> list[str]:
    """Every module of mmulbench with its folder, such as ``core/data``; those of templates are none."""
    found = []
    for folder, _, names in os.walk(PACKAGE, followlinks=True):
        room = Path(folder).relative_to(PACKAGE)
        if "templates" not in room.parts:
            found += [
                str(room / name[:-3]) for name in names if name.endswith(".py") and name != "__init__.py"
            ]
    return sorted(found)


def has_own_test(module: str) -> bool:
    path = Path(module)
    name = f"test_{path.name.lstrip('_')}.py"
    return any((TESTS / folder / name).is_file() for folder in {path.parent, Path(*path.parts[:-1][:1])})


def named_elsewhere(module: str) -> list[str]:
    """The entry of a module, or of its folder."""
    return [
        entry for entry in ELSEWHERE if module == entry or (entry.endswith("/") and module.startswith(entry))
    ]


def test_every_module_has_a_test_of_its_name_or_says_where_it_is_tested():
    lost = [one for one in modules() if not has_own_test(one) and not named_elsewhere(one)]
    assert not lost


def test_what_is_said_to_be_elsewhere_has_no_test_of_its_name():
    superfluous = [one for one in modules() if has_own_test(one) and one in ELSEWHERE]
    assert not superfluous
    unused = [entry for entry in ELSEWHERE if not any(entry in named_elsewhere(one) for one in modules())]
    assert not unused


@pytest.mark.parametrize("name", TESTED_BY)
def test_the_file_that_tests_it_is_there(name):
    assert (TESTS / name).is_file()


def test_what_the_hooks_name_is_there():
    files = [str(path.relative_to(TESTS)) for path in TESTS.rglob("test_*.py")]
    named = {*SLOW, *SPREAD, *(name for names in SERIAL.values() for name in names)}
    assert [name for name in named if not any(in_any(file, (name,)) for file in files)] == []
