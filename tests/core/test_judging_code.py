"""The digest of what judges changes with the code, and there is none of code that cannot be known."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmulbench.core import judging_code as module
from mmulbench.core.judging_code import judging_code
from mmulbench.core.method import Method
from mmulbench.core.plugins import load_plugins
from mmulbench.core.registry import METHODS

PACKAGE = Path(module.__file__).resolve().parents[1]
PLUGIN = """
from mmulbench import METHODS, Method

@METHODS.register("mine")
class Mine(Method):
    \"\"\"Does {what}.\"\"\"
"""


def test_it_is_the_same_while_nothing_changes():
    assert judging_code() == judging_code() is not None


def test_all_rooms_count_and_methods_and_tasks():
    files = module._own_files()
    places = {Path(path).resolve() for path in files.values()}
    for name in ("validity/parts.py", "metrics/catalogue/mia.py", "methods/mmul.py", "tasks/emoji.py"):
        assert (PACKAGE / name).resolve() in places


def test_a_changed_and_a_new_file_make_another(monkeypatch, tmp_path):
    before = judging_code()
    files = module._own_files()
    name, path = next((name, path) for name, path in files.items() if name.endswith("validity/parts.py"))
    changed = tmp_path / "parts.py"
    changed.write_text(Path(path).read_text() + "\nX = 1\n")
    found = set()
    for other in ({**files, name: str(changed)}, {**files, "mmulbench/new.py": str(changed)}):
        monkeypatch.setattr(module, "_own_files", lambda other=other: other)
        found.add(judging_code())
    assert len({before, *found, None}) == 4


def test_plug_ins_count_by_their_content(tmp_path):
    found = {judging_code()}
    for what in ("this", "that"):
        (tmp_path / "mine.py").write_text(PLUGIN.format(what=what))
        load_plugins([tmp_path / "mine.py"])
        found.add(judging_code())
    assert len(found) == 3 and None not in found


@pytest.fixture
def by_hand():
    METHODS.register("by_hand")(type("ByHand", (Method,), {"__module__": __name__}))
    yield
    METHODS.discard("by_hand")


@pytest.mark.usefixtures("by_hand")
def test_there_is_none_of_what_is_registered_by_hand():
    assert judging_code() is None
