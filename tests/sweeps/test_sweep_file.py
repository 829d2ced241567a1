"""A sweep file's values are what is written, and each key is there once."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmulbench.errors import UsageError
from mmulbench.sweeps.grid import Job, given_grid
from mmulbench.sweeps.sweep_file import read_fields

START = "task: emoji\nmethod: scrub\n"


def jobs(folder: Path, text: str) -> list[Job]:
    path = folder / "sweep.yaml"
    path.write_text(START + text, encoding="utf-8")
    return given_grid(path, {}).jobs()


@pytest.mark.parametrize(
    ("text", "key", "lines"),
    [
        ("set: {a: 1}\nseed: 1\nset:\n  b: 2\n", "set", "3 and 5"),
        ('set:\n  lr: 1\n  "lr": 2\n', "lr", "4 and 5"),
        ("methods:\n  scrub:\n    - {alpha: 1, lr: 1, alpha: 2}\n", "alpha", "5 and 5"),
        ("executor:\n  mem: 1G\n  mem: 2G\n", "mem", "4 and 5"),
        ("include:\n  - task: emoji\n    seed: 1\n    seed: 2\n", "seed", "5 and 6"),
    ],
)
def test_a_key_that_is_there_twice_is_refused_with_both_lines(text, key, lines, tmp_path):
    message = rf"sweep.yaml is no YAML: '{key}' is there twice \(lines {lines}\): keep one"
    with pytest.raises(UsageError, match=message):
        jobs(tmp_path, text)


def test_what_is_merged_may_be_replaced(tmp_path):
    text = "methods:\n  scrub:\n    - &one {alpha: 1, lr: 2}\n    - {<<: *one, alpha: 3}\n    - *one\n"
    found = [sorted(job.settings) for job in jobs(tmp_path, text)]
    assert found == [["scrub.alpha=1", "scrub.lr=2"], ["scrub.alpha=3", "scrub.lr=2"]]


def test_aliases_that_stand_for_too_much_are_refused(tmp_path):
    lines = ["set:", "  a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"  a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    with pytest.raises(UsageError, match="its aliases stand for more than 100,000 values: write them out"):
        jobs(tmp_path, "\n".join(lines) + "\n")


def test_an_alias_inside_of_what_it_stands_for_is_refused(tmp_path):
    with pytest.raises(UsageError, match="the alias of line 3 is inside of what it stands for"):
        jobs(tmp_path, "set: &a {x: *a}\n")


@pytest.mark.parametrize(
    ("written", "seed"), [("42", 42), ("042", 42), ("'7'", 7), ("1_000", 1000), ("010", 10), ("08", 8)]
)
def test_a_seed_is_the_number_that_is_written(written, seed, tmp_path):
    assert [job.seed for job in jobs(tmp_path, f"seed: {written}\n")] == [seed]


@pytest.mark.parametrize(
    "written",
    [
        "1-3",
        "1..3",
        "1,2",
        "10:30",
        "0x1F",
        "0b11",
        "0o17",
        "1e3",
        "true",
        "yes",
        "2026-01-02",
        "1 2",
        ".inf",
    ],
)
def test_a_seed_that_is_no_number_is_refused(written, tmp_path):
    with pytest.raises(UsageError, match=r"sweep.yaml: seed.0: input should be a valid integer"):
        jobs(tmp_path, f"seed: {written}\n")


@pytest.mark.parametrize(
    "written",
    [
        "0.10",
        "042",
        "10:30",
        "10_12_2018",
        "no",
        "true",
        "1e-3",
        "1.0e-3",
        "2026-01-02",
        "0x1F",
        "+5",
        "0.00001",
    ],
)
def test_settings_and_sizes_are_the_text_that_is_written(written, tmp_path):
    text = f"forget_size: {written}\nset: {{task.one: {written}}}\nmethods: {{scrub: {{two: {written}}}}}\n"
    (job,) = jobs(tmp_path, text)
    assert job.forget_size == written
    assert job.settings == (f"task.one={written}", f"scrub.two={written}")


@pytest.mark.parametrize("field", ["seed", "task", "forget_size", "set: {lr"])
def test_an_empty_value_is_refused(field, tmp_path):
    path = tmp_path / "sweep.yaml"
    path.write_text(f"method: scrub\n{field}: {'}' if '{' in field else ''}\n")
    with pytest.raises(UsageError, match=f"sweep.yaml: {field.partition(':')[0]}"):
        given_grid(path, {})


def test_windows_line_ends_and_a_byte_order_mark_do_no_harm(tmp_path):
    path = tmp_path / "sweep.yaml"
    path.write_bytes(b"\xef\xbb\xbftask: emoji\r\nseed: [1, 2]\r\n")
    assert read_fields(path) == {"task": "emoji", "seed": ["1", "2"]}
