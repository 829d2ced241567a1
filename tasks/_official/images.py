"""Images on disk: found without being led out of their folder, decoded when they are asked for."""

from __future__ import annotations

import io
import os
import stat
import warnings
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from mmulbench import MmulbenchError

Pixels = NDArray[np.uint8]

FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP")
"""What is decoded, by content: many of NLVR2's ``.png`` files are not PNG. All other decoders stay shut."""

TRANSPARENT = ("RGBA", "LA", "PA", "La", "RGBa")


SURROGATES = {chr(code) for code in range(0xD800, 0xE000)}
"""Halves of characters, which JSON can hold but no file name and no text."""


class ImageFile(NamedTuple):
    """A file and its size in bytes."""

    path: Path
    size: int


class Images(Sequence[Pixels], ABC):
    """Images as a sequence that decodes an image whenever it is read, so that memory never holds them all.

    ``self[i]`` is (h, w, 3) uint8 RGB, a slice a list of those.

    Args:
        names: their file names.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)

    @abstractmethod
    def read(self, index: int) -> Pixels:
        """Decode one.

        Raises:
            MmulbenchError: it cannot be decoded.
        """

    def __len__(self) -> int:
        return len(self.names)

    @overload
    def __getitem__(self, index: int) -> Pixels: ...

    @overload
    def __getitem__(self, index: slice) -> list[Pixels]: ...

    def __getitem__(self, index: int | slice) -> Pixels | list[Pixels]:
        if isinstance(index, slice):
            return [self.read(number) for number in range(*index.indices(len(self)))]
        return self.read(index)


class ImageFiles(Images):
    """Images that are files, one each."""

    def __init__(self, files: Sequence[Path]) -> None:
        super().__init__([file.name for file in files])
        self.files = tuple(files)

    def read(self, index: int) -> Pixels:
        """Decode one."""
        return read_image(self.files[index])


def read_image(image: Path | bytes, where: str = "") -> Pixels:
    """(h, w, 3) uint8 RGB of an image: grey and CMYK converted, transparent parts on white.

    Args:
        image: a file, or what is in one.
        where: what messages call it; the file where empty.

    Raises:
        MmulbenchError: it cannot be decoded, or has more pixels than Pillow takes for safe.
    """
    from PIL import Image

    where = where or str(image)
    source = io.BytesIO(image) if isinstance(image, bytes) else image
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(source, formats=FORMATS) as opened:
                if opened.mode in TRANSPARENT or "transparency" in opened.info:
                    picture = opened.convert("RGBA")
                    canvas = Image.new("RGBA", picture.size, "white")
                    canvas.alpha_composite(picture)
                    return np.asarray(canvas.convert("RGB"))
                return np.asarray(opened.convert("RGB"))
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise MmulbenchError(f"{where}: refused as a decompression bomb: {error}") from error
    except Exception as error:  # decoders raise all kinds on damaged bytes
        reason = " ".join(str(error).split()) or type(error).__name__
        raise MmulbenchError(f"{where}: cannot be decoded as an image: {reason}") from error


def safe_name(name: str, where: str) -> str:
    """A file name out of an annotation, relative and without a way up.

    Raises:
        MmulbenchError: it leads elsewhere.
    """
    path = PurePosixPath(name)
    unsafe = not path.parts or path.is_absolute() or ".." in path.parts
    if unsafe or any(sign in "\\\0\n\r" or sign in SURROGATES for sign in name) or ":" in path.parts[0]:
        raise MmulbenchError(f"{where}: the file name {name!r} leads out of the data folder: refused")
    return str(path)


class Finder:
    """Finds files below a folder.

    The folder itself, and the top folders that names begin with, may be links: the user has put the images
    elsewhere. What is in them may not lead out of them.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._tops: dict[str, Path] = {}
        self._parents: set[Path] = set()

    def __call__(self, name: str) -> ImageFile | None:
        """The file of a name that `safe_name` let through; None where it is not there.

        Raises:
            MmulbenchError: it is a link that leads out of its top folder.
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
        return ImageFile(path, information.st_size) if stat.S_ISREG(information.st_mode) else None

    def _top(self, part: str) -> Path:
        if part not in self._tops:
            self._tops[part] = (self.root / part).resolve()
        return self._tops[part]

    def _inside(self, path: Path, top: Path) -> None:
        if not path.resolve().is_relative_to(top):
            raise MmulbenchError(f"{path}: this link leads out of {top}: refused; put the file itself there")


class TreeFinder:
    """Finds files by bare name in a folder and all its sub-folders, searched once.

    Links to folders are not followed.

    Args:
        root: the folder.
        hints: by bare name, the sub-folder to prefer where several hold the name.
    """

    def __init__(self, root: Path, hints: dict[str, str]) -> None:
        self._hints = hints
        self._finder = Finder(root)
        self._names: dict[str, list[str]] = {}
        for folder, _, files in os.walk(root):
            relative = Path(folder).relative_to(root)
            for file in files:
                self._names.setdefault(file, []).append((relative / file).as_posix())

    def __call__(self, name: str) -> ImageFile | None:
        """The file; None where it is not there.

        Raises:
            MmulbenchError: it is a link that leads out, or it is in several folders and none is preferred.
        """
        places = self._names.get(name, [])
        if len(places) > 1:
            hint = self._hints.get(name)
            preferred = [place for place in places if PurePosixPath(place).parent.name == hint]
            if len(preferred) != 1:
                both = " and ".join(sorted(places)[:2])
                raise MmulbenchError(f"{name} is in several folders of {self._finder.root}, {both}: keep one")
            places = preferred
        return self._finder(places[0]) if places else None
