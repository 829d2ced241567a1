"""The site is built without a complaint and without the network, and its reference leaves nothing out."""

from __future__ import annotations

import html
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from command_reference import commands, options
from pages import ROOT
from public_names import names

from mmulbench.cli.list_output import entries
from mmulbench.core.registry import METHODS
from mmulbench.records.schema import RunResult

pytestmark = pytest.mark.slow

pytest.importorskip("mkdocs", reason="mkdocs is not installed: pip install 'mmulbench[docs]'")


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The built site; proxies that lead nowhere make any fetch fail."""
    folder = tmp_path_factory.mktemp("site")
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environment = {**os.environ, **nowhere, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    return folder


def article(site: Path, page: str) -> str:
    """A page's HTML without navigation."""
    text = (site / page).read_text(encoding="utf-8")
    return text.partition("<article")[2].partition("</article>")[0]


def sections(site: Path, page: str) -> dict[str, str]:
    """A page's sections by the id of their headings, as text."""
    parts = re.split(r'<h2 id="([^"]+)"[^>]*>', article(site, page))
    texts = (html.unescape(re.sub(r"<[^>]+>", "", part)) for part in parts[2::2])
    return dict(zip(parts[1::2], texts, strict=True))


def test_every_command_and_option_is_in_the_reference(site):
    found = sections(site, "reference/cli.html")
    for name, command in commands():
        text = found.pop(f"mmulbench-{name.replace(' ', '-')}")
        listed = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", text.partition("Option\nMeaning")[2]))
        assert options(command) <= listed, name
    by_hand = {"shell-completion", "several-at-once", "terminals-files-and-logs", "exit-codes"}
    assert set(found) == by_hand


@pytest.mark.parametrize("what", ["methods", "tasks", "metrics"])
def test_everything_listed_has_a_section(site, what):
    found = sections(site, f"reference/{what}.html")
    assert list(found) == [entry["name"] for entry in entries(what)]


def test_every_setting_of_a_method_is_explained(site):
    found = sections(site, "reference/methods.html")
    for name in METHODS.names():
        for setting in METHODS.get(name).Config.__dataclass_fields__:
            assert re.search(rf"^{setting}\n\S+\n.*\n\S", found[name], re.M), (name, setting)


def test_every_backbone_is_listed(site):
    text = article(site, "reference/backbones.html")
    assert [
        entry["name"] for entry in entries("backbones") if f"<code>{entry['name']}</code>" not in text
    ] == []


def test_every_public_name_is_documented(site):
    text = article(site, "python-api.html")
    assert [name for name in names() if not re.search(rf'id="mmulbench\.([\w.]+\.)?{name}"', text)] == []


def test_every_field_of_a_record_is_listed(site):
    text = article(site, "records.html")
    assert [field for field in RunResult.model_fields if f"<code>{field}</code>" not in text] == []


def test_no_page_reads_anything_from_elsewhere(site):
    loaded = re.compile(
        r"""(?:src|srcset)=["']?https?:|<link[^>]+href=["']?https?:|url\(["']?https?:|@import"""
    )
    files = [path for path in site.rglob("*") if path.suffix in (".html", ".css", ".svg")]
    assert [path for path in files if loaded.search(path.read_text(encoding="utf-8"))] == []


def test_no_marker_is_left(site):
    pages = [path for path in site.rglob("*.html") if "source" not in path.parts]
    assert [path for path in pages if "generated:" in path.read_text(encoding="utf-8")] == []
