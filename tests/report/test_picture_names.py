from __future__ import annotations

from standings import line, standing, texts

from mmulbench.report.picture_names import family_stems, picture_stems, pictures_of

KEY = standing().key


def test_names_say_task_backbone_and_forget_size():
    assert picture_stems([KEY]) == {KEY: "emoji-albef-packaged-64"}


def test_tables_that_differ_in_something_else_have_names_of_their_own():
    other = KEY._replace(metric_version="1")
    stems = picture_stems([KEY, other])
    assert len(set(stems.values())) == 2
    assert all(stem.startswith("emoji-albef-packaged-64-") for stem in stems.values())


def test_tables_that_differ_in_their_forget_size_alone_are_a_family_without_forget_lists():
    larger, other = KEY._replace(forget_size=128), KEY._replace(task="hpo_pgr")
    assert family_stems([KEY, larger, other, KEY._replace(forget="f" * 64)]) == {
        "emoji-albef-packaged": [KEY, larger],
        "hpo_pgr-albef-packaged": [other],
    }
    assert len(family_stems([KEY, larger._replace(metric_version="1")])) == 2


def test_only_pictures_that_are_there_are_shown(tmp_path):
    tables = texts(standing(line("a")), standing(line("a"), task="hpo_pgr"))
    assert pictures_of(tables, tmp_path) == {}
    path = tmp_path / "plots" / "emoji-albef-packaged-64-forgetting.png"
    path.parent.mkdir()
    path.touch()
    assert pictures_of(tables, tmp_path) == {KEY: path}
    assert pictures_of(tables, tmp_path, "paths") == {}
