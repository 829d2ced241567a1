"""Freed blocks are kept for the body's next use, and given back at its end."""

from __future__ import annotations

import ctypes
import resource
import sys

import pytest

from mmulbench.malloc import large_blocks_reused

BLOCK = 64 * 2**20


def page_faults_of_ten_blocks() -> int:
    """Number of pages the system had to clear for ten large blocks, one after the other."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        ctypes.memset(ctypes.create_string_buffer(BLOCK), 1, BLOCK)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "mallopt"), reason="the C library is not glibc"
)
def test_the_system_clears_pages_once_inside_and_each_time_outside():
    with large_blocks_reused():
        page_faults_of_ten_blocks()
        inside = page_faults_of_ten_blocks()
    outside = page_faults_of_ten_blocks()
    assert inside < outside / 5


def test_what_the_body_raises_goes_on():
    with pytest.raises(KeyError), large_blocks_reused():
        raise KeyError
