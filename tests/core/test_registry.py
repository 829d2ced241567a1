from __future__ import annotations

import importlib
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mmulbench.core.registry import Registry
from mmulbench.errors import MmulbenchError, UsageError

HEADER = '''"""{title}

More about it.
"""
from {top}.api import TOYS
'''


class Toys:
    """A package of toys written to a folder of its own, and the registry over it."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder / name / "toys"
        self.top = name
        self.folder.mkdir(parents=True)
        (folder / name / "__init__.py").touch()
        (folder / name / "api.py").write_text(
            "from mmulbench.core.registry import Registry\n"
            "class Toy: ...\n"
            f'TOYS = Registry("toy", "{name}.api:Toy", "{name}.toys", "mmulbench.test.toys")\n'
        )
        (self.folder / "__init__.py").touch()
        self.add(
            "ball", "A round toy.", 'from PKG.api import Toy\n@TOYS.register("ball")\nclass Ball(Toy): ...\n'
        )
        self.add(
            "kite",
            "A toy that flies.",
            'from PKG.api import Toy\n@TOYS.register("kite")\nclass Kite(Toy): ...\n',
        )

    def add(self, name: str, title: str, body: str) -> None:
        text = HEADER.format(title=title, top=self.top) + body.replace("PKG", self.top)
        (self.folder / f"{name}.py").write_text(text)
        importlib.invalidate_caches()

    def module(self, name: str) -> str:
        return f"{self.top}.toys.{name}"

    @property
    def registry(self) -> Registry[object]:
        return importlib.import_module(f"{self.top}.api").TOYS

    @property
    def base(self) -> type:
        return importlib.import_module(f"{self.top}.api").Toy


@pytest.fixture
def toys(tmp_path, monkeypatch, request):
    monkeypatch.syspath_prepend(tmp_path)
    name = f"toybox_{abs(hash(request.node.name))}"
    yield Toys(tmp_path, name)
    for module in [module for module in sys.modules if module.split(".")[0] == name]:
        del sys.modules[module]


def test_names_and_descriptions_without_importing(toys):
    (toys.folder / "_private.py").touch()
    (toys.folder / "notes.txt").touch()
    toys.add("bomb", "Fails when imported.", "raise RuntimeError\n")
    assert toys.registry.names() == ["ball", "bomb", "kite"]
    assert toys.registry.describe("bomb") == "Fails when imported."
    assert toys.module("ball") not in sys.modules


def test_get_imports_only_what_is_asked_for(toys):
    cls = toys.registry.get("ball")
    assert cls.__name__ == "Ball"
    assert issubclass(cls, toys.base)
    assert toys.registry.get("ball") is cls
    assert toys.module("kite") not in sys.modules


def test_description_of_a_module_without_or_with_broken_text(toys):
    (toys.folder / "bare.py").write_text("x = 1\n")
    (toys.folder / "torn.py").write_text('"""Torn.\n')
    assert toys.registry.describe("bare") == f"from {toys.top}.toys"
    assert toys.registry.describe("torn") == "cannot be read: SyntaxError in torn.py"


def test_package_as_an_entry(toys):
    folder = toys.folder / "train"
    folder.mkdir()
    (folder / "__init__.py").write_text('"""A toy of several files."""\n')
    assert "train" in toys.registry.names()
    assert toys.registry.describe("train") == "A toy of several files."


def test_class_registered_by_hand(toys):
    mine = type("Mine", (toys.base,), {"__module__": __name__})
    toys.registry.register("mine")(mine)
    assert toys.registry.names() == ["ball", "kite", "mine"]
    assert toys.registry.get("mine") is mine
    assert toys.registry.describe("mine") == f"from {__name__}"


def test_a_class_registered_by_hand_describes_itself(toys):
    mine = type("Mine", (toys.base,), {"__module__": __name__, "__doc__": "A toy of mine.\n\nMore."})
    toys.registry.register("mine")(mine)
    assert toys.registry.describe("mine") == "A toy of mine."


def test_what_is_registered_by_hand_can_be_discarded(toys):
    toys.registry.get("ball")
    toys.registry.register("mine")(type("Mine", (toys.base,), {"__module__": __name__}))
    assert toys.registry.by_hand() == {"mine"}
    toys.registry.discard("mine")
    toys.registry.discard("never_there")
    assert toys.registry.by_hand() == set()
    assert toys.registry.names() == ["ball", "kite"]


@pytest.mark.parametrize("ask", ["get", "describe"])
def test_unknown_name_suggests_the_near_one(toys, ask):
    with pytest.raises(UsageError) as error:
        getattr(toys.registry, ask)("bal")
    assert str(error.value) == "unknown toy 'bal'; did you mean ball?"


def test_reload_of_the_same_class_is_fine(toys):
    first = toys.registry.get("ball")
    importlib.reload(sys.modules[toys.module("ball")])
    second = toys.registry.get("ball")
    assert second is not first
    assert second.__module__ == first.__module__


def test_second_class_of_a_name_is_refused_naming_both(toys):
    toys.registry.register("mine")(type("Mine", (toys.base,), {"__module__": "here"}))
    with pytest.raises(UsageError, match="toy 'mine' is registered by both here and there"):
        toys.registry.register("mine")(type("Mine", (toys.base,), {"__module__": "there"}))


def test_built_in_name_is_refused_even_before_its_module_is_imported(toys):
    with pytest.raises(UsageError, match=rf"both {toys.module('ball')} and here"):
        toys.registry.register("ball")(type("Mine", (toys.base,), {"__module__": "here"}))
    assert toys.registry.get("ball").__name__ == "Ball"


def test_class_that_does_not_extend_the_base_is_refused(toys):
    toys.add("rock", "No toy.", '@TOYS.register("rock")\nclass Rock: ...\n')
    with pytest.raises(UsageError) as error:
        toys.registry.get("rock")
    assert str(error.value) == f"toy 'rock': {toys.module('rock')}.Rock does not extend {toys.top}.api.Toy"


def test_module_that_registers_nothing_says_what_to_do(toys):
    toys.add("mute", "Forgot the decorator.", "")
    with pytest.raises(UsageError, match=r"mute\.py registers no toy 'mute'; .*@TOYS\.register\(\"mute\"\)"):
        toys.registry.get("mute")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("import no_such_module\n", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("raise ValueError('two\\nlines')\n", "ValueError: two lines"),
        ("def (\n", "SyntaxError: "),
    ],
)
def test_module_that_fails_to_import_is_one_line(toys, body, reason):
    toys.add(
        "bomb", "Fails.", 'from PKG.api import Toy\n@TOYS.register("bomb")\nclass Bomb(Toy): ...\n' + body
    )
    for _ in range(2):  # the class registered before the failure must not be handed out the second time
        with pytest.raises(MmulbenchError) as error:
            toys.registry.get("bomb")
        message = str(error.value)
        assert message.startswith(f"toy 'bomb' cannot be loaded from {toys.folder / 'bomb.py'}: {reason}")
        assert "\n" not in message
        assert not isinstance(error.value, UsageError)
        assert error.value.__cause__ is not None


def test_threads_get_the_same_class(toys):
    toys.add(
        "slow",
        "Slow to import.",
        "import time\ntime.sleep(0.1)\n"
        'from PKG.api import Toy\n@TOYS.register("slow")\nclass Slow(Toy): ...\n',
    )
    registry, got = toys.registry, []
    threads = [threading.Thread(target=lambda: got.append(registry.get("slow"))) for _ in range(4)]
    threads.append(threading.Thread(target=importlib.import_module, args=(toys.module("slow"),)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(got) == 4
    assert len(set(got)) == 1


def test_listing_the_real_registries_imports_nothing_heavy():
    code = (
        "import sys\n"
        "from mmulbench.core.registry import BACKBONES, METHODS, METRICS, TASKS\n"
        "for registry in (METHODS, TASKS, BACKBONES, METRICS):\n"
        "    for name in registry.names(): assert registry.describe(name)\n"
        "heavy = {'torch', 'numpy', 'pandas', 'sklearn', 'transformers', 'matplotlib'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)
