"""Git LFS pointers are told from the files they stand for."""

from __future__ import annotations

import pytest

from mmulbench.errors import MmulbenchError
from mmulbench.lfs_pointers import is_lfs_pointer, refuse_lfs_pointer

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12345\n"


def test_a_git_lfs_pointer_is_named(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(POINTER)
    with pytest.raises(MmulbenchError, match=rf"^{path} is a Git LFS pointer, which .*: run git lfs pull$"):
        refuse_lfs_pointer(path)
    path.write_bytes(b"weights")
    refuse_lfs_pointer(path)
    refuse_lfs_pointer(tmp_path / "nothing")
    assert is_lfs_pointer(POINTER) and not is_lfs_pointer(POINTER[:9]) and not is_lfs_pointer(b"")
