"""Find images on disk without being led out of their folder, and decode them when they are asked for."""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple, Protocol, overload

from mmulbench import MmulbenchError, read_image
from mmulbench.file_digests import ContentChanged, Hints, Stamp, digests_of
from mmulbench.pictures import Pixels
from mmulbench.progress import Track

SURROGATES = {chr(code) for code in range(0xD800, 0xE000)}
"""Halves of characters, which JSON can hold but no file name and no text."""


class StoredImage(Protocol):
    """Describes an image that is decoded when it is read."""

    @property
    def size(self) -> int:
        """Number of bytes of the stored image."""

    @property
    def digest(self) -> str:
        """SHA-256 of the stored image, as 64 hexadecimal digits; empty as long as nobody has taken it."""

    def content(self) -> bytes:
        """Return the bytes of the stored image.

        Raises:
            OSError: if they cannot be read.
        """

    def read(self) -> Pixels:
        """Decode the image.

        Returns:
            (h, w, 3) RGB.

        Raises:
            ContentChanged: if the image is not the one whose digest was taken.
            MmulbenchError: if the image cannot be decoded.
        """


class ImageFile(NamedTuple):
    """Holds an image that is a file of its own.

    Attributes:
        path: path of the file.
        stamp: version of the file.
        digest: SHA-256 of the file; empty as long as nobody has taken it.
    """

    path: Path
    stamp: Stamp
    digest: str = ""

    @property
    def size(self) -> int:
        """Number of bytes of the file."""
        return self.stamp.size

    def content(self) -> bytes:
        """Return the bytes of the file."""
        return self.path.read_bytes()

    def read(self) -> Pixels:
        """Decode the file."""
        return read_image(self.path, digest=self.digest)


class Images(Sequence[Pixels]):
    """Decodes an image whenever it is read, so that memory never holds them all.

    ``images[i]`` is (h, w, 3) RGB; a slice is a list of such arrays.

    Args:
        names: file names of the images.
        stored: where each image is stored.
        hints: where the digests of the images may come from.
    """

    def __init__(self, names: Sequence[str], stored: Sequence[StoredImage], hints: Hints) -> None:
        self.names = tuple(names)
        self.stored = tuple(stored)
        self._hints = hints

    def __len__(self) -> int:
        return len(self.stored)

    @overload
    def __getitem__(self, index: int) -> Pixels: ...

    @overload
    def __getitem__(self, index: slice) -> list[Pixels]: ...

    def __getitem__(self, index: int | slice) -> Pixels | list[Pixels]:
        if isinstance(index, slice):
            return [self._read(image) for image in self.stored[index]]
        return self._read(self.stored[index])

    def _read(self, image: StoredImage) -> Pixels:
        """Decode an image; where it is not what it was, no hint is believed any more.

        Raises:
            ContentChanged: if it is not what it was.
        """
        try:
            return image.read()
        except ContentChanged:
            self._hints.forget()
            raise


def with_digests(images: Mapping[str, StoredImage], hints: Hints, track: Track) -> list[StoredImage]:
    """Return images with the digests of their content, which those on a hub have already.

    Args:
        images: images by name.
        hints: where digests of files are looked up and noted.
        track: shows a bar while files are hashed.

    Raises:
        MmulbenchError: if a file cannot be read.
    """
    files = {name: image for name, image in images.items() if isinstance(image, ImageFile)}
    digests = digests_of({name: (file.path, file.stamp) for name, file in files.items()}, hints, track)
    named = {name: ImageFile(file.path, file.stamp, digests[name]) for name, file in files.items()}
    return [named.get(name, image) for name, image in images.items()]


def safe_name(name: str, where: str) -> str:
    """Check that a file name in an annotation is relative and does not lead upwards.

    Folders may be separated as on Windows, and a line end may have been left at the end.

    Args:
        name: file name, with or without folders.
        where: place of the annotation, for the message.

    Returns:
        The name in its simplest form.

    Raises:
        MmulbenchError: if the name leads elsewhere, or can be no name.
    """
    plain = name.strip("\r\n").replace("\\", "/")
    if any(sign in "\0\n\r" or sign in SURROGATES for sign in plain):
        raise MmulbenchError(f"{where}: the file name {name!r} holds a sign that no file name may: refused")
    path = PurePosixPath(plain)
    if not path.parts or path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        raise MmulbenchError(f"{where}: the file name {name!r} leads out of the data folder: refused")
    return str(path)


class Finder:
    """Finds files below a folder.

    The folder itself, and the top folders that names begin with, may be links: the user has put the images
    elsewhere. Links inside of them may not lead out of them.

    Args:
        root: folder that names are relative to.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._tops: dict[str, Path] = {}
        self._parents: set[Path] = set()

    def __call__(self, name: str) -> ImageFile | None:
        """Find a file by a name that `safe_name` let through.

        Returns:
            The file, or None where it does not exist.

        Raises:
            MmulbenchError: if the file is a link that leads out of its top folder.
        """
        parts = PurePosixPath(name).parts
        path = self.root / name
        try:
            information = path.lstat()
            top = self._top(parts[0] if len(parts) > 1 else "")
            if path.parent not in self._parents:
                self._inside(path.parent, top)
                self._parents.add(path.parent)
            if stat.S_ISLNK(information.st_mode):
                self._inside(path, top)
                information = path.stat()
        except (OSError, RuntimeError):  # RuntimeError: links that lead in a circle
            return None
        return ImageFile(path, Stamp.of(information)) if stat.S_ISREG(information.st_mode) else None

    def _top(self, part: str) -> Path:
        if part not in self._tops:
            self._tops[part] = (self.root / part).resolve()
        return self._tops[part]

    def _inside(self, path: Path, top: Path) -> None:
        """Demand that a path lies in its top folder.

        Raises:
            MmulbenchError: if the path lies elsewhere.
        """
        if not path.resolve().is_relative_to(top):
            raise MmulbenchError(f"{path}: this link leads out of {top}: refused; put the file itself there")


class TreeFinder:
    """Finds files by bare name in a folder and all its sub-folders, which are searched once.

    Links to folders are followed like those to files: right below the folder wherever they lead, deeper down
    where they stay inside. A folder that several links lead to is searched once.

    Args:
        root: folder to search.
        hints: by bare name, the sub-folder to prefer where several hold the name.
    """

    def __init__(self, root: Path, hints: Mapping[str, str]) -> None:
        self._root = root
        self._hints = hints
        self._finder = Finder(root)
        self._names: dict[str, list[str]] = {}
        self._left_out: list[Path] = []
        self._search()

    def __call__(self, name: str) -> ImageFile | None:
        """Find a file by its bare name.

        Returns:
            The file, or None where it does not exist.

        Raises:
            MmulbenchError: if the file is a link that leads out of the folder, if several sub-folders hold
                the name and none is preferred, or if it may lie where a link led that was not followed.
        """
        places = self._names.get(name, [])
        if not places and self._left_out:
            raise MmulbenchError(
                f"{self._root / name}: missing; the link {self._left_out[0]} was not followed, since it "
                f"leads out of its folder: only links right below {self._root} may"
            )
        if len(places) > 1:
            hint = self._hints.get(name)
            preferred = [place for place in places if PurePosixPath(place).parent.name == hint]
            if len(preferred) != 1 and len({(self._root / place).resolve() for place in places}) == 1:
                preferred = sorted(places, key=self._is_link)[:1]  # all are one file
            if len(preferred) != 1:
                both = " and ".join(sorted(places)[:2])
                raise MmulbenchError(f"{name} is in several folders of {self._root}, {both}: keep one")
            places = preferred
        return self._finder(places[0]) if places else None

    def _is_link(self, place: str) -> bool:
        return (self._root / place).is_symlink()

    def _search(self) -> None:
        """Note the files of all folders, those that links lead to last."""
        searched: set[Path] = set()
        waiting = deque([self._root])
        while waiting:
            for folder, folders, files in os.walk(waiting.popleft()):
                place = Path(folder)
                if place.resolve() in searched:
                    folders.clear()
                    continue
                searched.add(place.resolve())
                folders.sort()
                waiting += [link for link in map(place.joinpath, folders) if self._follows(link)]
                for file in files:
                    self._names.setdefault(file, []).append((place / file).relative_to(self._root).as_posix())

    def _follows(self, folder: Path) -> bool:
        """Tell whether a folder is a link to follow; note those that lead out."""
        if not folder.is_symlink():
            return False
        parts = folder.relative_to(self._root).parts
        if len(parts) > 1 and not folder.resolve().is_relative_to((self._root / parts[0]).resolve()):
            self._left_out.append(folder)
            return False
        return True
