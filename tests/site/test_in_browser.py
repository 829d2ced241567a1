"""The site in a real browser: it sorts, filters and draws, by mouse and keyboard, on a phone, in the dark."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pytest
from browser import ENTER, ESCAPE, Browser, chromium
from forged import RESULTS, committed
from sites import pages, small_results

from mmulbench.audit.examples import Chosen, Example, Examples, PathScore, Ranked, Ranking
from mmulbench.site.folder import write_site

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(chromium() is None, reason="there is no Chromium: apt-get install chromium"),
]

WIDTH = 360
HEADS = 'document.querySelector("[id$=-main-title]").closest("table").querySelectorAll("thead th")'
ROWS = 'document.querySelectorAll("section:not([hidden]) tr.row:not([hidden]) th")'
NAMES = f"[...{ROWS}].map(one => one.textContent)"
PICTURE = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAACAkQBADs="
FIRST = tuple(Ranked("a red flag with a dragon " * 3, (), place == 1, None) for place in range(5))
PICTURES = tuple(Ranked("a red flag", (PICTURE,), place == 3, None) for place in range(5))
RANKINGS = (
    Ranking("Texts for this image, matching path", FIRST, FIRST, FIRST),
    Ranking("Images for “a red flag”, matching path", PICTURES, PICTURES, ()),
    Ranking("Classes of “a red flag”", (), (Ranked("entailment", (), True, 0.5),), ()),
)
EXAMPLES = Examples(
    tuple(
        Example(
            Chosen(unit, "most changed", (PathScore("matching", -12.34, 5.6, None),)),
            (PICTURE,),
            "",
            ("a red flag with a dragon " * 4,),
            7,
            RANKINGS,
        )
        for unit in range(3)
    )
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    found = Browser(tmp_path_factory.mktemp("browser"))
    yield found
    found.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A site of two tasks, whose runs have examples."""
    graphs = [
        json.loads(sorted(RESULTS.glob(f"hpo_pgr/*/{method}/*-42-*.json"))[0].read_bytes())
        for method in ("retrain", "original", "finetune")
    ]
    others = [committed(method) for method in ("retrain_again", "finetune", "grad_diff", "kga")]
    results = small_results(tmp_path_factory.mktemp("results"), *others, *graphs)
    folder = tmp_path_factory.mktemp("site")
    write_site(folder, pages(results, lambda result, path: EXAMPLES).items())
    return folder


@pytest.fixture(scope="module")
def files(site):
    return {"index": site / "index.html", "run": next(iter(sorted((site / "runs").iterdir())))}


@pytest.mark.parametrize("name", ["index", "run"])
@pytest.mark.parametrize("dark", [False, True])
def test_it_loads_without_errors_and_asks_the_network_for_nothing(browser, files, name, dark):
    browser.open(files[name], 1200, dark=dark)
    assert browser.of("Log.entryAdded") == browser.of("Runtime.exceptionThrown") == []
    asked = [event["request"]["url"] for event in browser.of("Network.requestWillBeSent")]
    assert asked[0] == files[name].as_uri()
    assert all(one.startswith("data:image/") for one in asked[1:])
    ground = browser.ask("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(20, 22, 26)" if dark else "rgb(255, 255, 255)")


@pytest.mark.parametrize("name", ["index", "run"])
@pytest.mark.parametrize("dark", [False, True])
def test_an_accessibility_checker_finds_nothing(browser, files, name, dark):
    spec = find_spec("axe_core_python")
    if spec is None or spec.origin is None:
        pytest.skip("the package axe-core-python is not installed")
    browser.open(files[name], 1200, dark=dark)
    browser.ask('document.querySelectorAll("details").forEach(one => { one.open = true; })')
    browser.ask((Path(spec.origin).parent / "axe.min.js").read_text() + "; 0")
    found = browser.ask(
        "axe.run().then(all => all.violations.map(one => [one.id, ...one.nodes.map(node => node.html)]))"
    )
    assert found == []


@pytest.mark.parametrize("name", ["index", "run"])
def test_on_a_phone_the_page_does_not_scroll_sideways(browser, files, name):
    browser.open(files[name], WIDTH)
    browser.ask('document.querySelectorAll("details").forEach(one => { one.open = true; })')
    assert browser.ask("document.documentElement.scrollWidth") <= WIDTH
    outside = """[...document.querySelectorAll("body *")].filter(one => !one.closest(".box, svg, .skip")
        && one.getBoundingClientRect().right > innerWidth).length"""
    assert browser.ask(outside) == 0
    assert browser.ask('[...document.querySelectorAll(".box")].every(one => one.tabIndex === 0)')


def test_headings_sort_within_their_blocks_and_back(browser, files):
    browser.open(files["index"], 1200)
    column = f"[...{HEADS}].findIndex(one => one.textContent.startsWith('Test'))"
    numbers = f"""(() => {{ const place = {column};
        return [...{HEADS}[0].closest("table").tBodies].map(body =>
            [...body.querySelectorAll("tr.row")].map(row => row.cells[place].dataset.sort).filter(one => one)
                .map(Number)); }})()"""
    for direction, sign in (("descending", -1), ("ascending", 1), ("descending", -1)):
        browser.ask(f'{HEADS}[{column}].querySelector("button").click()')
        assert browser.ask(f'[...{HEADS}].map(one => one.getAttribute("aria-sort")).filter(one => one)') == [
            direction
        ]
        blocks = browser.ask(numbers)
        assert max(map(len, blocks)) > 2
        assert all(block == sorted(block, key=lambda one: sign * one) for block in blocks)


def type_into(browser, control, value):
    browser.ask(
        f'(() => {{ const one = document.getElementById("{control}"); one.value = {json.dumps(value)};'
        'one.dispatchEvent(new Event("input", { bubbles: true })); })()'
    )


def test_rows_and_points_are_filtered_together(browser, files):
    browser.open(files["index"], 1200)
    every = browser.ask(NAMES)
    points = 'document.querySelectorAll("section:not([hidden]) [data-plot=forgetting] a.point").length'
    assert browser.ask(points) == len(every)
    type_into(browser, "method", " MMUL ")
    assert set(browser.ask(NAMES)) == {one for one in every if "mmul" in one}
    assert browser.ask(points) == 1
    assert browser.ask('document.getElementById("count").textContent') == f"1 of {len(every)} rows shown"
    type_into(browser, "method", "")
    type_into(browser, "origin", "tuned")
    others = {"retrain", "retrain′", "original"}
    found = set(browser.ask(NAMES))
    assert others < found < set(every)
    assert all("(tuned)" in one for one in found - others)
    type_into(browser, "origin", "")
    type_into(browser, "task", "hpo_pgr")
    assert len(browser.ask(NAMES)) == 3 == browser.ask(points)
    assert browser.ask('[...document.querySelectorAll("nav li")].filter(one => !one.hidden).length') == 2


def test_the_keyboard_sorts_and_leads_from_points_to_rows(browser, files):
    browser.open(files["index"], 1200)
    active = "document.activeElement"
    reached = []
    for _ in range(120):
        browser.press_tab()
        if browser.ask(f"{active} === document.body"):
            break
        reached.append(browser.ask(f"{active}.className.baseVal ?? {active}.tagName"))
        if reached[-1] == "point":
            break
        if browser.ask(f'{active}.textContent.startsWith("Method") && {active}.tagName === "BUTTON"'):
            browser.press(ENTER)
    assert {"A", "BUTTON", "INPUT", "SELECT", "point"} <= set(reached)
    assert browser.ask(f'{HEADS}[1].getAttribute("aria-sort")') == "ascending"
    tips = '[...document.querySelectorAll(".tip")].filter(one => !one.hidden).map(one => one.textContent)'
    (tip,) = browser.ask(tips)
    label = browser.ask(f'{active}.getAttribute("aria-label")')
    assert tip.startswith(label.partition(":")[0]) and "gap" in tip
    browser.press(ESCAPE)
    assert browser.ask(tips) == []
    browser.press(ENTER)
    name = browser.ask('document.querySelector("tr.row:target th").textContent')
    assert name.removesuffix("†") == label.partition(":")[0]


def test_buttons_zoom_and_go_back(browser, files):
    browser.open(files["index"], 1200)
    where = 'document.querySelector("a.point:last-of-type").getAttribute("transform")'
    first = browser.ask(where)
    zoom = '[...document.querySelectorAll(".zoom button")]'
    browser.ask(f"{zoom}[0].click()")
    assert browser.ask(where) != first
    browser.ask(f"{zoom}[2].click()")
    assert browser.ask(where) == first


def test_points_stay_in_their_plots_when_the_window_narrows(browser, files):
    browser.open(files["index"], 1200)
    browser.open(files["index"], WIDTH)
    outside = """[...document.querySelectorAll("figure")].filter(one => !one.hidden).flatMap(one =>
        [...one.querySelectorAll(".point .mark")].filter(mark => {
            const [box, svg] = [mark, one.querySelector("svg")].map(node => node.getBoundingClientRect());
            return box.left < svg.left || box.right > svg.right || box.top < svg.top
                || box.bottom > svg.bottom;
        })).length"""
    assert browser.ask(outside) == 0
