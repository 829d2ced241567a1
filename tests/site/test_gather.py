from __future__ import annotations

from forged import committed, forged_fields, stored
from sites import small_results

from mmulbench.api.tables import Wanted, read_tables
from mmulbench.site.gather import gather_site


def test_it_has_the_tables_of_the_leaderboard_with_the_runs_of_each_row(tmp_path):
    ablation = forged_fields({"spec.config.epochs": 7, "command": f"{committed()['command']} --set epochs=7"})
    results = small_results(tmp_path, ablation)
    site = gather_site(results)
    tables = read_tables(Wanted(results))
    assert [one.standing for one in site.tables] == [one.standing for one in tables.texts]
    assert site.overall == tables.overall
    (table,) = site.tables
    assert [row.line for row in table.rows] == list(table.standing.lines)
    assert {row.line.method: row.origin for row in table.rows if row.line.block != "variant"} == {
        "retrain": "reference",
        "original": "reference",
        "mmul": "default",
        "scrub": "default",
    }
    (variant,) = [row for row in table.rows if row.line.block == "variant"]
    assert variant.origin == "other" and variant.runs[0].run_id == ablation["run_id"]
    assert len(site.runs) == 5


def test_what_does_not_hold_is_left_out_by_name(tmp_path):
    stored(small_results(tmp_path), forged_fields({"values.test.value": 17.0}))
    site = gather_site(tmp_path)
    assert len(site.runs) == 3
    assert "mmul" in str(site.left_out[0].path)


def apart(fields, name):
    return abs(fields["values"][name]["value"] - fields["values"][name]["retrain"])


def test_the_noise_of_retrain_is_that_of_the_plots(tmp_path):
    other = committed("retrain_again")
    noise = gather_site(small_results(tmp_path, other)).tables[0].noise
    assert noise.attack == max(apart(other, "mia/matching"), apart(other, "mia/contrastive"))
    assert noise.test == apart(other, "test")


def test_an_empty_folder_has_no_tables(tmp_path):
    site = gather_site(tmp_path / "nowhere")
    assert (site.tables, site.overall, site.left_out) == ((), None, ())
