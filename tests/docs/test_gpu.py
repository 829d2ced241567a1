"""What README and docs say of a GPU is what was measured on one."""

from __future__ import annotations

import json

from pages import README, ROOT, TEXTS

MEASURED = json.loads((ROOT / "benchmarks" / "gpu.json").read_text(encoding="utf-8"))
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight")
PAGE = " ".join(TEXTS["docs/records.md"].split())


def number(value: float) -> str:
    return f"{value:.3f}"


def table() -> str:
    lines = ["| Value | Distance, median | Distance, most | Two retrains' distance |", "|---|---:|---:|---:|"]
    for name, found in MEASURED["distance of GPU and processor"].items():
        far = f"{number(found['median'])} | {number(found['largest'])}"
        lines.append(f"| `{name}` | {far} | {number(MEASURED['noise floor'][name])} |")
    return "\n".join(lines)


def test_the_table_is_what_was_measured():
    assert table() in TEXTS["docs/records.md"], table()


def test_the_page_says_what_was_measured_where():
    seeds = " and ".join(map(str, MEASURED["seeds"]))
    sentence = (
        f"on an {MEASURED['device']} with torch {MEASURED['torch']}: {MEASURED['task']} with seed {seeds}, "
        f"by {NUMBERS[len(MEASURED['methods'])]} methods, once on the GPU and once on "
        f"{MEASURED['processor'].rpartition(', ')[2]} of its machine's processor."
    )
    assert sentence in PAGE, sentence


def test_the_page_says_which_runs_a_gpu_repeats_bit_for_bit():
    differing = MEASURED["two GPU runs differ in"]
    assert differing["emoji, albef:small"] == []
    runs = len(MEASURED["methods"]) * len(MEASURED["seeds"])
    sentence = (
        "Two runs on that GPU agreed bit for bit on emoji with albef:small, but on hpo_pgr "
        f"{NUMBERS[len(differing['hpo_pgr'])]} of {NUMBERS[runs]} did not"
    )
    assert sentence in PAGE, sentence


def test_the_readme_says_how_far_the_gap_lies():
    far = number(MEASURED["distance of GPU and processor"]["retrain_gap"]["largest"])
    sentence = f"On a GPU ({MEASURED['device']}) gaps lay at most {far} from its processor's"
    assert sentence in " ".join(README.split()), sentence
