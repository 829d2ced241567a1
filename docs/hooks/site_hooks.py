"""Complete the site while mkdocs builds it: generated tables, and files that pages link to.

A page says where a generated part goes with ``<!-- generated: NAME -->``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import command_reference
import public_names
import registry_tables
import repository_links as links
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

MARKER = re.compile(r"^<!-- generated: ([\w-]+) -->$", re.M)

GENERATED: Mapping[str, Callable[[], str]] = {
    "commands": cache(command_reference.command_reference),
    "methods": cache(registry_tables.methods),
    "tasks": cache(registry_tables.tasks),
    "backbones": cache(registry_tables.backbones),
    "metrics": cache(registry_tables.metrics),
    "record": cache(registry_tables.record),
    "public-names": cache(public_names.public_names),
}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the files of the repository that pages link to, and those that these link to.

    Raises:
        PluginError: A page links to a file that is not there.
    """
    root = Path(config.config_file_path).parent
    texts = {page.src_uri: _completed(page.content_string) for page in files.documentation_pages()}
    while texts:
        place, text = texts.popitem()
        for path in sorted(links.linked(place, text)):
            goal = links.in_site(path)
            if path.startswith("docs/") or files.get_file_from_path(goal) is not None:
                continue
            if not (root / path).is_file():
                raise PluginError(f"{place} links to {path}, which is no file of the repository")
            page = links.shown(root, path)
            if page is None:
                files.append(File.generated(config, goal, abs_src_path=str(root / path)))
            else:
                files.append(File.generated(config, goal, content=page))
                if path.endswith(".md"):
                    texts[goal] = page
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Write the generated parts of a page, and lead its links to where the site has the files."""
    place = page.file.src_uri
    if links.in_repository(place).endswith((".py.md", ".txt.md", ".toml.md")):
        return markdown
    return links.rewritten(place, _completed(markdown))


def _completed(markdown: str) -> str:
    def generate(match: re.Match[str]) -> str:
        if match[1] not in GENERATED:
            raise PluginError(f"nothing generates {match[1]!r}; known: {', '.join(GENERATED)}")
        return GENERATED[match[1]]()

    return MARKER.sub(generate, markdown)
