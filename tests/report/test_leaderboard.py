from __future__ import annotations

import random
import re
from pathlib import Path
from statistics import fmean

import pytest
from planted_results import Planted, World
from tables_of_text import only_table, run, tables, title

from mmulbench.errors import UsageError
from mmulbench.records.record_files import Unreadable
from mmulbench.report import leaderboard, page
from mmulbench.report.aggregate import group_records
from mmulbench.report.columns import Column, furthest, part_columns


def test_cells_are_mean_and_sample_sd_over_seeds_and_single_seeds_have_no_sd(record):
    both = run(record, "mmul", test=(0.5, 0.6))
    cells = only_table(leaderboard.render(both, []))["mmul"]
    assert cells["Test utility"] == "0.550 ± 0.071"
    assert cells["Seconds (× retrain)"] == "10.0 ± 0.0 (0.040 ×)"
    assert cells["Seeds"] == "2/2"
    assert only_table(leaderboard.render(both[:1], []))["mmul"]["Test utility"] == "0.500"


def test_references_come_first(record):
    methods = ("aaa", "retrain", "original", "retrain_again", "zzz")
    records = [one for method in methods for one in run(record, method, test=0.5)]
    table = only_table(leaderboard.render(records, []))
    assert list(table) == ["retrain", "retrain′", "original", "aaa", "zzz"]


def test_closest_to_retrain_pairs_by_seed(record):
    # Its mean (.6) equals the mean of retrain's two seeds, but every seed is .1 away from its own retrain.
    crossed = run(record, "crossed", test=0.5, mia=(0.7, 0.5), retrain_mia=(0.6, 0.6))
    table = only_table(leaderboard.render(crossed, []))
    assert table["crossed"][title("mia")] == "0.600 ± 0.141 (Δ 0.100)"


def test_draws_of_a_seed_are_one_before_seeds_are_pooled():
    # 5 draws of one seed and 1 of another: the mean over seeds is not that over the six records.
    world = World(seeds=(21, 42))
    records = world.records({})
    draws = [one for one in records if one.spec.method == "retrain_again"]
    kept = [one for one in draws if one.spec.seed == 21 or one.spec.config["draw"] == 1]
    (group,) = group_records(kept)
    (row,) = group.rows
    by_seed = [[v.value or 0.0 for s, v in row.values("test") if s == seed] for seed in (21, 42)]
    assert [len(values) for values in by_seed] == [5, 1]
    assert row.summary("test").mean == pytest.approx((fmean(by_seed[0]) + by_seed[1][0]) / 2)
    assert row.summary("test").n == 2
    gaps = [one.values["retrain_gap"].value or 0.0 for one in kept]
    cells = only_table(leaderboard.render(kept, [], ["retrain_gap"]))["retrain′"]
    assert cells[title("retrain_gap")].endswith(f" ({min(gaps):.3f}–{max(gaps):.3f})")
    assert cells["Seeds"] == "2/2, 6 draws"


def test_the_furthest_path_is_that_of_the_mean_not_of_each_seed(record):
    # Contrastive is furthest on one seed (.2 against .1), matching on the mean (.25 against .15).
    records = [
        record(
            seed=seed, values={"mia/a": {"value": a, "retrain": 0.5}, "mia/b": {"value": b, "retrain": 0.5}}
        )
        for seed, a, b in ((42, 0.7, 0.6), (87, 0.6, 0.9))
    ]
    (group,) = group_records(records)
    (row,) = group.rows
    columns = part_columns([Column("mia", "MIA", "closest_to_retrain")], records)
    assert [column.name for column in columns] == ["mia/a", "mia/b"]
    assert furthest(row, columns).name == "mia/b"


def test_an_incomplete_row_shows_its_numbers(record):
    records = [
        *run(record, "whole", test=0.5, seeds=(21, 42, 87)),
        *run(record, "part", test=0.9, seeds=(42, 87)),
    ]
    table = only_table(leaderboard.render(records, []))
    assert table["part"]["Test utility"] == "0.900 ± 0.000"
    assert table["part"]["Seeds"] == "2/3 seeds: 21 missing"


def test_diverged_not_applicable_failed_and_missing_are_shown_as_such(record):
    reason = "loss became NaN | step 7"
    records = [
        *run(record, "sometimes", test=0.5, seeds=(42, 87)),
        record("sometimes", 21, status="diverged", reason=reason, seconds=None),
        record("never", 21, status="failed", reason="out of memory", seconds=None),
        record("erm_ktp", 21, status="not_applicable", reason="no class to delete", seconds=None),
    ]
    text = leaderboard.render(records, [], expected_methods=["absent", "never"])
    table = only_table(text)
    assert table["sometimes"]["Seeds"] == "2/3 seeds: diverged 1/3 (21)"
    assert table["never"]["Test utility"] == "failed"
    assert table["never"]["Seeds"] == "0/3 seeds: 42, 87 missing; failed 1/3 (21)"
    assert set(table["erm_ktp"].values()) == {"erm_ktp", "N/A"}
    assert "absent" not in table
    assert "\nMissing, without a record here: `absent`.\n" in text
    assert "diverged: loss became NaN \\| step 7 (seed 21)" in text
    assert "not applicable: no class to delete (seed 21)" in text


def test_tuned_and_default_settings_are_rows_of_their_own():
    world = World(seeds=(42,))
    own = world.records({"mmul": Planted()})
    (default,) = [one for one in own if one.spec.method == "mmul"]
    tuned = world.tuned(default, lr=0.1)
    ablation = world.tuned(default, lr=0.2).model_copy(update={"tuning": None})
    assert labels([default]) == labels([tuned]) == ["mmul"]
    assert labels([default, tuned]) == ["mmul (default)", "mmul (tuned)"]
    assert labels([default, tuned, ablation]) == ["mmul (default)", "mmul (lr=0.2)", "mmul (tuned)"]
    assert labels([tuned, ablation]) == ["mmul (lr=0.2)", "mmul (tuned)"]
    twice = world.tuned(default, lr=0.3)
    assert labels([default, tuned, twice]) == [
        "mmul (default)",
        "mmul (tuned, lr=0.1)",
        "mmul (tuned, lr=0.3)",
    ]
    recipe = default.model_copy(update={"command": f"{default.command} --set recipe.lr=1 --untuned"})
    assert labels([recipe, tuned]) == ["mmul (default)", "mmul (tuned)"]


def labels(records):
    (group,) = group_records(records)
    return [row.label for row in group.rows]


def test_variants_beside_a_tuned_row_do_not_compete():
    world = World()
    records = world.records({"mmul": Planted({"forget": 0.2}), "scrub": Planted()})
    tuned = [world.tuned(one, lr=0.1) for one in records if one.spec.method == "mmul"]
    (group,) = group_records([*records, *tuned])
    assert [row.label for row in group.competing()] == ["mmul (tuned)", "scrub"]
    half = [world.tuned(one, lr=0.2) for one in records if one.spec.method == "mmul"]
    half = [
        one.model_copy(update={"tuning": one.tuning.model_copy(update={"overridden": ("lr",)})})
        for one in half
        if one.tuning is not None
    ]
    (group,) = group_records([*records, *tuned, *half])
    assert [row.label for row in group.competing()] == ["mmul (tuned)", "scrub"]
    assert "mmul (lr=0.2)" in [row.label for row in group.rows], "half tuned is not called tuned"
    # Without a study a method's own settings stand for it; without these each is a try like another.
    untuned = [one.model_copy(update={"tuning": None}) for one in tuned]
    (group,) = group_records([*records, *untuned])
    assert [row.label for row in group.competing()] == ["mmul (lr=unset)", "scrub"]
    others = [world.tuned(one, lr=0.3) for one in records if one.spec.method == "mmul"]
    others = [one.model_copy(update={"tuning": None}) for one in others]
    (group,) = group_records([*untuned, *others])
    assert [row.label for row in group.competing()] == ["mmul (lr=0.1)", "mmul (lr=0.3)"]


def test_a_value_that_could_not_be_computed_is_missing(record):
    records = [record(seed=42, values={"test": None, "mia": 0.5}), record(seed=87, values={"test": 0.5})]
    table = only_table(leaderboard.render(records, []))
    assert table["mmul"]["Test utility"] == "0.500 (1/2 seeds)"
    assert table["mmul"]["Retain utility"] == "missing"


@pytest.mark.parametrize(
    "field",
    [
        {"metric_version": "0"},
        {"recipe_version": "0"},
        {"data_fingerprint": "e" * 64},
        {"recipe": {"epochs": 6, "lr": 0.001}},
        {"task_config": {"images": 100}},
        {"forget_size": 71},
        {"backbone": "blip:tiny"},
        {"task": "flickr30k"},
    ],
)
def test_what_cannot_be_compared_is_in_two_tables(record, field):
    records = [record(values={"test": 0.5}), record("scrub", values={"test": 0.5})]
    assert len(tables(leaderboard.render(records, []))) == 1
    two = [*records, record(values={"test": 0.6}, **field)]
    assert [len(table) for table in tables(leaderboard.render(two, []))] in ([2, 1], [1, 2])


def test_two_configurations_are_two_rows_named_by_what_differs(record):
    configs = [{"lr": 0.001, "epochs": 5}, {"lr": 0.01, "epochs": 5}]
    records = [record(config=config, values={"test": 0.5}) for config in configs]
    assert list(only_table(leaderboard.render(records, []))) == ["mmul (lr=0.001)", "mmul (lr=0.01)"]


def test_commands_differing_in_their_seed_alone_are_merged(record):
    records = run(record, "mmul", test=0.5, seeds=(87, 21))
    other = record(seed=42, config={"hub": "a --seed 5"}, command="rm -rf ~")
    start = "mmulbench run --method mmul --task emoji --backbone albef:packaged --forget-size 70"
    recipe = "--set recipe.epochs=5 --set recipe.lr=0.001"
    assert leaderboard.reproduce([*records, other]) == [
        f"{start} --seed 21 --seed 87 {recipe}",
        f"{start} --seed 42 {recipe} --set 'hub=a --seed 5' --untuned",
    ]
    assert leaderboard.reproduce(records)[0] in leaderboard.render(records, [])


def test_commands_of_files_are_not_printed(record):
    assert "rm -rf" not in leaderboard.render([record(values={"test": 0.5}, command="rm -rf ~")], [])


def test_of_many_files_that_are_left_out_ten_are_named(record, tmp_path):
    files = [Unreadable(tmp_path / f"{number}.json", "not valid JSON") for number in range(12)]
    text = leaderboard.render([record(values={"test": 0.5})], files)
    assert text.count("not valid JSON") == 10
    assert text.endswith("9.json`: not valid JSON\n- and 2 more: `mmulbench validate` names them all\n")


def test_every_record_is_linked_and_unreadable_files_are_listed(record, tmp_path):
    one = record(values={"test": 0.5})
    text = leaderboard.render([one], [Unreadable(tmp_path / "x.json", "not valid JSON: <end>")])
    assert f"[42](results/emoji/albef-packaged/mmul/70-42-{one.run_id}.json)" in text
    assert f"- `{tmp_path / 'x.json'}`: not valid JSON: &lt;end>" in text


def test_order_of_records_does_not_matter_and_copies_count_once(record):
    records = [r for m in ("b", "a", "retrain") for r in run(record, m, test=(0.5, 0.6))]
    text = leaderboard.render(records, [])
    shuffled = [*records, records[0]]
    random.Random(1).shuffle(shuffled)
    assert leaderboard.render(shuffled, []) == text
    assert group_records(shuffled) == group_records(records)


def test_metrics_choose_columns_and_an_unknown_one_is_refused(record):
    table = only_table(leaderboard.render(run(record, "mmul", test=0.5), [], metrics=["mia", "test"]))
    assert list(table["mmul"]) == [
        "Method",
        title("mia"),
        "Test utility",
        "Seconds (× retrain)",
        "Tuned",
        "Seeds",
    ]
    with pytest.raises(UsageError, match="unknown metric 'retrain_gp'; did you mean retrain_gap"):
        leaderboard.render([], [], metrics=["retrain_gp"])


def test_check_compares_content(record, tmp_path):
    path, text = tmp_path / "leaderboard.md", leaderboard.render([], [])
    assert "No runs yet" in text
    assert not page.holds(path, text)
    path.write_text(text)
    assert page.holds(path, text)
    assert not page.holds(path, leaderboard.render(run(record, "mmul", test=0.5), []))


def test_texts_of_records_are_no_markdown(record, tmp_path):
    odd = "x\n# Heading\n`code` ![image](http://a) <script>alert(1)</script> **b** \x1b[2J | $x$"
    records = [
        record(values={"test": 0.5}, command=f"mmulbench run {odd}", missing=[odd]),
        record("scrub", status="failed", reason=odd, seconds=None),
        record("npo", config={"a": odd}, values={"mia": 0.5, f"mia/{odd}": 0.5}),
        record("npo", config={"a": "y"}, values={"test": 0.5}),
    ]
    plain = leaderboard.render(records, [Unreadable(tmp_path / odd, odd)])
    for line in plain.splitlines():
        assert not line.startswith(("# Heading", "`code`")), line
    assert "\x1b" not in plain
    outside = re.sub(r"\\.", "", re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", plain))  # neither code nor escaped
    for mark in ("<script", "![", "](http://a)", "**b**", "$x"):
        assert mark not in outside
    marked = r"\`code\` !\[image\](http://a) &lt;script>alert(1)&lt;/script> \*\*b\*\* \\x1b\[2J \| \$x\$"
    assert f"left out: x # Heading {marked} (seed 42)" in plain
    assert "--set 'a=x # Heading `code` ![image](http://a) <script>" in plain


def test_links_lead_to_folders_of_any_name(record):
    one = record(values={"test": 0.5})
    text = leaderboard.render([one], [], results=Path("my (own) results"))
    name = f"emoji/albef-packaged/mmul/70-42-{one.run_id}.json"
    assert f"[42](my%20%28own%29%20results/{name})" in text


def test_a_command_that_no_shell_takes_stops_no_table(record):
    odd = [record(config={"lr": lr}, values={"test": 0.5}, command="mmulbench 'run") for lr in (1.0, 2.0)]
    tuned = World().tuned(odd[0], lr=3.0)
    assert len(labels([*odd, tuned])) == 3
