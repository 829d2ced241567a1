"""Have the C library keep freed memory while large blocks are computed one after the other."""

from __future__ import annotations

import contextlib
import ctypes
import sys
from collections.abc import Iterator

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _MMAP_MAX = -1, -3, -4
"""Names of glibc's settings (malloc.h)."""


@contextlib.contextmanager
def large_blocks_reused() -> Iterator[None]:
    """Have the C library keep what the body frees for the body's next use, and give it back at the end.

    glibc asks the system for every block above 32 MiB anew, and the system clears each of its pages: with the
    feature maps of 64 pictures that takes twice as long as computing them. No number changes. It helps the
    main thread alone, whose heap can grow; without glibc it does nothing.
    """
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    if not hasattr(library, "mallopt"):
        yield
        return
    assert library is not None
    library.mallopt(_MMAP_MAX, 0)
    library.mallopt(_TRIM_THRESHOLD, 2**31 - 1)
    try:
        yield
    finally:  # what glibc sets itself once a block of 32 MiB was freed
        library.mallopt(_MMAP_MAX, 2**16)
        library.mallopt(_MMAP_THRESHOLD, 2**25)
        library.mallopt(_TRIM_THRESHOLD, 2**26)
        library.malloc_trim(0)
