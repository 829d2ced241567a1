"""`--forget` and `--forget-where` on the command line: in one run, and in a sweep, which is the same run."""

from __future__ import annotations

import json
import shutil

import pytest
from helpers import ONE_EPOCH, TINY, Bench, here

from mmulbench.records.group_key import GroupKey

RUN = ["-m", "finetune", *TINY, *ONE_EPOCH, "-b", "albef:tiny"]


@pytest.fixture(scope="module")
def listed(tmp_path_factory):
    """A run on a list of two units, found again by a sweep."""
    bench = Bench(tmp_path_factory.mktemp("listed"))
    (bench.root / "my list.txt").write_text("7\n3\n")
    done = bench.run("run", *RUN, "--forget", str(bench.root / "my list.txt"), "--json")
    assert done.code == 0, done.err
    return bench, done


def test_a_record_describes_its_list_and_does_not_hold_it(listed):
    bench, done = listed
    (record,) = done.records
    assert record.spec.forget is not None and record.spec.forget.level == "units"
    assert record.spec.forget_size == 2 == len(record.by_unit["pairs"])
    assert sum(record.by_unit["pairs"]) == record.spec.forget.pairs
    assert record.command.startswith(
        "mmulbench run --method finetune --task emoji --backbone albef:tiny --forget"
    )
    assert "my list" not in done.out and record.forget_ids == ()
    assert "forgets 2 units with all their" in done.err
    assert here("validate", "--results-dir", str(bench.results)).code == 0


def test_a_sweep_makes_the_same_run(listed):
    bench, done = listed
    words = ["sweep", *RUN, "--executor", "debug", "--json", "--record-ids"]
    found = bench.run(*words, "--forget", str(bench.root / "my list.txt"))
    assert found.code == 0, found.err
    (path,) = bench.results.rglob("finetune/*.json")
    assert json.loads(path.read_text())["run_id"] == done.records[0].run_id
    step = next((bench.root / f"command{bench._count}").rglob("sweep.json")).read_text()
    assert "my list.txt@" in step


@pytest.mark.slow
def test_another_list_is_another_run_and_another_table(listed, bench):
    (bench.root / "pairs.csv").write_text("id,text\n3,grinning face\n")
    _, done = listed
    unknown = bench.run("run", *RUN, "--forget", str(bench.root / "pairs.csv"))
    assert unknown.code == 2
    assert "1 association is not in the training split" in unknown.err
    text = done.records[0]
    other = bench.run("run", *RUN, "--forget-where", "text == " + a_text(unknown), "--record-ids", "--json")
    assert other.code == 0, other.err
    (record,) = other.records
    assert record.forget_ids and record.run_id != text.run_id
    assert GroupKey.of(record.spec) != GroupKey.of(text.spec)


def a_text(done) -> str:
    """A text of the training split: what is asked for wrongly is answered by one that is there."""
    wrong = here("run", *RUN, "--forget-where", "text == nothing at all")
    assert wrong.code == 2 and "no training pair has text == 'nothing at all'; one has '" in wrong.err
    return wrong.err.rpartition("; one has '")[2].rpartition("'")[0]


def test_a_line_says_what_the_name_of_a_copy_means_before_pictures_are_decoded(own, tmp_path):
    folder = own / "pairs"
    shutil.copyfile(folder / "images" / "000.jpg", folder / "zebra.jpg")
    (folder / "images" / "001.png").write_bytes(b"damaged")
    with (folder / "table.csv").open("a") as table:
        table.write("zebra.jpg,a zebra,,train\n")
    (tmp_path / "ids").write_text("zebra.jpg\n")
    words = ["-t", "pairs", "--data-dir", str(own), "--forget", str(tmp_path / "ids")]
    done = here("run", *RUN[:2], *words, "-b", "albef:tiny", "--results-dir", str(tmp_path / "results"))
    assert done.code == 1 and "images/001.png" in done.err
    assert done.err.count("the picture that they repeat: zebra.jpg means images/000.jpg\n") == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--forget", "nowhere.txt"], "--forget nowhere.txt cannot be read: No such file or directory"),
        (["--forget-where", "text"], "--forget-where 'text' is no condition: write 'COLUMN == VALUE'"),
        (["--forget-where", "a == b", "--forget-size", "3"], "leave out --forget-size"),
        (["--forget-where", "txt == b"], "there is no column 'txt'; did you mean text?"),
    ],
)
def test_wrong_use_is_told_before_anything_is_computed(words, message, tmp_path):
    done = here("run", *RUN, *words, "--results-dir", str(tmp_path / "results"))
    assert done.code == 2 and message in done.err
    assert not list(tmp_path.rglob("*.json"))
