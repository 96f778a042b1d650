"""The page Alignment in a real browser: the matrix arrives by itself, and success beside it once runs are trained."""

from __future__ import annotations

import contextlib
import re
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from browser import Server, Visitor, settled
from contrast import contrast

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
