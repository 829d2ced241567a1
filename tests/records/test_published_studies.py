"""The studies that come with mmulbench: whole, equal for all methods, and what the records were run with."""

from __future__ import annotations

import pytest

from mmulbench.core.registry import METHODS, TASKS
from mmulbench.core.search_space import search_space
from mmulbench.progress import Progress
from mmulbench.records.published import PUBLISHED_STUDIES
from mmulbench.records.store import ResultsStore
from mmulbench.records.study import read_study, study_path, tuned_default
from mmulbench.runs.prepare import find_backbone

TUNED = {"emoji": "albef:packaged", "hpo_pgr": "gtnn:packaged"}

TOO_DEAR = {"hpo_pgr": {"fisher", "ssd"}}
"""Methods that spend more than retraining in every trial, so that they keep their own settings."""

SEARCHED = [name for name in METHODS.names() if search_space(METHODS.get(name).Config)]


def studies(task: str):
    applicable = [name for name in SEARCHED if METHODS.get(name).applies_to(TASKS.get(task)()) is None]
    return {name: read_study(study_path(PUBLISHED_STUDIES, task, TUNED[task], name)) for name in applicable}


@pytest.mark.skipif(not PUBLISHED_STUDIES.is_dir(), reason="no study at these versions yet")
@pytest.mark.parametrize("task", TUNED)
class TestPublished:
    @pytest.mark.slow
    def test_every_method_that_applies_had_the_same_chance(self, task, tmp_path):
        found = studies(task)
        assert all(found.values()), [name for name, study in found.items() if study is None]
        chances = {
            (len(s.trials), s.spec.budget, s.spec.seeds, s.spec.forget_size, s.spec.backbone)
            for s in found.values()
        }
        assert len(chances) == 1
        data = TASKS.get(task)().load(tmp_path, Progress())
        assert {s.spec.data_fingerprint for s in found.values()} == {data.fingerprint}
        assert {path.stem for path in (PUBLISHED_STUDIES / task).rglob("*.json")} == set(found)

    def test_each_starts_from_the_methods_own_settings_and_keeps_the_best(self, task):
        for name, study in studies(task).items():
            config = METHODS.get(name).Config()
            assert study.spec.defaults == vars(config)
            assert set(study.spec.space) == set(search_space(type(config)))
            assert study.trials[0].settings.items() <= study.spec.defaults.items()
            if name in TOO_DEAR.get(task, ()):
                assert {trial.state for trial in study.trials} == {"over_budget"}
                continue
            assert study.best is not None, name
            assert study.best.objective <= min(t.objective for t in study.trials if t.objective is not None)

    def test_it_is_where_runs_start(self, task, tmp_path):
        own = TASKS.get(task)()
        for name, study in studies(task).items():
            default = METHODS.get(name).Config()
            found = tuned_default(own.study_places(task, TUNED[task]), name, default, tmp_path)
            assert found is not None and found.tuning.study_id == study.spec.study_id
            assert vars(found.config) == {**vars(default), **study.settings}

    def test_the_records_say_so(self, task):
        records, _ = ResultsStore(PUBLISHED_STUDIES.parent.parent / "results").load_all(task)
        by_method = {name: study.spec.study_id for name, study in studies(task).items()}
        tuned = {r.spec.method for r in records if r.tuning is not None}
        assert tuned == set(by_method)
        for record in records:
            if record.tuning is not None:
                assert record.tuning.study_id == by_method[record.spec.method]


@pytest.mark.parametrize("task", sorted(set(TASKS.names()) - set(TUNED)))
def test_other_tasks_name_the_nearest(task):
    cls = TASKS.get(task)
    assert cls.tuned_like in TUNED.items()
    nearest = TASKS.get(cls.tuned_like[0])()
    assert nearest.modalities == cls().modalities
    assert find_backbone(cls.tuned_like[1], nearest).full_name == cls.tuned_like[1]
