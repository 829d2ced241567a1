"""What every backbone on a checkpoint shares, seen through BLIP."""

from __future__ import annotations

import io
import json
import os
import pickle
import shlex
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import blip_checkpoints
import pytest
import torch

from mmulbench.backbones._checkpoints import Checkpoint, open_checkpoint
from mmulbench.backbones.blip import BlipBackbone
from mmulbench.cli import main
from mmulbench.errors import MmulbenchError, UsageError
from mmulbench.model import RawItems
from mmulbench.preparation import find_backbone
from mmulbench.registry import TASKS
from mmulbench.results import RunSpec
from mmulbench.seeds import torch_seeded
from mmulbench.store import ResultsStore

TINY = ["--task", "emoji", "--device", "cpu", "--set", "task.limit=30", "--set", "recipe.epochs=1"]


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    """No hub, and an empty cache of one; the environment is read when its client is imported."""
    from huggingface_hub import constants

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))


@pytest.fixture(scope="session")
def kept(tmp_path_factory) -> Path:
    """A checkpoint that tests leave as it is."""
    return blip_checkpoints.write(tmp_path_factory.mktemp("kept") / "blip-tiny")


@pytest.fixture
def own(kept, tmp_path) -> Path:
    """A checkpoint to spoil."""
    return Path(shutil.copytree(kept, tmp_path / "blip-tiny"))


def load(folder: Path | str) -> BlipBackbone:
    return BlipBackbone.from_checkpoint(str(folder))


def everything(folder: Path) -> None:
    """All that a run reads of a checkpoint."""
    backbone = load(folder)
    backbone.prepare("text", RawItems(texts=("a red heart",)), lambda iterable, total, description: iterable)
    backbone.build()


def spec_of(backbone: str) -> RunSpec:
    return RunSpec(
        task="emoji", backbone=backbone, method="mmul", forget_size=3, seed=0, data_fingerprint="x"
    )


def change_json(path: Path, **changes) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_a_record_carries_name_and_content_wherever_the_checkpoint_lies(kept, own, tmp_path):
    backbone = load(kept)
    assert backbone.full_name == load(own).full_name == f"blip:blip-tiny@{backbone.checkpoint.digest}"
    assert backbone.argument == f"blip:{kept}@{backbone.checkpoint.digest}"
    store = ResultsStore(tmp_path)
    path = store.path(spec_of(backbone.full_name))
    assert path.parent.parent == tmp_path / "emoji" / f"blip-blip-tiny@{backbone.checkpoint.digest}"


def spoil_weight(folder: Path) -> None:
    blip_checkpoints.make(seed=1).save_pretrained(folder)


def spoil_tokeniser(folder: Path) -> None:
    path = folder / "tokenizer.json"
    path.write_text(path.read_text().replace('"heart"', '"hearts"'))


@pytest.mark.parametrize(
    "spoil",
    [
        spoil_weight,
        spoil_tokeniser,
        lambda folder: change_json(folder / "preprocessor_config.json", image_mean=[0.1, 0.2, 0.3]),
        lambda folder: change_json(folder / "config.json", initializer_factor=2.0),
    ],
    ids=["weights", "tokeniser", "image settings", "configuration"],
)
def test_other_content_is_another_backbone(kept, own, spoil):
    spoil(own)
    assert load(own).full_name != load(kept).full_name
    assert load(own).identity != load(kept).identity


def test_any_shard_is_part_of_the_digest(tmp_path):
    model = blip_checkpoints.make()
    folders = []
    for name in ("one", "other"):
        folders.append(blip_checkpoints.write(tmp_path / name, model, max_shard_size="40KB"))
        model.itm_head.bias.data += 1
    assert load(folders[0]).checkpoint.digest != load(folders[1]).checkpoint.digest


def test_a_readme_is_not_part_of_the_digest(kept, own):
    (own / "README.md").write_text("# BLIP")
    assert load(own).identity == load(kept).identity


def test_a_digest_demands_that_content(kept, own):
    argument = load(own).argument.removeprefix("blip:")
    assert load(argument).argument == f"blip:{argument}"
    spoil_weight(own)
    with pytest.raises(UsageError, match=rf"has the digest {load(own).checkpoint.digest}, not "):
        load(argument)


@pytest.mark.parametrize(
    ("place", "label"),
    [
        ("models/blip-tiny", "blip-tiny"),  # looks like the name of a hub's
        ("with space", "with_space"),
        (".hidden", "hidden"),
        ("user@host/blip@tiny", "blip_tiny"),
        ("long" * 50, ("long" * 50)[:80]),
        ("Größe", "Gr__e"),
    ],
)
def test_folders_of_any_name_go_into_the_store(own, tmp_path, monkeypatch, place, label):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(own, place)
    backbone = load(place)
    assert backbone.full_name == f"blip:{label}@{backbone.checkpoint.digest}"
    ResultsStore(tmp_path).path(spec_of(backbone.full_name))
    again = find_backbone(backbone.argument, TASKS.get("emoji")())
    assert again.identity == backbone.identity


def test_a_folder_beside_me_is_not_taken_for_a_variant(own, monkeypatch):
    monkeypatch.chdir(own.parent)
    task = TASKS.get("emoji")()
    backbone = find_backbone("blip:blip-tiny", task)
    assert find_backbone(backbone.argument, task).argument == backbone.argument
    assert backbone.argument.startswith("blip:./blip-tiny@")


def test_a_home_folder_is_found(own, monkeypatch):
    monkeypatch.setenv("HOME", str(own.parent))
    assert load("~/blip-tiny").identity == load(own).identity


def test_a_repository_in_the_local_hub_cache(own, tmp_path, monkeypatch):
    """The layout in which a hub's snapshot lies in the cache: nothing is fetched."""
    commit = "0123456789abcdef0123456789abcdef01234567"
    repository = tmp_path / "hub" / "models--some-one--blip-small"
    shutil.copytree(own, repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    monkeypatch.chdir(tmp_path)
    backbone = load("some-one/blip-small")
    digest = load(own).checkpoint.digest
    assert backbone.full_name == f"blip:some-one/blip-small@{digest}"
    assert backbone.argument == backbone.full_name
    path = ResultsStore(tmp_path).path(spec_of(backbone.full_name))
    assert path.parent.parent.name == f"blip-some-one--blip-small@{digest}"


def test_loading_leaves_torchs_generator_alone_and_gives_float32_that_trains(tmp_path):
    model = blip_checkpoints.make()
    folder = blip_checkpoints.write(tmp_path / "half", model.half())
    found = load(folder).checkpoint
    assert found.config["dtype"] == "float16"
    from transformers import BlipForImageTextRetrieval

    with torch_seeded(0, "x"):
        expected = torch.rand(1)
    with torch_seeded(0, "x"):
        loaded = found.load(BlipForImageTextRetrieval)
        assert torch.equal(torch.rand(1), expected)
    assert {parameter.dtype for parameter in loaded.parameters()} == {torch.float32}
    assert loaded.training and all(parameter.requires_grad for parameter in loaded.parameters())
    assert torch.equal(loaded.itm_head.weight, model.itm_head.weight.float())


def test_parameters_of_another_shape_are_new_only_where_they_may_be(own, tmp_path):
    model = blip_checkpoints.make()
    tensors = {**model.state_dict(), "itm_head.weight": torch.zeros(3, 32), "itm_head.bias": torch.zeros(3)}
    found = load(blip_checkpoints.write_pickled(tmp_path / "three", tensors)).checkpoint
    from transformers import BlipForImageTextRetrieval

    with pytest.raises(MmulbenchError, match=r"have other shapes for 2 parameters .* such as itm_head\.bias"):
        found.load(BlipForImageTextRetrieval)
    with torch_seeded(0, "x"):
        loaded = found.load(BlipForImageTextRetrieval, new=("itm_head",))
    assert loaded.itm_head.weight.shape == (2, 32) and loaded.itm_head.weight.std() > 0
    assert torch.equal(loaded.text_proj.weight, model.text_proj.weight)


def test_image_settings_beside_a_tokenisers(own):
    """As a processor lays them out since transformers 5."""
    settings = json.loads((own / "preprocessor_config.json").read_text())
    (own / "preprocessor_config.json").unlink()
    assert load(own).config.mean != tuple(blip_checkpoints.MEAN), (
        "the published model's, where there are none"
    )
    (own / "processor_config.json").write_text(json.dumps({"image_processor": settings}))
    assert load(own).config.mean == tuple(blip_checkpoints.MEAN)
    assert load(own).config.std == tuple(blip_checkpoints.STD)


def test_attention_code_that_a_configuration_names_is_not_fetched(own):
    config = json.loads((own / "config.json").read_text())
    for part in (config, config["text_config"], config["vision_config"]):
        part["attn_implementation"] = part["_attn_implementation"] = "some-one/kernels"
    (own / "config.json").write_text(json.dumps(config))
    everything(own)


def test_weights_elsewhere_that_a_configuration_names_are_not_read(own):
    other = own / "below"
    blip_checkpoints.write(other, blip_checkpoints.make(seed=1))
    change_json(own / "config.json", transformers_weights="below/model.safetensors")
    bias = load(own).build().matching.bias
    assert torch.equal(bias, blip_checkpoints.make().itm_head.bias)


class Hostile:
    """Makes a folder when it is unpickled."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self):
        return os.mkdir, (str(self.place),)


def pickled(folder: Path, content: bytes | object) -> None:
    (folder / "model.safetensors").unlink()
    if isinstance(content, bytes):
        (folder / "pytorch_model.bin").write_bytes(content)
    else:
        torch.save(content, folder / "pytorch_model.bin")


def bare_pickle(place: Path) -> bytes:
    return pickle.dumps({"x": Hostile(place)}, protocol=2)


def zipped_pickle(place: Path) -> bytes:
    """What torch.save would have written, with the pickle in it replaced."""
    plain, hostile = io.BytesIO(), io.BytesIO()
    torch.save({"x": torch.zeros(2)}, plain)
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(hostile, "w") as target:
        for name in source.namelist():
            content = bare_pickle(place) if name.endswith("data.pkl") else source.read(name)
            target.writestr(name, content)
    return hostile.getvalue()


@pytest.mark.parametrize("make", [bare_pickle, zipped_pickle])
def test_pickled_code_is_refused_and_not_run(own, tmp_path, make):
    trap = tmp_path / "trap"
    pickled(own, make(trap))
    with pytest.raises(
        MmulbenchError, match=r"pytorch_model\.bin holds something else than tensors"
    ) as caught:
        load(own).build()
    assert "weights_only" not in str(caught.value), "no advice to run it"
    assert not trap.exists()
    pickle.loads(bare_pickle(trap))  # noqa: S301 (the trap works)
    assert trap.exists()


def test_code_that_comes_with_a_checkpoint_is_not_run(own, tmp_path, monkeypatch):
    trap = tmp_path / "trap"
    (own / "code.py").write_text(f"import os\nos.mkdir({str(trap)!r})\n")
    auto = {"AutoTokenizer": ["code.Words", None], "AutoConfig": "code.Config", "AutoModel": "code.Model"}
    change_json(own / "config.json", auto_map=auto)
    change_json(own / "tokenizer_config.json", auto_map=auto, tokenizer_class="Words")
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n" * 9))  # what a question whether to run it would read
    try:
        everything(own)
    except MmulbenchError as error:
        assert "\n" not in str(error)
    assert not trap.exists()


def test_nothing_is_said_while_loading(kept, capfd):
    everything(kept)
    assert capfd.readouterr() == ("", "")


def cut(path: Path, keep: float) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])


def shard(name: str | None) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        (folder / "model.safetensors").unlink()
        by_parameter = {"itm_head.bias": name} if name else {}
        (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": by_parameter}))

    return spoil


def write(name: str, content: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_text(content) and None


def remove(*names: str) -> Callable[[Path], None]:
    return lambda folder: [(folder / name).unlink() for name in names] and None


DAMAGE = {
    "no configuration": (remove("config.json"), "holds no config.json", UsageError),
    "configuration cut": (lambda f: cut(f / "config.json", 0.5), "cannot be read as JSON", MmulbenchError),
    "configuration too deep": (write("config.json", "[" * 200_000), "cannot be read as JSON", MmulbenchError),
    "configuration a list": (write("config.json", "[1]"), "holds no JSON object", MmulbenchError),
    "another model": (
        lambda f: change_json(f / "config.json", model_type="clip"),
        "has model_type 'clip', but this backbone reads blip",
        UsageError,
    ),
    "no model type": (write("config.json", "{}"), "has model_type None", UsageError),
    "no weights": (remove("model.safetensors"), "holds no weights: looked for model.safetensors", UsageError),
    "weights cut": (
        lambda f: cut(f / "model.safetensors", 0.9),
        "model.safetensors is damaged",
        MmulbenchError,
    ),
    "weights empty": (
        lambda f: cut(f / "model.safetensors", 0),
        "model.safetensors is damaged",
        MmulbenchError,
    ),
    "shard missing": (shard("model-1.safetensors"), "model-1.safetensors is missing, but", MmulbenchError),
    "shard outside": (shard("../x.safetensors"), "the shard '../x.safetensors' is no file", MmulbenchError),
    "shard anywhere": (shard("/x.safetensors"), "the shard '/x.safetensors' is no file", MmulbenchError),
    "shard pickled": (shard("pytorch_model.bin"), "the shard 'pytorch_model.bin' is no file", MmulbenchError),
    "no shards": (shard(None), "names no shards", MmulbenchError),
    "index of numbers": (
        lambda f: (shard(None)(f), write("model.safetensors.index.json", '{"weight_map": {"a": [1]}}')(f)),
        "is no file of this folder",
        MmulbenchError,
    ),
    "pickle cut": (lambda f: pickled(f, zipped_pickle(f)[:200]), "pytorch_model.bin", MmulbenchError),
    "a tensor alone": (
        lambda f: pickled(f, torch.zeros(3)),
        "something else than tensors by",
        MmulbenchError,
    ),
    "a training state": (
        lambda f: pickled(f, {"model": {"x": torch.zeros(3)}, "epoch": 3}),
        "something else than tensors by name",
        MmulbenchError,
    ),
    "other tensors": (lambda f: pickled(f, {"x": torch.zeros(3)}), "parameters of Blip", MmulbenchError),
    "no tokeniser": (remove("tokenizer.json"), "holds no tokeniser: looked for", UsageError),
    "tokeniser cut": (lambda f: cut(f / "tokenizer.json", 0.5), "the tokeniser in .* cannot", MmulbenchError),
    "tokeniser of another": (
        lambda f: (f / "tokenizer.json").write_text(
            (f / "tokenizer.json").read_text().replace('"heart": 7', '"heart": 999')
        ),
        "gives the id 999, but the model knows",
        MmulbenchError,
    ),
    "image settings a word": (
        lambda f: change_json(f / "preprocessor_config.json", image_mean="grey"),
        "image_mean must be three numbers, not 'grey'",
        MmulbenchError,
    ),
    "image settings zero": (
        lambda f: change_json(f / "preprocessor_config.json", image_std=[0, 1, 1]),
        "image_std must be three",
        MmulbenchError,
    ),
}


@pytest.mark.parametrize(("spoil", "message", "kind"), DAMAGE.values(), ids=DAMAGE)
def test_damage_is_told_in_one_line(own, spoil, message, kind):
    spoil(own)
    with pytest.raises(MmulbenchError, match=message) as caught:
        everything(own)
    assert type(caught.value) is kind
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 600


def run(capsys, *words: str) -> tuple[int, str, str]:
    code = main(["run", "-m", "finetune", *TINY, "--set", "epochs=1", "--no-reference", *words])
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("/missing", "the checkpoint /missing is not there: --backbone blip:PATH takes a folder with"),
        ("/missing@0123456789ab", "the checkpoint /missing is not there"),
        ("./missing/too", "the checkpoint missing/too is not there"),
        ("some-one/blip", "neither a folder here nor can it be fetched from the hub"),
        ("{file}", "is no folder: a checkpoint has config.json and weights side by side"),
        ("tinny", "unknown variant 'tinny' of backbone blip; did you mean tiny?"),
    ],
)
def test_a_checkpoint_that_is_not_there(tmp_path, monkeypatch, capsys, place, message):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "model.safetensors"
    file.touch()
    code, out, err = run(capsys, "-b", f"blip:{place.format(file=file)}")
    assert (code, out) == (2, "")
    assert err.startswith("mmulbench: ") and err.count("\n") == 1 and message in err
    assert not (tmp_path / "results").exists()


def test_a_damaged_checkpoint_on_the_command_line(own, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    trap = tmp_path / "trap"
    pickled(own, bare_pickle(trap))
    code, _, err = run(capsys, "-b", f"blip:{own}")
    assert code == 1 and not trap.exists()
    assert err.splitlines()[-1].startswith(f"mmulbench: {own}/pytorch_model.bin holds something else")


def test_a_run_from_a_checkpoint_and_the_command_that_repeats_it(own, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code, _, err = run(capsys, "-b", "blip:blip-tiny", "--json")
    assert code == 0, err
    [path] = (tmp_path / "results").rglob("*.json")
    record = json.loads(path.read_text())
    digest = load(own).checkpoint.digest
    assert record["status"] == "done" and record["spec"]["backbone"] == f"blip:blip-tiny@{digest}"
    words = shlex.split(record["command"])
    assert words[:2] == ["mmulbench", "run"] and f"blip:./blip-tiny@{digest}" in words
    before = path.stat().st_mtime_ns
    assert main([*words[1:], "--device", "cpu"]) == 0
    assert list((tmp_path / "results").rglob("*.json")) == [path] and path.stat().st_mtime_ns == before
    spoil_weight(own)
    capsys.readouterr()
    assert main([*words[1:], "--device", "cpu"]) == 2
    assert f"not {digest}" in capsys.readouterr().err


def test_listing_and_finding_need_no_transformers(kept):
    """Only a checkpoint, or building a model, pays for importing it."""
    code = (
        "import sys; from mmulbench.registry import BACKBONES; BACKBONES.get('blip')('tiny').identity;"
        "sys.exit('transformers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_checkpoint_is_opened_by_name_of_the_family(kept):
    found = open_checkpoint(str(kept), "blip")
    assert isinstance(found, Checkpoint) and found.folder == kept
    with pytest.raises(UsageError, match="this backbone reads vilt or clip"):
        found.check_type("vilt", "clip")
