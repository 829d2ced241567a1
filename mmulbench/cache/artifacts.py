"""Content-addressed cache of tensors: originals, retrains, features and targets, built once and shared.

An entry is a folder as `mmulbench.cache.entry` reads and checks it. One large tensor is stored as
`mmulbench.cache.blockwise` does it: block by block, each with its own checksum.
"""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmulbench import __version__, processes
from mmulbench.cache import blockwise, staging
from mmulbench.cache.blockwise import CACHE_FLAG, TENSORS
from mmulbench.cache.entry import (
    JSON,
    RECORD,
    Absent,
    Artifact,
    Damaged,
    PartlyDamaged,
    identity_of,
    is_intact,
    load_entry,
)
from mmulbench.cache.tensor_files import save_tensors
from mmulbench.errors import MmulbenchError
from mmulbench.file_digests import hints_in
from mmulbench.files import disk_errors, sha256_of, write_atomically
from mmulbench.hashing import canonical_json, fingerprint
from mmulbench.leases import leased
from mmulbench.progress import Progress

if TYPE_CHECKING:
    from mmulbench.cache.block_layout import Blockwise

TRIES = 20
"""How often an entry is begun anew that others take away while it is being written."""

_LOG = logging.getLogger(__name__)


class ArtifactCache:
    """Keeps artifacts under one folder, safe for several threads, processes and kills.

    Args:
        root: The cache folder; made on first use.
        report: Receives one line when an entry is damaged or another process must be waited for.
    """

    def __init__(self, root: Path, report: Callable[[str], None] = _LOG.warning) -> None:
        self._root = root
        self.report = report

    def get_or_build(
        self,
        kind: str,
        inputs: Mapping[str, JSON],
        build: Callable[[], Artifact | Blockwise],
        progress: Progress | None = None,
        *,
        together: bool = True,
    ) -> Artifact:
        """Load an artifact, or build and store it; of several processes at once, one builds.

        Args:
            kind: What it is, such as ``"original"``; names the folder.
            inputs: Everything its tensors depend on.
            build: Makes it, or says how to compute it block by block. Not called when a valid entry exists.
            progress: Shows a bar while blocks are computed.
            together: Whether all processes of a run build, because a model computes; else the first alone.

        Returns:
            The artifact as read from disk, so a fresh one equals a cached one bit for bit.

        Raises:
            MmulbenchError: The cache cannot be read or written; no partial entry is taken for a whole one.
        """
        identity = identity_of(kind, inputs)
        folder = self.folder(kind, inputs)

        def find_or_store(build: Callable[[], Artifact | Blockwise]) -> Artifact:
            return self._find_or_store(kind, folder, identity, build, progress)

        share = processes.build_together if together else processes.build_alone
        found = share(find_or_store, build)
        return found if found is not None else load_entry(folder, identity)

    def _find_or_store(
        self,
        kind: str,
        folder: Path,
        identity: Mapping[str, Any],
        build: Callable[[], Artifact | Blockwise],
        progress: Progress | None,
    ) -> Artifact:
        """Look an entry up; where it is missing or damaged, lock it, build it and store it.

        Raises:
            MmulbenchError: The entry does not read back as it was written.
        """
        with contextlib.suppress(Absent):
            return load_entry(folder, identity)
        with self.lock(f"{kind}-{folder.name}", f"building {kind}"):
            interrupted = False
            try:
                return load_entry(folder, identity)
            except PartlyDamaged as damage:
                self.report(f"cache entry {folder}: {damage}")
                _take_up(folder, damage)
            except Damaged as damage:
                self.report(f"cache entry {folder} is damaged ({damage}): rebuilding")
            except Absent:
                interrupted = True
            with staging.staging(folder) as own:
                if interrupted and blockwise.has_work(own):
                    self.report(f"going on with what an interrupted command left of {folder}")
                self._build(build, identity, own, folder, progress)
            try:
                return load_entry(folder, identity)
            except Absent as error:
                raise MmulbenchError(
                    f"cache entry {folder} does not read back as written ({error}); check the disk or "
                    f"choose another folder with {CACHE_FLAG}"
                ) from error

    def _build(
        self,
        build: Callable[[], Artifact | Blockwise],
        identity: Mapping[str, Any],
        own: Path,
        folder: Path,
        progress: Progress | None,
    ) -> None:
        """Build an entry in ``own`` and store it, unless another process has come first.

        Raises:
            MmulbenchError: The disk is full or refuses.
        """
        built = build()
        try:
            if isinstance(built, Artifact):
                _store(built, identity, own, folder)
            else:
                _store_blocks(built, identity, own, folder, progress or Progress())
        except MmulbenchError:
            # Who was stopped so long that another took the work over may have lost its folder to that one.
            if not is_intact(folder, identity):
                raise

    def find(self, kind: str, inputs: Mapping[str, JSON]) -> Artifact | None:
        """Return an artifact that is there and intact, of this process or one that was killed meanwhile.

        Args:
            kind: what it is; names the folder.
            inputs: everything its tensors depend on.

        Raises:
            MmulbenchError: The cache cannot be read.
        """
        folder, identity = self.folder(kind, inputs), identity_of(kind, inputs)
        try:
            return load_entry(folder, identity)
        except Absent as absence:
            # `put` takes the old entry away when the new one is whole, just before it gets its name.
            for path in (*staging.whole(folder), folder):
                with contextlib.suppress(Absent):
                    return load_entry(path, identity)
            if isinstance(absence, Damaged):
                self.report(f"cache entry {folder} is damaged ({absence}): doing without it")
        return None

    def put(self, kind: str, inputs: Mapping[str, JSON], artifact: Artifact) -> None:
        """Store an artifact, replacing what is there. For entries that one process alone deals with.

        Args:
            kind: what it is; names the folder.
            inputs: everything its tensors depend on.
            artifact: the tensors, with what is to be known about them.

        Raises:
            MmulbenchError: The cache cannot be written, or others take away what is being written.
        """
        folder = self.folder(kind, inputs)
        for _ in range(TRIES):
            with staging.staging(folder) as own:
                try:
                    _store(artifact, identity_of(kind, inputs), own, folder, replace=True)
                    return
                except MmulbenchError:
                    if own.exists():  # else who took this process for a dead one removed its folder
                        raise
        what = f"cannot write {folder}: it was taken away {TRIES} times while it was being written"
        raise MmulbenchError(f"{what}; end what clears the cache, or choose another with {CACHE_FLAG}")

    def discard(self, kind: str, inputs: Mapping[str, JSON]) -> None:
        """Remove an artifact, if it is there, and what a process left that was killed while storing it.

        Args:
            kind: what it is; names the folder.
            inputs: everything its tensors depend on.
        """
        staging.clear(self.folder(kind, inputs))

    def folder(self, kind: str, inputs: Mapping[str, JSON]) -> Path:
        """Return the folder where an artifact is, or would be.

        Args:
            kind: what it is; names the folder above.
            inputs: everything its tensors depend on.
        """
        return self._root / kind / fingerprint(identity_of(kind, inputs))[:16]

    def hints(self) -> AbstractContextManager[None]:
        """Keep digests of files that the body takes, so that the next command need not take them again."""
        return hints_in(self._root / "digests")

    @contextlib.contextmanager
    def lock(self, name: str, doing: str | None = None) -> Iterator[None]:
        """Hold a lock that one thread of one process has at a time, which lapses when the process is killed.

        Of the processes of a run the first holds it for all.

        Args:
            name: The lock's name, usable as a file name.
            doing: What the holder does, for the report of having to wait.

        Raises:
            MmulbenchError: The lock file cannot be made.
        """
        if not processes.is_first():
            yield
            return
        path = self._root / "locks" / f"{name}.lease"
        with contextlib.ExitStack() as held:
            with disk_errors("lock", path, CACHE_FLAG):
                path.parent.mkdir(parents=True, exist_ok=True)
                held.enter_context(leased(path, doing or f"holding {name}", self.report))
            yield


def _take_up(folder: Path, damage: PartlyDamaged) -> None:
    """Turn an entry into one that is half built, where its damaged blocks are missing."""
    blockwise.reopen(folder, damage.layout, damage.checksums)
    with disk_errors("write", folder, CACHE_FLAG):
        staging.leave(folder, folder)


def _store(
    artifact: Artifact, identity: Mapping[str, Any], own: Path, folder: Path, *, replace: bool = False
) -> None:
    """Write an artifact to ``own``, then make it the entry."""
    tensors = own / TENSORS
    with disk_errors("write", folder, CACHE_FLAG):
        own.mkdir(exist_ok=True)
        save_tensors(artifact.tensors, tensors)
        content = {"sha256": sha256_of(tensors), "size": tensors.stat().st_size}
        _finish({**identity, "info": artifact.info, **content}, own)
        staging.place(own, folder, lambda: not replace and is_intact(folder, identity))


def _store_blocks(
    source: Blockwise, identity: Mapping[str, Any], own: Path, folder: Path, progress: Progress
) -> None:
    """Compute what is missing in ``own``, then make it the entry."""
    layout, checksums = blockwise.fill(source, own, progress)
    content = {"layout": asdict(layout), "blocks": checksums, "size": layout.file_bytes}
    with disk_errors("write", folder, CACHE_FLAG):
        _finish({**identity, "info": {}, **content}, own)
        staging.place(own, folder, lambda: is_intact(folder, identity))
        (folder / blockwise.JOURNAL).unlink(missing_ok=True)


def _finish(facts: Mapping[str, Any], own: Path) -> None:
    """Write the record, with which an entry is whole."""
    record = {
        **facts,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "mmulbench": __version__,
    }
    # Through JSON once, so that tuples and number keys hash as they will when read back.
    record = json.loads(canonical_json(record))
    record["checksum"] = fingerprint(record)
    write_atomically(own / RECORD, json.dumps(record, indent=1) + "\n", CACHE_FLAG)
    # safetensors makes files only their owner can read: a shared cache follows the umask.
    (own / TENSORS).chmod((own / RECORD).stat().st_mode)
