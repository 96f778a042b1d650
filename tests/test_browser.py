"""The Lab in a real browser, as a new user: train, watch, cancel, drag, hover, lasso, share, download."""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import re
import xml.etree.ElementTree as ElementTree
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from browser import (
    Server,
    Visitor,
    alive,
    await_map,
    centre,
    lasso,
    move_to_point,
    place_of_point,
    serve,
    settled,
    store_runs,
    swipe,
    too_wide,
    train,
    train_button,
    visitor,
)
from conftest import ROOT
from contrast import contrast
from PIL import Image
from test_data import own_files, write_folder

from ssad_core.colours import ANOMALOUS, GROUP_COLOURS, NORMAL
from ssad_core.evidence import finding1
from ssad_core.histogram import confusion, threshold_at_fpr
from ssad_core.numbers import decimal
from ssad_core.reconstruction import order
from ssad_core.store import Store

with contextlib.suppress(ImportError):  # the browser fixture deals with it
    from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

# A run that is trained within two seconds, and one that goes on until it is cancelled.
SMALL = {"dataset": "photos", "epochs": "3", "limit": "200", "test_limit": "100"}
NUTS = "nuts *A* [$1] :smile: a -> b -- c >= d <- e ~= :material_bug:"  # not to be taken for Markdown
LONG = {**SMALL, "epochs": "10000", "seed": "1"}


@pytest.fixture(scope="module")
def small(server: Server) -> dict[str, str]:
    """The address of a trained run, whose maps are there: nothing comes later and calls the server."""
    (comparison,) = store_runs(server, SMALL)
    for run in comparison.runs:
        comparison.map(run)
    return SMALL


@pytest.fixture
def lab(someone: Visitor, server: Server, small: dict[str, str]) -> Visitor:
    """Somebody who looks at the trained run."""
    someone.page.goto(server.address(**small))
    await_map(someone.page)
    settled(someone)
    return someone


def counts(page: Page) -> list[str]:
    return page.locator("[data-testid=counts] td[data-count]").all_inner_texts()


def marks(page: Page) -> list[str | None]:
    """What the reconstructions show: which images, and whether each is right."""
    script = (
        "nodes => nodes.map(n => n.dataset.index + [...n.querySelectorAll('.mark')].map(m => m.getAttribute('class')))"
    )
    return page.get_by_test_id("recon-column").evaluate_all(script)


def operating_point(page: Page) -> float:
    """The false-positive rate of the point on the ROC curve."""
    return float(page.get_by_test_id("roc-point").get_attribute("aria-valuenow") or "nan")


def previews(page: Page) -> list[str]:
    return page.locator("img[alt*='images: ']").evaluate_all("images => images.map(image => image.src)")


# Training


def test_the_icon_of_the_tab_comes_from_the_app(someone: Visitor, server: Server) -> None:
    someone.page.goto(server.url)
    expect(someone.page.locator(".st-key-question")).to_be_visible()
    assert someone.page.evaluate("document.querySelector('link[rel~=icon]').href").startswith("data:image/svg+xml,")


def test_the_default_trains_with_one_click_and_shows_all_views(someone: Visitor, server: Server) -> None:
    page = someone.page
    page.goto(server.url)
    question = page.locator(".st-key-question")
    expect(question).to_have_text("Normal: temple (Photos). Anomaly: CutOut. Augmentation: CutOut. Detector: DAE.")
    expect(page.get_by_alt_text("gen CutOut, gen(normal)")).to_be_visible()
    expect(page.get_by_alt_text("aug CutOut, aug(normal)")).to_be_visible()
    button = page.get_by_role("button", name="Train: DAE-CutOut and its baseline AE")
    expect(button).to_be_enabled()
    expect(page.get_by_text("a rough guess: nothing like it was trained here yet")).to_be_visible()

    button.click()
    for run, name in enumerate(["AE", "DAE-CutOut"]):
        card = page.get_by_test_id(f"live-run-{run}")
        expect(card).to_have_attribute("aria-label", name)
        expect(card).to_have_attribute("data-state", "training")
        expect(page.get_by_test_id(f"live-loss-{run}").locator("path.line").first).to_be_attached()
        expect(page.get_by_test_id(f"live-auc-{run}")).to_contain_text(".")
    expect(page.get_by_test_id("merit")).to_contain_text("Relative AUC")
    expect(page.get_by_test_id("merit")).to_contain_text("AUC, DAE-CutOut")
    expect(page.get_by_test_id("merit")).to_contain_text("MMD of aug and anomalies")
    expect(page.get_by_text("In this training the augmentation helps")).to_be_visible()
    for view in ("histograms", "roc", "recon"):
        expect(page.get_by_test_id(view)).to_be_visible()
    assert page.get_by_test_id("recon-column").count() >= 6
    await_map(page)
    assert len(server.runs()) == 2
    expect(train_button(page)).to_have_count(0)


def test_a_training_survives_a_reload_is_seen_by_others_and_is_cancelled_for_real(
    browser: Browser, someone: Visitor, server: Server
) -> None:
    page = someone.page
    page.goto(server.address(**LONG))
    train(page)
    someone.until(lambda: len(server.training()) == 2, "both runs are training")
    processes = server.training()
    expect(page.get_by_test_id("live-message-1")).to_contain_text("Epoch ")

    page.reload()
    expect(page.get_by_test_id("live-run-1")).to_have_attribute("data-state", "training")
    with visitor(browser, server) as other:
        other.page.goto(server.address(**LONG))
        expect(other.page.get_by_test_id("live-run-1")).to_have_attribute("data-state", "training")
        assert server.training() == processes

        page.get_by_role("button", name="Cancel").click()
        expect(page.get_by_text("Cancelled: 2 were training (their processes have ended).")).to_be_visible()
        assert not any(alive(process) for process in processes.values())
        expect(other.page.get_by_text("Cancelled: 2 were training (their processes have ended).")).to_be_visible()

    page.get_by_role("button", name="Train again: DAE-CutOut and its baseline AE").click()
    someone.until(lambda: len(server.training()) == 2, "both runs are training again")
    assert not set(server.training().values()) & set(processes.values())
    page.get_by_role("button", name="Cancel").click()
    expect(train_button(page)).to_be_visible()


# The linked views


def test_dragging_the_threshold_never_calls_the_server(lab: Visitor) -> None:
    page = lab.page
    for handle, way in {"threshold-run": -60, "threshold-baseline": -40, "roc-point": 60}.items():
        page.get_by_test_id(handle).scroll_into_view_if_needed()
        before, shown, fpr, at = counts(page), marks(page), lab.query["fpr"], operating_point(page)
        x, y = centre(page.get_by_test_id(handle).locator("rect.pill, circle").last)
        calls = lab.calls
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + way, y, steps=12)
        lab.until(lambda: counts(page) != before, "the counts follow the pointer")  # noqa: B023
        lab.until(lambda: marks(page) != shown, "the images at the border follow the pointer")  # noqa: B023
        moved = operating_point(page)
        assert moved != at
        assert lab.calls == calls
        assert lab.query["fpr"] == fpr
        page.mouse.up()
        lab.until(lambda: lab.query["fpr"] != fpr, "the address has the settled threshold")  # noqa: B023
        assert float(lab.query["fpr"]) == pytest.approx(moved, abs=1e-4)
        settled(lab)
        assert operating_point(page) == float(lab.query["fpr"])


def test_a_finger_scrolls_the_page_over_a_view_and_changes_nothing(lab: Visitor) -> None:
    page = lab.page
    page.set_viewport_size({"width": 390, "height": 844})
    settled(lab)
    for view in ("histograms] .area", "roc] .area", "map]"):
        drawing = page.locator(f"[data-testid={view}").first
        drawing.scroll_into_view_if_needed()
        x, y = centre(drawing)
        asked, at = lab.query, operating_point(page)
        swipe(page, (x, y), (x + 5, y - 200))
        lab.until(lambda drawing=drawing, y=y: centre(drawing)[1] < y - 100, "the page has scrolled")
        page.wait_for_timeout(500)
        settled(lab)
        assert lab.query == asked, view
        assert operating_point(page) == at, view


def test_a_finger_that_goes_to_the_side_drags(lab: Visitor) -> None:
    page = lab.page
    page.set_viewport_size({"width": 390, "height": 844})
    settled(lab)
    drawing = page.locator("[data-testid=histograms] .area").first
    drawing.scroll_into_view_if_needed()
    x, y = centre(drawing)
    swipe(page, (x, y), (x + 60, y - 10))
    lab.until(lambda: lab.query["fpr"] != "0.1", "the address has the settled threshold")
    drawing = page.get_by_test_id("map")
    drawing.scroll_into_view_if_needed()
    x, y = centre(drawing)
    swipe(page, (x - 90, y - 90), (x + 90, y - 90), (x + 90, y + 90), (x - 90, y + 90))
    lab.until(lambda: lab.query["lasso"], "the address has the lasso")


def test_a_finger_that_taps_a_point_or_a_column_sees_its_images(lab: Visitor) -> None:
    page = lab.page
    asked, tooltip = lab.query, page.get_by_test_id("tooltip")
    page.get_by_test_id("map").scroll_into_view_if_needed()
    swipe(page, place_of_point(page, 7))
    expect(tooltip).to_be_visible()
    elsewhere, column = page.locator(".figure.recon h3"), page.get_by_test_id("recon").locator("image").first
    for place, there in ((elsewhere, False), (column, True)):
        place.scroll_into_view_if_needed()
        swipe(page, centre(place))
        expect(tooltip).to_be_visible(visible=there)
    assert lab.query == asked


def test_the_threshold_moves_by_the_keyboard(lab: Visitor) -> None:
    page = lab.page
    page.get_by_test_id("threshold-run").focus()
    before = counts(page)
    for _ in range(4):
        page.keyboard.press("ArrowLeft")
    lab.until(lambda: counts(page) != before, "the counts follow the keys")
    lab.until(lambda: lab.query["fpr"] == "0.12", "the address has the settled threshold")


def test_the_browsers_own_keys_are_left_to_it(lab: Visitor) -> None:
    page = lab.page
    # Nobody else takes the keys here: whoever has taken one has prevented what the browser does.
    page.evaluate("addEventListener('keydown', (event) => { window.taken = event.defaultPrevented })")
    for view in ("threshold-run", "roc-point", "recon", "map"):
        page.get_by_test_id(view).focus()
        for keys, taken in {"ArrowRight": True, "Control+ArrowRight": False, "Meta+ArrowRight": False}.items():
            page.keyboard.press(keys)
            assert page.evaluate("window.taken") == taken


def test_a_threshold_that_another_page_sets_back_is_that_of_the_views(lab: Visitor) -> None:
    page = lab.page
    page.get_by_test_id("threshold-run").focus()
    for _ in range(4):
        page.keyboard.press("ArrowLeft")
    lab.until(lambda: lab.query["fpr"] == "0.12", "the address has the settled threshold")
    page.get_by_role("link", name="Beside other augmentations").click()
    page.get_by_role("slider", name="False-positive rate of the thresholds").focus()
    for _ in range(4):
        page.keyboard.press("ArrowLeft")
    lab.until(lambda: lab.query["fpr"] == "0.1", "the address has the other page's threshold")
    settled(lab)
    page.get_by_test_id("stTopNav").get_by_role("link", name="Lab").click()
    await_map(page)
    settled(lab)
    assert operating_point(page) == float(lab.query["fpr"]) == 0.1


def test_a_threshold_is_that_of_the_library(lab: Visitor, server: Server) -> None:
    page, (comparison,) = lab.page, store_runs(server, SMALL)
    page.get_by_test_id("threshold-run").focus()
    for presses, fpr in {0: 0.1, 1: 0.095, 19: 0.0}.items():
        for _ in range(presses):
            page.keyboard.press("ArrowRight")
        lab.until(
            lambda fpr=fpr: float(lab.query["fpr"]) == pytest.approx(fpr), "the address has the settled threshold"
        )
        for role, run in zip(("baseline", "run"), comparison.runs, strict=True):
            shown = float(page.get_by_test_id(f"threshold-{role}").get_attribute("aria-valuenow"))
            assert shown == pytest.approx(threshold_at_fpr(run.scores["normal"], fpr), rel=1e-3)


def test_where_not_all_images_are_shown_thresholds_and_counts_are_still_of_all(
    someone: Visitor, server: Server, tmp_path: Path
) -> None:
    page, file = someone.page, tmp_path / "many.zip"
    with zipfile.ZipFile(file, "w") as archive:
        for name, number in {"train/good": 40, "test/good": 700, "test/bad": 4}.items():
            for k, noise in enumerate(np.random.default_rng(number).integers(0, 256, (number, 8, 8), np.uint8)):
                content = io.BytesIO()
                Image.fromarray(noise).save(content, "PNG")
                archive.writestr(f"{name}/{k}.png", content.getvalue())
    few = {"epochs": "1", "features": "4", "hidden": "8", "limit": "32", "test_limit": "0"}
    query = {"dataset": f"folder:{file}", "class": "good", "anomaly": "gen:flip", "aug": "flip", **few}
    (comparison,) = store_runs(server, query)
    page.goto(server.address(**query, fpr="0.0129"))
    expect(page.get_by_text("Shown: 500 of 700 test normals and 500 of 700 anomalies")).to_be_visible()
    for k, role in enumerate(("baseline", "run")):
        normal, anomalous = comparison.test_scores()[k]
        threshold = threshold_at_fpr(normal, 0.0129)
        shown = float(page.get_by_test_id(f"threshold-{role}").get_attribute("aria-valuenow") or "nan")
        assert shown == pytest.approx(threshold, rel=1e-3)
        found = confusion(normal, anomalous, threshold)
        row = page.locator(f"[data-testid=counts] [data-detector={role}] td").all_inner_texts()
        assert row[:4] == [str(count) for count in (found.tp, found.fn, found.fp, found.tn)]
        assert row[4:] == [f"{found.tpr:.1%}", f"{found.fpr:.1%}"]
        on_curve = """dot => {
          const curve = dot.closest("svg").querySelector(`path.curve.${dot.classList[1]}`)
          curve.style.strokeDasharray = "none"
          return curve.isPointInStroke(new DOMPoint(dot.cx.baseVal.value, dot.cy.baseVal.value))
        }"""
        assert page.locator(f".dot.{role}").evaluate(on_curve)


def test_images_sorted_by_score_are_sorted_on_each_side_and_mistakes_come_first(lab: Visitor, server: Server) -> None:
    page, (comparison,) = lab.page, store_runs(server, SMALL)
    normal, anomalous = comparison.test_scores()[-1]

    def shown(side: str) -> tuple[list[int], list[bool]]:
        """Which images of a side, counted from its first, and whether each is on the wrong side of the threshold."""
        columns = page.locator(f"[data-testid=recon-column][data-side={side}]")
        script = """nodes => nodes.map(n =>
          [Number(n.dataset.index), [...n.querySelectorAll(".mark")].at(-1).classList.contains("wrong")])"""
        first = np.flatnonzero(comparison.views().group == (NORMAL if side == "normal" else ANOMALOUS))[0]
        images, wrong = zip(*columns.evaluate_all(script), strict=True)
        return [image - int(first) for image in images], list(wrong)

    for sort, signs in {"highest": (-1, -1), "lowest": (1, 1), "missed": (-1, 1)}.items():
        page.get_by_test_id("recon-sort").select_option(sort)
        lab.until(lambda sort=sort: lab.query["sort"] == sort, "the address has the sort")
        for side, scores, sign in zip(("normal", "anomalous"), (normal, anomalous), signs, strict=True):
            images, _ = shown(side)
            assert images == np.argsort(sign * scores, kind="stable")[: len(images)].tolist()
    page.get_by_test_id("threshold-run").focus()
    for keys, fpr in {"": 0.1, "ArrowRight": 0.02, "Home": 1.0}.items():
        for _ in range(16 if keys == "ArrowRight" else bool(keys)):
            page.keyboard.press(keys)
        lab.until(lambda fpr=fpr: float(lab.query["fpr"]) == pytest.approx(fpr), "the address has the threshold")
        found = confusion(normal, anomalous, threshold_at_fpr(normal, fpr))
        for side, mistakes in (("normal", found.fp), ("anomalous", found.fn)):
            _, wrong = shown(side)
            assert wrong == [k < mistakes for k in range(len(wrong))]


def test_the_largest_disagreement_is_that_of_the_page_reconstructions(someone: Visitor, server: Server) -> None:
    asked = {**SMALL, "anomaly": "class:flower"}
    (comparison,) = store_runs(server, asked)
    someone.page.goto(server.address(**asked, sort="disagreement"))
    normal, anomalous = zip(*comparison.test_scores(), strict=True)
    expected = order("disagreement", normal, anomalous, paired=False)
    for side, group, first in zip(("normal", "anomalous"), (NORMAL, ANOMALOUS), expected, strict=True):
        columns = someone.page.locator(f"[data-testid=recon-column][data-side={side}]")
        expect(columns.first).to_be_visible()
        shown = columns.evaluate_all("nodes => nodes.map(node => Number(node.dataset.index))")
        begin = np.flatnonzero(comparison.views().group == group)[0]
        assert [image - begin for image in shown] == first[: len(shown)].tolist()


def test_what_lies_halfway_is_rounded_as_on_other_pages(someone: Visitor) -> None:
    someone.page.add_script_tag(path=ROOT / "pages" / "components" / "browser" / "draw.js")
    shares = [k / 400 for k in range(401)]
    written = someone.page.evaluate("shares => shares.map(share => [percent(share), fixed(share, 3)])", shares)
    assert written == [[f"{share:.1%}", decimal(share)] for share in shares]
    assert someone.page.evaluate("fixed(-0.0625, 3)") == decimal(-0.0625)


def test_a_point_of_the_map_shows_its_image(lab: Visitor) -> None:
    page = lab.page
    page.get_by_test_id("map").scroll_into_view_if_needed()
    calls = lab.calls
    move_to_point(page, 7)
    tooltip = page.get_by_test_id("tooltip")
    expect(tooltip).to_be_visible()
    expect(tooltip).to_contain_text("temple")
    expect(tooltip).to_contain_text("DAE-CutOut")
    lab.until(
        lambda: tooltip.locator("img").evaluate_all("all => all.length > 0 && all.every(i => i.naturalWidth === 32)"),
        "the images are there",
    )
    assert lab.calls == calls
    page.mouse.move(5, 5)
    expect(tooltip).to_be_hidden()


def test_a_lasso_selects_and_is_cleared(lab: Visitor) -> None:
    page = lab.page
    lasso(page, page.get_by_test_id("map"), 0.6)
    summary = page.get_by_test_id("lasso-summary")
    expect(summary).to_have_text(re.compile(r"^[1-9]\d* of 400 selected"))
    selected, total = summary.inner_text().removesuffix(" selected").split(" of ")
    assert 0 < int(selected) <= int(total) == 400
    lab.until(lambda: lab.query["lasso"], "the address has the lasso")
    assert len(points(lab.query["lasso"])) == int(selected)
    assert page.get_by_test_id("lasso-strip").locator(".card").count() == min(int(selected), 40)
    settled(lab)
    expect(summary).to_have_text(f"{selected} of {total} selected")
    page.get_by_test_id("lasso-clear").click()
    expect(summary).to_have_text(f"0 of {total} selected")
    lab.until(lambda: lab.query["lasso"] == "", "the address has no lasso")


def points(text: str) -> list[int]:
    """The indices in an address's lasso, such as 3-5.9."""
    ends = [[int(end) for end in part.split("-")] for part in text.split(".")]
    return [point for part in ends for point in range(part[0], part[-1] + 1)]


def test_a_copied_link_opens_the_same_afresh(browser: Browser, lab: Visitor, server: Server) -> None:
    page = lab.page
    page.get_by_role("button", name="Log", exact=True).click()
    page.get_by_role("button", name="Score", exact=True).click()
    page.get_by_test_id("histograms-group-0").click()
    page.get_by_test_id("map-group-1").click()
    page.get_by_test_id("recon-sort").select_option("highest")
    page.get_by_test_id("threshold-run").focus()
    page.keyboard.press("PageDown")
    lab.until(lambda: lab.query["fpr"] == "0.15", "the address has the threshold")
    lasso(page, page.get_by_test_id("map"), 0.5)
    lab.until(lambda: lab.query["lasso"], "the address has the lasso")
    settled(lab)
    page.get_by_test_id("copy-link").click()
    expect(page.get_by_test_id("copy-link-status")).to_have_text("Link copied")
    link = page.evaluate("navigator.clipboard.readText()")
    assert link == page.url
    page.get_by_test_id("copy-text").click()
    expect(page.get_by_test_id("copy-text-status")).to_have_text("Command copied")
    command = page.evaluate("navigator.clipboard.readText()")
    assert command == page.get_by_test_id("command").inner_text()
    assert command.startswith("python -m ssad_core train --dataset photos ")
    with visitor(browser, server) as other:
        other.page.goto(link)
        await_map(other.page)
        settled(other)
        assert other.query == lab.query
        assert other.query["scale"] == "log"
        assert other.query["colour_by"] == "score"
        assert (other.query["hidden_bars"], other.query["hidden_points"]) == ("", "1")
        for group, pressed in {"histograms-group-0": "true", "map-group-1": "false"}.items():
            expect(other.page.get_by_test_id(group)).to_have_attribute("aria-pressed", pressed)
        assert counts(other.page) == counts(page)
        assert marks(other.page) == marks(page)
        for part in (".st-key-question", "[data-testid=merit]", "[data-testid=lasso-summary]"):
            assert other.page.locator(part).inner_text() == page.locator(part).inner_text()
        expect(other.page.get_by_role("button", name="Log", exact=True)).to_have_attribute("aria-pressed", "true")
        expect(other.page.get_by_role("button", name="Score", exact=True)).to_have_attribute("aria-pressed", "true")
        expect(other.page.get_by_test_id("recon-sort")).to_have_value("highest")


# The controls


def test_a_moved_parameter_changes_the_preview_without_training(someone: Visitor, server: Server) -> None:
    page = someone.page
    page.goto(server.address(**LONG, aug="cutout(c=0.3)"))
    expect(page.get_by_text("Augmentation: aug CutOut-0.3")).to_be_visible()
    settled(someone)
    runs, before = server.runs(), previews(page)
    page.get_by_role("slider", name="Patch size c").focus()
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    someone.until(lambda: someone.query["aug"] == "cutout(c=0.5)", "the address has the parameter")
    someone.until(lambda: previews(page) != before, "the preview is another")
    expect(page.get_by_text("Augmentation: aug CutOut-0.5")).to_be_visible()
    expect(train_button(page)).to_be_enabled()
    assert server.training() == {}
    assert server.runs() == runs


def test_the_gallery_draws_what_is_moved_and_hands_it_on(someone: Visitor, server: Server) -> None:
    page = someone.page
    page.goto(f"{server.url}/gallery")
    someone.until(lambda: len(previews(page)) == 3 * 13, "all augmentations are there")
    before = previews(page)
    page.get_by_role("slider", name="Sigma").first.focus()
    page.keyboard.press("ArrowRight")
    someone.until(lambda: previews(page) != before, "the picture follows the slider")
    settled(someone)
    assert sum(one != other for one, other in zip(before, previews(page), strict=True)) == 2  # after and difference
    page.locator(".st-key-use-aug-noise button").first.click()
    expect(page.locator(".st-key-question")).to_contain_text("Augmentation: Noise (sigma = ")
    expect(page.locator(".st-key-use-aug-noise button").first).to_contain_text("Is the aug")
    assert someone.query["aug"].startswith("noise(sigma=")


def test_back_leads_to_the_page_before_whatever_was_changed_on_this_one(someone: Visitor, server: Server) -> None:
    page = someone.page
    page.goto(f"{server.url}/gallery")
    page.wait_for_function("history.ofPages")  # the last thing of a page
    page.get_by_test_id("stTopNav").get_by_role("link", name="Lab").click()
    expect(page.locator(".st-key-question")).to_contain_text("Anomaly: CutOut")
    steps = [page.evaluate("history.length")]
    for gen in ("Rotate", "Invert"):
        page.get_by_role("combobox", name="gen, or a class").click()
        page.get_by_role("option", name=f"gen: {gen}", exact=True).click()
        expect(page.locator(".st-key-question")).to_contain_text(f"Anomaly: {gen}")
        someone.until(lambda gen=gen: someone.query["anomaly"] == f"gen:{gen.lower()}", "the address follows")
        steps.append(page.evaluate("history.length"))
    assert len(set(steps)) == 1
    page.go_back()
    someone.until(lambda: len(previews(page)) == 3 * 13, "the gallery is there again")
    assert "/gallery?" in page.url
    someone.until(lambda: someone.query["anomaly"] == "gen:invert", "nothing that was chosen is lost")


def test_back_leaves_the_first_page_at_once(someone: Visitor, server: Server) -> None:
    page = someone.page
    page.goto(f"{server.url}/_stcore/health")  # any other page
    before = page.url
    page.goto(server.url)
    page.wait_for_function("history.ofPages")  # the last thing of a page
    someone.until(lambda: "anomaly" in someone.query, "the address is whole")
    page.evaluate("history.back()")
    page.wait_for_url(before)


def test_another_tab_asks_the_same_question_and_a_click_stays_in_this_one(someone: Visitor, server: Server) -> None:
    page = someone.page
    page.goto(server.address(**LONG, aug="flip"))
    page.wait_for_function("history.ofPages")  # the last thing of a page
    page.evaluate("window.same = true")

    def opens(link: Locator, path: str, **click: Any) -> None:
        with page.context.expect_page() as opening:
            link.click(**click)
        tab = opening.value
        assert urlsplit(tab.url)[2:4] == (path, urlsplit(page.url).query)
        expect(tab.locator(".st-key-question")).to_contain_text("Augmentation: Flip")
        tab.close()
        expect(link).to_be_visible()  # this one is where it was

    gallery = page.get_by_test_id("stTopNav").get_by_role("link", name="Gallery")
    opens(gallery, "/gallery", modifiers=["ControlOrMeta"])
    opens(gallery, "/gallery", button="middle")
    opens(page.get_by_role("link", name="Beside other augmentations"), "/reconstructions", modifiers=["ControlOrMeta"])
    page.get_by_role("button", name="Compare").click()
    opens(page.get_by_test_id("stTopNavDropdownLink").first, "/reconstructions", button="middle")
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Does it always help?").last.click()
    opens(page.get_by_role("link", name="Back to the Lab"), "/", button="middle")
    gallery.click()
    someone.until(lambda: len(previews(page)) == 3 * 13, "the gallery is here")
    assert page.evaluate("window.same")  # not loaded anew
    assert LONG.items() <= someone.query.items()


def test_another_anomaly_is_drawn_without_training(lab: Visitor, server: Server) -> None:
    page = lab.page
    runs, before = server.runs(), counts(page)
    page.get_by_role("combobox", name="gen, or a class").click()
    page.get_by_role("option", name="gen: Invert").click()
    expect(page.locator(".st-key-question")).to_contain_text("Anomaly: Invert")
    expect(page.get_by_text("AUC on Invert")).to_be_visible()
    await_map(page)
    lab.until(lambda: counts(page) != before, "the counts are of the other anomaly")
    assert lab.query["anomaly"] == "gen:invert"
    assert server.training() == {}
    assert server.runs() == runs


def test_pictures_are_fetched_once_and_messages_stay_small(lab: Visitor) -> None:
    page, fetched = lab.page, []
    page.on("request", lambda request: fetched.append(request.url) if "/media/" in request.url else None)

    def switch(name: str) -> int:
        before = lab.received
        page.get_by_role("combobox", name="gen, or a class").click()
        page.get_by_role("option", name=f"gen: {name}", exact=True).click()
        expect(page.get_by_text(f"AUC on {name}")).to_be_visible()
        await_map(page)
        settled(lab)
        return lab.received - before

    switch("Flip")
    switch("CutOut")
    assert fetched  # the sheets of the flipped images
    fetched.clear()
    assert switch("Flip") < 300_000
    assert fetched == []


def test_the_replay_goes_through_the_epochs(lab: Visitor) -> None:
    page = lab.page
    page.get_by_text("Replay the training").click()
    for run in range(2):
        expect(page.get_by_test_id(f"live-run-{run}")).to_have_attribute("data-state", "done")
    settled(lab)
    calls, drawn = lab.calls, "canvas => canvas.toDataURL()"
    pictures, epoch = page.get_by_test_id("live-pictures-normal-1"), page.get_by_test_id("replay-epoch")
    lab.until(lambda: pictures.get_attribute("data-epoch") is not None, "the pictures have come")
    before = epoch.inner_text(), pictures.evaluate(drawn)
    page.get_by_test_id("replay-slider").focus()
    page.keyboard.press("Home")
    lab.until(lambda: epoch.inner_text() != before[0], "another epoch")
    lab.until(lambda: pictures.evaluate(drawn) != before[1], "and its pictures")
    assert lab.calls == calls


def test_nothing_is_cut_on_a_narrow_page(lab: Visitor) -> None:
    page = lab.page
    views = page.get_by_test_id("linked-views")
    parts = "[node, ...node.querySelectorAll('table, .rates, .downloads, image')]"
    ends = f"node => {parts}.map(part => part.getBoundingClientRect().right)"

    def fits() -> bool:
        own, *others = views.evaluate(ends)
        return too_wide(page) == 0 and max(others) <= own + 6  # a button's margin

    for width in (800, 390):
        page.set_viewport_size({"width": width, "height": 900})
        lab.until(lambda width=width: views.bounding_box()["width"] < width, "it is drawn for this page")
        lab.until(fits, "all of the views is on the page")


def test_words_over_bars_have_the_page_around_them(lab: Visitor) -> None:
    ground = lab.page.locator(".stApp").evaluate("node => getComputedStyle(node).backgroundColor")
    expect(lab.page.get_by_text("called anomalous").first).to_have_css("stroke", ground)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_replay_has_the_colours_of_the_linked_views(
    someone: Visitor, server: Server, small: dict[str, str], theme: str
) -> None:
    page = someone.page
    page.emulate_media(color_scheme=theme)
    page.goto(server.address(**small))
    await_map(page)
    page.get_by_text("Replay the training").click()
    ground = page.locator(".stApp").evaluate("node => getComputedStyle(node).backgroundColor")
    stroke = "node => getComputedStyle(node).stroke"
    for group, kind in ((2, "normal"), (3, "anomalous")):
        colour = page.get_by_test_id("live-histogram-1").locator(f".shape.{kind}").evaluate(stroke)
        assert colour == page.locator(f"[data-testid=histograms] [data-group='{group}']").first.evaluate(stroke)
        if theme == "dark":
            assert contrast(colour, ground) >= 4.5


def test_what_somebody_else_deletes_is_still_downloaded_and_then_offered_again(
    someone: Visitor, server: Server, tmp_path: Path
) -> None:
    page, query = someone.page, {**SMALL, "seed": "8"}
    (comparison,) = store_runs(server, query)
    for run in comparison.runs:
        comparison.map(run)
    page.goto(server.address(**query))
    await_map(page)
    settled(someone)
    for run in comparison.runs:
        Store(server.cache).delete(run.id)
    scores = download(page, page.get_by_role("button", name="Scores (CSV)"), tmp_path).read_text()
    assert len(list(csv.reader(io.StringIO(scores)))) == 1 + 400
    figures = download(page, page.get_by_role("button", name="Figures (HTML)"), tmp_path).read_text()
    assert figures.count("Plotly.newPlot") == 4  # the maps went with the runs
    page.get_by_text("Replay the training").click()
    expect(train_button(page)).to_have_text(re.compile("Train: DAE-CutOut and its baseline AE"))
    expect(page.get_by_test_id("merit")).to_have_count(0)


def test_a_detector_without_reconstructions_shows_its_distances(someone: Visitor, server: Server) -> None:
    page = someone.page
    page.goto(server.address(**SMALL, detector="deepsad", preset="quick"))
    train(page)
    await_map(page)
    settled(someone)
    expect(page.get_by_text("DeepSVDD").first).to_be_visible()
    for name in ("Score histograms", "Test images"):
        figure = page.get_by_role("region", name=name)
        expect(figure.get_by_role("heading", name=name)).to_be_visible()
        expect(figure.get_by_role("button", name=f"Download as PNG: {name}")).to_be_visible()
    bars = page.locator("[data-testid=recon-column][data-side=anomalous] .bar .value")
    columns = page.locator("[data-testid=recon-column][data-side=anomalous]")
    assert bars.count() == 2 * columns.count() > 0
    script = "nodes => nodes.map(n => n.width.baseVal.value / n.previousSibling.width.baseVal.value)"
    before = bars.evaluate_all(script)
    assert all(0 <= share <= 1 for share in before)
    # A check is where the bar goes beyond the threshold in its middle.
    drawn = "nodes => nodes.flatMap(n => [...n.querySelectorAll('.mark')].map(m => m.classList.contains('right')))"
    assert columns.evaluate_all(drawn) == [share >= 0.5 for share in before]
    page.get_by_test_id("threshold-run").focus()
    page.keyboard.press("PageDown")
    someone.until(lambda: bars.evaluate_all(script) != before, "the bars are about the other threshold")


def test_ap_runs_alone_and_shows_what_it_takes_images_for(someone: Visitor, server: Server) -> None:
    page = someone.page
    # With Identity chosen, which AP has not, the aug becomes another one.
    page.goto(server.address(dataset="digits", **{"class": "1"}, aug="identity", anomaly="gen:flip"))
    page.get_by_role("combobox", name="Detector").click()
    page.get_by_role("option", name="AP", exact=True).click()
    someone.until(lambda: someone.query.get("aug") == "cutout", "AP has another aug")
    page.goto(
        server.address(
            **{"dataset": "digits", "class": "1", "detector": "ap", "aug": "flip", "anomaly": "gen:flip"},
            **{"epochs": "3", "features": "4", "hidden": "8", "limit": "40", "test_limit": "20"},
        )
    )
    train(page)
    await_map(page)
    settled(someone)
    expect(page.get_by_text("AP has no unsupervised counterpart")).to_be_visible()
    expect(page.get_by_role("heading", name="Score histograms")).to_be_visible()
    table = page.get_by_test_id("taken-for")
    rows = [row.inner_text().split() for row in table.get_by_role("row").all()]
    assert rows[0] == ["as", "is", "Flip"]
    assert [" ".join(row[:2]) for row in rows[1:]] == list(GROUP_COLOURS)
    for row in rows[1:]:
        assert sum(int(share.removesuffix("%")) for share in row[2:]) in (99, 100, 101)
    column = page.locator("[data-testid=recon-column]").first
    assert re.search(r"(as is|Flip)\s*\d+%", column.text_content())
    page.get_by_test_id("recon").scroll_into_view_if_needed()
    page.mouse.move(*centre(column.locator("image").first))
    expect(page.get_by_test_id("tooltip")).to_contain_text(re.compile(r"Taken for: (as is|Flip), \d+%"))


def test_a_sweep_fills_live_and_its_points_are_clicked(someone: Visitor, server: Server, tmp_path: Path) -> None:
    page = someone.page
    tiny = {  # and yet a while for each, so that the page is seen between them
        "dataset": "digits",
        "class": "1",
        "epochs": "20",
        "features": "4",
        "hidden": "8",
        "limit": "64",
        "test_limit": "20",
    }
    page.goto(server.address(**tiny, aug="cutout(c=0.5)"))
    page.get_by_role("link", name="What if?").click()  # the selection comes along
    page.get_by_role("button", name="Train 10 missing runs").click()
    expect(page.get_by_text(re.compile(r"[1-9] of 10 runs are there"))).to_be_visible()
    # Each point is there as soon as it is trained; the surface follows without any training.
    curve = page.get_by_test_id("chart").first
    expect(curve.locator(".scatterlayer .trace .points path").nth(4)).to_be_visible()
    expect(page.get_by_text(re.compile("runs are there"))).to_have_count(0)
    expect(page.get_by_text("without any further training")).to_be_visible()
    runs = server.runs()
    await_map(page)
    expect(page.locator(".st-key-question")).to_contain_text("CutOut-0.5")
    settled(someone)
    curve.scroll_into_view_if_needed()
    curve.hover()
    file = download(page, curve.locator('.modebar-btn[data-title$="as CSV"]'), tmp_path)
    places: dict[str, dict[str, float]] = {}
    for row in csv.DictReader(io.StringIO(file.read_text())):
        places.setdefault(row["aug's patch size c"], {})[row["trace"]] = float(row["Relative AUC"])
    assert len(places) == 9
    assert all(at["interval low"] <= at["Relative AUC"] <= at["interval high"] for at in places.values())
    # The last of the mean's nine points is c = .9.
    last = centre(curve.locator(".scatterlayer .trace").last.locator(".points path").last)
    page.mouse.move(*last)
    expect(curve.locator(".hoverlayer")).to_have_text(re.compile(r"^\D?0\.\d{3} \(.+ to .+\) at 0\.9$"))
    page.mouse.click(*last)
    expect(page.locator(".st-key-question")).to_contain_text("CutOut-0.9")
    someone.until(lambda: someone.query.get("aug") == "cutout(c=0.9)", "the address follows")
    settled(someone)
    await_map(page)

    # A cell of the surface has a value of aug, and one of gen.
    cells = page.get_by_test_id("chart").nth(1)
    cells.locator(".heatmaplayer image").wait_for()
    cells.evaluate("node => { node.firstChild.same = true }")
    for gen, charts in (("gen: Flip", 1), ("gen: CutOut", 2)):  # Flip has no parameter; then it comes back as it was
        page.get_by_role("combobox", name="gen, or a class").click()
        page.get_by_role("option", name=gen).click()
        expect(page.get_by_test_id("chart")).to_have_count(charts)
    assert cells.evaluate("node => node.firstChild.same && node.querySelectorAll('.heatmaplayer image').length") == 1
    settled(someone)
    cells.scroll_into_view_if_needed()
    box = cells.locator(".heatmaplayer image").bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] * 6.5 / 9, box["y"] + box["height"] * 7.5 / 9)
    someone.until(lambda: someone.query.get("aug") == "cutout(c=0.2)", "aug is the row's")
    someone.until(lambda: someone.query.get("anomaly") == "gen:cutout(c=0.7)", "gen is the column's")
    expect(page.get_by_test_id("stSidebar").get_by_role("slider", name="Patch size c")).to_have_value("0.7")
    settled(someone)
    assert server.runs() == runs


def test_a_new_server_shows_the_whole_app_at_any_address(browser: Browser, tmp_path: Path) -> None:
    with serve(tmp_path) as fresh, contextlib.closing(browser.new_page()) as page:
        page.goto(f"{fresh.url}/runs")
        expect(page.get_by_role("heading", name="Runs", exact=True)).to_be_visible()
        expect(page.get_by_role("link", name="Gallery")).to_be_visible()


def test_own_images_are_uploaded_and_one_of_several_sets_is_chosen(
    someone: Visitor, server: Server, tmp_path: Path
) -> None:
    file = tmp_path / "parts.zip"
    with zipfile.ZipFile(file, "w") as archive:
        for part, split, label in itertools.product((NUTS, "bolts"), ("train", "test"), ("good", "bent")):
            for k in range(3):
                image = Image.new("RGB", (40, 40), (80 * k, 120 if label == "good" else 0, 60 if part == NUTS else 200))
                content = io.BytesIO()
                image.save(content, "PNG")
                archive.writestr(f"{part}/{split}/{label}/{k}.png", content.getvalue())
    page = someone.page
    page.goto(server.url)
    page.get_by_role("combobox", name="Data set").click()
    page.get_by_role("option", name="Own images…").click()
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("combobox", name="It holds 2 data sets").click()
    page.get_by_role("option", name=NUTS).click()
    question = page.locator(".st-key-question")
    someone.until(lambda: f"({NUTS})" in question.inner_text().replace("\u2060", ""), "it is called as it is")
    expect(page.get_by_text("good: 3 training")).to_be_visible()
    assert someone.query["dataset"].endswith(f"parts.zip/{NUTS}")


@pytest.mark.parametrize("width", [1024, 1440])
def test_long_names_of_own_classes_leave_their_images_room(
    someone: Visitor, server: Server, tmp_path: Path, width: int
) -> None:
    names = ("good", "missing_component_upper_left_corner_of_the_board", "o" * 240)
    place = write_folder(tmp_path / "boards", own_files(*names, count=12))
    page = someone.page
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(server.address(dataset=f"folder:{place}", anomaly=f"class:{names[2]}"))
    rows = page.get_by_test_id("stExpander").locator("img")
    expect(rows).to_have_count(6)
    settled(someone)
    assert too_wide(page) == 0
    lefts = rows.evaluate_all("all => all.map(image => image.getBoundingClientRect().left)")
    assert max(lefts) - min(lefts) < 1


# Downloads


def download(page: Page, button: Locator, folder: Path) -> Path:
    with page.expect_download() as waiting:
        button.click()
    file = folder / waiting.value.suggested_filename
    waiting.value.save_as(file)
    return file


def test_figures_and_scores_are_downloaded(lab: Visitor, tmp_path: Path) -> None:
    page = lab.page
    for figure in ("histograms", "roc", "recon", "map"):
        file = download(page, page.get_by_test_id(f"download-{figure}-png"), tmp_path)
        assert file.suffix == ".png"
        with Image.open(file) as image:
            assert image.format == "PNG"
            assert min(image.size) > 200
            assert len(image.convert("RGB").getcolors(1 << 24)) > 10  # not blank
        file = download(page, page.get_by_test_id(f"download-{figure}-svg"), tmp_path)
        assert file.suffix == ".svg"
        root = ElementTree.fromstring(file.read_text())
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert "temple" in "".join(root.itertext())
    # Of the last, the map: on the screen its points are no circles.
    assert len(root.findall(".//{*}g/{*}circle")) == 400 + len(root.findall("./{*}g/{*}circle"))
    assert len(root.findall("./{*}g/{*}circle")) == 4  # the legend's

    file = download(page, page.get_by_role("button", name="Scores (CSV)"), tmp_path)
    assert file.name == "photos-temple-dae-cutout-gen-cutout.csv"
    rows = list(csv.DictReader(io.StringIO(file.read_text())))
    assert len(rows) == 400
    file = download(page, page.get_by_role("button", name="Figures (HTML)"), tmp_path)
    assert file.name == "photos-temple-dae-cutout-gen-cutout.html"
    text = file.read_text()
    assert text.count("Plotly.newPlot") >= 5
    assert "<script src=" not in text  # offline too


def test_a_task_of_the_evidence_is_asked_in_the_lab(someone: Visitor, server: Server) -> None:
    page = someone.page
    page.goto(server.address(dataset="digits", **{"class": "8"}).replace("/?", "/evidence?"))
    page.set_viewport_size({"width": 1440, "height": 900})
    expect(page.get_by_role("link", name="Back to the Lab")).to_be_visible()
    expect(page.get_by_role("button", name="Ask this in the Lab", exact=True)).to_be_disabled()
    table = page.get_by_test_id("stDataFrame")
    box = table.bounding_box()
    assert box
    page.mouse.click(box["x"] + 15, box["y"] + 35 * 2 + 18)  # the second row's box; the table is drawn on a canvas
    row = finding1()[0][1]
    ask = page.get_by_role("button", name="Ask this in the Lab: Photos, temple, gen Flip")
    expect(ask).to_be_in_viewport()
    assert table.bounding_box() == box  # nothing has moved
    ask.click()
    question = page.locator(".st-key-question")
    expect(question).to_have_text("Normal: temple (Photos). Anomaly: Flip. Augmentation: Flip. Detector: DAE.")
    assert (row.dataset, row.normal_class, row.gen) == ("photos", "temple", "flip")
    settled(someone)
    assert {
        "dataset": "photos",
        "class": "temple",
        "anomaly": "gen:flip",
        "aug": "flip",
    }.items() <= someone.query.items()
