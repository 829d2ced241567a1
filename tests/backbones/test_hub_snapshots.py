"""Repositories in a hub's local cache: which commit a name means, and what is said where there is none."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hub_cache import COMMIT, OTHER_COMMIT, put

from mmulbench.backbones._pretrained.hub_snapshots import Snapshot, fetch, is_hub_name
from mmulbench.errors import UsageError


@pytest.fixture
def cache(tmp_path) -> Path:
    """A cache with two commits of one repository."""
    files = tmp_path / "files"
    files.mkdir()
    (files / "config.json").write_text("{}")
    (files / "model.safetensors").write_bytes(b"weights")
    put(tmp_path / "hub", "some-one/model", files, COMMIT, "main", "refs/pr/1")
    put(tmp_path / "hub", "some-one/model", files, OTHER_COMMIT, "v2.0")
    return tmp_path / "hub"


def found(text: str) -> Snapshot:
    return fetch(text, ["*.json"], ["model.safetensors"], f"the model {text}", "/path/to/it")


def refused(text: str) -> str:
    with pytest.raises(UsageError) as caught:
        found(text)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("revision", "commit"),
    [
        ("", COMMIT),
        ("@main", COMMIT),
        ("@v2.0", OTHER_COMMIT),
        ("@refs/pr/1", COMMIT),
        (f"@{OTHER_COMMIT}", OTHER_COMMIT),
    ],
)
def test_a_name_means_a_commit(cache, revision, commit):
    snapshot = found(f"some-one/model{revision}")
    assert (snapshot.name, snapshot.commit) == ("some-one/model", commit)
    assert snapshot.folder == cache / "models--some-one--model" / "snapshots" / commit
    assert snapshot.source == f"some-one/model@{commit}" and found(snapshot.source) == snapshot


def test_what_is_not_in_the_cache_is_said_in_a_line(cache):
    text = refused("some-one/other")
    assert text == (
        "the model some-one/other is neither a folder here nor can it be fetched from the hub (it is not in "
        f"the cache {cache}, and HF_HUB_OFFLINE is set); copy it from a machine that can and give its "
        "folder: /path/to/it"
    )
    assert "some-one/model@v3" in refused("some-one/model@v3")
    assert re.search("not in the cache", refused(f"some-one/model@{'0' * 40}"))


def test_a_branch_that_leads_out_of_the_cache_is_refused(cache, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (cache / "models--some-one--model" / "refs" / "main").write_text("../../../elsewhere")
    assert "which is no commit" in refused("some-one/model")


@pytest.mark.parametrize("name", ["a/b", "a/b@main", "a/b@refs/pr/1", "A.b-c/d_e@1.0"])
def test_names_of_a_hub(name):
    assert is_hub_name(name)


@pytest.mark.parametrize(
    "name", ["a", "a/b/c", "./a/b", "~/a", "../a/b", "a/..", "a/b@", "a/b@../c", "a/b@a/../.."]
)
def test_other_places(name):
    assert not is_hub_name(name)
