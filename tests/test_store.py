"""The cache of runs: whole or not there, whatever happens; no pickle; one line about what is damaged."""

from __future__ import annotations

import json
import os
import shutil
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from tiny import python, tiny, wait

from ssad_core.errors import BadInput
from ssad_core.spec import RunSpec
from ssad_core.store import Busy, Damaged, Gone, Store, Workspace, read_arrays, read_json, write_arrays, write_json


@pytest.fixture
def store() -> Store:
    return Store()


def fill(work: Workspace, value: float = 0.5) -> dict[str, object]:
    """Writes what a training writes; returns its result."""
    work.progress(state="training", pid=os.getpid())
    work.arrays("scores", {"normal": np.full(4, value), "gen:flip": np.full(4, 2 * value)})
    work.arrays("codes", {"normal": np.full((4, 2), value)})
    work.arrays("history", {"epochs": np.array([1, 2])})
    (work.path / "log.txt").write_text("a line\n")
    return {"auc": {"gen:flip": value}, "finished": value}


def stored(store: Store, spec: RunSpec, value: float = 0.5) -> str:
    with store.begin(spec) as work:
        work.publish(fill(work, value))
    return spec.id


def test_a_run_comes_back_as_it_was_stored(store: Store) -> None:
    spec = tiny()
    assert not store.has(spec.id)
    with store.begin(spec) as work:
        published = work.publish(fill(work))
    run = store.load(spec.id)
    assert run.spec == published.spec == spec
    assert run.result == published.result == {"auc": {"gen:flip": 0.5}, "finished": 0.5}
    np.testing.assert_array_equal(run.scores["gen:flip"], np.ones(4))
    np.testing.assert_array_equal(run.codes["normal"], np.full((4, 2), 0.5))
    np.testing.assert_array_equal(run.history["epochs"], [1, 2])
    np.testing.assert_array_equal(store.snapshots(spec.id)["epochs"], [1, 2])
    assert store.log(spec.id) == "a line\n"
    assert store.progress(spec.id) == {}
    assert not (run.path / "progress.json").exists()
    with store.begin(spec) as again:
        assert again is None  # nothing to do, and what is there stays
    assert store.has(spec.id)


def test_until_a_run_is_there_it_goes_on_for_whoever_looks(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    spec, looked, rename = tiny(), [], os.rename

    def look_first(source: Path, target: Path) -> None:
        looked.append((Store().progress(spec.id).get("state"), Store().has(spec.id)))
        rename(source, target)
        looked.append((Store().progress(spec.id).get("state"), Store().has(spec.id)))

    with store.begin(spec) as work:
        result = fill(work)
        store.ask_to_cancel(spec.id)  # too late
        monkeypatch.setattr(os, "rename", look_first)
        path = work.publish(result).path
    assert ("training", False) in looked
    assert all(state == "training" or there for state, there in looked)
    assert {file.name for file in path.iterdir()}.isdisjoint({"progress.json", "cancel"})


def test_runs_are_listed_newest_first_and_their_bytes_are_counted(store: Store) -> None:
    ids = [stored(store, tiny(seed), value=seed) for seed in (1, 3, 2)]
    assert [run.id for run in store.list()] == [ids[1], ids[2], ids[0]]
    sizes = [run.size for run in store.list()]
    assert store.size == sum(sizes)
    expected = sum(file.stat().st_size for file in store.run(ids[0]).rglob("*"))
    assert store.load(ids[0]).size == expected > 0
    store.delete(ids[1])
    assert [run.id for run in store.list()] == [ids[2], ids[0]]
    assert store.size == sum(sizes) - sizes[0]


def test_what_else_the_cache_holds_is_counted_by_folder(tmp_path: Path) -> None:
    store = Store(tmp_path / "other")
    stored(store, tiny())
    assert store.beside() == {}
    for name, count in (("uploads", 7), ("data", 12), ("embeddings", 0), ("a person's", 9)):
        (store.root / name / "deep").mkdir(parents=True)
        (store.root / name / "deep" / "file").write_bytes(bytes(count))
        (store.root / name / "deep" / "another name").hardlink_to(store.root / name / "deep" / "file")
    assert store.beside() == {"data": 12, "uploads": 7}


KILLED_BEFORE_RENAME = """
import os, signal, sys, json
from ssad_core.spec import RunSpec
from ssad_core.store import Store
import numpy as np
with Store().begin(RunSpec.from_dict(json.loads(sys.argv[1]))) as work:
    work.progress(state="evaluating", pid=os.getpid())
    work.arrays("scores", {"normal": np.ones(3)})
    os.rename = lambda *paths: os.kill(os.getpid(), signal.SIGKILL)
    work.publish({"auc": {}})
"""


def test_a_process_killed_between_write_and_rename_leaves_no_run(store: Store) -> None:
    spec = tiny()
    killed = python("-c", KILLED_BEFORE_RENAME, json.dumps(spec.to_dict()))
    assert killed.wait(60) == -signal.SIGKILL, killed.stderr.read()
    assert (store.work(spec.id) / "result.json").is_file()  # all was written
    assert not store.has(spec.id)
    assert store.list() == []
    with pytest.raises(Gone, match="no run"):
        store.load(spec.id)
    assert store.progress(spec.id)["state"] == "interrupted"
    assert not store.is_locked(spec.id)
    stored(store, spec)  # the retry
    assert store.has(spec.id)
    assert not store.work(spec.id).exists()


HOLDER = """
import sys, json, os
from ssad_core.spec import RunSpec
from ssad_core.store import Store
with Store().begin(RunSpec.from_dict(json.loads(sys.argv[1]))) as work:
    work.progress(state="training", pid=os.getpid())
    print("held", flush=True)
    sys.stdin.read()
"""


def test_one_process_at_a_time_trains_a_run(store: Store) -> None:
    spec = tiny()
    assert not store.is_locked(spec.id)
    holder = python("-c", HOLDER, json.dumps(spec.to_dict()), stdin=-1)
    assert holder.stdout.readline() == "held\n"
    assert store.is_locked(spec.id)
    assert store.progress(spec.id)["state"] == "training"
    for refused in (lambda: store.begin(spec), lambda: store.lock(spec.id)):
        with pytest.raises(Busy), refused():
            pass
    with pytest.raises(Busy):
        store.delete(spec.id)
    with pytest.raises(Busy):
        store.mark_cancelled(spec.id)
    assert store.progress(spec.id)["state"] == "training"  # nothing of it was touched
    store.delete(stored(store, tiny(seed=1)))  # other runs are free
    holder.kill()
    holder.wait()
    assert not store.is_locked(spec.id)
    assert store.progress(spec.id)["state"] == "interrupted"
    store.delete(spec.id)
    assert store.progress(spec.id) == {}
    assert store.size == 0


def test_those_who_only_look_are_never_taken_for_a_training(store: Store) -> None:
    spec = tiny()
    stored(store, spec)
    with ThreadPoolExecutor(4) as pool:
        assert not any(pool.map(lambda _: store.is_locked(spec.id), range(4000)))
        looks = [pool.submit(store.is_locked, spec.id) for _ in range(2000)]
        for _ in range(20):
            with store.lock(spec.id):  # and they keep nobody from training
                assert store.is_locked(spec.id)
        assert all(look.result() in (True, False) for look in looks)


PUBLISHER = """
import sys
sys.path.insert(0, sys.argv[1])
from test_store import stored, tiny
from ssad_core.store import Store
store = Store()
for seed in range(16):
    run = stored(store, tiny(seed), value=seed + 1)
    if seed % 4 == 3:
        store.delete(run)
"""


def test_readers_never_see_half_a_run(store: Store) -> None:
    publisher = python("-c", PUBLISHER, str(Path(__file__).parent))
    complete: set[str] = set()
    while publisher.poll() is None:
        for run in store.list():
            value = run.result["finished"]
            try:
                np.testing.assert_array_equal(run.scores["normal"], np.full(4, value))
                np.testing.assert_array_equal(run.codes["normal"], np.full((4, 2), value))
            except Damaged:  # deleted since it was listed, and then as a whole
                assert not run.path.exists()
                continue
            complete.add(run.id)
        assert store.damaged() == []
    assert publisher.returncode == 0, publisher.stderr.read()
    assert len(store.list()) == 12
    assert complete


REWRITER = """
import sys
from pathlib import Path
import numpy as np
from ssad_core.store import write_arrays, write_json
for i in range(400):
    write_json(Path(sys.argv[1]) / "a.json", {"i": i, "long": [i] * 3000})
    write_arrays(Path(sys.argv[1]) / "a.npz", {"i": np.full(3000, i)})
"""


def test_a_file_that_is_rewritten_reads_old_or_new(tmp_path: Path) -> None:
    writer = python("-c", REWRITER, str(tmp_path))
    wait(lambda: (tmp_path / "a.npz").exists())
    seen = set()
    while writer.poll() is None:
        value = read_json(tmp_path / "a.json")
        assert value["long"] == [value["i"]] * 3000
        assert len(set(read_arrays(tmp_path / "a.npz")["i"])) == 1
        seen.add(value["i"])
    assert writer.returncode == 0, writer.stderr.read()
    assert len(seen) > 1
    assert sorted(path.name for path in tmp_path.glob("*a*")) == ["a.json", "a.npz"]


GARBAGE = ["", "{", "[1, 2]", "3", b"\xff\xfe\x00garbage", None]


@pytest.mark.parametrize(
    ("name", "damage"),
    [(name, damage) for name in ("spec.json", "result.json") for damage in GARBAGE]
    + [("spec.json", '{"dataset": "digits"}'), ("spec.json", '{"params": {}, "settings": {}}'), ("result.json", "{}")],
)
def test_a_damaged_description_is_one_line(store: Store, name: str, damage: str | bytes | None) -> None:
    run_id = stored(store, tiny())
    file = store.run(run_id) / name
    if damage is None:
        file.unlink()
    else:
        file.write_bytes(damage.encode() if isinstance(damage, str) else damage)
    with pytest.raises(Damaged) as error:
        store.load(run_id)
    assert "\n" not in str(error.value)
    assert run_id in str(error.value)
    assert "delete it and train it again" in str(error.value)
    assert store.list() == []
    assert store.damaged() == [run_id]
    store.delete(run_id)
    assert store.damaged() == []
    stored(store, tiny())
    assert store.load(run_id).result["finished"] == 0.5


def test_a_run_without_its_result_can_simply_be_trained_again(store: Store) -> None:
    run_id = stored(store, tiny())
    (store.run(run_id) / "result.json").unlink()
    assert stored(store, tiny(), value=3) == run_id
    assert store.load(run_id).result["finished"] == 3


@pytest.mark.parametrize("what", ["scores", "codes", "history"])
@pytest.mark.parametrize("keep", [0, 100, -20, None, "flags", "method"])
def test_damaged_arrays_are_one_line(store: Store, what: str, keep: int | str | None) -> None:
    run_id = stored(store, tiny())
    file = store.run(run_id) / f"{what}.npz"
    whole = file.read_bytes()
    if keep is None:
        file.unlink()
    elif isinstance(keep, str):  # of the first entry of the zip's list: encrypted, or compressed in an unknown way
        at = whole.index(b"PK\x01\x02") + {"flags": 8, "method": 10}[keep]
        file.write_bytes(whole[:at] + b"\x7f" + whole[at + 1 :])
    else:
        file.write_bytes(whole[:keep])
    with pytest.raises(Damaged) as error:
        getattr(store.load(run_id), what)
    assert "\n" not in str(error.value)
    assert f"{run_id}/{what}.npz" in str(error.value)


def test_pickles_are_never_loaded(store: Store, tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (tmp_path / "exploded",)

    run_id = stored(store, tiny())
    np.savez(store.run(run_id) / "scores.npz", normal=np.array([Bomb()], dtype=object))
    with pytest.raises(Damaged):
        _ = store.load(run_id).scores
    assert not (tmp_path / "exploded").exists()


def test_what_is_derived_from_a_run_is_computed_once_and_again_when_it_is_damaged(store: Store) -> None:
    run = store.load(stored(store, tiny()))
    calls = []

    def compute() -> dict[str, np.ndarray]:
        calls.append(1)
        return {"map": np.arange(6).reshape(3, 2)}

    assert run.derived("tsne") is None
    for again in (run, run, store.load(run.id)):
        np.testing.assert_array_equal(again.remember("tsne", compute)["map"], np.arange(6).reshape(3, 2))
    assert len(calls) == 1
    (run.path / "derived" / "tsne.npz").write_bytes(b"PK half")
    assert run.derived("tsne") is None
    run.remember("tsne", compute)
    assert len(calls) == 2
    store.delete(run.id)
    assert run.remember("tsne", compute)["map"].shape == (3, 2)  # though there is nowhere to keep it
    assert not run.path.exists()


def test_what_cannot_be_kept_with_a_run_is_one_message(store: Store) -> None:
    run = store.load(stored(store, tiny()))
    (run.path / "derived").touch()  # a file where the folder should be
    with pytest.raises(BadInput, match=r"cannot write to .*; set SSAD_CACHE_DIR"):
        run.remember("tsne", lambda: {"map": np.zeros(2)})


def test_a_cache_that_somebody_empties_is_empty(tmp_path: Path) -> None:
    store = Store(tmp_path / "cache")
    run_id = stored(store, tiny())
    shutil.rmtree(tmp_path / "cache")
    assert store.list() == []
    assert store.damaged() == []
    assert not store.has(run_id)
    assert stored(store, tiny()) == run_id
    assert [run.id for run in store.list()] == [run_id]


@pytest.mark.parametrize("run_id", ["", "x", "../data", "..", "/etc", "0123456789ABCDEF", "0123456789abcdef0"])
def test_what_is_no_id_names_no_file(store: Store, run_id: str) -> None:
    (store.root / "data").mkdir()
    write_json(store.root / "data" / "result.json", {})
    for refused in (store.load, store.delete, store.has):
        with pytest.raises(BadInput, match="hexadecimal"):
            refused(run_id)
    assert (store.root / "data" / "result.json").exists()


def test_deleting_what_is_not_there_says_so(store: Store) -> None:
    with pytest.raises(Gone, match="no run '0123456789abcdef' is stored"):
        store.delete("0123456789abcdef")


def test_an_unfinished_run_says_how_it_stands(store: Store) -> None:
    spec = tiny()
    assert store.progress(spec.id) == {}
    assert store.snapshots(spec.id) is None
    assert store.log(spec.id) == ""
    with store.begin(spec) as work:
        work.progress(state="training", epoch=3)
        assert store.progress(spec.id)["epoch"] == 3
        write_arrays(work.path / "history.npz", {"epochs": np.array([1])})
        np.testing.assert_array_equal(store.snapshots(spec.id)["epochs"], [1])
        store.ask_to_cancel(spec.id)
        assert store.asked_to_cancel(spec.id)
        work.progress(state="failed", message="Because.")
    assert store.progress(spec.id)["message"] == "Because."
    store.mark_cancelled(spec.id)
    assert store.progress(spec.id)["state"] == "cancelled"
    with store.begin(spec):  # another try knows nothing of it
        assert store.progress(spec.id) == {}
        assert not store.asked_to_cancel(spec.id)
    store.ask_to_cancel(tiny(seed=5).id)  # nobody trains it: nothing happens
    store.mark_cancelled(tiny(seed=5).id)
    assert store.progress(tiny(seed=5).id) == {}


@pytest.mark.parametrize("below", ["", "below/it"])
def test_a_cache_that_cannot_be_written_is_one_line(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadInput) as error:
        Store(tmp_path / "file" / below)
    assert "\n" not in str(error.value)
    assert "SSAD_CACHE_DIR" in str(error.value)
    assert str(tmp_path / "file") in str(error.value)


def test_what_a_killed_deletion_left_is_cleared_away(store: Store) -> None:
    (store.root / ".deleted-1234").mkdir()
    (store.root / ".deleted-1234" / "weights.safetensors").touch()
    Store()
    assert not list(store.root.glob(".deleted*"))
