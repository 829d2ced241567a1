"""Folders of parquet files are read whatever lies beside them, and Git LFS pointers are named."""

from __future__ import annotations

from pathlib import Path

import hub_miniatures
import pytest
from official_data import load

from mmulbench.errors import MmulbenchError, UsageError


@pytest.fixture(scope="module", autouse=True)
def library_cache(tmp_path_factory):
    with hub_miniatures.library_cache(tmp_path_factory.mktemp("library")) as cache:
        yield cache


@pytest.fixture
def hub(kept, tmp_path) -> Path:
    """One file, with a column that says which split a row is in."""
    folder = hub_miniatures.flickr_one_split(kept, tmp_path / "hub")
    (folder / "data" / "test-00000-of-00001.parquet").rename(folder / "flickr.parquet")
    return folder


@pytest.fixture
def splits(kept, tmp_path) -> Path:
    """A file a split, and no column."""
    folder = hub_miniatures.flickr_a_caption_a_row(kept, tmp_path / "splits")
    for file in (folder / "data").iterdir():
        file.rename(folder / f"{file.name.partition('-')[0]}.parquet")
    return folder


def put(folder: Path, *names: str) -> None:
    """Files of another kind, more than there are parquet files."""
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("image,url\nx,y\n")


@pytest.mark.parametrize("names", [["a.csv", "b.csv"], ["train.csv", "test.csv"], ["x/1.jpg", "x/2.jpg"]])
def test_other_files_beside_the_parquet(names, hub, kept, tmp_path):
    put(hub, *names)
    assert load("flickr30k", tmp_path, hub=str(hub)).fingerprint == load("flickr30k", kept).fingerprint


@pytest.mark.parametrize(
    "names", [[f"{part}.csv" for part in "abcd"], [f"test/{part}.csv" for part in "abcd"], ["validation.csv"]]
)
def test_other_files_do_not_say_what_the_splits_are(names, splits, kept, tmp_path):
    put(splits, *names)
    assert load("flickr30k", tmp_path, hub=str(splits)).fingerprint == load("flickr30k", kept).fingerprint


def test_a_parquet_file_of_any_name_beside_others(hub, kept, tmp_path):
    (hub / "flickr.parquet").rename(hub / "all [1].parquet")
    put(hub, "a.csv", "b.csv")
    assert load("flickr30k", tmp_path, hub=str(hub)).fingerprint == load("flickr30k", kept).fingerprint


def test_other_files_alone(tmp_path):
    (tmp_path / "hub").mkdir()
    put(tmp_path / "hub", "a.csv")
    with pytest.raises(UsageError, match="holds no parquet files, and nothing else is read"):
        load("flickr30k", tmp_path, hub=str(tmp_path / "hub"))


def test_a_git_lfs_pointer(splits, tmp_path):
    path = splits / "test.parquet"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12345\n")
    with pytest.raises(MmulbenchError, match=f"^{path} is a Git LFS pointer.*: run git lfs pull"):
        load("flickr30k", tmp_path, hub=str(splits))
