"""torchvision's downloads, for real, but of small files of the same formats that a server on this machine hands out. Each
has a process that imports torchvision for seconds, so all four sets are brought side by side."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import io
import json
import os
import pickle
import re
import tarfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import scipy.io
from tiny import ROOT, alive, python, wait
from torchvision import datasets

from ssad_core import data
from ssad_core.data.torchvision_sets import FILES
from ssad_core.downloading import beside
from ssad_core.errors import BadInput

TORCHVISION = {
    "mnist": datasets.MNIST,
    "fashion_mnist": datasets.FashionMNIST,
    "svhn": datasets.SVHN,
    "cifar10": datasets.CIFAR10,
}
# What a child process does first, so that its torchvision, too, asks our server.
SITECUSTOMIZE = """
import json, os
from torchvision import datasets
for name, attributes in json.loads(os.environ["SSAD_TEST_TORCHVISION"]).items():
    for attribute, value in attributes.items():
        setattr(getattr(datasets, name), attribute, value)
"""

Files = dict[str, bytes]
Arrays = tuple[np.ndarray, np.ndarray]
Splits = dict[str, Arrays]


class Server(http.server.ThreadingHTTPServer):
    """Hands out ``files``, by the name of their set and their own; the second half only once the set's ``go_on`` is set."""

    def __init__(self) -> None:
        self.files: dict[str, Files] = {name: {} for name in FORMATS}
        self.go_on = {name: threading.Event() for name in FORMATS}
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_HEAD(self) -> None:
        _, name, file = self.path.split("/")
        content = self.server.files[name].get(file)
        self.send_response(404 if content is None else 200)
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()

    def do_GET(self) -> None:
        self.do_HEAD()
        _, name, file = self.path.split("/")
        content = self.server.files[name].get(file, b"")
        try:
            self.wfile.write(content[: len(content) // 2])
            self.wfile.flush()
            self.server.go_on[name].wait()
            self.wfile.write(content[len(content) // 2 :])
        except ConnectionError:  # the child was killed
            pass

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as started:
        thread = threading.Thread(target=started.serve_forever)
        thread.start()
        yield started
        for event in started.go_on.values():
            event.set()
        started.shutdown()
        thread.join()


def arrays(shape: tuple[int, ...], seed: int) -> Arrays:
    """Three images of each class, and their labels, in no order."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (30, *shape), np.uint8), rng.permutation(np.repeat(np.arange(10), 3))


def idx(train: Arrays, test: Arrays) -> tuple[Files, dict[str, Any]]:
    """MNIST's format, and what torchvision is told of it."""
    files = {}
    for prefix, split in (("train", train), ("t10k", test)):
        for kind, array in zip(("images-idx3", "labels-idx1"), split, strict=True):
            header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes()
            files[f"{prefix}-{kind}-ubyte.gz"] = gzip.compress(header + array.astype(np.uint8).tobytes())
    return files, {"resources": [(name, md5(content)) for name, content in files.items()]}


def mat(train: Arrays, test: Arrays) -> tuple[Files, dict[str, Any]]:
    """SVHN's, which calls the digit 0 ten."""
    files, split_list = {}, {}
    for name, (images, labels) in (("train", train), ("test", test)):
        file = io.BytesIO()
        digits = np.where(labels == 0, 10, labels)[:, None]
        scipy.io.savemat(file, {"X": images.transpose(2, 3, 1, 0), "y": digits.astype(np.uint8)})
        files[f"{name}_32x32.mat"] = file.getvalue()
        split_list[name] = ["URL/" + f"{name}_32x32.mat", f"{name}_32x32.mat", md5(file.getvalue())]
    return files, {"split_list": split_list}


def tar(train: Arrays, test: Arrays) -> tuple[Files, dict[str, Any]]:
    """CIFAR-10's: five batches for training and one for the test."""
    names = [f"data_batch_{n}" for n in range(1, 6)]
    parts = [(part[0], part[1]) for part in zip(*(np.array_split(array, 5) for array in train), strict=True)]
    batches = {
        name: pickle.dumps({"data": images.reshape(len(images), -1), "labels": labels.tolist()})
        for name, (images, labels) in zip([*names, "test_batch"], [*parts, test], strict=True)
    }
    batches["batches.meta"] = pickle.dumps({"label_names": list(data.DATASETS["cifar10"].classes)})
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in batches.items():
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    attributes = {
        "url": "URL/cifar.tar.gz",
        "filename": "cifar.tar.gz",
        "tgz_md5": md5(packed.getvalue()),
        "train_list": [[name, md5(batches[name])] for name in names],
        "test_list": [["test_batch", md5(batches["test_batch"])]],
        "meta": {"filename": "batches.meta", "key": "label_names", "md5": md5(batches["batches.meta"])},
    }
    return {"cifar.tar.gz": packed.getvalue()}, attributes


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


FORMATS: dict[str, tuple[tuple[int, ...], Callable[[Arrays, Arrays], tuple[Files, dict[str, Any]]]]] = {
    "mnist": ((28, 28), idx),
    "fashion_mnist": ((28, 28), idx),
    "svhn": ((3, 32, 32), mat),
    "cifar10": ((3, 32, 32), tar),
}


@pytest.fixture
def served(server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Splits]:
    """A small set of each format is on the server, where torchvision asks, in child processes too; the sets' splits."""
    found, told = {}, {}
    for name, (shape, pack) in FORMATS.items():
        found[name] = {"train": arrays(shape, 0), "test": arrays(shape, 1)}
        server.files[name], attributes = pack(found[name]["train"], found[name]["test"])
        if pack is idx:
            attributes["mirrors"] = ["URL/"]
        told[TORCHVISION[name].__name__] = json.loads(json.dumps(attributes).replace("URL/", f"{server.url}{name}/"))
        for attribute, value in told[TORCHVISION[name].__name__].items():
            monkeypatch.setattr(TORCHVISION[name], attribute, value)
        size = sum(len(content) for content in server.files[name].values())
        monkeypatch.setitem(FILES, name, replace(FILES[name], download_bytes=size))
    (tmp_path / "child").mkdir()
    (tmp_path / "child" / "sitecustomize.py").write_text(SITECUSTOMIZE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "child"))
    monkeypatch.setenv("SSAD_TEST_TORCHVISION", json.dumps(told))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return found


def side_by_side(action: Callable[[str], Any]) -> dict[str, Any]:
    """What it returns for each of the four sets."""
    with ThreadPoolExecutor() as pool:
        return dict(zip(FORMATS, pool.map(action, FORMATS), strict=True))


def test_what_is_missing_is_downloaded_with_progress(served: dict[str, Splits], server: Server, data_dir: Path) -> None:
    seen: dict[str, list[tuple[float, str]]] = {name: [] for name in FORMATS}

    def bring(name: str) -> data.Dataset:
        def progress(share: float, text: str) -> None:
            seen[name].append((share, text))
            if 0 < share < 1:  # half of the first file is here: now the rest may come
                server.go_on[name].set()

        return data.load(name, progress)

    loaded = side_by_side(bring)
    assert {path.name for path in data_dir.iterdir()} == {entry for file in FILES.values() for entry in file.entries}
    for name, splits in served.items():
        for split, (images, labels) in splits.items():
            found, found_labels = loaded[name].split(split)
            order = np.argsort(labels, kind="stable")
            assert np.array_equal(found_labels, labels[order])
            if images.ndim == 4:
                assert np.array_equal(found, images[order])
            else:  # 28 x 28, resized
                assert found.shape == (30, 1, 32, 32)
                assert np.abs(found.mean((1, 2, 3)) - images[order].mean((1, 2))).max() < 4
        downloading = [(share, text) for share, text in seen[name] if text.startswith("Downloading")]
        shares = [share for share, _ in downloading]
        assert shares == sorted(shares)
        assert any(0 < share < 1 for share in shares)
        assert {text for _, text in downloading} == {f"Downloading {loaded[name].info.title} (0 MB)"}
        assert any(text.startswith("Reading") for _, text in seen[name])

        server.files[name].clear()  # a second time nothing is asked for
        assert data.load(name).fingerprint == loaded[name].fingerprint


@pytest.mark.usefixtures("served")
def test_a_download_that_arrives_damaged_is_not_kept(server: Server, data_dir: Path) -> None:
    def bring(name: str) -> str:
        server.go_on[name].set()
        files = server.files[name]
        damaged = list(files)[-1]
        files[damaged] = files[damaged][:-1] + b"?"
        with pytest.raises(BadInput) as caught:
            data.load(name)
        return str(caught.value)

    for name, message in side_by_side(bring).items():
        assert re.match(rf"{name} is missing and could not be downloaded \(.*\); put {name}\.zip [^\n]*$", message), (
            message
        )
    assert list(data_dir.iterdir()) == []


@pytest.mark.usefixtures("served")
def test_a_download_that_is_broken_off_leaves_nothing(data_dir: Path) -> None:
    def progress(share: float, text: str) -> None:
        if share > 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        data.load("cifar10", progress)
    assert list(data_dir.iterdir()) == []


KILLED = """
import os
from ssad_core import data
data.load("cifar10", lambda share, text: share > 0 and os.kill(os.getpid(), 9))
"""


@pytest.mark.usefixtures("served")
def test_a_download_ends_with_its_process_and_the_next_clears_it_away(data_dir: Path) -> None:
    def left() -> list[Path]:
        return list(data_dir.glob(".download-*/"))

    parent = python("-c", KILLED, env={"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ["PYTHONPATH"]])})
    (child,) = wait(lambda: psutil.Process(parent.pid).children())
    assert parent.wait(30) == -9
    wait(lambda: not alive(child.pid), seconds=2)
    (abandoned,) = left()

    def progress(share: float, text: str) -> None:
        if share > 0:
            (own,) = left()
            assert own != abandoned
            with beside(data_dir):
                assert own.exists()  # a living process has it
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        data.load("cifar10", progress)
    assert list(data_dir.iterdir()) == []


def test_without_a_network_it_is_said_what_to_put_where(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # where nothing answers
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    reports = []
    with pytest.raises(BadInput) as caught:
        data.load("cifar10", lambda done, text: reports.append(text))
    for part in (
        "cifar10 is missing",
        "refused",
        "cifar10.zip",
        "cifar-10-batches-py",
        f"into {data_dir}",
        "SSAD_DATA_DIR",
    ):
        assert part in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert set(reports) == {"Downloading CIFAR-10 (170 MB)"}
    assert list(data_dir.iterdir()) == []
