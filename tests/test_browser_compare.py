"""Runs side by side in a real browser: trained with one click, images pinned, an anomaly made, pages linked."""

from __future__ import annotations

import contextlib
import csv
import io
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browser import Server, Visitor, centre, settled, store_runs, train, train_button, visitor
from contrast import contrast, faded
from PIL import Image
from tiny import FOREVER, WIDE

from ssad_core.numbers import number
from ssad_core.store import Store

with contextlib.suppress(ImportError):  # the browser fixture deals with it
    from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

SMALL = {"dataset": "photos", "epochs": "3", "limit": "200", "test_limit": "60", "pins": "flip"}


@pytest.fixture(scope="module")
def trained(browser: Browser, server: Server) -> None:
    with visitor(browser, server) as someone:
        page = someone.page
        page.goto(server.address(**SMALL))
        expect(page.locator(".st-key-question")).to_be_visible()
        page.get_by_role("button", name="Compare").click()
        page.get_by_text("Histograms", exact=True).click()
        page.get_by_role("button", name=re.compile("Train [0-9] missing runs?")).click()
        # Each run is there as soon as it is trained; in the end all are, and nothing is to be trained.
        chart = page.get_by_test_id("chart")
        expect(chart.get_by_text("DAE-Flip", exact=True)).to_be_visible()
        expect(page.get_by_text(re.compile("runs are there"))).to_have_count(0)
        settled(someone)


def test_what_somebody_deletes_meanwhile_is_counted_no_longer(someone: Visitor, server: Server) -> None:
    page = someone.page
    tiny = {"dataset": "digits", "class": "6", "epochs": "2", "features": "4", "hidden": "8", "limit": "64"}
    (stored,) = store_runs(server, tiny)
    long = {**tiny, "epochs": str(FOREVER), "batch_size": str(WIDE["batch_size"]), "aug": "identity"}
    page.goto(server.address(**long))
    train(page)
    someone.until(server.training, "another training has all cores")
    page.goto(server.address(**tiny, pins="flip").replace("/?", "/histograms?"))
    page.get_by_role("button", name="Train 1 missing run").click()
    expect(
        page.get_by_text(re.compile(r"2 of 3 runs are there\. Waiting, next in line; about .+ to go from then on\."))
    ).to_be_visible()
    assert stored.baseline
    Store(server.cache).delete(stored.baseline.id)
    expect(page.get_by_text("1 of 3 runs are there, 1 is on the way. Waiting, next in line")).to_be_visible()
    expect(page.get_by_role("button", name="Train 1 missing run")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Train 2 missing runs")).to_be_visible()
    page.goto(server.address(**long))
    page.get_by_role("button", name="Cancel").click()
    expect(train_button(page)).to_be_visible()


def table(page: Page) -> Locator:
    return page.get_by_test_id("picture-table").first


def columns(page: Page) -> list[str]:
    """What is said of the pictures of the first row."""
    row = table(page).get_by_role("row").nth(2)
    return [image.get_attribute("aria-label") or "" for image in row.get_by_role("img").all()]


@pytest.mark.usefixtures("trained")
def test_the_same_runs_are_on_the_linked_page_and_a_clicked_image_is_pinned(someone: Visitor, server: Server) -> None:
    page = someone.page
    page.goto(server.address(**SMALL).replace("/?", "/histograms?"))
    for name in ("AE", "DAE-CutOut", "DAE-Flip"):
        expect(page.get_by_test_id("chart").get_by_text(name, exact=True)).to_be_visible()
    page.get_by_role("link", name="Reconstructions").click()
    expect(table(page)).to_be_visible()
    for name in ("Original", "AE", "DAE-CutOut", "DAE-Flip"):
        expect(table(page).get_by_role("rowheader", name=name).first).to_be_visible()
    before = columns(page)
    assert len(before) == 10
    # The pair of the fourth image comes to the front and stays there in another order.
    table(page).get_by_role("button", name=re.compile("Pin temple, test normal 4")).click()
    someone.until(lambda: someone.query.get("images") == "6", "the address has the pinned image")
    settled(someone)
    someone.until(lambda: "test normal 4" in columns(page)[0], "it is in front")
    page.get_by_role("combobox", name="Images").click()
    page.get_by_role("option", name="worst mistakes first").click()
    someone.until(lambda: columns(page)[1:4] != before[1:4], "the others are another choice")
    assert "test normal 4" in columns(page)[0]
    assert "anomaly 4" in columns(page)[len(columns(page)) // 2]
    link = page.url
    page.goto(link)
    someone.until(lambda: page.get_by_test_id("picture-table").count() > 0, "the link shows the same")
    assert "test normal 4" in columns(page)[0]
    table(page).get_by_role("button", name=re.compile("Unpin temple, test normal 4")).first.click()
    someone.until(lambda: someone.query.get("images") == "", "it is let go")


@pytest.mark.usefixtures("trained")
def test_the_keyboard_stays_on_the_pin_that_it_presses(someone: Visitor, server: Server) -> None:
    page = someone.page
    page.goto(server.address(**SMALL).replace("/?", "/reconstructions?"))
    table(page).get_by_role("button", name="Pin temple, anomaly 4", exact=True).press("Enter")
    someone.until(lambda: someone.query.get("images") == "6", "the address has the pinned image")
    settled(someone)
    expect(table(page).get_by_role("button", name="Unpin temple, anomaly 4", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    someone.until(lambda: someone.query.get("images") == "", "it is let go")
    settled(someone)
    expect(table(page).get_by_role("button", name="Pin temple, anomaly 4", exact=True)).to_be_focused()


@pytest.mark.usefixtures("trained")
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pins_and_marks_can_be_seen_and_pins_hit(someone: Visitor, server: Server, theme: str) -> None:
    page = someone.page
    page.emulate_media(color_scheme=theme)
    page.goto(server.address(**SMALL).replace("/?", "/reconstructions?"))
    pin = table(page).get_by_role("button").first
    box = pin.bounding_box()
    assert box
    assert min(box["width"], box["height"]) >= 24
    colour, opacity = pin.evaluate("node => [getComputedStyle(node).color, Number(getComputedStyle(node).opacity)]")
    ground = page.locator(".stApp").evaluate("node => getComputedStyle(node).backgroundColor")
    assert contrast(faded(colour, ground, opacity), ground) >= 4.5
    for mark in ("right", "wrong"):
        stroke = table(page).locator(f".{mark} path").first.evaluate("node => getComputedStyle(node).stroke")
        assert contrast(stroke, ground) >= 4.5


@pytest.mark.usefixtures("trained")
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_words_in_colour_can_be_read_and_focus_can_be_seen(someone: Visitor, server: Server, theme: str) -> None:
    page = someone.page
    page.emulate_media(color_scheme=theme)
    page.goto(server.address(**SMALL, aug="blur").replace("/?", "/histograms?"))
    question, train = page.locator(".st-key-question"), page.get_by_role("button", name=re.compile("Train"))
    expect(question.locator("p")).to_have_css("font-size", "24px")  # the app's styles have come
    chosen = page.get_by_role("radio", name="Quick", checked=True)
    here = page.get_by_test_id("stPageLink-NavLink").filter(has_text="Histograms")
    chip = page.get_by_test_id("stMultiSelect").get_by_text("Flip", exact=True)
    for word in (
        *(question.locator("strong", has_text=name) for name in ("CutOut", "Blur")),
        *(each.get_by_role("paragraph") for each in (train, chosen, here)),
        chip,
    ):
        colour, ground = word.evaluate(
            """node => {
              const ground = (node) => getComputedStyle(node).backgroundColor
              let behind = node
              while (!ground(behind).startsWith("rgb(")) behind = behind.parentElement
              return [getComputedStyle(node).color, ground(behind)]
            }"""
        )
        assert contrast(colour, ground) >= 4.5, word
    ground = page.locator(".stApp").evaluate("node => getComputedStyle(node).backgroundColor")
    value = page.get_by_test_id("stSliderThumbValue").get_by_role("paragraph").first
    assert contrast(value.evaluate("node => getComputedStyle(node).color"), ground) >= 4.5
    assert contrast(train.evaluate("node => getComputedStyle(node).backgroundColor"), ground) >= 3
    page.keyboard.press("Tab")  # what is focused by a script shows it once the keyboard was used
    for focused in (page.get_by_test_id("stTopNavLink").nth(1), here):
        focused.focus()
        expect(focused).to_have_css("outline-style", "solid")
        assert contrast(focused.evaluate("node => getComputedStyle(node).outlineColor"), ground) >= 3


@pytest.mark.usefixtures("trained")
def test_an_image_too_many_is_not_pinned_and_that_is_said(someone: Visitor, server: Server) -> None:
    page = someone.page
    page.goto(server.address(**SMALL, images="0-200", start="50").replace("/?", "/reconstructions?"))
    expect(page.get_by_text("images: 20 are pinned at most; 181 more are left out")).to_be_visible()
    expect(table(page)).to_be_visible()
    settled(someone)
    assert someone.query["images"] == "0-19"
    calls = someone.calls
    table(page).get_by_role("button", name=re.compile("^Pin temple, test normal")).first.click()
    someone.until(lambda: someone.calls > calls, "the server has it")
    settled(someone)
    expect(page.get_by_text("These are 20, the most; let one go to pin another.")).to_be_visible()
    assert someone.query["images"] == "0-19"
    table(page).get_by_role("button", name="Unpin temple, test normal 1", exact=True).click()
    someone.until(lambda: someone.query["images"] == "2-19", "the first pair is let go")


@pytest.mark.usefixtures("trained")
def test_a_pin_is_there_once_however_it_is_typed(someone: Visitor, server: Server) -> None:
    page = someone.page
    page.goto(server.address(**SMALL).replace("/?", "/histograms?"))
    box = page.get_by_role("combobox", name="Compare CutOut with")
    for typed in ("noise(sigma=0.2)", "noise(sigma=.2)", "cutout"):  # the last is the question's own
        box.fill(typed)
        box.press("Enter")
        expect(page.get_by_test_id("stMultiSelect").get_by_text(typed, exact=True)).to_be_visible()
        someone.until(lambda: someone.query["pins"] == "flip~noise(sigma=0.2)", "the address has it")
        settled(someone)
    assert someone.query["pins"] == "flip~noise(sigma=0.2)"
    box.press("Escape")  # while the list is open, the rest of the page is hidden from roles
    page.get_by_role("link", name="Runs", exact=True).click()
    expect(page.get_by_role("button", name="Noise (sigma = 0.2)")).to_have_count(1)


@pytest.mark.usefixtures("trained")
def test_a_pair_is_pinned_once_and_let_go_with_one_click(someone: Visitor, server: Server) -> None:
    page = someone.page
    # Image and anomaly of the first pair, and the anomaly alone of the third, as they are pinned where there are no pairs.
    page.goto(server.address(**SMALL, images="0-1.5").replace("/?", "/reconstructions?"))
    expect(table(page)).to_be_visible()
    settled(someone)
    shown = [re.sub(r".*, (test normal|anomaly) ", "", name) for name in columns(page)]
    assert shown[:2] == ["1", "3"]
    assert len(set(shown)) == len(shown) // 2
    for pair, left in {"1": "5", "3": ""}.items():
        table(page).get_by_role("button", name=f"Unpin temple, test normal {pair}", exact=True).click()
        someone.until(lambda left=left: someone.query.get("images") == left, "it is let go")
        settled(someone)


@pytest.mark.usefixtures("trained")
def test_charts_are_downloaded_as_pictures_and_as_numbers(someone: Visitor, server: Server, tmp_path: Path) -> None:
    page = someone.page

    def downloaded(kind: str) -> Path:
        chart = page.get_by_test_id("chart").first
        chart.hover()
        with page.expect_download() as waiting:
            chart.locator(f'.modebar-btn[data-title$="as {kind}"]').click()
        file = tmp_path / waiting.value.suggested_filename
        waiting.value.save_as(file)
        assert file.suffix == f".{kind.lower()}"
        return file

    page.goto(server.address(**SMALL).replace("/?", "/histograms?"))
    expect(page.get_by_test_id("chart").locator(".legend .traces").first).to_be_visible()
    with Image.open(downloaded("PNG")) as picture:
        assert picture.width == 2 * page.get_by_test_id("chart").first.bounding_box()["width"]
        assert picture.convert("RGBA").getpixel((0, 0)) == (255, 255, 255, 255)  # the page's colour, not clear
    assert "DAE-Flip" in downloaded("SVG").read_text()
    file = downloaded("CSV")
    assert file.name.startswith("photos-temple-against-cutout")
    rows = list(csv.DictReader(io.StringIO(file.read_text())))
    for panel in ("AE", "DAE-CutOut", "DAE-Flip"):
        shares = [
            float(row["per cent of group"]) for row in rows if (row["panel"], row["trace"]) == (panel, "test normal")
        ]
        assert sum(shares) == pytest.approx(100)
    assert all(float(row["reconstruction error (mean squared error)"]) > 0 for row in rows)

    page.goto(server.address(**SMALL).replace("/?", "/testbed?"))
    expect(page.get_by_test_id("chart").locator(".scatterlayer")).to_be_visible()
    found = list(csv.DictReader(io.StringIO(downloaded("CSV").read_text())))
    assert {(row["trace"], row["aug"]) for row in found} == {("relative AUC", "CutOut"), ("relative AUC", "Flip")}
    assert all(
        -1 <= float(row["relative AUC (pseudo-median)"]) <= 1 for row in found
    )  # and no line of the intervals that there are none of

    page.goto(server.address(**SMALL).replace("/?", "/error_bias?"))
    expect(page.get_by_test_id("chart").locator(".scatterlayer")).to_be_visible()
    by_class: dict[str, dict[str, float]] = {}
    for row in csv.DictReader(io.StringIO(downloaded("CSV").read_text())):
        by_class.setdefault(row["class"], {})[row["trace"]] = float(
            row["AUC against the normal class; bars: 95% of the difference to AE"]
        )
    assert by_class
    for aucs in by_class.values():
        kinds = [name.removesuffix(" low") for name in aucs if name.endswith(" low")]
        assert len(kinds) == 1
        assert aucs[f"{kinds[0]} low"] <= aucs[kinds[0]] <= aucs[f"{kinds[0]} high"]

    page.goto(server.address(**SMALL).replace("/?", "/alignment?"))
    expect(page.get_by_text("smaller is better aligned").first).to_be_visible()
    expect(page.get_by_text("Measuring")).to_have_count(0)
    cells = list(csv.DictReader(io.StringIO(downloaded("CSV").read_text())))
    assert {cell["aug"] for cell in cells} >= {"Identity", "CutOut", "SimCLR"}
    assert {cell["anomaly"] for cell in cells} >= {"gen CutOut", "gen Flip", "gen Invert"}
    measured = [cell for cell in cells if cell["MMD"]]
    assert measured
    assert all(cell["text"].removesuffix(" ≈") == number(float(cell["MMD"]), digits=2) for cell in measured)


@pytest.mark.usefixtures("trained")
def test_a_chart_changes_in_place_and_what_is_hidden_stays_so(someone: Visitor, server: Server) -> None:
    page = someone.page
    page.goto(server.address(**SMALL).replace("/?", "/histograms?"))
    chart = page.get_by_test_id("chart")
    entry = chart.locator(".legend .traces", has_text="train normal")
    expect(entry).to_be_visible()
    settled(someone)
    expect(chart).to_have_attribute("aria-label", re.compile("Histograms of the reconstruction error"))
    chart.evaluate("node => { node.same = true }")
    sidebar = page.get_by_test_id("stSidebar").get_by_role("combobox").first
    sidebar.evaluate("node => { node.same = true }")
    entry.locator(".legendtoggle").click()
    expect(entry).to_have_css("opacity", "0.5")
    lines = chart.locator(".scatterlayer .js-line").count()
    page.get_by_role("radio", name="Log").click()
    someone.until(lambda: someone.query.get("scale") == "log", "the address follows")
    someone.until(lambda: chart.evaluate("node => node.firstChild.layout.xaxis.type") == "log", "the axis is another")
    settled(someone)
    assert chart.evaluate("node => node.same")
    assert sidebar.evaluate("node => node.same")
    expect(entry).to_have_css("opacity", "0.5")
    assert chart.locator(".scatterlayer .js-line").count() == lines
    # With a run less there are other traces, of which the same group is hidden.
    page.get_by_role("button", name="Remove Flip").click()
    expect(chart.get_by_text("DAE-Flip", exact=True)).to_have_count(0)
    settled(someone)
    shown = "node => node.firstChild.data.map((trace) => [trace.name, trace.visible === 'legendonly'])"
    assert all(hidden == (name == "train normal") for name, hidden in chart.evaluate(shown))
    page.set_viewport_size({"width": 1024, "height": 900})
    fits = "node => node.firstChild._fullLayout.width === node.clientWidth"
    someone.until(lambda: chart.evaluate(fits), "it is as wide as there is room")
    low = chart.evaluate("node => node.clientHeight")
    # A zoom stays on the full screen.
    chart.locator(".nsewdrag").first.scroll_into_view_if_needed()
    x, y = centre(chart.locator(".nsewdrag").first)
    page.mouse.move(x - 30, y)
    page.mouse.down()
    page.mouse.move(x + 30, y, steps=5)
    page.mouse.up()
    span = "node => node.firstChild._fullLayout.xaxis.range"
    someone.until(lambda: chart.evaluate("node => !node.firstChild._fullLayout.xaxis.autorange"), "it is zoomed")
    zoomed = chart.evaluate(span)
    chart.hover()
    chart.locator("[data-title='Full screen']").click()
    someone.until(
        lambda: chart.evaluate("node => node.firstChild._fullLayout.height") == 900 != low, "it fills the screen"
    )
    assert chart.evaluate(fits)
    assert chart.evaluate(span) == zoomed
    page.keyboard.press("Escape")
    page.evaluate("document.fullscreenElement && document.exitFullscreen()")  # without a window, Escape goes nowhere
    someone.until(lambda: chart.evaluate("node => node.firstChild._fullLayout.height") == low, "it is as it was")


@pytest.mark.usefixtures("trained")
def test_the_titles_of_a_chart_are_as_narrow_as_the_page_and_clear_of_its_buttons(
    someone: Visitor, server: Server
) -> None:
    page = someone.page
    page.goto(server.address(**SMALL).replace("/?", "/histograms?"))
    chart = page.get_by_test_id("chart")
    parts = "[node, ...node.querySelectorAll('.gtitle, .annotation-text')].map(n => n.getBoundingClientRect())"
    drawn = "node => node.querySelector('.main-svg')?.getBoundingClientRect().width === node.clientWidth"
    for width in (390, 800, 1024, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        someone.until(
            lambda width=width: chart.count() == 1 and chart.bounding_box()["width"] < width and chart.evaluate(drawn),
            "it is drawn for this page",
        )
        own, *titles = chart.evaluate(f"node => {parts}")
        assert len(titles) == 1 + 3 + 1, width  # of all, of each panel, of the axis
        assert all(own["left"] <= title["left"] and title["right"] <= own["right"] for title in titles), width
        chart.hover()
        buttons = chart.locator(".modebar-btn").evaluate_all("all => all.map(button => button.getBoundingClientRect())")
        corner, foot = min(button["left"] for button in buttons), max(button["bottom"] for button in buttons)
        assert all(title["right"] <= corner or title["top"] >= foot for title in titles), width


@pytest.mark.usefixtures("trained")
def test_a_patch_is_moved_and_every_detector_answers_without_training(someone: Visitor, server: Server) -> None:
    page = someone.page
    runs = server.runs()
    page.goto(server.address(**SMALL, made="0~cutout(c=0.3)~0~0~0").replace("/?", "/reconstructions?"))
    made = page.get_by_test_id("picture-table").nth(1)
    expect(made).to_be_visible()
    settled(someone)
    before = made.inner_text()
    assert len(re.findall(r"\(\d+%\)", before)) == 2 * 3
    page.get_by_role("slider", name="Patch: left to right").focus()
    for _ in range(8):
        page.keyboard.press("ArrowRight")
    someone.until(lambda: someone.query.get("made") == "0~cutout(c=0.3)~0~0~0.4", "the address has the place")
    someone.until(lambda: made.inner_text() != before, "the scores are of the other place")
    assert server.training() == {}
    assert server.runs() == runs


def test_over_all_classes_fills_as_its_runs_come(someone: Visitor, server: Server) -> None:
    page = someone.page
    tiny = {"epochs": "1", "features": "4", "hidden": "8", "limit": "32", "test_limit": "10"}
    page.goto(server.address(**tiny, anomaly="gen:invert"))
    page.get_by_role("button", name="Evidence").click()
    page.get_by_text("Over all classes", exact=True).click()
    page.get_by_role("button", name="Train 28 missing runs").click()
    expect(page.get_by_text("28 runs are there")).to_be_visible()
    chart = page.get_by_test_id("chart")
    expect(chart.get_by_text("Rotate", exact=True)).to_be_visible()  # while the others are on their way
    someone.until(lambda: chart.locator(".yaxislayer-above text").count() == 13, "each aug has its row")
    expect(page.get_by_text("runs are there")).to_have_count(0)
    expect(page.get_by_text("that takes 6 normal classes, and this set has 2")).to_be_visible()
    expect(page.get_by_role("heading", name="Photos, gen Invert: cannot be judged")).to_be_visible()  # of so few steps
    store = Store(server.cache)
    for run in store.list():  # other tests of this server count what is stored
        if run.spec.settings.limit == 32:
            store.delete(run.id)


@pytest.mark.usefixtures("trained")
def test_a_click_on_a_dot_opens_its_run_in_the_lab(someone: Visitor, server: Server) -> None:
    page = someone.page
    longer = {**SMALL, "epochs": "6"}  # the runs that are there are of half as many
    page.goto(server.address(**longer, vary="epochs").replace("/?", "/settings?"))
    dots = page.get_by_test_id("chart").locator(".scatterlayer .trace").last.locator("path.point")
    expect(dots).to_have_count(2)
    settled(someone)
    augs = page.get_by_test_id("chart").evaluate("node => node.firstChild.data[1].customdata.map(([aug]) => aug)")
    dot = dots.nth(augs.index("flip"))  # the question has CutOut already
    dot.hover(force=True)  # the layer above it is what listens
    dot.click(force=True)
    someone.until(lambda: someone.query.get("aug") == "flip", "its aug is asked")
    assert someone.query["epochs"] == "3"
    expect(page.get_by_test_id("linked-views")).to_be_visible()
    page.go_back()
    expect(page.get_by_text("2 combinations: epochs 3 or 6.")).to_be_visible()
    expect(dots).to_have_count(2)
    someone.until(lambda: someone.query.get("epochs") == "6", "what varies is around the settings that did")


def test_every_menu_is_in_the_bar_at_1024_pixels(browser: Browser, server: Server) -> None:
    with visitor(browser, server) as someone:
        someone.page.set_viewport_size({"width": 1024, "height": 768})
        someone.page.goto(server.address())
        expect(someone.page.locator(".st-key-question")).to_be_visible()
        for name in ("Compare", "Evidence"):
            expect(someone.page.get_by_role("button", name=name, exact=True)).to_be_in_viewport()
