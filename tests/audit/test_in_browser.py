"""The page in a real browser: it loads, fits a phone, is reached by keyboard, and prints to four pages."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from audited import audited
from browser import Browser, chromium, pages_of
from forged import RESULTS, committed, forged

from mmulbench.audit.examples import Chosen, Example, Examples, PathScore, Ranked, Ranking
from mmulbench.audit.page import page_of
from mmulbench.audit.thumbnails import thumbnail
from mmulbench.records.store import read_record

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(chromium() is None, reason="there is no Chromium: apt-get install chromium"),
]

WIDTH = 360
LONGEST = " ".join(["a red flag with a dragon"] * 4)[:110]


def examples(pictures):
    """Twelve examples of long texts."""
    picture = thumbnail(np.random.default_rng(0).integers(0, 255, (72, 72, 3), dtype=np.uint8))
    scores = tuple(PathScore(path, -12.34, 5.6, None) for path in ("contrastive", "matching"))
    texts = tuple(Ranked(LONGEST, (), place == 1, None) for place in range(5))
    images = tuple(Ranked("a flag", (picture,), place == 2, None) for place in range(5))
    likely = tuple(Ranked("entailment", (), place == 0, 0.5) for place in range(2))
    ranked = (Ranking("Texts for this image", texts, texts, texts), Ranking("Images", images, images, ()))
    rankings = (*ranked, Ranking("Classes of “a flag”", (), likely, likely))
    return Examples(
        tuple(
            Example(
                Chosen(unit, "most changed", scores),
                (picture,) * pictures,
                "",
                (LONGEST, LONGEST),
                7,
                rankings,
            )
            for unit in range(12)
        )
    )


def crowded():
    """A record that has much to say everywhere, and ids that are shown."""
    config = committed()["spec"]["config"]
    making = {"device": "cuda:0", "threads": 4, "cpu": "Some Processor of Another Maker, AVX2"}
    shadow = committed()["values"]["mia"]
    return forged(
        {
            "missing": [f"metric {number}: the test split has too few items" for number in range(20)],
            "spec.config": {**config, "name": "a" * 60},
            "spec.task_config": {"folder": "/data/" * 20},
            "spec.forget": {"digest": "a" * 64, "level": "pairs", "pairs": 10**9},
            "forget_ids": [f"person.number.{number:06}@example.org" for number in range(1000)],
            "origins": dict.fromkeys(config, "study 0123456789ab"),
            "models": {"original": making, "retrain": making},
            "values.u_lira/contrastive": shadow,
            "values.u_lira/matching": shadow,
            "environment.git_commit": None,
        }
    )


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    found = Browser(tmp_path_factory.mktemp("browser"))
    yield found
    found.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """A usual page, one that says as much as it can, and one of a graph's task."""
    folder = tmp_path_factory.mktemp("pages")
    (graph, *_) = sorted(RESULTS.glob("hpo_pgr/*/mmul/*.json"))
    audits = {
        "usual": replace(audited(forged({})), examples=examples(1)),
        "crowded": replace(audited(crowded(), show_ids=True), examples=examples(2)),
        "graph": audited(read_record(graph)),
    }
    for name, audit in audits.items():
        (folder / f"{name}.html").write_text(page_of(audit))
    return {name: folder / f"{name}.html" for name in audits}


NAMES = ("usual", "crowded", "graph")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dark", [False, True])
def test_it_loads_without_errors_and_asks_the_network_for_nothing(browser, pages, name, dark):
    browser.open(pages[name], 1200, dark=dark)
    assert browser.of("Log.entryAdded") == browser.of("Runtime.exceptionThrown") == []
    asked = [event["request"]["url"] for event in browser.of("Network.requestWillBeSent")]
    assert asked[0] == pages[name].as_uri()
    assert all(one.startswith("data:image/jpeg") for one in asked[1:])
    assert browser.ask("[...document.images].every(one => one.naturalWidth > 0)")
    ground = browser.ask("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(20, 22, 26)" if dark else "rgb(255, 255, 255)")


@pytest.mark.parametrize("name", NAMES)
def test_on_a_phone_the_page_does_not_scroll_sideways(browser, pages, name):
    browser.open(pages[name], WIDTH)
    assert browser.ask("document.documentElement.scrollWidth") <= WIDTH
    outside = """[...document.querySelectorAll("main *")].filter(one => !one.closest(".box, svg")
        && one.getBoundingClientRect().right > innerWidth).length"""
    assert browser.ask(outside) == 0
    sizes = 'Math.min(...[...document.querySelectorAll("p, td, dd, text")].map(one => '
    assert browser.ask(f"{sizes}parseFloat(getComputedStyle(one).fontSize)))") >= 13


def test_wide_tables_scroll_in_boxes_that_the_keyboard_reaches(browser, pages):
    browser.open(pages["usual"], WIDTH)
    active, name = "document.activeElement", 'getAttribute("aria-labelledby")'
    browser.press_tab()
    assert browser.ask(f"{active}.className") == "skip"
    assert browser.ask(f"{active}.getBoundingClientRect().left") >= 0
    reached = set()
    for _ in range(80):
        browser.press_tab()
        if browser.ask(f"{active} === document.body"):
            break
        assert browser.ask(f"getComputedStyle({active}).outlineStyle") == "solid"
        reached.add(browser.ask(f'{active}.classList.contains("box") && {active}.{name}'))
    boxes = set(
        browser.ask('[...document.querySelectorAll(".box")].map(one => one.getAttribute("aria-labelledby"))')
    )
    assert boxes and reached - {False} == boxes
    wide = '[...document.querySelectorAll(".box")].filter(one => one.scrollWidth > one.clientWidth).length'
    assert browser.ask(wide) > 0


@pytest.mark.parametrize("name", NAMES)
def test_it_prints_to_four_pages_at_most(browser, pages, name):
    browser.open(pages[name], 1200, dark=True)
    assert 1 < pages_of(browser.pdf()) <= 4
