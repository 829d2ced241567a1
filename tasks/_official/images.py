"""Find images on disk without being led out of their folder, and decode them when they are asked for."""

from __future__ import annotations

import io
import os
import stat
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple, Protocol, overload

import numpy as np
from numpy.typing import NDArray

from mmulbench import MmulbenchError
from mmulbench.errors import text_of

Pixels = NDArray[np.uint8]

FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP")
"""Formats that are decoded, told by content: many of NLVR2's ``.png`` files are not PNG. Pillow's other
decoders are never called."""

TRANSPARENT = ("RGBA", "LA", "PA", "La", "RGBa")
"""Pillow's modes of images that have transparent parts."""

SURROGATES = {chr(code) for code in range(0xD800, 0xE000)}
"""Halves of characters, which JSON can hold but no file name and no text."""


class StoredImage(Protocol):
    """Describes an image that is decoded when it is read."""

    @property
    def size(self) -> int:
        """Number of bytes of the stored image."""

    def read(self) -> Pixels:
        """Decode the image.

        Returns:
            (h, w, 3) RGB.

        Raises:
            MmulbenchError: if the image cannot be decoded.
        """


class ImageFile(NamedTuple):
    """Holds an image that is a file of its own.

    Attributes:
        path: path of the file.
        size: number of bytes of the file.
    """

    path: Path
    size: int

    def read(self) -> Pixels:
        """Decode the file."""
        return read_image(self.path)


class Images(Sequence[Pixels]):
    """Decodes an image whenever it is read, so that memory never holds them all.

    ``images[i]`` is (h, w, 3) RGB; a slice is a list of such arrays.

    Args:
        names: file names of the images.
        stored: where each image is stored.
    """

    def __init__(self, names: Sequence[str], stored: Sequence[StoredImage]) -> None:
        self.names = tuple(names)
        self.stored = tuple(stored)

    def __len__(self) -> int:
        return len(self.stored)

    @overload
    def __getitem__(self, index: int) -> Pixels: ...

    @overload
    def __getitem__(self, index: slice) -> list[Pixels]: ...

    def __getitem__(self, index: int | slice) -> Pixels | list[Pixels]:
        if isinstance(index, slice):
            return [image.read() for image in self.stored[index]]
        return self.stored[index].read()


def read_image(image: Path | bytes, where: str = "") -> Pixels:
    """Decode an image as RGB: grey and CMYK are converted, transparent parts are put on white.

    Args:
        image: path of a file, or the content of one.
        where: what messages call the image; its path where empty.

    Returns:
        (h, w, 3) RGB.

    Raises:
        MmulbenchError: if the image cannot be decoded, or has more pixels than Pillow takes for safe.
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
        reason = text_of(error)
        raise MmulbenchError(f"{where}: cannot be decoded as an image: {reason}") from error


def safe_name(name: str, where: str) -> str:
    """Check that a file name in an annotation is relative and does not lead upwards.

    Args:
        name: file name, with or without folders.
        where: place of the annotation, for the message.

    Returns:
        The name in its simplest form.

    Raises:
        MmulbenchError: if the name leads elsewhere.
    """
    path = PurePosixPath(name)
    unsafe = not path.parts or path.is_absolute() or ".." in path.parts
    if unsafe or any(sign in "\\\0\n\r" or sign in SURROGATES for sign in name) or ":" in path.parts[0]:
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
        return ImageFile(path, information.st_size) if stat.S_ISREG(information.st_mode) else None

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

    Links to folders are not followed.

    Args:
        root: folder to search.
        hints: by bare name, the sub-folder to prefer where several hold the name.
    """

    def __init__(self, root: Path, hints: Mapping[str, str]) -> None:
        self._hints = hints
        self._finder = Finder(root)
        self._names: dict[str, list[str]] = {}
        for folder, _, files in os.walk(root):
            relative = Path(folder).relative_to(root)
            for file in files:
                self._names.setdefault(file, []).append((relative / file).as_posix())

    def __call__(self, name: str) -> ImageFile | None:
        """Find a file by its bare name.

        Returns:
            The file, or None where it does not exist.

        Raises:
            MmulbenchError: if the file is a link that leads out of the folder, or if several sub-folders hold
                the name and none is preferred.
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
