"""Who gets a training process, and when: with processes that only say that they were asked, and wait."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NoReturn

import pytest
from tiny import PATIENCE, alive, python, wait

from ssad_core import children
from ssad_core.children import CANCELLED, SPARES, Children
from ssad_core.machine import Machine, Needs

CHILD = """
import json, pathlib, sys, time
for line in sys.stdin:
    request = json.loads(line)
    while not pathlib.Path(request["go"]).exists():
        time.sleep(0.01)
    said = f"on {request['gpu']}, {request['threads']} threads"
    print(json.dumps({"error": None if request["fine"] else said}), flush=True)
"""


class Asked:
    """The trainings of a machine with four cores and two GPUs; ``go`` lets one end."""

    def __init__(self, folder: Path) -> None:
        self.children = Children(Machine(cores=4, gpus=2))
        self._folder, self._pool = folder, ThreadPoolExecutor()

    def train(self, key: str, needs: Needs, priority: int = 0, fine: bool = False) -> Future[str | None]:
        request = {"go": str(self._folder / key), "fine": fine}
        return self._pool.submit(self.children.train, key, request, needs, priority)

    def begun(self, *keys: str) -> None:
        wait(lambda: all(map(self.children.has_begun, keys)))

    def waits(self, *keys: str) -> None:
        wait(lambda: [key for *_, key in self.children._waiting] == list(keys))
        time.sleep(0.1)
        assert not any(map(self.children.has_begun, keys))

    def go(self, key: str) -> None:
        (self._folder / key).touch()


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Asked]:
    monkeypatch.setattr(children, "_start", lambda: python("-c", CHILD, stdin=subprocess.PIPE))
    asked = Asked(tmp_path)
    yield asked
    asked.children.close()


def test_who_finds_no_room_waits_and_is_not_overtaken(asked: Asked) -> None:
    one = asked.train("one", {"core": 1})
    asked.begun("one")
    all_cores = asked.train("all", {"core": 4})
    asked.waits("all")
    small = asked.train("small", {"core": 1})
    asked.waits("all", "small")
    asked.go("one")
    assert one.result(PATIENCE) == "on None, 1 threads"
    asked.begun("all")
    asked.waits("small")
    asked.go("all")
    asked.begun("small")
    asked.go("small")
    assert [each.result(PATIENCE) for each in (all_cores, small)] == ["on None, 4 threads", "on None, 1 threads"]


def test_what_a_person_waits_for_overtakes_a_sweep(asked: Asked) -> None:
    asked.train("one", {"core": 4})
    asked.begun("one")
    asked.train("sweep", {"core": 3})
    asked.waits("sweep")
    asked.train("single", {"core": 3}, priority=10)
    asked.waits("single", "sweep")
    asked.train("another", {"core": 3}, priority=10)
    asked.waits("single", "another", "sweep")
    asked.go("one")
    asked.begun("single")
    asked.waits("another", "sweep")


def test_who_ends_badly_leaves_its_room_to_others(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> NoReturn:
        raise OSError("no more processes")

    with monkeypatch.context() as bad:
        bad.setattr(children, "_start", none)
        assert str(asked.train("not started", {"core": 4}).exception(PATIENCE)) == "no more processes"
        bad.setattr(children, "_start", lambda: python("-c", "exit(3)", stdin=subprocess.PIPE))
        assert asked.train("dies", {"core": 4}).result(PATIENCE) == "The training process died (exit status 3)."
        bad.setattr(children, "_start", lambda: python("-c", "print(input())", stdin=subprocess.PIPE))
        said = asked.train("does not answer", {"core": 4}).result(PATIENCE)
        assert said == "The training process gave no answer that can be read."
    assert not asked.children._busy
    asked.train("all", {"core": 4})
    asked.begun("all")


def test_a_process_in_which_something_went_wrong_trains_no_more(asked: Asked) -> None:
    pids = []
    for key, fine in {"a": True, "b": False, "c": True}.items():
        training = asked.train(key, {"core": 1}, fine=fine)
        asked.begun(key)
        pids.append(asked.children._busy[key].pid)
        asked.go(key)
        assert (training.result(PATIENCE) is None) == fine
    assert pids[0] == pids[1] != pids[2]
    assert [alive(pid) for pid in pids[1:]] == [False, True]


def test_no_more_processes_than_spares_wait_once_none_is_at_work(asked: Asked) -> None:
    trainings = {key: asked.train(key, {"core": 1}, fine=True) for key in "abcd"}
    asked.begun(*trainings)
    pids = [child.pid for child in asked.children._busy.values()]
    for key, left in {"a": 4, "b": 4, "c": 4, "d": SPARES}.items():
        asked.go(key)
        assert trainings[key].result(PATIENCE) is None
        assert sum(map(alive, pids)) == left


def test_who_waits_for_room_can_be_cancelled(asked: Asked) -> None:
    asked.train("one", {"core": 1})
    asked.begun("one")
    all_cores = asked.train("all", {"core": 4})
    asked.waits("all")
    asked.train("small", {"core": 1})
    asked.waits("all", "small")
    asked.children.cancel("all")
    assert all_cores.result(PATIENCE) == CANCELLED
    asked.begun("small")
    last = asked.train("last", {"core": 3})
    asked.waits("last")
    asked.children.close()
    assert last.result(PATIENCE) == CANCELLED


def test_each_is_told_its_gpu(asked: Asked) -> None:
    found = []
    for key in ("a", "b", "c"):
        found.append(asked.train(key, {"core": 1, "gpu": 5}))
        asked.begun(key)
    alone = asked.train("alone", {"core": 1, "gpu": 10})
    asked.waits("alone")  # a half is free of the second, but no whole one
    asked.go("b")
    asked.begun("alone")
    for key in ("a", "c", "alone"):
        asked.go(key)
    assert [each.result(PATIENCE) for each in (*found, alone)] == [f"on {gpu}, 1 threads" for gpu in (0, 1, 0, 1)]
