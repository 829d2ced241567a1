"""What README.md and docs/ say is true: commands parse, links lead somewhere, numbers are measured ones."""

from __future__ import annotations

import re
import shlex
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from command_reference import commands, options
from packaging.specifiers import SpecifierSet
from pages import COMMANDS, README, ROOT, TEXTS, prose

from mmulbench.core.registry import BACKBONES, METHODS, TASKS
from mmulbench.metrics.catalogue import headline_metrics, shadow_metrics
from mmulbench.records.published import MINIMUM_UNITS, UTILITY_TOLERANCE
from mmulbench.report.floor import UNKNOWN_FLOOR, analytical_resolution
from mmulbench.report.ranking import MINIMUM_DRAWS

ROOT_OPTIONS = {"--help", "--version", "--install-completion", "--show-completion"}
"""Options of ``mmulbench`` itself."""


def test_readme_is_short():
    assert len(README.splitlines()) <= 200


@pytest.mark.parametrize("page", TEXTS)
def test_prose_has_80_columns(page):
    visible = (re.sub(r"\]\([^)]*\)", "]", line) for line in prose(TEXTS[page]))
    assert [line for line in visible if len(line) > 80] == []


def test_two_setup_commands_of_one_line():
    starts = [line for line in README.splitlines() if "venv" in line and line.startswith("python3")]
    assert starts == [COMMANDS["run"], COMMANDS["test"]]
    install, _, last = COMMANDS["run"].rpartition(" && ")
    assert last == "mmulbench run --method mmul --task emoji --results-dir my-results"
    assert '-c constraints.txt -e ".[offline]"' in install
    install, _, last = COMMANDS["test"].rpartition(" && ")
    assert last == 'pytest -m ""'
    assert '-c constraints.txt -e ".[offline,hub,tune,slurm,parallel,test,dev,docs]"' in install


def python_of(package: str) -> str:
    """Versions of Python that a package runs on; any for one that is not installed."""
    try:
        return str(distribution(package).metadata.json.get("requires_python") or "")
    except PackageNotFoundError:
        return ""


def test_the_oldest_python_can_install_what_is_pinned():
    (oldest,) = re.findall(r"Python (3\.\d+) or newer", README)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["requires-python"] == f">={oldest}"
    pins = re.findall(r"(?m)^([\w.-]+)==", (ROOT / "constraints.txt").read_text(encoding="utf-8"))
    assert len(pins) > 50
    assert [name for name in pins if not SpecifierSet(python_of(name)).contains(f"{oldest}.0")] == []


@pytest.mark.parametrize("page", TEXTS)
def test_every_mmulbench_command_line_parses(page):
    known = {name: options(command) for name, command in commands()}
    lines = [*COMMANDS.values(), *re.findall(r"`(mmulbench [^`]+)`", TEXTS[page])]
    for line in lines:
        words = shlex.split(line.rpartition("&& ")[2])
        if words[0] == "mmulbench" and not words[1].startswith("-"):
            given = {word for word in words[2:] if word.startswith("-")}
            groups = {name.partition(" ")[0] for name in known if " " in name}
            name = " ".join(words[1:3]) if words[1] in groups and len(words) > 2 else words[1]
            assert name in known or name in groups, line
            assert given <= known.get(name, set()), line


@pytest.mark.parametrize("page", TEXTS)
def test_options_in_prose_exist(page):
    known = set().union(*(options(command) for _, command in commands())) | ROOT_OPTIONS
    said = re.findall(r"(?<![\w-])(--[a-z][a-z-]+)", " ".join(re.findall(r"`([^`\n]+)`", TEXTS[page])))
    of_others = {"--extra-index-url", "--strict"}
    assert set(said) - of_others <= known


def anchors(text: str) -> set[str]:
    """What links may name in a page."""
    titles = re.findall(r"^#+ (.*)$", text, re.M)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", TEXTS)
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)]+)\)", TEXTS[page]):
        if link.startswith("https://"):
            continue
        file, _, anchor = link.partition("#")
        goal = (ROOT / page).parent / file if file else ROOT / page
        assert goal.is_file(), link
        if anchor:
            text = goal.read_text(encoding="utf-8")
            assert "<!-- generated:" in text or anchor in anchors(text), link


def test_readme_links_to_what_comes_with_it():
    assert {"LICENSE", "CITATION.cff", "leaderboard.md"} <= set(re.findall(r"\]\(([^)]+)\)", README))


def test_every_metric_is_explained():
    for page, metrics in {
        "README.md": headline_metrics(),
        "docs/concepts/attacks.md": headline_metrics(),
        "docs/concepts/shadow-models.md": shadow_metrics(),
    }.items():
        rows = re.findall(r"^\| `(\w+)` \|", TEXTS[page], re.M)
        assert rows[: len(metrics)] == [metric.name for metric in metrics], page


def test_there_is_as_much_as_readme_says():
    tasks, families = len(TASKS.names()), len(BACKBONES.names())
    known = {name: METHODS.get(name) for name in METHODS.names() if name != "original"}
    methods = sum(not (cls.is_reference or cls.is_noise_floor) for cls in known.values())
    said = f"There are {methods} unlearning methods, {tasks} tasks and {families} families of models."
    assert said in README.replace("\n", " ")


def test_every_task_is_named_in_getting_started():
    text = TEXTS["docs/getting-started.md"].partition("## What is there")[2]
    assert {name for name in TASKS.names() if f"`{name}`" not in text} == set()


def test_all_backbones_are_described_with_their_variants():
    rows = dict(
        re.findall(r"^\| `(\w+)` \|.*\|([^|]+)\|$", TEXTS["docs/tutorials/pretrained-weights.md"], re.M)
    )
    assert set(rows) == set(BACKBONES.names())
    for name, variants in rows.items():
        assert re.findall(r"`([\w-]+)`", variants) == list(BACKBONES.get(name).variants), name


def test_the_verdict_rule_has_the_tolerances_of_the_code():
    rule = " ".join(TEXTS["docs/concepts/verdict.md"].split())
    small, large = analytical_resolution(68), analytical_resolution(474)
    assert f"68 units resolve {small:.2f}, 474 units {large:.2f}" in rule
    assert f"{MINIMUM_DRAWS} draws are needed" in rule
    assert f"With fewer, at least {UNKNOWN_FLOOR:.2f} is taken" in rule
    assert f"fewer than {MINIMUM_UNITS} forget units" in rule
    assert f"more than {100 * UTILITY_TOLERANCE:.0f} points below" in rule


def test_the_environment_variables_are_those_that_are_read():
    read = re.findall(r'"(MMULBENCH_\w+)"', (ROOT / "mmulbench" / "defaults.py").read_text())
    named = {name for text in TEXTS.values() for name in re.findall(r"MMULBENCH_\w+", text)}
    assert named == set(read) != set()


def test_licences_name_the_packages_that_bring_data():
    text = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8")
    offline = re.search(r"^offline = \[(.*?)^\]", Path(ROOT / "pyproject.toml").read_text(), re.M | re.S)
    assert offline is not None
    pinned = re.findall(r'"([\w-]+)==', offline[1])
    assert [name for name in pinned if f"`{name}`" not in text] == []
