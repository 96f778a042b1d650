"""From one click on the Lab's default to its answer, in a browser: a cold server, then a warm one (other seeds).

    python -m benchmarks.first_click [--repeats 3]

Prints, for each click, the seconds until the live panel, until AUC, histograms and reconstructions of run and baseline are
drawn, and until the map is. Cold: the button is pressed as soon as a fresh server shows it. Warm: the same server with its
spare training processes ready. Nothing is trained before.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from browser import chromium, serve, visitor

if TYPE_CHECKING:
    from playwright.sync_api import Page

PAUSE = 20  # seconds in which a person reads, and spare processes get ready


def click(page: Page) -> dict[str, float]:
    """Trains what the page asks for; the seconds until each part of the answer is there."""
    page.get_by_role("button", name="Train:").click()
    start = time.perf_counter()
    seen = {}
    for what, selector in {
        "live panel": "[data-testid=live-run-0]",
        "AUC": "[data-testid=merit]",
        "histograms": "[data-testid=histograms] path",
        "reconstructions": "[data-testid=recon-column]",
        "map": "[data-testid=map-points]:not([data-count='0'])[data-count]",
    }.items():
        page.wait_for_selector(selector, state="attached", timeout=120_000)
        seen[what] = time.perf_counter() - start
    return seen


def show(kind: str, seen: dict[str, float]) -> None:
    print(f"{kind:6}" + "  ".join(f"{what} {seconds:5.1f} s" for what, seconds in seen.items()), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    with chromium() as browser:
        for _ in range(repeats):
            with tempfile.TemporaryDirectory() as folder, serve(Path(folder)) as server:
                with visitor(browser, server) as someone:
                    someone.page.goto(server.url)
                    show("cold", click(someone.page))
                for seed in (1, 2):
                    time.sleep(PAUSE)
                    with visitor(browser, server) as someone:
                        someone.page.goto(server.address(seed=str(seed)))
                        show("warm", click(someone.page))


if __name__ == "__main__":
    main()
