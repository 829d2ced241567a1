"""Plug-in files: loading, loading again, and every way in which one can be wrong."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from mmulbench.core import plugins
from mmulbench.core.plugins import load_plugins, plugin_of, plugins_of_run
from mmulbench.core.registry import BACKBONES, METHODS, TASKS
from mmulbench.defaults import plugin_files
from mmulbench.errors import MmulbenchError, UsageError

METHOD = '''"""A file of methods."""
from dataclasses import dataclass
from mmulbench.core.method import Method
from mmulbench.core.registry import METHODS


@METHODS.register("{name}")
class Scrubber(Method):
    """{line}

    More of it.
    """

    @dataclass(frozen=True)
    class Config:
        """Settings."""

        weight: float = 1.0

    def unlearn(self, problem):
        """The original as it is."""
        return problem.copy_of_original()
'''
TASK = '''
from mmulbench.core.registry import TASKS
from mmulbench.tasks.emoji import Emoji


@TASKS.register("{name}")
class Mine(Emoji):
    """A task of mine."""
'''


@pytest.fixture
def write(tmp_path):
    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return write


def method(name: str = "scrubber", line: str = "Scrubs.") -> str:
    return METHOD.format(name=name, line=line)


def refused(path: Path, kind: type[MmulbenchError]) -> str:
    """The message about a file, which must leave no trace."""
    before = METHODS.names(), TASKS.names(), BACKBONES.names()
    with pytest.raises(MmulbenchError) as error:
        load_plugins([path])
    assert type(error.value) is kind
    assert (METHODS.names(), TASKS.names(), BACKBONES.names()) == before
    assert plugins._module_name(path) not in sys.modules
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_file_adds_a_method_under_the_name_it_registers(write):
    path = write("my file.py", method())
    load_plugins([path])
    cls = METHODS.get("scrubber")
    assert [field.name for field in fields(cls.Config)] == ["weight"]
    assert METHODS.describe("scrubber") == "Scrubs."
    assert "scrubber" in METHODS.names()
    plugin = plugin_of("method", "scrubber")
    assert plugin.path == path
    assert plugin.digest == hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    assert plugin.names == {("method", "scrubber")}
    assert plugin_of("task", "scrubber") is None
    assert plugin_of("method", "mmul") is None


def test_what_a_file_imports_is_not_its_own(write):
    """emoji and mmul register themselves when the file imports them."""
    text = method() + TASK.format(name="my_emoji")
    text += 'from mmulbench.methods.mmul import Mmul\nMETHODS.register("my_mmul")(Mmul)\n'
    load_plugins([write("several.py", text)])
    names = {("method", "scrubber"), ("task", "my_emoji"), ("method", "my_mmul")}
    assert plugin_of("method", "my_mmul").names == names
    assert METHODS.get("my_mmul") is METHODS.get("mmul")
    assert set(plugins_of_run("mmul", "my_emoji", "albef")) == {"my_emoji"}
    assert set(plugins_of_run("my_mmul", "my_emoji", "albef")) == {"my_mmul", "my_emoji"}
    assert plugins_of_run("mmul", "emoji", "albef") == {}


def test_a_file_is_loaded_once_and_again_when_it_has_changed(write, tmp_path):
    path = write("a.py", method())
    link = tmp_path / "link.py"
    link.symlink_to(path)
    load_plugins([path, path, link])
    first = METHODS.get("scrubber"), plugin_of("method", "scrubber")
    load_plugins([path])
    assert (METHODS.get("scrubber"), plugin_of("method", "scrubber")) == first
    # The same size within the same second: a bytecode file beside it would be taken for current.
    write("a.py", method(line="Rubs!!."))
    load_plugins([path])
    assert METHODS.describe("scrubber") == "Rubs!!."
    assert plugin_of("method", "scrubber").digest != first[1].digest
    assert not (tmp_path / "__pycache__").exists()
    write("a.py", method("rubber"))
    load_plugins([path])
    assert "scrubber" not in METHODS.names()
    assert "rubber" in METHODS.names()


def test_a_file_that_breaks_when_it_has_changed_leaves_nothing(write):
    path = write("a.py", method())
    load_plugins([path])
    write("a.py", method() + "1 / 0\n")
    with pytest.raises(MmulbenchError, match="ZeroDivisionError"):
        load_plugins([path])
    assert "scrubber" not in METHODS.names()
    assert plugin_of("method", "scrubber") is None


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gone.py", "there is no file {path}; check --plugin and MMULBENCH_PLUGINS"),
        ("folder.py", "there is no file {path}; check --plugin and MMULBENCH_PLUGINS"),
        ("a.txt", "plug-in {path} is no .py file; give --plugin (or MMULBENCH_PLUGINS) a Python file"),
    ],
)
def test_what_is_no_python_file_is_wrong_use(tmp_path, name, message):
    (tmp_path / "folder.py").mkdir()
    (tmp_path / "a.txt").write_text(method())
    assert refused(tmp_path / name, UsageError) == message.format(path=tmp_path / name)


@pytest.mark.parametrize(
    ("end", "failure"),
    [
        ("def (\n", ", line 23: SyntaxError: invalid syntax"),
        ("x = '\n", ", line 23: SyntaxError: unterminated string literal (detected at line 23)"),
        ("raise ValueError('two\\nlines')\n", ", line 23: ValueError: two lines"),
        ("def f():\n    raise KeyError\nf()\n", ", line 24: KeyError: "),
        ("import sys\nsys.exit(0)\n", ", line 24: SystemExit: 0"),
        (
            "import helper_beside_it\n",
            ", line 23: ModuleNotFoundError: No module named 'helper_beside_it'; "
            "a plug-in cannot import files beside it",
        ),
        (
            "from . import helper_beside_it\n",
            ", line 23: ImportError: attempted relative import with no known parent package; "
            "a plug-in cannot import files beside it",
        ),
    ],
)
def test_a_file_that_fails_is_one_line_with_its_place(write, end, failure):
    write("helper_beside_it.py", "")
    path = write("bad.py", method() + end)
    for _ in range(2):  # the class registered before the failure must not be there the second time
        assert refused(path, MmulbenchError) == f"plug-in {path} cannot be loaded{failure}"


def test_the_place_is_the_plug_ins_own_line_where_another_module_fails(write, monkeypatch, tmp_path):
    write("site/torn_module.py", "def (\n")
    monkeypatch.syspath_prepend(tmp_path / "site")
    path = write("bad.py", "\n\nimport torn_module\n")
    message = refused(path, MmulbenchError)
    assert message.startswith(
        f"plug-in {path} cannot be loaded, line 3: SyntaxError: invalid syntax (torn_module"
    )


@pytest.mark.parametrize("content", [b"x = 1\n\0", "x = '\u00fc'\n".encode("latin-1")])
def test_bytes_that_are_no_source(tmp_path, content):
    path = tmp_path / "bytes.py"
    path.write_bytes(content)
    assert refused(path, MmulbenchError).startswith(f"plug-in {path} cannot be loaded")


def test_a_file_that_registers_nothing_says_what_to_do(write):
    path = write("mute.py", "from mmulbench.methods.mmul import Mmul\n")
    assert refused(path, UsageError) == (
        f"plug-in {path} registers nothing; decorate a class with "
        '@METHODS.register("name"), or with TASKS, BACKBONES or METRICS, of mmulbench'
    )


def test_a_class_of_another_kind(write):
    path = write(
        "odd.py", 'from mmulbench.core.registry import TASKS\n@TASKS.register("odd")\nclass Odd: ...\n'
    )
    message = refused(path, UsageError)
    assert message.startswith(f"plug-in {path}: task 'odd': ")
    assert message.endswith(".Odd does not extend mmulbench.core.task.Task")


def test_a_built_in_name_is_taken(write):
    path = write("mine.py", method("finetune"))
    assert refused(path, UsageError) == (
        f"plug-in {path}: method 'finetune' is registered by both mmulbench.methods.finetune and {path}; "
        "rename or uninstall one"
    )


def test_two_files_with_the_same_name(write):
    first, second = write("one/a.py", method()), write("two/a.py", method())
    load_plugins([first])
    with pytest.raises(UsageError) as error:
        load_plugins([second])
    assert str(error.value) == (
        f"plug-in {second}: method 'scrubber' is registered by both {first} and {second}; "
        "rename or uninstall one"
    )
    assert plugin_of("method", "scrubber").path == first
    assert METHODS.get("scrubber").__module__ in sys.modules


def test_what_is_called_like_something_of_another_kind_is_refused(write):
    path = write("a.py", method("emoji"))
    assert refused(path, UsageError) == f"plug-in {path}: method 'emoji' is called like a task; rename it"


def test_a_method_and_a_task_of_one_name_come_from_one_file_only(write):
    first, second = write("a.py", method("twin")), write("b.py", TASK.format(name="twin"))
    load_plugins([first])
    with pytest.raises(UsageError) as error:
        load_plugins([second])
    assert str(error.value) == f"plug-in {second}: task 'twin' is called like a method; rename it"
    assert "twin" not in TASKS.names()
    both = write("a.py", method("twin") + TASK.format(name="twin"))
    load_plugins([both])
    assert plugins_of_run("twin", "twin", "albef") == {"twin": plugin_of("task", "twin")}


def test_a_backbone_that_has_another_name_is_refused(write):
    path = write(
        "b.py",
        "from mmulbench.backbones.albef import AlbefBackbone\nfrom mmulbench.core.registry import BACKBONES\n"
        '@BACKBONES.register("mine")\nclass Mine(AlbefBackbone): ...\n',
    )
    assert refused(path, UsageError) == (
        f"plug-in {path}: backbone 'mine' calls itself 'albef'; set name = \"mine\""
    )


@pytest.mark.slow
def test_an_installed_packages_name_is_taken(write):
    """In a process of its own: the installed packages are looked up once."""
    site = write("site/gadget-1.dist-info/METADATA", "Name: gadget\nVersion: 1\n").parent.parent
    write("site/gadget-1.dist-info/entry_points.txt", "[mmulbench.methods]\nscrubber = gadget\n")
    path = write("a.py", method())
    environment = {**os.environ, "PYTHONPATH": str(site), "MMULBENCH_PLUGINS": str(path)}
    command = [sys.executable, "-m", "mmulbench", "list", "methods"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert f"method 'scrubber' is registered by both gadget (gadget) and {path}" in done.stderr


def test_files_of_the_variable_come_before_those_of_the_option(monkeypatch):
    monkeypatch.delenv("MMULBENCH_PLUGINS", raising=False)
    assert plugin_files(None) == ()
    monkeypatch.setenv("MMULBENCH_PLUGINS", os.pathsep.join(["a.py", "", "b.py"]))
    assert plugin_files([Path("c.py")]) == (Path("a.py"), Path("b.py"), Path("c.py"))
