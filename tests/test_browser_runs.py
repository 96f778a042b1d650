"""Runs and Error bias in a real browser: pick, pin, follow the way to a comparing page, click a class."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browser import Server, Visitor, centre, settled, store_runs, too_wide, train, visitor
from test_data import own_files, write_folder

with contextlib.suppress(ImportError):  # the browser fixture deals with it
    from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SMALL = {"dataset": "digits", "class": "3", "epochs": "2", "features": "4", "hidden": "16"}
SMALL |= {"limit": "64", "test_limit": "20"}
HEADER, ROW = 35, 35  # pixels of the table


@pytest.fixture(scope="module")
def trained(server: Server) -> None:
    """DAE-CutOut and DAE-Flip on digit 3, with their baseline."""
    store_runs(server, *({**SMALL, "aug": aug} for aug in ("cutout", "flip")))


def open_runs(someone: Visitor, address: str) -> None:
    """The page Runs, by way of the Lab."""
    someone.page.goto(address)
    expect(someone.page.locator(".st-key-question")).to_be_visible()
    someone.page.get_by_role("link", name="Runs", exact=True).click()
    expect(someone.page.get_by_test_id("stDataFrame").first).to_be_visible()
    settled(someone)


def click_row(someone: Visitor, row: int) -> None:
    """Clicks a check box of the table, which is drawn on a canvas; while the page is drawn anew the table may not take a
    click, or lie elsewhere."""
    settled(someone)
    box = someone.page.get_by_test_id("stDataFrame").first.bounding_box()
    assert box
    someone.page.mouse.click(box["x"] + 18, box["y"] + HEADER + ROW * (row + 0.5))


def pick(someone: Visitor, *rows: int) -> None:
    """Clicks one after the other."""
    for count, row in enumerate(rows, 1):
        click_row(someone, row)
        expect(someone.page.get_by_role("button", name=f"Delete {count} run")).to_be_enabled()


@pytest.mark.usefixtures("trained")
def test_picked_runs_are_pinned_and_found_on_the_comparing_page(someone: Visitor, server: Server) -> None:
    page = someone.page
    open_runs(someone, server.address(find="digits 3"))
    pick(someone, 0, 1, 2)
    expect(page.get_by_text("Picked, side by side")).to_be_visible()
    settled(someone)
    page.get_by_role("button", name="Pin 3 runs").click()
    expect(page.get_by_text("on 3 (Digits):")).to_be_visible()
    someone.until(lambda: someone.query.get("class") == "3", "the first of them is the question")
    settled(someone)
    page.get_by_role("button", name="Histograms").click()
    for name in ("AE", "DAE-CutOut", "DAE-Flip"):
        expect(page.locator(".js-plotly-plot").get_by_text(name, exact=True).first).to_be_visible()
    someone.until(lambda: SMALL.items() <= someone.query.items(), "the address says so")


@pytest.mark.usefixtures("trained")
def test_a_pick_moves_with_its_run_in_another_list(someone: Visitor, server: Server) -> None:
    page = someone.page
    delete = page.get_by_role("button", name="Delete", exact=True)
    open_runs(someone, server.address(find="digits 3"))
    pick(someone, 1)  # DAE-CutOut, the last but one
    for found, row in (("digits 3 cutout", 0), ("digits 3", 1)):
        page.get_by_role("textbox", name="Find").fill(found)
        page.keyboard.press("Enter")
        someone.until(lambda found=found: someone.query.get("find") == found, "the list is another")
        settled(someone)
        expect(page.get_by_role("button", name="Delete 1 run")).to_be_enabled()
        click_row(someone, row)
        expect(delete).to_be_disabled()
        click_row(someone, row)
        expect(page.get_by_role("button", name="Delete 1 run")).to_be_enabled()


@pytest.mark.usefixtures("trained")
def test_a_chart_is_drawn_once_it_is_looked_at_or_printed(someone: Visitor, server: Server) -> None:
    page = someone.page
    page.set_viewport_size({"width": 1440, "height": 500})
    open_runs(someone, server.address(find="digits 3"))
    charts, drawn = page.get_by_test_id("chart"), page.get_by_test_id("chart").locator(".plotly")
    pick(someone, 0)
    settled(someone)
    expect(charts).to_have_count(2)
    page.wait_for_function("window.Plotly")
    expect(drawn).to_have_count(0)
    charts.first.scroll_into_view_if_needed()
    expect(charts.first.locator(".plotly")).to_be_visible()
    expect(drawn).to_have_count(1)
    figures = charts.first.locator(".heatmap-label text").first
    for theme, colour in {"dark": "rgb(255, 255, 255)", "light": "rgb(26, 26, 26)"}.items():
        page.emulate_media(color_scheme=theme)
        expect(figures).to_have_css("fill", colour)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(drawn).to_have_count(2)


def test_on_a_phone_a_long_name_leaves_room_for_charts_and_images(
    someone: Visitor, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = someone.page
    name = "long in the shank, with a countersunk head"
    folders = [f"{split}/{label}" for split in ("train", "test") for label in (name, "good")]
    monkeypatch.setenv("SSAD_CACHE_DIR", str(server.cache))  # where the app knows own images from
    place = write_folder(tmp_path / "screws", own_files(*folders, count=6))
    query = {**SMALL, "dataset": f"folder:{place}", "class": "good"}
    store_runs(server, query)
    open_runs(someone, server.address(find="screws"))
    pick(someone, 0, 1)
    settled(someone)
    page.set_viewport_size({"width": 390, "height": 844})
    for chart in page.get_by_test_id("chart").all():
        chart.scroll_into_view_if_needed()
        expect(chart.locator(".plotly")).to_be_visible()
        parts = "[node, node.querySelector('.nsewdrag'), ...node.querySelectorAll('.ytick, .legend')]"
        own, plot, *beside = chart.evaluate(f"node => {parts}.map(part => part.getBoundingClientRect())")
        assert plot["width"] > own["width"] / 2
        assert all(own["left"] <= part["left"] and part["right"] <= own["right"] for part in beside)
    table = page.get_by_test_id("chart").first
    table.hover()
    with page.expect_download() as download:
        table.locator("[data-title$=CSV]").click()
    assert name in Path(download.value.path()).read_text()
    # And of the Lab's test images.
    page.goto(server.address(**query, anomaly=f"class:{name}"))
    title = page.get_by_test_id("recon").get_by_text("Anomalous: long")
    title.scroll_into_view_if_needed()
    ends = title.evaluate("text => [text, text.closest('svg')].map((node) => node.getBoundingClientRect().right)")
    assert ends == sorted(ends)


@pytest.mark.usefixtures("trained")
def test_to_delete_is_asked_where_it_is_seen(someone: Visitor, server: Server) -> None:
    page = someone.page
    page.set_viewport_size({"width": 1024, "height": 768})
    stored = server.runs()
    store_runs(server, {**SMALL, "aug": "blur"})
    open_runs(someone, server.address(find="blur"))
    pick(someone, 0)
    settled(someone)
    for answer in ("Keep", "Close", "Delete"):
        page.get_by_role("button", name="Delete 1 run").click()
        question = page.get_by_role("dialog")
        expect(question.get_by_text("DAE-Blur")).to_be_in_viewport()
        question.get_by_role("button", name=answer, exact=True).click()
        expect(question).to_have_count(0)
        settled(someone)
        assert (server.runs() == stored) == (answer == "Delete")
    expect(page.get_by_text("No stored run matches")).to_be_visible()


@pytest.mark.usefixtures("trained")
def test_what_others_train_and_store_is_noticed(someone: Visitor, server: Server, browser: Browser) -> None:
    page = someone.page
    open_runs(someone, server.address(find="digits 3"))
    expect(page.get_by_text("Going on")).to_have_count(0)
    with visitor(browser, server) as other:
        other.page.goto(server.address(**SMALL | {"epochs": "10000", "aug": "invert"}))
        train(other.page)
        expect(page.get_by_role("heading", name="Going on")).to_be_visible()
    for count in (1, 0):
        settled(someone)
        page.get_by_role("button", name="Cancel", exact=True).first.click()
        expect(page.get_by_role("button", name="Cancel", exact=True)).to_have_count(count)
    store_runs(server, {**SMALL, "aug": "rotate"})
    expect(page.get_by_text(f"{len(server.runs())} runs stored")).to_be_visible()


@pytest.mark.usefixtures("trained")
def test_a_question_stays_while_other_runs_are_stored(someone: Visitor, server: Server) -> None:
    page = someone.page
    store_runs(server, {**SMALL, "aug": "noise"})
    open_runs(someone, server.address(find="noise"))
    pick(someone, 0)
    settled(someone)
    page.get_by_role("button", name="Delete 1 run").click()
    question = page.get_by_role("dialog")
    expect(question.get_by_text("DAE-Noise")).to_be_visible()
    question.evaluate("node => { node.dataset.same = true }")
    before = len(server.runs())
    store_runs(server, {**SMALL, "aug": "mask"})
    for _ in range(2):  # looks of the page
        received = someone.received
        someone.until(lambda received=received: someone.received > received, "it looks")
        settled(someone)
    expect(question).to_have_attribute("data-same", "true")
    assert page.get_by_text(f"{before} runs stored").count() == 1
    question.get_by_role("button", name="Delete", exact=True).click()
    expect(question).to_have_count(0)
    someone.until(lambda: len(server.runs()) == before, "one came, one went")
    expect(page.get_by_text("No stored run matches")).to_be_visible()


@pytest.mark.usefixtures("trained")
def test_on_a_phone_each_score_has_room_beside_its_detectors_name(someone: Visitor, server: Server) -> None:
    page = someone.page
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(server.address(**SMALL, pins="").replace("/?", "/error_bias?"))
    tiles = page.get_by_test_id("class-image")
    expect(tiles).to_have_count(16)
    settled(someone)
    names = "[...tile.parentElement.firstChild.children].map(({ offsetTop }) => offsetTop)"
    scores = "[...tile.querySelectorAll('div')].map(({ offsetTop }) => offsetTop)"
    of_names, of_scores = tiles.first.evaluate(f"tile => [{names}, {scores}]")
    assert of_names == of_scores
    assert tiles.evaluate_all("tiles => tiles.every((tile) => tile.scrollWidth <= tile.clientWidth)")
    assert too_wide(page) == 0


@pytest.mark.usefixtures("trained")
def test_a_click_on_a_class_shows_its_images(someone: Visitor, server: Server) -> None:
    page = someone.page
    open_runs(someone, server.address(**SMALL, pins="flip"))
    page.get_by_role("button", name="Error bias").click()
    tiles = page.get_by_test_id("class-image")
    expect(tiles).to_have_count(16)
    settled(someone)
    before = page.get_by_text(": of 20 test images").inner_text()
    # The baseline's rings are drawn last, one a class from below; the lowest class is the one that is shown.
    ring = page.locator(".js-plotly-plot .scatterlayer .trace").filter(has=page.locator("path.point")).last
    ring.scroll_into_view_if_needed()
    page.mouse.click(*centre(ring.locator("path.point").nth(5)))
    someone.until(lambda: someone.query.get("bias_class"), "the address has the class")
    chosen = someone.query["bias_class"]
    expect(page.get_by_text(f"{chosen}: of 20 test images")).to_be_visible()
    assert not before.startswith(f"{chosen}:")
    settled(someone)
    expect(tiles).to_have_count(16)
    # And by the keyboard.
    page.get_by_role("combobox", name="Class to look at").press("ArrowUp")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    someone.until(lambda: someone.query["bias_class"] != chosen, "another class")
