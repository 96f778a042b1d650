"""The page Alignment in a real browser: the matrix arrives by itself, and success beside it once runs are trained."""

from __future__ import annotations

import contextlib
import re
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browser import Server, Visitor, settled
from contrast import contrast
from test_data import own_files, write_folder

with contextlib.suppress(ImportError):  # the browser fixture deals with it
    from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

BEST = re.compile("^(Best aligned|Smallest MMD) with CutOut: ")
SMALL = {"dataset": "digits", "class": "6", "epochs": "2", "features": "4", "hidden": "16", "limit": "64"}


def matrix(page: Page) -> Locator:
    return page.locator(".js-plotly-plot").filter(has=page.locator(".heatmaplayer"))


def test_the_matrix_arrives_and_then_success_beside_it(someone: Visitor, server: Server) -> None:
    page = someone.page
    page.goto(server.address(**SMALL).replace("/?", "/alignment?"))
    expect(page.get_by_text("This space is the code of AE, which is not trained yet")).to_be_visible()
    page.get_by_role("radio", name="raw pixels").click()
    # No further click: the cells come as they are measured.
    expect(page.get_by_role("heading", name=BEST)).to_be_visible()
    for name in ("Identity", "CutPaste-scar", "SimCLR", "gen Flip", "all others"):
        expect(matrix(page).get_by_text(name, exact=True)).to_be_visible()
    assert matrix(page).locator(".shapelayer path").count() == 13  # the best aug of each column
    assert someone.query["encoder"] == "pixels"

    page.get_by_role("radio", name="AE's code").click()
    page.get_by_role("button", name="Train 4 missing runs").click()
    expect(page.get_by_role("heading", name="Does alignment predict success here?")).to_be_visible()
    expect(page.get_by_text("Too few to say")).to_be_visible()
    settled(someone)
    assert set(page.locator(".annotation-text").all_text_contents()) == {"CutOut", "Flip", "Invert"}


def test_a_cell_says_how_sure_it_is(someone: Visitor, server: Server) -> None:
    page = someone.page
    page.goto(server.address(**SMALL, encoder="pixels").replace("/?", "/alignment?"))
    expect(page.get_by_role("heading", name=BEST)).to_be_visible()
    settled(someone)
    box = matrix(page).locator(".heatmaplayer image, .heatmaplayer .hm").first.bounding_box()
    assert box
    page.mouse.move(box["x"] + 10, box["y"] + 10)
    hover = page.locator(".hoverlayer .hovertext")
    expect(hover).to_contain_text("aug Identity, gen CutOut")
    expect(hover).to_contain_text(" images")
    expect(hover).to_contain_text("p = ")


def test_no_number_of_a_cell_reaches_into_the_next(someone: Visitor, server: Server) -> None:
    page = someone.page
    page.goto(server.address(**SMALL, encoder="pixels").replace("/?", "/alignment?"))
    expect(page.get_by_role("heading", name=BEST)).to_be_visible()
    settled(someone)
    numbers = matrix(page).locator(".heatmap-label text")
    boxes = "all => all.map(text => text.getBoundingClientRect()).map(({ left, right, y }) => [y, left, right])"
    size = "plot => [plot._fullLayout.width, plot.parentElement.clientWidth]"

    def fits(shown: bool) -> bool:
        drawn, room = matrix(page).evaluate(size)
        found = sorted(numbers.evaluate_all(boxes))
        apart = all(right <= left or y < below for (y, _, right), (below, left, _) in pairwise(found))
        return drawn == room and apart and bool(found) == shown

    for width, shown in ((1440, True), (1024, True), (390, False)):
        page.set_viewport_size({"width": width, "height": 900})
        someone.until(lambda shown=shown: fits(shown), "its numbers are there, apart, if there is room for them")


def test_many_long_names_of_columns_lie_apart_and_leave_the_rows_their_height(
    someone: Visitor, server: Server, tmp_path: Path
) -> None:
    page = someone.page
    names = [f"{k}_missing_component_in_the_upper_left_corner_of_board_{k}" for k in range(20)]
    place = write_folder(tmp_path / "boards", own_files("good", *names, count=6))
    few = {"dataset": f"folder:{place}", "anomaly": f"class:{names[10]}", "encoder": "pixels"}
    page.goto(server.address(**few).replace("/?", "/alignment?"))
    expect(page.get_by_text("smaller is better aligned").first).to_be_visible()
    expect(page.get_by_text("Measuring")).to_have_count(0)
    settled(someone)
    boxes = "all => all.filter(text => text.textContent).map(text => text.getBoundingClientRect())"

    def apart(most: int) -> bool:
        across, down = (matrix(page).locator(f".{axis}tick text").evaluate_all(boxes) for axis in ("x", "y"))
        lefts, tops = sorted(box["left"] for box in across), sorted(box["top"] for box in down)
        upright = all(box["height"] > box["width"] for box in across)
        return (
            most / 2 < len(across) <= most
            and upright
            and all(right - left >= 11 for left, right in pairwise(lefts))
            and all(below - above >= 20 for above, below in pairwise(tops))
        )

    for width, most in ((1024, 24), (390, 12)):
        page.set_viewport_size({"width": width, "height": 900})
        someone.until(lambda most=most: apart(most), "names are apart, and rows are high")
        expect(matrix(page).locator(".xtick text").filter(has_text="10_missing_c…of_board_10")).to_have_count(1)
    matrix(page).hover()
    with page.expect_download() as download:
        matrix(page).locator("[data-title$=CSV]").click()
    said = Path(download.value.path()).read_text()
    assert all(f",{name},Identity," in said for name in names)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_names_in_the_colours_of_their_categories_can_be_read(someone: Visitor, server: Server, theme: str) -> None:
    page = someone.page
    page.emulate_media(color_scheme=theme)
    page.goto(server.address(**SMALL, encoder="pixels").replace("/?", "/alignment?"))
    expect(page.get_by_role("heading", name=BEST)).to_be_visible()
    names = matrix(page).locator(".ytick text > tspan")
    expect(names).to_have_count(14)
    ground = page.locator(".stApp").evaluate("element => getComputedStyle(element).backgroundColor")
    for name in names.all():
        colour = name.evaluate("element => getComputedStyle(element).fill")
        assert contrast(colour, ground) >= 4.5, name.text_content()
