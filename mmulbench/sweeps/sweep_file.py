"""Read a sweep file: YAML whose values are the texts that are written, and whose keys are there once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from mmulbench.errors import MmulbenchError, UsageError
from mmulbench.files import reason_of

INTERPRETED = ("bool", "int", "float", "timestamp")
"""Types that YAML 1.1 finds in plain text: it would read 042 as 34, 10:30 as 630, 10_12_2018 as 10122018, and
no as false. What reads a field decides instead what its text means."""


MOST_VALUES = 100_000
"""Largest number of values in a sweep file: aliases of aliases make billions of a few lines."""


class AsWritten(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML has no types
    """Loads single values as text, and refuses a key that is there twice, of which YAML keeps the last."""

    def compose_mapping_node(self, anchor: str | None) -> yaml.MappingNode:
        """Read a mapping.

        Raises:
            YAMLError: A key is there twice.
        """
        node: yaml.MappingNode = super().compose_mapping_node(anchor)
        lines: dict[str, int] = {}
        for key, _ in node.value:
            name, line = key.value, key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                continue
            if name in lines:
                raise yaml.YAMLError(f"{name!r} is there twice (lines {lines[name]} and {line}): keep one")
            lines[name] = line
        return node


for _kind in INTERPRETED:
    AsWritten.add_constructor(f"tag:yaml.org,2002:{_kind}", AsWritten.construct_yaml_str)


def _content(text: str) -> Any:
    """Read YAML, with aliases as far as they make it no monster.

    Raises:
        YAMLError: It is no YAML, or an alias is inside of what it stands for, or aliases of aliases stand for
            more than `MOST_VALUES` values.
    """
    loader = AsWritten(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        if _size(node, {}) > MOST_VALUES:
            raise yaml.YAMLError(f"its aliases stand for more than {MOST_VALUES:,} values: write them out")
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _size(node: yaml.Node, known: dict[int, int | None]) -> int:
    """Return the number of values that a node stands for, aliases written out.

    Raises:
        YAMLError: A node is inside of itself.
    """
    if id(node) in known:
        size = known[id(node)]
        if size is None:
            line = node.start_mark.line + 1
            raise yaml.YAMLError(f"the alias of line {line} is inside of what it stands for")
        return size
    known[id(node)] = None
    parts = []
    if isinstance(node, yaml.MappingNode):
        parts = [part for pair in node.value for part in pair]
    elif isinstance(node, yaml.SequenceNode):
        parts = node.value
    known[id(node)] = size = 1 + sum(_size(part, known) for part in parts)
    return size


def read_fields(path: Path) -> dict[str, Any]:
    """Read the fields of a sweep file, single values as text; `checked_grid` checks them.

    Args:
        path: the file.

    Raises:
        UsageError: There is no such file, or it is no sweep; the message names the place.
        MmulbenchError: The file cannot be read.
    """
    try:
        content = _content(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UsageError(f"there is no sweep file {path}") from error
    except OSError as error:
        raise MmulbenchError(f"cannot read {path}: {reason_of(error)}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: not UTF-8
        raise UsageError(f"{path} is no YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise UsageError(f"{path} is no sweep: it must name at least task and method")
    return content
