"""What the app's processes hold: the server and a training child with CIFAR-10 in use, and 100 runs in a row.

    python -m benchmarks.memory [--runs 100]

A visitor in the system's Chromium opens the Lab on CIFAR-10 and trains a quick pair with one click, so that the server has
torch, the data and the views, and goes through all anomalies; then a service trains ``--runs`` short ones, one after the
other, in one child. Prints resident memory in MB: the server's at rest, on CIFAR-10, with the views, with those of all
anomalies, and after other pages; a child's at its most; and the child's and the service's after each tenth of the runs.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

import psutil

from ssad_core.augment import AUGMENTATIONS
from ssad_core.data import load
from ssad_core.detectors import settings_for
from ssad_core.jobs import Jobs
from ssad_core.question import Question
from ssad_core.store import Store

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from browser import await_map, chromium, serve, settled, train, visitor
from playwright.sync_api import expect

ANOMALIES = len(AUGMENTATIONS) + 8  # after the first gen: the other twelve, nine classes, and the rest of them


def megabytes(process: psutil.Process) -> float:
    try:
        return process.memory_info().rss / 1e6
    except psutil.NoSuchProcess:
        return 0.0


def command_of(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


def children_of(process: psutil.Process) -> list[psutil.Process]:
    return [child for child in process.children(recursive=True) if "ssad_core.worker" in command_of(child)]


def app_with_cifar() -> None:
    with tempfile.TemporaryDirectory() as folder, serve(Path(folder)) as server, chromium() as browser:
        process = next(
            p for p in psutil.Process().children(recursive=True) if {"streamlit", "app.py"} <= {*command_of(p)}
        )
        print(f"server, before anybody came: {megabytes(process):.0f} MB")
        most, over = [0.0], threading.Event()

        def watch() -> None:
            while not over.wait(0.1):
                most[0] = max([most[0], *map(megabytes, children_of(process))])

        watching = threading.Thread(target=watch, daemon=True)  # a failure of the visit ends it too
        watching.start()
        with visitor(browser, server) as someone:
            someone.page.goto(
                server.address(dataset="cifar10", **{"class": "Automobile"}, aug="flip", anomaly="gen:rotate")
            )
            expect(someone.page.get_by_alt_text("aug Flip, aug(normal)")).to_be_visible()
            settled(someone)
            print(f"server, the Lab on CIFAR-10: {megabytes(process):.0f} MB")
            train(someone.page)
            await_map(someone.page)
            settled(someone)
            print(f"server, with a run's views and map: {megabytes(process):.0f} MB")
            print(f"a training child, at most: {most[0]:.0f} MB")
            for _ in range(ANOMALIES):
                someone.page.get_by_role("combobox", name="gen, or a class").click()
                someone.page.keyboard.press("ArrowDown")
                someone.page.keyboard.press("Enter")
                settled(someone)
                await_map(someone.page)
            print(f"server, {ANOMALIES} anomalies later: {megabytes(process):.0f} MB")
            for page, sign in {"gallery": "SimCLR", "histograms": "Score axis", "alignment": "Squared MMD"}.items():
                someone.page.goto(server.url + f"/{page}" + someone.page.url[someone.page.url.index("?") :])
                expect(someone.page.get_by_text(sign).first).to_be_visible()
                settled(someone)
            print(f"server, three more pages later: {megabytes(process):.0f} MB")
        over.set()
        watching.join()


def in_a_row(count: int) -> None:
    dataset = load("photos")
    settings = replace(settings_for("quick"), epochs=1, limit=64, test_limit=32)
    with tempfile.TemporaryDirectory() as folder:
        service = Jobs(Store(Path(folder)))
        for k in range(count):
            spec = Question(settings=settings, seed=k).run(dataset)
            service.submit(spec)
            while service.status(spec.id).going_on:
                time.sleep(0.02)
            if (k + 1) % max(1, count // 10) == 0:
                held = [megabytes(child) for child in children_of(psutil.Process())]
                print(
                    f"{k + 1} runs: child {max(held):.0f} MB, service {megabytes(psutil.Process()):.0f} MB", flush=True
                )
        service.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=100)
    args = parser.parse_args()
    app_with_cifar()
    in_a_row(args.runs)


if __name__ == "__main__":
    main()
