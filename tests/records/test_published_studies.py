"""The studies that come with mmulbench: whole, equal for all methods, and what the records were run with."""

from __future__ import annotations

import pytest

from mmulbench.core.registry import METHODS, TASKS
from mmulbench.core.search_space import search_space
from mmulbench.progress import Progress
from mmulbench.records.published import OWN_STUDIES
from mmulbench.records.store import ResultsStore
from mmulbench.records.study import EPOCHS, StaleStudy, Study, read_study, study_path, tuned_default
from mmulbench.runs.backbones import find_backbone
from mmulbench.tuning.session import DEFAULT_BUDGET, FEW_TRIALS, MANY_SETTINGS, MANY_TRIALS

TUNED = {"emoji": "albef:packaged", "hpo_pgr": "gtnn:packaged", "pgr": "gtnn:packaged"}

SEARCHED = [name for name in METHODS.names() if search_space(METHODS.get(name).Config)]


def studies(task: str) -> dict[str, Study]:
    found = {name: read_study(study_path(OWN_STUDIES, task, TUNED[task], name)) for name in SEARCHED}
    return {name: study for name, study in found.items() if study is not None}


@pytest.mark.parametrize("task", sorted(path.name for path in OWN_STUDIES.iterdir()))
class TestPublished:
    @pytest.mark.slow
    def test_every_method_had_the_same_chance(self, task, tmp_path):
        found = studies(task)
        assert {path.stem for path in (OWN_STUDIES / task).rglob("*.json")} == set(found)
        specs = [study.spec for study in found.values()]
        same = {(s.budget, s.utility_tolerance, s.seeds, s.check_seed, s.forget_size) for s in specs}
        assert len(same) == 1 and {spec.budget for spec in specs} == {DEFAULT_BUDGET}
        machines = {(s.environment.cpu, tuple(s.do_nothing)) for s in found.values()}  # see docs/records.md
        assert len(machines) == len({cpu for cpu, _ in machines})
        for study in found.values():
            settings = len(study.spec.space)
            wanted = MANY_TRIALS if settings >= MANY_SETTINGS else FEW_TRIALS
            assert len(study.trials) == (wanted if study.over_budget is None else 0)
        if task == "pgr":  # its corpus is not part of this repository
            records, _ = ResultsStore(OWN_STUDIES.parent.parent / "results").load_all(task)
            fingerprints = {record.spec.data_fingerprint for record in records}
        else:
            fingerprints = {TASKS.get(task)().load(tmp_path, Progress()).fingerprint}
        assert {s.spec.data_fingerprint for s in found.values()} == fingerprints

    def test_each_starts_from_the_methods_own_settings_and_keeps_the_best(self, task):
        for name, study in studies(task).items():
            config = METHODS.get(name).Config()
            assert study.spec.defaults == vars(config)
            assert set(study.spec.space) == set(search_space(type(config)))
            if study.over_budget is not None:
                assert METHODS.get(name).applies_to(TASKS.get(task)()) is None
                continue
            own = {key: value for key, value in study.trials[0].settings.items() if key != EPOCHS}
            assert own.items() <= study.spec.defaults.items()
            assert study.best is not None and study.check is not None, name
            done = [trial for trial in study.trials if trial.objective is not None]
            found = [study.spec.penalised(trial.by_seed, trial.lost) for trial in done]
            assert study.best == done[found.index(min(found))]

    def test_it_is_where_runs_start(self, task, tmp_path, monkeypatch):
        monkeypatch.delenv("MMULBENCH_STUDIES")
        own = TASKS.get(task)()
        for name, study in studies(task).items():
            default = METHODS.get(name).Config()
            stale: list[StaleStudy] = []
            found = tuned_default(own.study_places(task, TUNED[task]), name, default, tmp_path, stale.append)
            assert not stale and found is not None and found.tuning == study.tuning
            assert vars(found.config) == {**vars(default), **study.settings}

    def test_the_records_say_so(self, task):
        records, _ = ResultsStore(OWN_STUDIES.parent.parent / "results").load_all(task)
        by_method = studies(task)
        for record in records:
            if record.tuning is not None:  # an ablation has one setting of its own
                assert (
                    record.tuning.model_copy(update={"overridden": ()})
                    == by_method[record.spec.method].tuning
                )
                assert len(record.tuning.overridden) <= 1


@pytest.mark.parametrize("task", sorted(set(TASKS.names()) - set(TUNED)))
def test_other_tasks_name_the_nearest(task):
    cls = TASKS.get(task)
    assert cls.tuned_like in TUNED.items()
    nearest = TASKS.get(cls.tuned_like[0])()
    assert nearest.modalities == cls().modalities
    assert find_backbone(cls.tuned_like[1], nearest).full_name == cls.tuned_like[1]
