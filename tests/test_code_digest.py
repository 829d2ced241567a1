"""Code is known by what it says, with what it imports beside it; not by comments and docstrings."""

from __future__ import annotations

import os
import sys

import pytest

from mmulbench.code_digest import code_digest
from mmulbench.errors import MmulbenchError

METHOD = '''"""Say what it is."""

from mmulbench import Method
from my_digest_package import other
from my_digest_package.parts.weights import WEIGHT
from .helper import helped


class Own(Method):
    """Do it."""

    def loss(self):
        """Return it."""
        return WEIGHT * helped()  # the formula
'''


@pytest.fixture
def package(tmp_path, monkeypatch):
    root = tmp_path / "my_digest_package"
    (root / "parts").mkdir(parents=True)
    for name, text in {
        "__init__.py": "",
        "method.py": METHOD,
        "helper.py": "from . import far\n\n\ndef helped():\n    return 1\n",
        "far.py": "FAR = 1\n",
        "other.py": "OTHER = 1\n",
        "unused.py": "UNUSED = 1\n",
        "parts/__init__.py": "",
        "parts/weights.py": "WEIGHT = 2\n",
    }.items():
        (root / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    yield root
    for name in [name for name in sys.modules if name.partition(".")[0] == root.name]:
        del sys.modules[name]


def edited(path, old: str, new: str) -> str:
    """Return the digest of the package's method after an edit, which is undone."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    try:
        return code_digest("my_digest_package.method")
    finally:
        path.write_text(text)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("method.py", "WEIGHT * helped()", "helped() - WEIGHT"),
        ("helper.py", "return 1", "return 3"),
        ("far.py", "FAR = 1", "FAR = 2"),
        ("other.py", "OTHER = 1", "OTHER = 2"),
        ("parts/weights.py", "WEIGHT = 2", "WEIGHT = 2.5"),
    ],
)
def test_other_code_has_another_digest(package, file, old, new):
    before = code_digest("my_digest_package.method")
    assert len(before) == 16
    assert edited(package / file, old, new) != before
    assert code_digest("my_digest_package.method") == before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("method.py", "Say what it is.", "Say\n\nwhat it was."),
        ("method.py", "    def loss", "\n\n    def loss"),
        ("method.py", "# the formula", "# not the formula"),
        ("method.py", '        """Return it."""\n', ""),
        ("unused.py", "UNUSED = 1", "UNUSED = 2"),
    ],
)
def test_what_computes_nothing_does_not_count(package, file, old, new):
    assert edited(package / file, old, new) == code_digest("my_digest_package.method")


def test_what_stands_beside_a_docstring_counts(package):
    digests = [
        edited(package / "helper.py", "def helped():\n    return 1", f"def helped(): 'Help.'; return {value}")
        for value in (1, 2)
    ]
    assert digests[0] != digests[1]


def test_an_edit_that_keeps_size_and_time_is_noticed(package):
    file = package / "far.py"
    times, before = file.stat(), code_digest("my_digest_package.method")
    file.write_text("FAR = 2\n")
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert file.stat().st_size == times.st_size
    assert code_digest("my_digest_package.method") != before


def test_nothing_is_imported_to_be_read(package):
    (package / "method.py").write_text(METHOD + "\nraise RuntimeError\n")
    code_digest("my_digest_package.method")
    assert not [name for name in sys.modules if name.startswith("my_digest_package")]


def test_a_built_in_method_is_known_with_its_helpers_but_not_with_the_engine(monkeypatch):
    from mmulbench import code_digest as module

    seen: list[str] = []
    parsed = module._parsed
    monkeypatch.setattr(
        module, "_parsed", lambda path, when, name: seen.append(name) or parsed(path, when, name)
    )
    code_digest("mmulbench.methods.mmul")
    assert "mmulbench.methods.mmul" in seen
    assert all(name.startswith(module.OWN_ROOMS) for name in seen)
    seen.clear()
    code_digest("mmulbench.backbones.albef")
    assert {"mmulbench.backbones._encoders", "mmulbench.backbones._aligned_retrieval"} <= set(seen)


def test_a_module_without_a_file_has_a_digest_too():
    assert code_digest("nowhere") == code_digest("builtins")


def test_what_is_no_python_is_named(package):
    (package / "far.py").write_text("FAR = (\n")
    with pytest.raises(MmulbenchError, match=r"far\.py cannot be read"):
        code_digest("my_digest_package.method")
