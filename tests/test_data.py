"""The data sets: what is read is what the sources hold, from each of them, once, and bad sources are said to be bad."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image
from sklearn.datasets import load_digits, load_sample_image

from ssad_core import data
from ssad_core.errors import BadInput
from ssad_core.paths import ROOT

CLASSES = {name: info.classes for name, info in data.DATASETS.items()}


def png(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG")
    return file.getvalue()


def write_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def write_folder(path: Path, files: dict[str, bytes]) -> Path:
    path.mkdir(exist_ok=True)
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


def few(archive_path: Path, per_class: int) -> dict[str, bytes]:
    """The first images of each class folder of a real zip."""
    taken: dict[str, list[str]] = {}
    with zipfile.ZipFile(archive_path) as archive:
        for name in archive.namelist():
            taken.setdefault(name.rsplit("/", 1)[0], []).append(name)
        return {name: archive.read(name) for names in taken.values() for name in names[:per_class]}


def same(a: data.Dataset, b: data.Dataset) -> bool:
    pairs = [(x, y) for split in ("train", "test") for x, y in zip(a.split(split), b.split(split), strict=True)]
    return a.fingerprint == b.fingerprint and all(np.array_equal(x, y) for x, y in pairs)


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty SSAD_DATA_DIR."""
    monkeypatch.setenv("SSAD_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


@pytest.fixture(scope="session")
def mnist_files(shared_data: Path) -> dict[str, bytes]:
    return few(shared_data / "mnist.zip", 6)


@pytest.fixture(scope="session")
def cifar10_files(shared_data: Path) -> dict[str, bytes]:
    return few(shared_data / "cifar10.zip", 3)


@pytest.fixture(scope="module")
def cifar10(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[data.Dataset]:
    """The whole of cifar10.zip, read once for this file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSAD_DATA_DIR", str(shared_data))
        patch.setenv("SSAD_CACHE_DIR", str(tmp_path_factory.mktemp("cifar10")))
        yield data.load("cifar10")


ELSEWHERE = """
import json, sys
from ssad_core import data
print("ready", flush=True)
sys.stdin.readline()
texts = []
loaded = [data.load(name, lambda done, text: texts.append(text)).fingerprint for name in sys.argv[1:]]
print(json.dumps([loaded, texts, "torch" in sys.modules]))
"""


class Elsewhere:
    """Calls of `load` in another process, which has imported everything and waits for `go`."""

    def __init__(self, *names: str, code: str = ELSEWHERE) -> None:
        command = [sys.executable, "-c", code, *names]
        self.child = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.child.stdout.readline() == "ready\n"

    def go(self) -> Elsewhere:
        self.child.stdin.write("\n")
        self.child.stdin.flush()
        return self

    def result(self) -> tuple[list[str], list[str], bool]:
        """The fingerprints, what was reported on the way, and whether torch was imported."""
        return tuple(json.loads(self.child.communicate()[0]))


def copies(cache: Path) -> list[str]:
    """What is kept of decoded images, finished or not, apart from locks."""
    return [path.name for path in (cache / "data").iterdir() if not path.name.endswith(".lock")]


# The table


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_is_named_in_any_case_or_numbered(name: str) -> None:
    info = data.dataset_info(name)
    assert len(info.classes) == (2 if name == "photos" else 10)
    for label, title in enumerate(info.classes):
        for value in (title, title.upper(), f" {title.lower()} ", label, str(label), np.int64(label)):
            assert data.class_index(name, value) == data.class_index(info, value) == label


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("cifar10", "automobil", "did you mean 'Automobile'"),
        ("fashion_mnist", "ankle-boot", "did you mean 'Ankle boot'"),
        ("cifar10", "10", "CIFAR-10 has the classes 0 to 9, not 10"),
        ("photos", 2, "Photos has the classes 0 to 1, not 2"),
        ("digits", -1, "Digits has the classes 0 to 9, not -1"),
        ("digits", "9" * 5000, "Digits has the classes 0 to 9"),
        ("digits", "³", "unknown class of Digits"),
        ("digits", "", "unknown class of Digits"),
        ("cifr10", "cat", "did you mean 'cifar10'"),
    ],
)
def test_what_is_not_a_class_gets_the_nearest_name_or_the_range(name: str, value: str | int, message: str) -> None:
    with pytest.raises(BadInput, match=message) as caught:
        data.class_index(name, value)
    assert len(str(caught.value).splitlines()) == 1
    assert len(str(caught.value)) < 300


# What is read is what is there


def test_the_whole_of_cifar10(cifar10: data.Dataset, shared_data: Path) -> None:
    assert data.counts(cifar10) == dict.fromkeys(CLASSES["cifar10"], (5000, 1000))
    with zipfile.ZipFile(shared_data / "cifar10.zip") as archive:
        for split in ("train", "test"):
            images, labels = cifar10.split(split)
            assert images.dtype == np.uint8
            assert images.shape[1:] == (3, 32, 32)
            assert labels.dtype == np.int64
            assert (np.diff(labels) >= 0).all()
            for label, number in ((0, 0), (1, 7), (9, 999)):
                file = archive.open(f"{split}/{CLASSES['cifar10'][label].lower()}/{number:04}.jpg")
                expected = np.asarray(Image.open(file)).transpose(2, 0, 1)
                assert np.array_equal(images[labels == label][number], expected)


def test_images_are_mapped_and_read_only(cifar10: data.Dataset) -> None:
    for split in ("train", "test"):
        for array in cifar10.split(split):
            assert isinstance(array.base, np.memmap)
            with pytest.raises(ValueError, match="read-only"):
                array[:1] = 0


def test_a_contact_sheet_shows_different_images_of_the_class(cifar10: data.Dataset) -> None:
    frogs = {image.tobytes() for image in cifar10.test_images[cifar10.test_labels == 6]}
    sheet = data.contact_sheet(cifar10, "frog", "test", n=30, seed=1)
    assert sheet.shape == (30, 3, 32, 32)
    assert len({image.tobytes() for image in sheet} & frogs) == 30
    assert np.array_equal(sheet, data.contact_sheet(cifar10, 6, "test", n=30, seed=1))
    assert not np.array_equal(sheet, data.contact_sheet(cifar10, 6, "test", n=30, seed=2))
    assert len(data.contact_sheet(cifar10, "frog", "test", n=5000)) == 1000


def test_svhn_of_the_shared_folder(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSAD_DATA_DIR", str(shared_data))
    counts = data.counts(data.load("svhn"))
    assert counts["1"] == (1363, 605)
    assert np.sum(list(counts.values()), axis=0).tolist() == [7000, 3000]


def test_mnist_is_resized_bilinearly_as_uint8(data_dir: Path, mnist_files: dict[str, bytes]) -> None:
    torch = pytest.importorskip("torch")
    from torchvision.transforms.v2 import functional

    write_zip(data_dir / "mnist.zip", mnist_files)
    loaded = data.load("mnist")
    names = [name for name in mnist_files if name.startswith("train/3/")]
    threes = loaded.train_images[loaded.train_labels == 3]
    assert threes.shape == (len(names), 1, 32, 32)
    for name, three in zip(sorted(names, key=lambda name: int(Path(name).stem)), threes, strict=True):
        original = Image.open(io.BytesIO(mnist_files[name]))
        assert original.size == (28, 28)
        assert np.array_equal(three[0], np.asarray(original.resize((32, 32), Image.Resampling.BILINEAR)))
        expected = functional.resize(torch.from_numpy(np.array(original))[None], [32, 32], antialias=True).numpy()
        assert np.abs(three.astype(int) - expected).max() <= 1  # the two round at different steps


def test_class_names_do_not_depend_on_the_source(data_dir: Path, shared_data: Path) -> None:
    files = few(shared_data / "fashion_mnist.zip", 2)
    write_zip(data_dir / "fashion_mnist.zip", files)
    loaded = data.load("fashion_mnist")
    assert loaded.info.classes[0] == "T-shirt/top"
    shirts = data.contact_sheet(loaded, "T-shirt/top", "train")
    expected = [
        np.asarray(Image.open(io.BytesIO(content)).resize((32, 32), Image.Resampling.BILINEAR))
        for name, content in files.items()
        if name.startswith("train/0/")
    ]
    assert {image.tobytes() for image in shirts} == {image.tobytes() for image in expected}


# The embedded sets


def test_digits_are_scikit_learns_each_once_split_in_proportion() -> None:
    loaded = data.load("digits")
    bunch = load_digits()
    originals = [
        (np.asarray(Image.fromarray(np.rint(image * 255 / 16).astype(np.uint8)).resize((32, 32), 2)).tobytes(), label)
        for image, label in zip(bunch.images, bunch.target.tolist(), strict=True)
    ]
    read = [(x.tobytes(), y) for split in ("train", "test") for x, y in zip(*loaded.split(split), strict=True)]
    assert sorted(read) == sorted(originals)
    assert loaded.train_images.shape == (1198, 1, 32, 32)
    assert loaded.train_images.max() == 255
    for train, test in data.counts(loaded).values():
        assert abs(test - (train + test) / 3) <= 1


@pytest.mark.parametrize(("label", "file"), [(0, "china.jpg"), (1, "flower.jpg")])
def test_photos_are_patches_from_either_side_of_the_divide(label: int, file: str) -> None:
    """Every patch is looked for in the whole photograph: its pixels are means of 3 x 3, three apart."""
    loaded = data.load("photos")
    blocks = sliding_window_view(load_sample_image(file).astype(np.uint32), (3, 3), axis=(0, 1)).sum(axis=(-2, -1))
    means = ((blocks + 4) // 9).astype(np.uint64)  # (425, 638, 3), the mean rounded: nine never halves evenly
    height, width = 427 - 96 + 1, 640 - 96 + 1

    # A patch is known by a random combination of its pixels, which is computed for every place at once.
    weights = np.random.default_rng(0).integers(1, 2**63, size=(8, 8, 3), dtype=np.uint64)
    places = np.zeros((height, width), np.uint64)
    for (row, column, channel), weight in np.ndenumerate(weights):
        y, x = 12 * row, 12 * column
        places += weight * means[y : y + height, x : x + width, channel]

    for split, columns, count in (("train", range(400 - 96 + 1), 2000), ("test", range(400, width), 400)):
        images, labels = loaded.split(split)
        patches = images[labels == label]
        assert patches.shape == (count, 3, 32, 32)
        keys = np.einsum("nchw,hwc->n", patches[:, :, ::4, ::4].astype(np.uint64), weights)
        allowed = places[:, columns.start : columns.stop]
        assert np.isin(keys, allowed).all()
        assert len(np.unique(keys)) == count
        assert np.isin(allowed, keys).sum() == count  # each place once, and spread over all of them
        _, found = np.nonzero(np.isin(allowed, keys))
        assert np.ptp(found) > 0.95 * (len(columns) - 1)


def test_photos_are_not_independent() -> None:
    assert [info.name for info in data.DATASETS.values() if not info.independent] == ["photos"]
    assert [info.name for info in data.DATASETS.values() if info.embedded] == ["digits", "photos"]


# One content, one fingerprint


def test_a_folder_and_a_zip_of_the_same_images_are_the_same(data_dir: Path, cifar10_files: dict[str, bytes]) -> None:
    write_zip(data_dir / "cifar10.zip", cifar10_files)
    zipped = data.load("cifar10")
    (data_dir / "cifar10.zip").unlink()
    litter = {"train/notes.txt": b"", "train/cat/.DS_Store": b"", "test/cat/._0000.jpg": b"", "readme.png": b""}
    write_folder(data_dir / "cifar10", dict(reversed(cifar10_files.items())) | litter)
    assert same(data.load("cifar10"), zipped)


def test_torchvisions_own_files_are_the_same_as_a_zip(data_dir: Path, mnist_files: dict[str, bytes]) -> None:
    """The zip's files are named by their place in the original, so MNIST's own format can be made of them."""
    write_zip(data_dir / "mnist.zip", mnist_files)
    zipped = data.load("mnist")
    (data_dir / "mnist.zip").unlink()
    for split, prefix in (("train", "train"), ("test", "t10k")):
        names = sorted((n for n in mnist_files if n.startswith(split)), key=lambda name: int(Path(name).stem))
        images = np.stack([np.asarray(Image.open(io.BytesIO(mnist_files[name]))) for name in names])
        labels = np.array([int(name.split("/")[1]) for name in names], np.uint8)
        for kind, array in (("images", images), ("labels", labels)):
            header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes()
            raw = {f"{prefix}-{kind}-idx{array.ndim}-ubyte": header + array.tobytes()}
            write_folder(data_dir, {f"MNIST/raw/{name}": content for name, content in raw.items()})
    assert same(data.load("mnist"), zipped)


def test_files_lie_in_the_order_of_their_numbers(data_dir: Path) -> None:
    grey = {f"{n}.png": png(np.full((32, 32), n, np.uint8)) for n in (10, 9, 100, 1)}
    files = {f"{s}/{c}/{name}": content for name, content in grey.items() for s in ("train", "test") for c in range(10)}
    write_zip(data_dir / "mnist.zip", files)
    loaded = data.load("mnist")
    assert loaded.train_images[loaded.train_labels == 4][:, 0, 0, 0].tolist() == [1, 9, 10, 100]


def test_the_fingerprint_is_of_the_content(
    data_dir: Path, cifar10_files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = write_zip(data_dir / "cifar10.zip", cifar10_files)
    original = data.load("cifar10")
    monkeypatch.setenv("SSAD_CACHE_DIR", str(tmp_path / "another"))
    assert data.load("cifar10") is not original
    assert same(data.load("cifar10"), original)

    name = next(name for name in cifar10_files if name.startswith("test/dog/"))
    with Image.open(io.BytesIO(cifar10_files[name])) as image:
        pixels = np.array(image)
    lossless = {k: v for k, v in cifar10_files.items() if k != name} | {name.replace("jpg", "png"): png(pixels)}
    write_zip(path, lossless)
    assert same(data.load("cifar10"), original)  # the same pixels in another file

    pixels[5, 5, 0] ^= 1
    write_zip(path, lossless | {name.replace("jpg", "png"): png(pixels)})
    assert data.load("cifar10").fingerprint != original.fingerprint

    swapped = {
        k.replace("/cat/", "/x/").replace("/dog/", "/cat/").replace("/x/", "/dog/"): v for k, v in lossless.items()
    }
    write_zip(path, swapped)
    assert data.load("cifar10").fingerprint != original.fingerprint


# Decoded once


def test_another_process_does_not_read_the_images_again_and_needs_no_torch(
    data_dir: Path, cifar10_files: dict[str, bytes]
) -> None:
    write_zip(data_dir / "cifar10.zip", cifar10_files)
    names = ("cifar10", "digits", "photos")
    first, texts, torch_first = Elsewhere(*names).go().result()
    again, none, torch_again = Elsewhere(*names).go().result()
    assert first == again == [data.load(name).fingerprint for name in names]
    assert texts
    assert none == []
    assert not torch_first
    assert not torch_again
    assert all(data.load(name) is data.load(name) for name in names)


def test_of_two_processes_at_once_one_reads(data_dir: Path, shared_data: Path, own_cache: Path) -> None:
    write_zip(data_dir / "cifar10.zip", few(shared_data / "cifar10.zip", 100))
    both = [Elsewhere("cifar10"), Elsewhere("cifar10")]
    for process in both:
        process.go()
    results = [process.result() for process in both]
    assert results[0][0] == results[1][0]
    assert sorted(bool(texts) for _, texts, _ in results) == [False, True]
    assert [name[:8] for name in copies(own_cache)] == ["cifar10-"]


def test_a_process_killed_while_it_reads_leaves_no_copy(
    data_dir: Path, own_cache: Path, cifar10_files: dict[str, bytes]
) -> None:
    write_zip(data_dir / "cifar10.zip", cifar10_files)
    code = ELSEWHERE.replace("texts.append(text)", "os.kill(os.getpid(), 9)").replace("import json", "import os, json")
    killed = Elsewhere("cifar10", code=code).go()
    killed.child.communicate()
    assert killed.child.returncode == -9
    assert [name[:9] for name in copies(own_cache)] == [".cifar10-"]  # unfinished
    loaded = data.load("cifar10")
    assert data.counts(loaded) == dict.fromkeys(CLASSES["cifar10"], (3, 3))
    assert [name[:8] for name in copies(own_cache)] == ["cifar10-"]


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


@pytest.mark.parametrize(
    ("file", "harm"),
    [
        ("train_images.npy", cut),
        ("test_labels.npy", Path.unlink),
        ("test_images.npy", lambda path: path.write_bytes(b"")),
        ("fingerprint.json", cut),
        ("fingerprint.json", lambda path: path.write_text("[]")),
    ],
)
def test_a_damaged_copy_is_read_again(
    data_dir: Path, own_cache: Path, cifar10_files: dict[str, bytes], file: str, harm: Callable[[Path], object]
) -> None:
    write_zip(data_dir / "cifar10.zip", cifar10_files)
    (original,), _, _ = Elsewhere("cifar10").go().result()
    (copy,) = (own_cache / "data").glob("cifar10-*")
    harm(copy / file)
    texts = []
    assert data.load("cifar10", lambda done, text: texts.append(text)).fingerprint == original
    assert texts
    assert sorted(path.name for path in copy.iterdir()) == [
        "fingerprint.json",
        *sorted(f"{split}_{what}.npy" for split in ("train", "test") for what in ("images", "labels")),
    ]


def test_progress_runs_from_0_towards_1(data_dir: Path, shared_data: Path) -> None:
    write_zip(data_dir / "cifar10.zip", few(shared_data / "cifar10.zip", 60))
    reports = []
    data.load("cifar10", lambda done, text: reports.append((done, text)))
    assert [done for done, _ in reports] == [0, 500 / 1200, 1000 / 1200]
    assert reports[1][1] == "reading CIFAR-10: 500 of 1,200 images"


def test_a_cache_that_cannot_be_written_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("SSAD_CACHE_DIR", str(tmp_path / "file" / "cache"))
    with pytest.raises(BadInput, match=f"cannot write to {tmp_path}/file/cache .*; set SSAD_CACHE_DIR"):
        data.load("digits")


# Bad sources


def without(part: str) -> Callable[[dict[str, bytes]], dict[str, bytes]]:
    return lambda files: {name: content for name, content in files.items() if part not in name}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without("test/"), r"has no images test/<class>/\*\.png"),
        (without("train/"), r"has no images train/<class>/\*\.png"),
        (without("train/cat/"), "has no images in train/ of the classes Cat"),
        (lambda files: {f"cifar10/{k}": v for k, v in files.items()}, "has no images train/<class>"),
        (lambda files: files | {"test/plane/0.jpg": b""}, "folder test/plane: .*did you mean 'Airplane'"),
        (lambda files: files | {"train/10/0.jpg": b""}, "folder train/10: CIFAR-10 has the classes 0 to 9"),
        (lambda files: files | {"test/cat/new.png": b"no image"}, "test/cat/new.png cannot be read as a PNG or JPEG"),
        (lambda files: files | {"test/cat/new.png": b""}, "test/cat/new.png cannot be read"),
        (
            lambda files: {name: content[:-200] if "train/dog" in name else content for name, content in files.items()},
            r"train/dog/\d+.jpg cannot be read as a PNG or JPEG image \(.*truncated",
        ),
        (lambda files: {}, "has no images train/<class>"),
    ],
)
@pytest.mark.parametrize("kind", ["zip", "folder"])
def test_a_bad_source_is_one_line_that_names_it(
    data_dir: Path, own_cache: Path, cifar10_files: dict[str, bytes], kind: str, change: Callable, message: str
) -> None:
    write, name = {"zip": (write_zip, "cifar10.zip"), "folder": (write_folder, "cifar10")}[kind]
    path = write(data_dir / name, change(cifar10_files))
    with pytest.raises(BadInput, match=message) as caught:
        data.load("cifar10")
    assert str(path) in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert copies(own_cache) == []


@pytest.mark.parametrize("harm", ["cut", "middle", "text", "empty"])
def test_a_damaged_zip_is_named(data_dir: Path, cifar10_files: dict[str, bytes], harm: str) -> None:
    path = write_zip(data_dir / "cifar10.zip", cifar10_files)
    content = path.read_bytes()
    start = content.index(b"\xff\xd8")  # of the first image
    path.write_bytes(
        {
            "cut": content[: len(content) // 2],
            "middle": content[: start + 300] + bytes(100) + content[start + 400 :],
            "text": b"not a zip",
            "empty": b"",
        }[harm]
    )
    with pytest.raises(BadInput, match=r"cifar10\.zip") as caught:
        data.load("cifar10")
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("cifar10", "cifar-10-batches-py/data_batch_1"),
        ("svhn", "train_32x32.mat"),
        ("svhn", "test_32x32.mat"),
        ("mnist", "MNIST/raw/train-images-idx3-ubyte"),
    ],
)
def test_damaged_files_of_torchvision_are_named_and_not_replaced(data_dir: Path, name: str, file: str) -> None:
    entries = {"svhn": ("train_32x32.mat", "test_32x32.mat")}.get(name, (file,))
    write_folder(data_dir, dict.fromkeys(entries, b"cut short"))
    with pytest.raises(BadInput, match=r"torchvision cannot read .*delete it to have it downloaded again") as caught:
        data.load(name)
    assert str(data_dir / file.split("/")[0]) in str(caught.value)
    assert (data_dir / file).read_bytes() == b"cut short"


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
    assert set(reports) == {"downloading CIFAR-10 (170 MB)"}
    assert list(data_dir.iterdir()) == []


def test_a_folder_that_is_a_file_is_named(data_dir: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("SSAD_DATA_DIR", str(tmp_path / "file"))
    with pytest.raises(BadInput, match=f"into {tmp_path}/file, or set SSAD_DATA_DIR"):
        data.load("mnist")
