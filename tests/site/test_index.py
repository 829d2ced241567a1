from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from audited import Page
from sites import table_of
from standings import WHOLE, line, standing

from mmulbench.records.record_files import Unreadable
from mmulbench.report.answer import answer
from mmulbench.report.overall import overall
from mmulbench.report.standing_view import View, fields, notes
from mmulbench.site.gather import Site
from mmulbench.site.index import index_page, left_out_lines

HOSTILE = "<script>alert(1)</script>\"'&\x1b[2J\u202e\n</style>"


def site_of(*standings, left_out=()):
    tables = tuple(map(table_of, standings))
    return Site(Path("results"), tables, overall(standings), left_out)


def page_of(*standings, **fields):
    return index_page(site_of(*standings, **fields), "draw()")


@pytest.fixture(scope="module")
def page():
    return Page(page_of(WHOLE))


def test_it_answers_and_ranks_as_the_leaderboard_does(page):
    assert " ".join(answer(WHOLE)) in page.text
    assert all(said in page.text for said in notes(WHOLE, View()))
    for one in WHOLE.lines:
        assert [field.text(one) for field in fields(WHOLE, View())] in [row[:7] for row in page.rows]


def test_headings_are_buttons_and_one_says_how_rows_are_sorted(page):
    heads = [one for one in page.all("th") if "data-best" in one]
    assert len(page.all("button")) == len(heads) == 2 * 7  # of the table, and of other settings
    assert [one.get("aria-sort") for one in heads[:7]].count("ascending") == 1


def test_what_cannot_be_ranked_is_said(page):
    assert "N/A: erm_ktp (no class to delete)." in page.text
    assert "Missing, without a record here: npo." in page.text
    assert "Never forgot: Df is still known in every seed" in page.text
    assert "broken†" in page.text


def test_every_plot_has_a_table_and_words(page):
    assert "Numbers of the plots" in page.text and "the smallest gaps of ranked methods" in page.text
    assert ["near (tuned)", ".100", ".500", ".0830", ".030"] in page.rows
    assert len(page.all("figure")) == 2


def test_it_asks_the_network_for_nothing_and_runs_its_own_scripts_alone(page):
    policies = [
        one["content"] for one in page.all("meta") if one.get("http-equiv") == "Content-Security-Policy"
    ]
    assert len(policies) == 1 and policies[0].startswith("default-src 'none'")
    assert policies[0].count("sha256-") == 3 and "unsafe-eval" not in policies[0]
    addresses = [
        value for one in page.all("a", "link", "img", "script") for value in (one.get("href"), one.get("src"))
    ]
    assert all(one is None or one.startswith(("#", "runs/")) for one in addresses)


def test_free_text_is_escaped_wherever_it_comes_from():
    hostile = standing(
        line(HOSTILE, rank=1, verdict=HOSTILE),
        line("crashed", "no result", gap=None, absent=HOSTILE),
        line("x", "variant", tuned=HOSTILE),
        task=HOSTILE,
        missing=(HOSTILE,),
        not_applicable=((HOSTILE, HOSTILE),),
        why_not=HOSTILE,
    )
    left_out = (Unreadable(Path("results") / HOSTILE.replace("/", "|"), HOSTILE),)
    text = page_of(hostile, left_out=left_out)
    assert len(re.findall("<script", text)) == len(re.findall("</script", text)) == 4
    assert len(re.findall("</style", text)) == 1
    assert "\x1b" not in text and "\u202e" not in text
    (data,) = re.findall(r'<script type="application/json" id="[^"]*-data">(.*?)</script>', text)
    assert "alert(1)" in json.loads(data)["points"][0]["name"]


def test_files_are_left_out_by_their_place_in_the_results_folder():
    files = tuple(Unreadable(Path(f"results/emoji/{number}.json"), "no JSON") for number in range(60))
    lines = left_out_lines(site_of(left_out=files))
    assert lines[0] == "emoji/0.json: no JSON" and re.fullmatch("and [0-9]+ more: .*", lines[-1])
    assert "Left out" in Page(page_of(left_out=files)).text


def test_over_all_tasks_it_has_mean_ranks():
    page = Page(page_of(WHOLE, standing(*WHOLE.lines, task="flags")))
    assert ["near", "1.50", "1.5", "1.5"] in page.rows
    assert "No critical difference can be given" in page.text


def test_without_records_it_says_how_to_make_one():
    page = Page(page_of())
    assert "No runs yet" in page.text and not page.all("table", "nav")
