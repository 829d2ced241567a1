"""A method's code is known by the files of its class and of what that extends."""

from __future__ import annotations

import importlib
import sys

import pytest

from mmulbench.code_digest import source_digest


@pytest.fixture
def classes(tmp_path, monkeypatch):
    (tmp_path / "source_base.py").write_text("class Base:\n    pass\n")
    (tmp_path / "source_own.py").write_text("from source_base import Base\n\n\nclass Own(Base):\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("source_own").Own, tmp_path
    for name in ("source_own", "source_base"):
        del sys.modules[name]


def test_equal_code_has_one_digest_and_changed_code_another(classes):
    own, folder = classes
    seen = [source_digest(own)]
    assert source_digest(own) == seen[0]
    for name in ("source_own.py", "source_base.py"):
        with (folder / name).open("a") as file:
            file.write("# changed\n")
        seen.append(source_digest(own))
    assert len(set(seen)) == 3
    assert source_digest(own.__base__) != seen[-1]


def test_a_class_without_a_file_has_a_digest_too():
    assert source_digest(type("Typed", (), {"__module__": "nowhere"})) == source_digest(object)
