"""Helpers of the tests in a browser: the app on a free port with a cache of its own, visitors in the system's Chromium."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

import psutil
from conftest import ROOT, missing

with contextlib.suppress(ImportError):  # `chromium` deals with it
    from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, WebSocket

    from ssad_core.views import Comparison

PATIENCE = 120.0  # seconds; the machine is shared, and only conditions are waited for
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup",  # each new window draws them, a second of a core
]


@dataclass(frozen=True)
class Server:
    """A running app: its address, its cache and what it printed."""

    url: str
    cache: Path
    log: Path

    def address(self, **query: str) -> str:
        return f"{self.url}/?{urlencode(query)}"

    def runs(self) -> set[str]:
        """The ids of the stored runs."""
        return {path.name for path in (self.cache / "runs").glob("*")}

    def training(self) -> dict[str, int]:
        """The process that trains each unfinished run."""
        found = {}
        for file in (self.cache / "work").glob("*/progress.json"):
            try:
                progress = json.loads(file.read_text())
            except OSError:  # it has just been published
                continue
            if progress["state"] in ("starting", "training", "evaluating") and "pid" in progress:
                found[file.parent.name] = progress["pid"]
        return found


@contextmanager
def serve(folder: Path) -> Iterator[Server]:
    """The app on a free port of this machine, with cache and log in ``folder``; its process is ended afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Server(f"http://127.0.0.1:{port}", folder / "cache", folder / "server.log")
    # Without its watcher: a file that is edited while the tests run would be loaded anew in the middle of them.
    options = ["--server.headless=true", "--server.fileWatcherType=none", f"--server.port={port}"]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", *options]
    with server.log.open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "SSAD_CACHE_DIR": str(server.cache), "PYTHONUNBUFFERED": "1"},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        until(lambda: process.poll() is not None or _healthy(server.url), "the server answers")
        assert process.poll() is None, server.log.read_text()
        yield server
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium; without it, or without playwright, the test is skipped (and fails on CI)."""
    program = shutil.which("chromium")
    if program is None:
        missing("chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("playwright")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        expect.set_options(timeout=1000 * PATIENCE)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Visitor:
    """A person's browser window, with what went wrong in it, how often it called the server, and the bytes of
    the messages that came."""

    page: Page
    errors: list[str] = field(default_factory=list)
    calls: int = 0
    received: int = 0

    @property
    def query(self) -> dict[str, str]:
        """The address as it stands."""
        found = parse_qs(urlsplit(self.page.url).query, keep_blank_values=True)
        return {name: values[-1] for name, values in found.items()}

    def until(self, condition: Callable[[], object], what: str) -> None:
        """`until`, with the browser's events coming in meanwhile."""
        until(condition, what, lambda: self.page.wait_for_timeout(50))


@contextmanager
def visitor(browser: Browser, server: Server) -> Iterator[Visitor]:
    """A new person, with no history, who may use the clipboard. Fails in the end if the console had errors."""
    someone = Visitor(_profile(browser, server).new_page())

    def heard(message: ConsoleMessage) -> None:
        # Streamlit's own pages look for hosts that a machine without a network does not find.
        url = message.location["url"]
        elsewhere = url.startswith("http") and not url.startswith(server.url)
        # At a page's own address it first asks below that page whether the server is there.
        probing = re.search(r"/\w+/_stcore/", url) is not None
        if message.type == "error" and not elsewhere and not probing:
            someone.errors.append(message.text)

    def sent(_: object) -> None:
        someone.calls += 1

    def came(message: str | bytes) -> None:
        someone.received += len(message)

    def connected(socket: WebSocket) -> None:
        socket.on("framesent", sent)
        socket.on("framereceived", came)

    someone.page.on("console", heard)
    someone.page.on("pageerror", lambda error: someone.errors.append(str(error)))
    someone.page.on("websocket", connected)
    try:
        yield someone
    finally:
        for page in someone.page.context.pages:
            page.close()
    assert not someone.errors, someone.errors


def _profile(browser: Browser, server: Server) -> BrowserContext:
    """One that nobody uses. It keeps nothing of who had it before but the app's scripts: to load and to compile those
    anew takes a second."""
    context = next((each for each in browser.contexts if not each.pages), None)
    if context is None:
        context = browser.new_context(viewport={"width": 1440, "height": 1200}, accept_downloads=True)
        context.set_default_timeout(1000 * PATIENCE)
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=server.url)
    context.clear_cookies()
    page = context.new_page()
    kept = {"origin": server.url, "storageTypes": "local_storage,indexeddb,cache_storage"}
    context.new_cdp_session(page).send("Storage.clearDataForOrigin", kept)
    page.close()
    return context


def until(
    condition: Callable[[], object],
    what: str,
    wait: Callable[[], object] = lambda: time.sleep(0.05),
    seconds: float = PATIENCE,
) -> None:
    """Waits for a condition."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"still not so after {seconds:.0f} s: {what}"
        wait()


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not yet asked for does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def store_runs(server: Server, *queries: dict[str, str]) -> list[Comparison]:
    """Trains the runs of these addresses, with their baselines, into the server's cache, as the command line would."""
    from ssad_core.data import load
    from ssad_core.detectors import with_baseline
    from ssad_core.question import from_query
    from ssad_core.store import Store
    from ssad_core.views import Comparison
    from ssad_core.worker import run

    found = []
    for query in queries:
        question, rejected = from_query(query)
        assert not rejected
        dataset = load(question.dataset)
        stored = [run(spec, Store(server.cache), "cpu") for spec in with_baseline(question.run(dataset))]
        found.append(Comparison(stored[-1], stored[0], question.anomaly, dataset))
    return found


def train_button(page: Page) -> Locator:
    return page.get_by_role("button", name=re.compile("^Train( again)?: "))


def train(page: Page) -> None:
    train_button(page).click()


def await_map(page: Page, name: str = "map") -> None:
    expect(page.get_by_test_id(f"{name}-points")).to_have_attribute("data-count", re.compile("^[1-9]"))


def points(page: Page, name: str = "map") -> list[dict[str, Any]]:
    """What a map shows, each point with its place, colour and opacity."""
    return page.get_by_test_id(f"{name}-points").evaluate("canvas => canvas.points")


def place_of_point(page: Page, k: int, name: str = "map") -> tuple[float, float]:
    """Where the k-th point that a map shows is on the page."""
    box = page.get_by_test_id(f"{name}-points").bounding_box()
    assert box
    x, y = points(page, name)[k]["at"]
    return box["x"] + x, box["y"] + y


def move_to_point(page: Page, k: int, name: str = "map") -> None:
    """Puts the pointer on it."""
    page.mouse.move(*place_of_point(page, k, name))


def settled(someone: Visitor) -> None:
    """Until the page has drawn all and calls the server no more."""
    expect(someone.page.get_by_test_id("stStatusWidget")).to_have_count(0)
    expect(someone.page.locator("[data-stale=true]")).to_have_count(0)


def too_wide(page: Page) -> int:
    """By how many pixels the page is wider than the window."""
    return page.get_by_test_id("stMain").evaluate("node => node.scrollWidth - node.clientWidth")


def lasso(page: Page, drawing: Locator, share: float) -> None:
    """Draws around the middle of a map; ``share`` of its width and height."""
    drawing.scroll_into_view_if_needed()
    box = drawing.bounding_box()
    assert box
    x, y = centre(drawing)
    dx, dy = share * box["width"] / 2, share * box["height"] / 2
    page.mouse.move(x - dx, y - dy)
    page.mouse.down()
    for a, b in [(1, -1), (1, 1), (-1, 1), (-1, -1)]:
        page.mouse.move(x + a * dx, y + b * dy, steps=6)
    page.mouse.up()


def swipe(page: Page, *way: tuple[float, float]) -> None:
    """A finger that goes from place to place."""
    screen = page.context.new_cdp_session(page)

    def touch(kind: str, *at: tuple[float, float]) -> None:
        screen.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in at]})

    touch("touchStart", way[0])
    for (a, b), (c, d) in pairwise(way):
        for k in range(1, 11):
            touch("touchMove", (a + (c - a) * k / 10, b + (d - b) * k / 10))
    touch("touchEnd")


def centre(locator: Locator) -> tuple[float, float]:
    box = locator.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
