"""Find what others published on a hub: in its local cache, or fetched into it; data alone, of one commit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mmulbench.errors import UsageError, text_of

_NAME = r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*"
_REVISION = r"[A-Za-z0-9][\w.-]*(?:/[A-Za-z0-9][\w.-]*)*"
_HUB_NAME = re.compile(rf"(?P<name>{_NAME})(?:@(?P<revision>{_REVISION}))?", re.ASCII)
_COMMIT = re.compile("[0-9a-f]{40}")


@dataclass(frozen=True)
class Snapshot:
    """Holds a repository at one commit, as the local cache of a hub has it.

    Attributes:
        name: ``owner/name`` of the repository.
        commit: the commit, 40 hexadecimal digits.
        folder: where its files lie.
    """

    name: str
    commit: str
    folder: Path

    @property
    def source(self) -> str:
        """Name of this very commit, which `fetch` takes."""
        return f"{self.name}@{self.commit}"


def is_hub_name(text: str) -> bool:
    """Tell whether a text may be ``owner/name`` or ``owner/name@revision`` on a hub.

    Args:
        text: what a user gave for a model; no folder is called so.
    """
    return _HUB_NAME.fullmatch(text) is not None


def fetch(text: str, files: Sequence[str], weights: Sequence[str], what: str, instead: str) -> Snapshot:
    """Return a repository on a hub, fetched unless it is in the local cache.

    Args:
        text: ``owner/name`` or ``owner/name@revision``; a revision is a branch, a tag or a whole commit.
        files: patterns of the files to fetch; nothing else is, code least of all.
        weights: names of weight files; the last is fetched where the patterns found none.
        what: what is looked for, for messages.
        instead: option that takes a folder, for messages.

    Raises:
        UsageError: It cannot be fetched, or the cache calls something a commit that is none.
    """
    named = _HUB_NAME.fullmatch(text)
    assert named is not None, text
    name, revision = named["name"], named["revision"]
    from huggingface_hub import snapshot_download

    try:
        folder = Path(snapshot_download(name, revision=revision, allow_patterns=[*files]))
        if not any((folder / one).is_file() for one in weights):
            folder = Path(snapshot_download(name, revision=revision, allow_patterns=[*files, weights[-1]]))
    except Exception as error:  # many kinds, most of them OSError or ValueError
        raise UsageError(
            f"{what} is neither a folder here nor can it be fetched from the hub ({_reason(error)}); copy it "
            f"from a machine that can and give its folder: {instead}"
        ) from error
    if _COMMIT.fullmatch(folder.name) is None or folder.parent.name != "snapshots":
        raise UsageError(f"{what}: the hub's cache has {folder} for it, which is no commit: delete it there")
    return Snapshot(name, folder.name, folder)


def _reason(error: Exception) -> str:
    """Say in few words why a repository was not found."""
    from huggingface_hub import constants
    from huggingface_hub.errors import LocalEntryNotFoundError

    if isinstance(error, LocalEntryNotFoundError) and constants.HF_HUB_OFFLINE:
        return f"it is not in the cache {constants.HF_HUB_CACHE}, and HF_HUB_OFFLINE is set"
    return text_of(error)
