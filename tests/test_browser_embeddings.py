"""The page Embeddings in a real browser: hover, lasso in one map and in all, two seeds, the optimisation, the address."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any

import pytest
from browser import (
    Server,
    Visitor,
    await_map,
    centre,
    lasso,
    move_to_point,
    points,
    settled,
    store_runs,
    too_wide,
    visitor,
)

with contextlib.suppress(ImportError):  # the browser fixture deals with it
    from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

SMALL = {"dataset": "digits", "class": "1", "epochs": "2", "features": "4", "hidden": "16", "limit": "64"}
SMALL |= {"test_limit": "30"}
ASKED = {**SMALL, "pins": "flip"}
NAMES = ["AE", "DAE-CutOut", "DAE-Flip"]
FRAMES = "**/media/*.bin"
AUGMENTED = 1  # a group of which AE has no images


def await_maps(page: Page, count: int = len(NAMES)) -> None:
    expect(page.locator(".scatter")).to_have_count(count)
    for panel in range(count):
        await_map(page, f"map-{panel}")


def drawn(page: Page, panel: int) -> list[dict[str, Any]]:
    return points(page, f"map-{panel}")


def where(page: Page, panel: int) -> list[list[float]]:
    """Where the points of a map are drawn."""
    return [point["at"] for point in drawn(page, panel)]


def chosen(page: Page, panel: int) -> int:
    return sum(point["opacity"] == 1 for point in drawn(page, panel))


def rings(page: Page, panel: int) -> int:
    return page.locator(f"[data-testid=map-{panel}] .over .ring").count()


def show_another_seed(page: Page) -> None:
    """By a click that moves neither pointer nor keyboard from where they are."""
    page.get_by_role("switch", name="Another map seed below").evaluate("node => node.click()")


def forget_failed_fetches(someone: Visitor) -> None:
    """The console has them, and nothing else."""
    assert all(error.startswith("Failed to load resource") for error in someone.errors), someone.errors
    someone.errors.clear()


@pytest.fixture(scope="module")
def small(server: Server) -> str:
    """The page's address, with all that lies side by side trained."""
    store_runs(server, *({**SMALL, "aug": aug} for aug in ("cutout", "flip")))
    return server.address(**ASKED).replace("/?", "/embeddings?")


@pytest.fixture
def maps(someone: Visitor, small: str) -> Visitor:
    """Somebody who looks at the maps."""
    someone.page.goto(small)
    await_maps(someone.page)
    settled(someone)
    return someone


def test_a_phone_shows_all_of_the_page(maps: Visitor) -> None:
    maps.page.set_viewport_size({"width": 390, "height": 900})
    maps.until(lambda: too_wide(maps.page) == 0, "it is no wider than the window")


def test_runs_lie_side_by_side_with_their_numbers(maps: Visitor) -> None:
    page = maps.page
    assert page.locator(".scatter h3").all_inner_texts() == NAMES
    assert [len(drawn(page, panel)) for panel in range(3)] == [90, 120, 120]
    for panel in range(3):
        downloads = page.get_by_role("region", name=f"Map of {NAMES[panel]}").get_by_role("button")
        labels = [f"Download as {kind}: Map of {NAMES[panel]}" for kind in ("PNG", "SVG")]
        assert [button.get_attribute("aria-label") for button in downloads.all()] == labels
        rows = page.get_by_test_id(f"numbers-{panel}").locator("tbody tr").all_inner_texts()
        assert [row.split("\t")[0] for row in rows] == [
            "aug | anomalies",
            "normals | anomalies",
            "train | test normals",
        ]
        numbers = [[cell.strip() for cell in row.split("\t")[1:]] for row in rows]
        assert (numbers[0] == ["–"] * 3) == (panel == 0)
        for silhouette, purity, chance in numbers[panel == 0 :]:
            assert -1 <= float(silhouette.replace("−", "-")) <= 1
            assert 0 <= float(purity) <= 1
            assert float(chance) == pytest.approx(29 / 59, abs=0.005)


def test_a_point_is_ringed_in_all_maps_and_shows_its_image(maps: Visitor) -> None:
    page = maps.page
    tooltip = page.get_by_test_id("tooltip")
    page.get_by_test_id("map-1").scroll_into_view_if_needed()
    calls, seen = maps.calls, set()
    for k in range(0, 120, 5):
        move_to_point(page, k, "map-1")
        expect(tooltip).to_be_visible()
        for name in NAMES:
            expect(tooltip).to_contain_text(name)
        group = tooltip.locator("p").first.inner_text().partition(",")[0].strip()
        seen.add(group)
        assert rings(page, 1) == rings(page, 2) == 2  # the image and its pair
        # AE knows the image before aug; the one after it is in no map of AE.
        assert rings(page, 0) == (1 if group.startswith("Train") else 2)
        images = tooltip.locator("img")
        maps.until(
            lambda images=images: images.evaluate_all(
                "all => all.length === 2 && all.every(i => i.naturalWidth === 32)"
            ),
            "the images are there",
        )
    assert seen == {"Train normal", "Train augmented", "Test normal", "Test anomalous"}
    assert maps.calls == calls
    page.mouse.move(5, 5)
    expect(tooltip).to_be_hidden()
    assert rings(page, 0) == rings(page, 1) == 0


def test_points_are_reached_and_selected_by_the_keyboard(maps: Visitor) -> None:
    page = maps.page
    page.get_by_test_id("map-2").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_test_id("tooltip")).to_be_visible()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("lasso-summary")).to_have_text("1 of 120 selected")
    maps.until(lambda: maps.query["lasso"].isdigit(), "the address has the point")
    assert chosen(page, 1) == chosen(page, 2) == 1


def test_a_lasso_in_one_map_is_in_all_and_its_images_below(browser: Browser, server: Server, maps: Visitor) -> None:
    page = maps.page
    lasso(page, page.get_by_test_id("map-1"), 0.7)
    summary = page.get_by_test_id("lasso-summary")
    expect(summary).to_have_text(re.compile(r"^[1-9]\d* of 120 selected$"))
    total = int(summary.inner_text().split()[0])
    by_group = [int(text.split()[-1]) for text in page.get_by_test_id("lasso-groups").locator("span").all_inner_texts()]
    assert sum(by_group) == total
    assert [chosen(page, panel) for panel in range(3)] == [total - by_group[AUGMENTED], total, total]
    strip = page.get_by_test_id("lasso-strip").locator(".card")
    assert strip.count() == min(total, 40)
    maps.until(
        lambda: strip.locator("img").evaluate_all("all => all.length > 0 && all.every(i => i.naturalWidth === 32)"),
        "the images are there",
    )
    maps.until(lambda: maps.query["lasso"], "the address has the lasso")
    settled(maps)
    # A link to it shows the same, and the Lab has it too.
    with visitor(browser, server) as other:
        other.page.goto(page.url)
        await_maps(other.page)
        expect(other.page.get_by_test_id("lasso-summary")).to_have_text(f"{total} of 120 selected")
        assert [chosen(other.page, panel) for panel in range(3)] == [total - by_group[AUGMENTED], total, total]
        other.page.get_by_role("link", name="Lab").click()
        expect(other.page.get_by_test_id("lasso-summary")).to_have_text(f"{total} of 120 selected")
    page.get_by_test_id("lasso-clear").click()
    maps.until(lambda: maps.query["lasso"] == "", "the address has no lasso")
    assert chosen(page, 1) == 0


def test_a_lasso_and_the_keyboard_stay_where_they_are_when_other_maps_come(maps: Visitor) -> None:
    page = maps.page
    drawing = page.get_by_test_id("map-1")
    drawing.scroll_into_view_if_needed()
    box = drawing.bounding_box()
    assert box
    left, top, right, bottom = box["x"] + 8, box["y"] + 8, box["x"] + box["width"] - 8, box["y"] + box["height"] - 8
    page.mouse.move(left, top)
    page.mouse.down()
    page.mouse.move(right, top, steps=6)
    show_another_seed(page)
    await_maps(page, 6)
    settled(maps)
    assert drawing.evaluate("node => node.getRootNode().activeElement === node")
    page.mouse.move(right, bottom, steps=6)
    page.mouse.move(left, bottom, steps=6)
    page.mouse.up()
    expect(page.get_by_test_id("lasso-summary")).to_have_text("120 of 120 selected")
    # The lasso has ended: points are pointed at as ever.
    move_to_point(page, 0, "map-1")
    expect(page.get_by_test_id("tooltip")).to_be_visible()


def test_the_images_of_a_point_go_when_other_maps_come(maps: Visitor) -> None:
    page = maps.page
    page.get_by_test_id("map-1").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_test_id("tooltip")).to_be_visible()
    show_another_seed(page)
    await_maps(page, 6)
    expect(page.get_by_test_id("tooltip")).to_be_hidden()
    assert rings(page, 1) == 0


@pytest.mark.parametrize("end", ["the page takes the pointer away", "the map goes"])
def test_a_lasso_that_is_cut_short_selects_nothing_and_is_over(maps: Visitor, end: str) -> None:
    page = maps.page
    drawing = page.get_by_test_id("map-1")
    drawing.scroll_into_view_if_needed()
    x, y = centre(drawing)
    page.mouse.move(x - 50, y)
    page.mouse.down()
    page.mouse.move(x, y + 50, steps=6)
    if end == "the map goes":
        page.get_by_role("slider", name="Perplexity").press("ArrowLeft")
        maps.until(lambda: maps.query["perplexity"] == "29", "the address has the perplexity")
        page.mouse.move(x + 50, y, steps=6)
        page.mouse.up()
        await_maps(page)
        settled(maps)
    else:
        drawing.evaluate("node => node.releasePointerCapture(1)")
    move_to_point(page, 0, "map-1")
    expect(page.get_by_test_id("tooltip")).to_be_visible()
    page.mouse.up()
    expect(page.get_by_test_id("lasso-summary")).to_have_text("0 of 120 selected")


def test_a_hidden_group_is_hidden_in_all_and_caught_by_no_lasso(maps: Visitor) -> None:
    page = maps.page
    page.get_by_test_id("maps-group-3").click()
    assert [len(drawn(page, panel)) for panel in range(3)] == [60, 90, 90]
    lasso(page, page.get_by_test_id("map-2"), 0.98)
    groups = page.get_by_test_id("lasso-groups")
    expect(groups.locator("[data-group='3']")).to_have_text(re.compile("0$"))
    expect(groups.locator("[data-group='0']")).not_to_have_text(re.compile(" 0$"))
    page.get_by_test_id("maps-group-3").click()
    assert len(drawn(page, 0)) == 90


def test_the_keyboard_stays_on_a_group_that_it_hides_and_when_other_maps_come(maps: Visitor) -> None:
    page = maps.page
    group = page.get_by_test_id("maps-group-3")
    group.press("Enter")
    expect(group).to_have_attribute("aria-pressed", "false")
    expect(group).to_be_focused()
    show_another_seed(page)
    await_maps(page, 6)
    settled(maps)
    expect(group).to_be_focused()


def test_colours_show_the_score_of_each_run(maps: Visitor) -> None:
    page = maps.page
    assert len({point["colour"] for point in drawn(page, 1)}) == 4
    page.get_by_role("button", name="Score", exact=True).click()
    assert len({point["colour"] for point in drawn(page, 1)}) > 20
    maps.until(lambda: maps.query["colour_by"] == "score", "the address has the colours")
    settled(maps)


def test_points_are_painted_in_their_places_and_colours_as_sharp_as_the_screen(maps: Visitor) -> None:
    page = maps.page
    screen = {**page.viewport_size, "deviceScaleFactor": 2, "mobile": False}
    page.context.new_cdp_session(page).send("Emulation.setDeviceMetricsOverride", screen)
    for _ in range(2):  # painted anew each time
        page.get_by_test_id("maps-group-0").click()
    alone = "({ at: [x, y] }) => canvas.points.filter(({ at: [a, b] }) => Math.hypot(a - x, b - y) < 7).length === 1"
    pixel = "({ at: [x, y], colour }) => [colour, ...canvas.getContext('2d').getImageData(2 * x, 2 * y, 1, 1).data]"
    found = page.get_by_test_id("map-1-points").evaluate(
        f"canvas => canvas.points.filter((point) => !point.hollow).filter({alone}).map({pixel})"
    )
    assert len(found) > 5
    for colour, *painted in found:
        assert painted == pytest.approx([*bytes.fromhex(colour[1:]), 0.8 * 255], abs=4)


def test_two_seeds_stand_under_each_other(browser: Browser, server: Server, maps: Visitor) -> None:
    page = maps.page
    page.get_by_text("Another map seed below").click()
    await_maps(page, 6)
    settled(maps)
    assert maps.query["two_seeds"] == "1"
    boxes = [page.get_by_test_id(f"map-{panel}").bounding_box() for panel in range(6)]
    for above, below in zip(boxes[:3], boxes[3:], strict=True):
        assert above["x"] == below["x"]
        assert above["y"] + above["height"] < below["y"]
    names = page.locator(".scatter h3").all_inner_texts()
    assert names == [f"{name}, map seed {seed}" for seed in (0, 1) for name in NAMES]
    assert where(page, 1) != where(page, 4)
    # The numbers are of the codes, and the same for both seeds.
    for panel in range(6):
        assert page.get_by_test_id(f"numbers-{panel}").is_visible() == (panel > 2)
    move_to_point(page, 0, "map-2")
    assert rings(page, 2) == rings(page, 5) == 2
    with visitor(browser, server) as other:
        other.page.goto(page.url)
        await_maps(other.page, 6)
        settled(other)
        assert other.query == maps.query
        assert [where(other.page, panel) for panel in (1, 4)] == [where(page, panel) for panel in (1, 4)]


def test_the_optimisation_is_played_paused_and_ends_at_the_map(maps: Visitor) -> None:
    page = maps.page
    play, slider, said = (page.get_by_test_id(name) for name in ("play", "iteration", "iterations"))
    expect(slider).to_be_disabled()
    before, calls = [where(page, panel) for panel in range(3)], maps.calls
    play.click()
    expect(play).to_have_text("Pause")
    maps.until(lambda: all(where(page, panel) != before[panel] for panel in range(3)), "all maps move")
    play.click()
    expect(play).to_have_text("Play")
    expect(said).to_have_text(re.compile(r"^iteration \d+ of 625, (drawn together|spreading)$"))
    assert all(where(page, panel) != before[panel] for panel in range(3))
    # At rest its points are pointed at as ever.
    move_to_point(page, 0, "map-1")
    expect(page.get_by_test_id("tooltip")).to_be_visible()
    slider.focus()
    page.keyboard.press("Home")
    expect(said).to_have_text("iteration 25 of 625, drawn together")
    start = where(page, 1)
    page.keyboard.press("End")
    expect(said).to_have_text("iteration 625 of 625, spreading")
    assert where(page, 1) != start
    for panel in range(3):
        for was, is_ in zip(before[panel], where(page, panel), strict=True):
            assert is_ == pytest.approx(was, abs=0.5)
    play.click()
    expect(said).to_have_text("iteration 625 of 625, spreading")
    expect(play).to_have_text("Play")
    assert maps.calls == calls  # the frames are no message


def test_nothing_is_spoken_while_the_optimisation_is_played(maps: Visitor) -> None:
    page = maps.page
    page.locator(".views").evaluate("""views => {
        const live = "output, [aria-live], [role=status], [role=alert]"
        const element = ({ target }) => (target.nodeType === Node.TEXT_NODE ? target.parentElement : target)
        views.spoken = 0
        const hear = (changes) => { views.spoken += changes.filter((change) => element(change)?.closest(live)).length }
        new MutationObserver(hear).observe(views, { subtree: true, childList: true, characterData: true })
    }""")
    page.get_by_test_id("play").click()
    expect(page.get_by_test_id("iterations")).to_have_text(re.compile("spreading$"))
    expect(page.get_by_test_id("play")).to_have_text("Play")
    assert page.locator(".views").evaluate("views => views.spoken") == 0


def test_the_optimisation_that_is_waited_for_is_that_of_the_latest_maps(maps: Visitor) -> None:
    page = maps.page
    held: list[Route] = []
    page.route(FRAMES, lambda route: held.append(route) if len(held) < 3 else route.continue_())
    play = page.get_by_test_id("play")
    play.click()
    expect(play).to_have_text("Loading…")
    maps.until(lambda: len(held) == 3, "all frames are asked for")
    page.get_by_role("slider", name="Perplexity").press("ArrowLeft")
    maps.until(lambda: maps.query["perplexity"] == "29", "the address has the perplexity")
    await_maps(page)
    settled(maps)
    for route in held:
        route.continue_()
    expect(play).to_have_text("Play")
    expect(page.get_by_test_id("iterations")).to_have_text("iteration 625 of 625, spreading")


def test_frames_that_cannot_be_fetched_are_said_and_asked_for_again(maps: Visitor) -> None:
    page = maps.page
    page.route(FRAMES, lambda route: route.abort())
    play, trouble = page.get_by_test_id("play"), page.locator(".views").get_by_role("alert")
    play.click()
    expect(trouble).to_have_text("The optimisation could not be fetched. Press Play to try again.")
    expect(play).to_have_text("Play")
    page.unroute(FRAMES)
    play.click()
    expect(play).to_have_text("Pause")
    expect(trouble).to_be_hidden()
    forget_failed_fetches(maps)


def test_images_that_cannot_be_fetched_are_said_and_the_maps_drawn(someone: Visitor, small: str) -> None:
    page = someone.page
    page.route("**/media/*.webp", lambda route: route.abort())
    page.goto(small)
    await_maps(page)
    trouble = page.locator(".views").get_by_role("alert")
    expect(trouble).to_have_text("The images could not be fetched. Reload the page to try again.")
    forget_failed_fetches(someone)


def test_another_perplexity_is_another_map_of_the_same_selection(maps: Visitor) -> None:
    page = maps.page
    lasso(page, page.get_by_test_id("map-1"), 0.6)
    maps.until(lambda: maps.query["lasso"], "the address has the lasso")
    settled(maps)
    selected, before = page.get_by_test_id("lasso-summary").inner_text(), where(page, 1)
    page.get_by_role("slider", name="Perplexity").focus()
    for _ in range(4):
        page.keyboard.press("ArrowLeft")
    maps.until(lambda: maps.query["perplexity"] == "26", "the address has the perplexity")
    await_maps(page)
    settled(maps)
    assert where(page, 1) != before
    expect(page.get_by_test_id("lasso-summary")).to_have_text(selected)


def test_another_page_of_the_lineup_is_a_click_away_and_keeps_it(maps: Visitor) -> None:
    page = maps.page
    page.get_by_role("link", name="Histograms").first.click()
    expect(page.get_by_test_id("chart").first).to_be_visible()
    settled(maps)
    assert {name: maps.query[name] for name in ASKED} == ASKED
    page.get_by_role("link", name="Embeddings").first.click()
    await_maps(page)
    assert page.locator(".scatter h3").all_inner_texts() == NAMES
