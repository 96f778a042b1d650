"""The app as a browser sees it: its first paint, and what a change of a control costs on every page, with stored runs.

    python -m benchmarks.pages [--repeats 6] [--only lab what_if ...] [--folder FOLDER]

Trains the runs that the pages compare (some two minutes; they stay in ``--folder``), then opens each page in the system's
Chromium and uses its controls as a person would. Prints, for each control, milliseconds from the key or click to the page's
last change (median, 95th percentile), for what the browser does by itself to its first one, and the most kB that came over
the WebSocket; the first three uses, which compute and store what was not there, apart. Then, in turn, how long an empty
Streamlit page and the Lab take to their first paint in a browser that knows neither.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.sweep import train_all
from ssad_core.data import load
from ssad_core.detectors import settings_for
from ssad_core.question import Question

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from browser import Server, chromium, serve, visitor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

QUIET = 700  # ms without a change after which a page has answered
PATCHES = [k / 10 for k in range(1, 10)]

# Keeps, in the page: when a person last did something, when something last changed (also inside components, and what is
# painted on a canvas), and the bytes that have come. Streamlit's own sign that it is busy is no part of the answer, nor are
# lists and tooltips, which hang on the body beside the app; nor is what nobody sees, what a canvas has inside (a table tells
# its cells to screen readers 200 ms after it has painted them) and an empty place (a look every two seconds marks its own).
WATCH = """
(() => {
  const seen = window.__seen = { acted: 0, first: 0, changed: 0, came: 0, bytes: 0 }
  const change = () => {
    seen.changed = performance.now()
    seen.first ||= seen.changed
  }
  const paint = CanvasRenderingContext2D.prototype
  for (const name of ["fill", "stroke", "fillRect", "fillText", "drawImage"]) {
    const done = paint[name]
    paint[name] = function (...given) {
      if (this.canvas.isConnected) change()
      return done.apply(this, given)
    }
  }
  const own = (node) => node.nodeType === 1 ? node : node.parentElement
  const outside = (node) => node.getRootNode() === document && !node.closest("[data-testid=stApp]")
  const hidden = "[data-testid=stStatusWidget], [data-testid=stHeader], canvas *, :has(> [data-testid=stEmpty])"
  const observer = new MutationObserver((records) => {
    if (records.some(({ target, attributeName }) => own(target) && !outside(own(target)) && !own(target).closest(hidden)
        && attributeName !== "data-stale" && attributeName !== "data-test-script-state")) change()
  })
  const all = { subtree: true, childList: true, attributes: true, characterData: true }
  observer.observe(document, all)
  const attach = Element.prototype.attachShadow
  Element.prototype.attachShadow = function (options) {
    const root = attach.call(this, options)
    observer.observe(root, all)
    return root
  }
  const Socket = window.WebSocket
  window.WebSocket = class extends Socket {
    constructor(...given) {
      super(...given)
      this.addEventListener("message", ({ data }) => {
        seen.came = performance.now()
        seen.bytes += data.byteLength ?? data.size ?? data.length
      })
    }
  }
  for (const kind of ["pointerdown", "pointerup", "keydown"])
    window.addEventListener(kind, () => Object.assign(seen, { acted: performance.now(), first: 0 }), { capture: true })
})()
"""


def answered(page: Page) -> dict[str, float]:
    """Waits until nothing has changed nor come for a while."""
    page.wait_for_function(
        f"() => performance.now() - Math.max(__seen.changed, __seen.came, __seen.acted) > {QUIET}"
        " && !document.querySelector('[data-testid=stStatusWidget]')",
        timeout=120_000,
        polling=100,  # ms; at every frame, as by default, it would have the page draw frames for it
    )
    return page.evaluate("() => ({ ...__seen })")


def press(page: Page, key: str, *, on: str, role: str = "slider") -> None:
    page.get_by_role(role, name=on).first.focus()
    page.keyboard.press(key)


def choose(page: Page, label: str, option: str) -> None:
    """In a select box, the option that begins so; what is measured is the second click."""
    page.get_by_role("combobox", name=label).first.click()
    page.get_by_role("option", name=re.compile(f"^{re.escape(option)}")).first.click()


def in_view(page: Page, view: str, role: str, name: str) -> None:
    page.get_by_test_id(view).get_by_role(role, name=name, exact=True).click()


def click(page: Page, role: str, name: str) -> None:
    page.get_by_role(role, name=name).first.click()


GENS = ("gen: Flip", "gen: Invert", "gen: CutOut")
Action = Callable[["Page", int], object]


def another_anomaly(page: Page, k: int) -> None:
    choose(page, "gen, or a class", GENS[k % 3])


def next_rate(page: Page, k: int) -> None:
    press(page, "ArrowRight", on="False-positive rate")


# By page: its controls, each as a function of how often it was used before.
CONTROLS: dict[str, dict[str, Action]] = {
    "lab": {
        "anomaly": another_anomaly,
        "aug": lambda page, k: choose(page, "aug", ("Flip (geometric)", "CutOut (local)")[k % 2]),
        "threshold": lambda page, k: press(page, "ArrowRight", on="Threshold of"),
        "map's colours": lambda page, k: in_view(page, "linked-views", "button", ("Score", "Category")[k % 2]),
    },
    "gallery": {"sigma": lambda page, k: press(page, "ArrowRight", on="Sigma")},
    "reconstructions": {
        "order": lambda page, k: choose(page, "Images", ("worst mistakes first", "a random sample")[k % 2]),
        "error maps": lambda page, k: page.get_by_text("Error maps", exact=True).click(),
        "false-positive rate": next_rate,
        "anomaly": another_anomaly,
    },
    "histograms": {
        "score axis": lambda page, k: click(page, "radio", ("Log", "Linear")[k % 2]),
        "false-positive rate": next_rate,
        "anomaly": another_anomaly,
    },
    "embeddings": {
        "colours": lambda page, k: in_view(page, "maps", "button", ("Score", "Category")[k % 2]),
        "anomaly": another_anomaly,
    },
    "alignment": {
        "space": lambda page, k: click(page, "radio", ("raw pixels", "AE's code")[k % 2]),
        "anomaly": another_anomaly,
    },
    "what_if": {
        "patch size": lambda page, k: press(page, ("ArrowRight", "ArrowLeft")[k // 2 % 2], on="What if"),
        "anomaly": another_anomaly,
    },
    "error_bias": {"class": lambda page, k: choose(page, "Class to look at", str(k % 6 + 4))},
    "runs": {
        "pick": lambda page, k: page.mouse.click(*row(page, k % 3)),
        "filter": lambda page, k: choose(page, "Aug", ("Flip", "CutOut")[k % 2]),
    },
    "evidence": {"pick": lambda page, k: page.mouse.click(*row(page, k % 3))},
    "testbed": {"anomaly": another_anomaly},
    "settings": {"anomaly": another_anomaly},
}
ALONE = {("lab", "threshold"), ("lab", "map's colours"), ("embeddings", "colours")}  # without the server


def row(page: Page, k: int) -> tuple[float, float]:
    """The place of the k-th check box of the page's table, which is drawn on a canvas."""
    box = page.get_by_test_id("stDataFrame").first.bounding_box()
    assert box
    return box["x"] + 18, box["y"] + 35 * (k + 1.5)


# Where each page is opened.
PHOTOS = {"pins": "flip"}
ADDRESSES = dict.fromkeys(CONTROLS, PHOTOS) | {
    "error_bias": {"dataset": "digits", "class": "3"},
    "settings": PHOTOS | {"vary": ""},
}


def runs() -> None:
    """Trains what the pages show: on photos/temple CutOut, Flip, the patch sizes and their baseline; a pair on digits."""
    asked = [Question(augment=aug) for aug in ("identity", "cutout", "flip")]
    asked += [Question(params=(("c", c),)) for c in PATCHES]
    preset = settings_for("quick", "dae", "digits", 1)
    digits = [Question("digits", "3", augment=aug, settings=preset) for aug in ("identity", "cutout")]
    train_all([*(q.run(load("photos")) for q in asked), *(q.run(load("digits")) for q in digits)])


def measure(page: Page, server: Server, name: str, repeats: int) -> None:
    """Uses each control of a page; prints a line each."""
    place = "" if name == "lab" else name
    page.goto(server.address(**ADDRESSES[name]).replace("/?", f"/{place}?"))
    answered(page)
    settled_views(page)
    for control, act in CONTROLS[name].items():
        milliseconds, size = [], []
        for k in range(3 + repeats):
            settled_views(page)
            before = answered(page)["bytes"]
            act(page, k)
            found = answered(page)
            milliseconds.append(found["first" if (name, control) in ALONE else "changed"] - found["acted"])
            size.append((found["bytes"] - before) / 1000)
        first, again = milliseconds[:3], milliseconds[3:]
        print(
            f"{name:16}{control:22}{statistics.median(again):6.0f} ms, 95%: {np.percentile(again, 95):5.0f}"
            f"   most {max(size[3:]):6.0f} kB   at first {max(first):6.0f} ms, {max(size[:3]):5.0f} kB",
            flush=True,
        )


def settled_views(page: Page) -> None:
    """Until what comes in the background is there: maps, cells of the matrix."""
    for text in ("t-SNE is at work", "is measured", "Measuring"):
        page.wait_for_function(f"() => !document.body.innerText.includes({text!r})", timeout=120_000)
    answered(page)


@contextmanager
def empty_page(folder: Path) -> Iterator[str]:
    """An app that says one word."""
    (folder / "empty.py").write_text("import streamlit as st\n\nst.title('Empty')\n")
    options = ["--server.headless=true", "--server.fileWatcherType=none", "--server.port=8766"]
    command = [sys.executable, "-m", "streamlit", "run", str(folder / "empty.py"), *options]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield "http://127.0.0.1:8766"
    finally:
        process.terminate()
        process.wait()


def first_paint(browser: Browser, url: str, what: str) -> float:
    """Seconds until a browser with an empty cache shows it."""
    context = browser.new_context(viewport={"width": 1440, "height": 1200})
    page = context.new_page()
    start = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.wait_for_selector(what, timeout=120_000)
    seconds = time.perf_counter() - start
    context.close()
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=6)
    parser.add_argument("--only", nargs="+", choices=list(CONTROLS), default=list(CONTROLS))
    parser.add_argument("--folder", type=Path)
    args = parser.parse_args()
    with ExitStack() as stack:
        folder = args.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        os.environ["SSAD_CACHE_DIR"] = str(folder / "cache")  # as `serve` has it
        runs()
        server = stack.enter_context(serve(folder))
        empty = stack.enter_context(empty_page(folder))
        browser = stack.enter_context(chromium())
        for name in args.only:
            with visitor(browser, server) as someone:
                someone.page.add_init_script(WATCH)
                measure(someone.page, server, name, args.repeats)
        paints = [
            (first_paint(browser, empty, "text=Empty"), first_paint(browser, server.url, ".st-key-question"))
            for _ in range(args.repeats)
        ]
        for what, found in zip(("an empty page", "the Lab"), zip(*paints, strict=True), strict=True):
            print(f"first paint of {what}: {statistics.median(found):.2f} s ({min(found):.2f} to {max(found):.2f})")


if __name__ == "__main__":
    main()
