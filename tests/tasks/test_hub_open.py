"""Folders of parquet files are read whatever lies beside them; other contents and places are refused."""

from __future__ import annotations

import json
import os
import pickle
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import forks
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


@pytest.mark.parametrize("above", ["..", "{root}"])
def test_a_card_that_leads_outside_of_the_folder_is_refused(above, hub, kept, tmp_path):
    def name_files(pattern: str) -> None:
        card = f"---\nconfigs:\n- config_name: default\n  data_files: {pattern}\n---\n"
        (hub / "README.md").write_text(card)

    hub_miniatures.flickr_one_split(kept, tmp_path / "outside")
    name_files(f"{above.format(root=tmp_path)}/outside/data/*.parquet")
    with pytest.raises(UsageError, match=r"README\.md names /.*/outside/data/.*, which is not in the folder"):
        load("flickr30k", tmp_path, hub=str(hub))
    name_files("flickr.parquet")
    assert load("flickr30k", tmp_path, hub=str(hub)).fingerprint == load("flickr30k", kept).fingerprint


class Bomb:
    """Unpickling it makes a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize(
    ("file", "error", "message"),
    [
        (
            "hub.py",
            UsageError,
            "Dataset scripts are no longer supported.*scripts are not run here.*@refs/conv",
        ),
        ("data/train.pkl", UsageError, r"cannot be opened: No \(supported\) data files found"),
        ("data/train.jsonl", UsageError, "holds no parquet files, and nothing else is read"),
        ("data/train.parquet", MmulbenchError, "cannot be read: Parquet magic bytes not found"),
        ("README.txt", UsageError, "holds no parquet files, and nothing else is read"),
    ],
)
def test_other_contents_are_refused_and_nothing_executed(file, error, message, tmp_path):
    path = tmp_path / "hub" / file
    path.parent.mkdir(parents=True)
    bomb = f"__import__('os').mkdir({str(tmp_path / 'executed')!r})\n".encode()
    path.write_bytes(pickle.dumps(Bomb(tmp_path / "executed")) if file.endswith("pkl") else bomb)
    if file.endswith("jsonl"):
        path.write_text(json.dumps({"image": "x", "caption": "y"}))
    with pytest.raises(error, match=message) as caught:
        load("flickr30k", tmp_path, hub=str(tmp_path / "hub"))
    assert type(caught.value) is error and "\n" not in str(caught.value)
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize("name", ["/nowhere/at all", "./nowhere", "flickr30k", "a/b/c", "a b/c"])
def test_what_is_neither_a_folder_nor_a_name(name, tmp_path):
    with pytest.raises(UsageError, match=r"task.hub=.*: neither a folder that is there nor like owner/name"):
        load("flickr30k", tmp_path, hub=name)


class Refusing(BaseHTTPRequestHandler):
    """A hub that knows no data set."""

    def do_GET(self):
        self.send_error(404)

    def log_message(self, *_):
        pass


@pytest.fixture
def refusing_hub():
    with HTTPServer(("127.0.0.1", 0), Refusing) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"HF_HUB_OFFLINE": "1"}, "cannot be opened: Couldn't reach"),
        ({"HF_ENDPOINT": ""}, "the hub refuses it: .*404"),
        # The port of the discard service, where nobody listens: as without a network.
        ({"HF_ENDPOINT": "http://127.0.0.1:9"}, "nor can the hub be reached"),
    ],
)
def test_a_hub_out_of_reach_is_said_at_once(environment, message, refusing_hub, tmp_path):
    environment = {key: value or refusing_hub for key, value in environment.items()}
    words = ["run", "-m", "mmul", "-t", "flickr30k", "--set", "task.hub=nobody/nothing", "--quiet"]
    words += ["--data-dir", "data", "--results-dir", "results", "--cache-dir", "cache", "--device", "cpu"]
    own = {key: value for key, value in os.environ.items() if not key.startswith("HF_")}
    own |= {"HF_HOME": str(tmp_path / "home"), "PYTHONPATH": str(forks.ROOT), **environment}
    done = forks.python(tmp_path, own, "-m", "mmulbench", *words, timeout=180)
    assert done.returncode == 2 and done.stderr.count("\n") == 1, done.stderr
    assert re.search(message, done.stderr), done.stderr
    assert "local files do as well: mmulbench data info flickr30k" in done.stderr


def test_without_the_library(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(UsageError, match=r'needs the package datasets: run pip install "mmulbench\[hub\]"'):
        load("flickr30k", tmp_path, hub=str(tmp_path))
