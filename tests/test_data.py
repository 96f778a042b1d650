"""The data sets: what is read is what the sources hold, from each of them, once, and bad sources are said to be bad."""

from __future__ import annotations

import io
import json
import os
import shlex
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

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


@pytest.fixture(scope="session")
def mnist_files(shared_data: Path) -> dict[str, bytes]:
    return few(shared_data / "mnist.zip", 6)


@pytest.fixture(scope="session")
def cifar10_files(shared_data: Path) -> dict[str, bytes]:
    return few(shared_data / "cifar10.zip", 3)


@pytest.fixture(scope="module")
def cifar10(shared_data: Path, cifar10_cache: Path) -> Iterator[data.Dataset]:
    """The whole of cifar10.zip."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSAD_DATA_DIR", str(shared_data))
        patch.setenv("SSAD_CACHE_DIR", str(cifar10_cache))
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


def test_images_that_change_while_a_process_runs_are_noticed(
    data_dir: Path, cifar10_files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named, own_place = write_folder(data_dir / "cifar10", cifar10_files), write_folder(tmp_path / "pets", GIVEN)
    for name, folder, file in (
        ("cifar10", named / "train" / "cat", "new.png"),
        (f"folder:{own_place}", own_place / "train" / "dog", "9.png"),
    ):
        first = data.load(name)
        with monkeypatch.context() as patch:  # a page asks again and again, of thousands of images
            patch.setattr("os.walk", None)
            patch.setattr("pathlib.Path.glob", None)
            assert data.load(name) is first
        (folder / file).write_bytes(png(picture(78)))
        more = data.load(name)
        assert len(more.train_images) == len(first.train_images) + 1
        (folder / file).write_bytes(png(picture(79)))
        data.look_again()
        assert data.load(name).fingerprint not in (first.fingerprint, more.fingerprint)
        (folder / file).unlink()
        assert same(data.load(name), first)


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
    assert reports[1][1] == "Reading CIFAR-10: 500 of 1,200 images"


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


def test_a_folder_that_is_a_file_is_named(data_dir: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("SSAD_DATA_DIR", str(tmp_path / "file"))
    with pytest.raises(BadInput, match=f"into {tmp_path}/file, or set SSAD_DATA_DIR"):
        data.load("mnist")


# Own images


def picture(seed: int, height: int = 40, width: int = 40, channels: int = 3) -> np.ndarray:
    """uint8 (height, width, 3) or (height, width): like no other seed's."""
    shape = (height, width) if channels == 1 else (height, width, channels)
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def own_files(*folders: str, count: int = 3, **options: int) -> dict[str, bytes]:
    """PNG files, count of them in each folder."""
    return {
        f"{folder}/{i}.png": png(picture(1000 * k + i, **options))
        for k, folder in enumerate(folders)
        for i in range(count)
    }


GIVEN = own_files("train/cat", "train/dog", "test/cat", "test/dog")
UNSPLIT = own_files("cat", "dog", count=7)
MVTEC = own_files("train/good", "test/good", "test/10 cuts", "test/2 holes", "ground_truth/2 holes")
LAYOUTS = {"given": GIVEN, "unsplit": UNSPLIT, "mvtec": MVTEC}


def own(path: Path) -> data.Dataset:
    return data.load(f"folder:{path}")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_own_images_are_the_same_wherever_and_however_they_lie(
    layout: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = LAYOUTS[layout]
    deep = {f"some/folder/{name}": content for name, content in files.items()}
    litter = {"__MACOSX/train/._0.png": b"", ".git/a/0.png": b"", "read me.txt": b"", "logo.png": b""}
    first = own(write_folder(tmp_path / "here", dict(reversed(files.items()))))
    others = [
        own(write_zip(tmp_path / "zipped.zip", files)),
        own(write_zip(tmp_path / "deep.zip", deep | litter)),
        own(write_folder(tmp_path / "ünï cödé", deep | litter)),
        own(tmp_path / "deep.zip" / "some"),
        own(tmp_path / "deep.zip" / "some" / "folder"),
        data.load(first.info.name),
    ]
    monkeypatch.setenv("SSAD_CACHE_DIR", str(tmp_path / "another"))
    others.append(own(tmp_path / "zipped.zip"))
    for other in others:
        assert same(first, other)
        assert (first.info.classes, first.info.name) == (other.info.classes, f"folder:{first.fingerprint}")
    assert [other.info.title for other in others[:5]] == ["zipped", "deep", "ünï cödé", "some", "folder"]


def test_own_images_keep_a_given_split(tmp_path: Path) -> None:
    loaded = own(write_zip(tmp_path / "pets.zip", GIVEN))
    assert data.counts(loaded) == {"cat": (3, 3), "dog": (3, 3)}
    assert loaded.info.normal_classes == ("cat", "dog")
    assert loaded.info.note == (
        "Own images, resized to 32 x 32. With as few as 3 test images of a class, an AUC says little."
    )
    image = Image.open(io.BytesIO(GIVEN["test/dog/1.png"])).resize((32, 32), Image.Resampling.BILINEAR)
    dogs = loaded.test_images[loaded.test_labels == 1]
    assert np.array_equal(dogs[1], np.asarray(image).transpose(2, 0, 1))
    for array in (*loaded.split("train"), *loaded.split("test")):
        assert isinstance(array.base, np.memmap)


def test_own_images_at_64_pixels_are_other_images(tmp_path: Path) -> None:
    place = write_zip(tmp_path / "pets.zip", GIVEN)
    small, large = own(place), data.load(f"folder:{place}@64")
    assert large.info.size == 64 != small.info.size == 32
    assert large.test_images.shape == (6, 3, 64, 64)
    assert large.fingerprint != small.fingerprint
    assert "resized to 64 x 64" in large.info.note
    for pets, title in ((small, "pets"), (large, "pets, 64 x 64")):  # runs of both lie in one list
        assert pets.info.title == data.class_title(pets.info.name, 0)[0] == title
    image = Image.open(io.BytesIO(GIVEN["test/dog/1.png"])).resize((64, 64), Image.Resampling.BILINEAR)
    assert np.array_equal(large.test_images[large.test_labels == 1][1], np.asarray(image).transpose(2, 0, 1))
    assert same(data.load(f"folder:{large.fingerprint}"), large)  # known by what they are, whatever their size
    assert same(data.load(f"folder:{place}@32"), small)
    assert data.path_and_size(data.own_name("a@b", 64)) == ("a@b", 64)
    assert data.path_and_size("folder:me@home/x.zip") == ("me@home/x.zip", 32)
    with pytest.raises(BadInput, match="own images can have 32 or 64 pixels a side, not 48"):
        data.load(f"folder:{place}@48")


def test_own_images_without_a_split_are_split_by_their_content(tmp_path: Path) -> None:
    loaded = own(write_folder(tmp_path / "pets", UNSPLIT))
    assert data.counts(loaded) == {"cat": (5, 2), "dog": (5, 2)}
    assert "split 2 : 1" in loaded.info.note
    renamed = {name.replace("/", f"/{9 - int(name[4])}"): content for name, content in UNSPLIT.items()}
    again = own(write_folder(tmp_path / "renamed", renamed))
    for split in ("train", "test"):
        assert {x.tobytes() for x in loaded.split(split)[0]} == {x.tobytes() for x in again.split(split)[0]}
    other = own(write_folder(tmp_path / "other", own_files("x", "y", "cat", "dog", count=7) | UNSPLIT))
    assert data.counts(other)["x"] == (5, 2)


def test_the_split_of_distinct_images_is_as_it_ever_was(tmp_path: Path) -> None:
    assert own(write_folder(tmp_path / "pets", UNSPLIT)).fingerprint == "aca8bcbe0bf376a1"


def test_equal_images_are_on_one_side_of_the_split(tmp_path: Path) -> None:
    def split(*seeds: int) -> tuple[list[int], list[int]]:
        # Another compression of the same image is another file.
        files = {
            f"cat/{i}.png": encoded(Image.fromarray(picture(seed)), compress_level=i % 9 + 1)
            for i, seed in enumerate(seeds)
        }
        loaded = own(write_zip(tmp_path / "pets.zip", UNSPLIT | files))
        assert "pixel by pixel" not in loaded.info.note
        pictures = {}
        for seed in seeds:
            pictures[
                np.asarray(Image.fromarray(picture(seed)).resize((32, 32), Image.Resampling.BILINEAR)).tobytes()
            ] = seed
        sides = []
        for side in ("train", "test"):
            images, labels = loaded.split(side)
            drawn = (image.transpose(1, 2, 0).tobytes() for image in images[labels == 0])
            sides.append(sorted(pictures[image] for image in drawn if image in pictures))
        return sides[0], sides[1]

    for seeds in ([91, 91, 92, 92, 93, 93, 94, 95, 96], [91] * 4 + [92, 93, 94, 95, 96]):
        train, test = split(*seeds)
        assert sorted(train + test) == seeds
        assert not set(train) & set(test)
        assert len(test) == 3
    # What is more than a third is trained on, as long as there is anything else.
    assert split(*[91] * 8, 92) == ([91] * 8, [92])
    assert split(*[91] * 5, *[92] * 4) == ([91] * 5, [92] * 4)
    assert split(*[91] * 9) == ([], [91] * 9)


def test_test_images_that_are_trained_on_are_counted(tmp_path: Path) -> None:
    some = GIVEN | {
        "test/dog/9.png": encoded(Image.fromarray(picture(0)), compress_level=1)
    }  # train/cat/0.png's picture
    assert (
        "Of 7 test images 1 is a training image too, pixel by pixel"
        in own(write_zip(tmp_path / "a.zip", some)).info.note
    )
    images = {
        name.replace("train", split): GIVEN[name] for name in GIVEN if "train" in name for split in ("train", "test")
    }
    assert "Of 6 test images 6 are training images too, pixel" in own(write_zip(tmp_path / "b.zip", images)).info.note


@pytest.mark.parametrize("name", ["good", "Normal", "OK"])
def test_the_normal_class_is_the_one_that_is_called_so_unless_another_is_asked_for(tmp_path: Path, name: str) -> None:
    info = own(write_folder(tmp_path / "parts", own_files("Broken", name, count=7))).info
    assert data.normal_class(info) == name != info.classes[0]
    assert data.normal_class(info, "Broken") == "Broken"
    assert data.normal_class(own(write_folder(tmp_path / "pets", UNSPLIT)).info) == "cat"


def test_classes_without_training_images_are_anomalies_only(tmp_path: Path) -> None:
    loaded = own(write_folder(tmp_path / "mvtec", MVTEC | own_files("train/rare", count=1) | own_files("test/rare")))
    assert loaded.info.classes == ("good", "rare", "2 holes", "10 cuts")
    assert data.counts(loaded) == {"good": (3, 3), "rare": (1, 3), "2 holes": (0, 3), "10 cuts": (0, 3)}
    assert loaded.info.test_only == ("rare", "2 holes", "10 cuts")
    assert "With fewer than two training images, and so anomalies only: rare, 2 holes, 10 cuts." in loaded.info.note
    assert data.normal_class(loaded.info) == data.normal_class(loaded.info, "GOOD") == "good"
    for cls in ("rare", "2 holes", 3):
        with pytest.raises(BadInput, match=r"fewer than two training images.* mvtec can be trained on good"):
            data.normal_class(loaded.info, cls)


def test_the_real_mvtec(shared_data: Path) -> None:
    path = shared_data / "mvtec_reduced.zip"
    with pytest.raises(
        BadInput, match=r"several data sets: hazelnut_reduced, transistor_reduced; .*zip/hazelnut_reduced$"
    ):
        own(path)
    loaded = own(path / "transistor_reduced")
    assert loaded.info.classes == ("good", "bent_lead", "cut_lead", "damaged_case", "misplaced")
    assert loaded.info.channels == 3
    assert data.counts(loaded) == {"good": (50, 2)} | dict.fromkeys(loaded.info.classes[1:], (0, 2))
    with zipfile.ZipFile(path) as archive:
        names = sorted(
            name for name in archive.namelist() if "transistor_reduced/test/misplaced/" in name and "." in name
        )
        images = [
            Image.open(archive.open(name)).convert("RGB").resize((32, 32), Image.Resampling.BILINEAR) for name in names
        ]
    assert np.array_equal(loaded.test_images[-2:], np.stack([np.asarray(i).transpose(2, 0, 1) for i in images]))


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


GREY = picture(1, channels=1) // 2 + 20
GREY_RGB = np.repeat(GREY[..., None], 3, axis=2)
GREY_FILES = own_files("train/a", "train/b", "test/b", channels=1)
ROTATED = Image.Exif()
ROTATED[0x0112] = 6  # to be turned by a quarter to the right
ENCODINGS = {
    "grey": encoded(Image.fromarray(GREY)),
    "grey as RGB": encoded(Image.fromarray(GREY_RGB)),
    "16 bits": encoded(Image.fromarray(GREY.astype(np.uint16) * 257)),
    "palette": encoded(Image.fromarray(GREY_RGB).convert("P", palette=Image.Palette.ADAPTIVE, colors=256)),
    "opaque": encoded(Image.fromarray(GREY_RGB).convert("RGBA")),
    "grey and alpha": encoded(Image.fromarray(GREY).convert("LA")),
    "BMP": encoded(Image.fromarray(GREY), "BMP"),
    "TIFF": encoded(Image.fromarray(GREY), "TIFF", compression="tiff_lzw"),
    "WebP": encoded(Image.fromarray(GREY_RGB), "WEBP", lossless=True),
    "16 bits in a TIFF": encoded(Image.fromarray(GREY.astype(np.uint16) * 257), "TIFF"),
    "a JPEG's other ending": encoded(Image.fromarray(GREY)),
    "the first page": encoded(
        Image.fromarray(GREY), "TIFF", save_all=True, append_images=[Image.fromarray(255 - GREY)]
    ),
    "the first frame": encoded(
        Image.fromarray(GREY_RGB), "WEBP", lossless=True, save_all=True, append_images=[Image.fromarray(255 - GREY_RGB)]
    ),
    "wide": encoded(Image.fromarray(np.pad(GREY, ((0, 0), (9, 9))))),
    "tall": encoded(Image.fromarray(np.pad(GREY, ((30, 30), (0, 0))))),
    "turned": encoded(Image.fromarray(np.rot90(GREY)), exif=ROTATED),
    "turned in a TIFF": encoded(Image.fromarray(np.rot90(np.pad(GREY, ((0, 0), (9, 9))))), "TIFF", exif=ROTATED),
}
SUFFIX = {
    "BMP": "bmp",
    "TIFF": "tif",
    "WebP": "webp",
    "a JPEG's other ending": "jfif",
    "the first page": "TIFF",
    "the first frame": "webp",
}


@pytest.mark.parametrize("kind", ENCODINGS)
def test_one_picture_in_any_form_is_one_picture(kind: str, tmp_path: Path) -> None:
    name = f"test/a/0.{SUFFIX.get(kind, 'PNG')}"
    loaded = own(write_zip(tmp_path / "a.zip", GREY_FILES | {name: ENCODINGS[kind]}))
    assert loaded.info.channels == 1
    expected = np.asarray(Image.fromarray(GREY).resize((32, 32), Image.Resampling.BILINEAR))
    assert np.array_equal(loaded.test_images[0, 0], expected)
    assert ("central square" in loaded.info.note) == (kind in ("wide", "tall", "turned in a TIFF"))


def test_pixels_that_cannot_be_brought_to_8_bits_are_said(tmp_path: Path) -> None:
    for values, why in (
        (GREY.astype(np.float32) / 255, "its pixels are fractions, and 8 or 16 bits are read"),
        (GREY.astype(np.int32) * 1000, "its pixels have more than 16 bits"),
    ):
        deep = encoded(Image.fromarray(values), "TIFF")
        with pytest.raises(BadInput, match=rf"test/a/0\.tif cannot be read as .* \({why}\)"):
            own(write_zip(tmp_path / "a.zip", GREY_FILES | {"test/a/0.tif": deep}))


def test_sixteen_bits_that_are_hardly_used_are_said(tmp_path: Path) -> None:
    def note(*largest: int, kind: str = "PNG") -> str:
        dark = {
            f"test/cat/1{i}.tif": encoded(Image.fromarray(np.array([[0, value]] * 2, np.uint16)), kind)
            for i, value in enumerate(largest)
        }
        return own(write_zip(tmp_path / "a.zip", GIVEN | dark)).info.note

    said = "Images of 16 bits have values up to 4,095 of 65,535 only, so they are dark here"
    assert said in note(1000, 4095)
    assert said in note(4095, kind="TIFF")
    for brighter in ((4095, 8192), (), (0,)):
        assert "16 bits" not in note(*brighter)


def test_what_is_no_image_in_a_class_folder_is_counted_but_for_litter(tmp_path: Path) -> None:
    def note(files: dict[str, bytes]) -> str:
        notes = {
            own(write_zip(tmp_path / "a.zip", files)).info.note,
            own(write_folder(tmp_path / "a", files)).info.note,
        }
        shutil.rmtree(tmp_path / "a")
        assert len(notes) == 1
        return notes.pop().partition("an AUC says little.")[2].strip()

    files = own_files("train/a", "train/b", "test/a", "test/b")
    photo = files["train/a/0.png"]
    litter = {
        f"train/a/{name}": b"" for name in ("notes.TXT", "a.json", "b.csv", ".DS_Store", "Thumbs.db", "desktop.ini")
    }
    masks = {"ground_truth/b/0.gif": b"", "LICENSE": b"", "train/notes.psd": b""}
    assert note(files | litter | masks) == ""
    gifs = {f"test/{cls}/{i}.gif": b"" for cls in ("b", "cherry") for i in range(600)}
    assert note(files | litter | gifs | {"train/a/x.PSD": b"", "train/b/raw": b""}) == (
        "1,202 files were passed over as they are no images that are read (.gif 1,200, without an ending 1, .psd 1); "
        "without any image: cherry."
    )
    assert note(files | {"train/a/x.psd": b"", "val/a/0.png": photo}) == (
        "Images in other places were passed over: 1. 1 file was passed over as it is no image that is read (.psd 1)."
    )
    # What has images further down is not without any.
    assert note(own_files("a", "b", count=7) | {"cherry/notes.txt": b"", "c/raw/0.png": photo}).endswith(
        "passed over: 1. Without any image: cherry."
    )
    place = write_folder(tmp_path / "a", own_files("a", "b", count=7))
    (place / "cherry").mkdir()
    assert "Without any image: cherry." in own(place).info.note


def test_one_colour_image_makes_all_colour_and_what_is_transparent_is_white(tmp_path: Path) -> None:
    clear = encoded(Image.new("RGBA", (50, 50), (0, 0, 0, 0)))
    red = encoded(Image.new("RGB", (32, 32), (255, 0, 0)))
    loaded = own(
        write_zip(tmp_path / "a.zip", GREY_FILES | {"test/a/0.png": clear, "test/a/1.png": red, "x/2.png": red})
    )
    assert loaded.info.channels == 3
    assert (loaded.test_images[0] == 255).all()
    assert loaded.test_images[1, :, 5, 5].tolist() == [255, 0, 0]
    assert (loaded.train_images[:, :1] == loaded.train_images).all()
    assert "passed over: 1" in loaded.info.note


def test_a_class_may_be_called_as_mvtecs_masks(tmp_path: Path) -> None:
    loaded = own(write_folder(tmp_path / "a", own_files("ground_truth", "prediction", count=9)))
    assert loaded.info.classes == ("ground_truth", "prediction")
    assert "passed over" not in loaded.info.note
    assert "passed over" not in own(write_folder(tmp_path / "mvtec", MVTEC)).info.note


def test_few_test_images_are_counted_in_words_that_fit(tmp_path: Path) -> None:
    loaded = own(write_folder(tmp_path / "a", own_files("cat", "dog")))
    assert "as few as 1 test image of a class" in loaded.info.note


def test_a_path_may_end_as_a_size_does(tmp_path: Path) -> None:
    odd, large = (write_folder(tmp_path / name, GIVEN) for name in ("a@12", "a@64"))
    for place in (odd, large):
        assert own(place).info.title == place.name
        for size in (32, 64):
            assert data.path_and_size(data.own_name(str(place), size)) == (str(place), size)
            assert data.load(data.own_name(str(place), size)).info.size == size
    write_folder(tmp_path / "a", MVTEC)
    assert own(large).info.title == "a, 64 x 64"
    assert data.load(data.own_name(str(large))).info.title == "a@64"


def test_names_are_content_and_have_one_form(tmp_path: Path) -> None:
    composed, apart = "café", "cafe\u0301"
    first = own(write_folder(tmp_path / "a", own_files(composed, "Bar", "bar")))
    assert first.info.classes == ("Bar", "bar", "café")
    assert [data.class_index(first.info, name) for name in first.info.classes] == [0, 1, 2]
    assert own(write_folder(tmp_path / "b", own_files(apart, "Bar", "bar"))).fingerprint == first.fingerprint
    assert own(write_folder(tmp_path / "c", own_files("coffee", "Bar", "bar"))).fingerprint != first.fingerprint
    path = write_zip(tmp_path / "d.zip", own_files("Bar", "bar", "caf__"))
    path.write_bytes(path.read_bytes().replace(b"caf__", composed.encode()))  # UTF-8 that does not say so
    assert own(path).info.classes == first.info.classes
    emoji, persian = "\U0001f469\u200d\U0001f52c lab", "می\u200cخواهم"
    joined = own(write_folder(tmp_path / "f", own_files(emoji, persian, "\u200d\u200d other")))
    assert set(joined.info.classes) == {emoji, persian, "other"}
    odd = own(write_folder(tmp_path / "e", own_files("two\nlines \u202e", "100% (c=0.4), really")))
    assert odd.info.classes == ("100% (c=0.4), really", "two lines")


def test_folders_that_become_one_class_are_named(tmp_path: Path) -> None:
    names = "a b", "a  b", "gr\u00fcn", "gru\u0308n", "c"
    loaded = own(write_folder(tmp_path / "a", own_files(*names, count=7)))
    assert data.counts(loaded) == {"a b": (10, 4), "c": (5, 2), "gr\u00fcn": (10, 4)}
    assert "Folders whose names differ only in blanks or in how accents are written are one class: a b, gr\u00fcn." in (
        loaded.info.note
    )
    # One in train/ and one in test/ are the folders of a class.
    split = own(write_folder(tmp_path / "b", own_files("train/gr\u00fcn", "test/gru\u0308n", "train/c", "test/c")))
    assert split.info.classes == ("c", "gr\u00fcn")
    assert "are one class" not in split.info.note


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    for names in (("bus", "car", "Train"), ("bus", "test")):
        loaded = own(write_folder(tmp_path / names[-1], own_files(*names, count=7)))
        assert set(loaded.info.classes) == set(names)
        assert "split 2 : 1" in loaded.info.note


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("written", ["./{}", "/{}", "set//./{}", "set\\{}", ".\\set\\{}"])
def test_a_zip_may_write_its_paths_in_other_ways(layout: str, written: str, tmp_path: Path) -> None:
    files = LAYOUTS[layout]
    odd = {written.format(name): content for name, content in ({"test/none/": b""} | files).items()}
    slash = "\\" if "\\" in written else "/"
    odd = {name.replace("/", slash): content for name, content in odd.items()}
    path, plain = write_zip(tmp_path / "odd.zip", odd), own(write_zip(tmp_path / "plain.zip", files))
    assert same(own(path), plain)
    assert own(path).info.classes == plain.info.classes


@pytest.mark.parametrize("up", ["../../evil/{}", "..\\..\\evil\\{}", "./../{}", "a/../../{}", "/../{}"])
def test_what_lies_outside_a_zip_is_not_read(up: str, tmp_path: Path) -> None:
    slash = "\\" if "\\" in up else "/"
    files = {up.format(name).replace("/", slash): content for name, content in GIVEN.items()}
    with pytest.raises(BadInput, match="has no images"):
        own(write_zip(tmp_path / "evil.zip", files))
    inside = {name.replace("/", slash): content for name, content in UNSPLIT.items()}
    assert same(own(write_zip(tmp_path / "both.zip", files | inside)), own(write_zip(tmp_path / "a.zip", UNSPLIT)))


def test_a_backslash_in_a_name_is_one_where_paths_have_slashes(tmp_path: Path) -> None:
    loaded = own(write_zip(tmp_path / "a.zip", own_files("a\\b", "c", count=7)))
    assert loaded.info.classes == ("a\\b", "c")


def test_a_zip_with_a_password_is_said_to_have_one(tmp_path: Path) -> None:
    content = bytearray(write_zip(tmp_path / "a.zip", GIVEN).read_bytes())
    for signature, place in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        at = content.find(signature)
        while at >= 0:
            content[at + place] |= 1
            at = content.find(signature, at + 1)
    kept = data.keep_upload("secret.zip", io.BytesIO(content))
    with pytest.raises(BadInput, match=r"^secret\.zip is protected by a password; zip it without one$"):
        own(kept)
    assert not kept.exists()


def test_changed_own_images_are_other_images(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", GIVEN)
    first = own(path)
    write_zip(path, GIVEN | {"test/cat/0.png": png(picture(77))})
    assert own(path).fingerprint != first.fingerprint
    path.unlink()
    with pytest.raises(BadInput, match=f"there is no folder or zip {path}"):
        own(path)
    assert same(data.load(first.info.name), first)


def test_what_is_said_of_a_place_is_of_this_place_and_as_it_is_now(tmp_path: Path, own_cache: Path) -> None:
    stray = {"val/cat/0.png": GIVEN["test/cat/0.png"], "train/cat/0.gif": b""}
    plain = own(write_folder(tmp_path / "plain", GIVEN))
    place = write_folder(tmp_path / "pets", GIVEN | stray)
    first = own(place)
    assert first.fingerprint == plain.fingerprint
    assert first.info.note == (
        f"{plain.info.note} Images in other places were passed over: 1. "
        "1 file was passed over as it is no image that is read (.gif 1)."
    )
    assert own(write_zip(tmp_path / "pets.zip", GIVEN | stray)).info.note == first.info.note
    assert data.load(first.info.name).info.note == plain.info.note
    data.look_again()
    assert own(place).info.note == first.info.note
    for name in stray:
        (place / name).unlink()
    assert own(place).info.note == plain.info.note
    # In the other order, and what is found by its content has nothing of where it was read first.
    shutil.rmtree(own_cache)
    noted = own(write_folder(tmp_path / "others", GIVEN | stray))
    assert (noted.info.note, own(place).info.note) == (first.info.note, plain.info.note)
    assert data.load(noted.info.name).info.note == plain.info.note


def test_what_an_earlier_version_kept_of_a_place_is_of_use(tmp_path: Path, own_cache: Path) -> None:
    place = write_zip(tmp_path / "pets.zip", GIVEN)
    first = own(place)
    (pointer,) = own_cache.glob("data/source-*.json")
    pointer.write_text(json.dumps(first.fingerprint))
    data.look_again()
    again = own(place)
    assert same(again, first)
    assert again.info == first.info
    assert json.loads(pointer.read_text()) == {"fingerprint": first.fingerprint, "note": first.info.note}


def test_own_images_are_decoded_once(tmp_path: Path, own_cache: Path) -> None:
    names = [f"folder:{write_folder(tmp_path / 'a', GIVEN)}", f"folder:{write_zip(tmp_path / 'b.zip', GIVEN)}"]
    (first, same_), texts, torch = Elsewhere(*names).go().result()
    assert first == same_
    assert [text.split(":")[0] for text in texts] == ["Reading a", "Reading b"]
    assert not torch
    assert Elsewhere(*names, f"folder:{first}").go().result() == ([first] * 3, [], False)
    assert sorted(name.split("-")[0] for name in copies(own_cache)) == ["folder", "source", "source"]
    (copy,) = (own_cache / "data").glob("folder-*")
    cut(copy / "train_images.npy")
    assert Elsewhere(names[0]).go().result()[0] == [first]  # read again
    assert data.load(f"folder:{first}").fingerprint == first


BOMB = encoded(Image.new("1", (8000, 8001)))


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "has no images"),
        ({"a/readme.txt": b""}, "has no images"),
        ({"a/0.gif": b"", "b/0.gif": b"", "0.psd": b""}, r"has no images .* other files \(.gif 2, .psd 1\)"),
        (own_files("a") | {"b/0.gif": b""}, r"only one class .*; 1 file was .* \(.gif 1\); without any image: b$"),
        (
            own_files("train/a", "train/b") | {"test/a/0.gif": b""},
            r"no images test/<class>.*; 1 file was .* \(.gif 1\)",
        ),
        (own_files("a"), "only one class of images, a; it needs"),
        (own_files("x/y/a"), "only one class of images, a; it needs"),
        ({"0.png": BOMB, "1.png": BOMB}, "has no folders of images that are classes"),
        (own_files("a/b/c", "d/e/f"), "has no folders of images that are classes"),
        (own_files("train/a", "train/b"), "no images test/<class>/.; without the folder train/ .* it is split 2 : 1$"),
        (own_files("test/a", "test/b"), r"has no images train/<class>/\*$"),
        (own_files("train", "val"), r"has no images train/<class>/\*$"),
        (own_files("train", "test", "docs"), r"has no images train/<class>/\*$"),
        (own_files("train/a", "bus", "car"), "has no images test/<class>"),
        (own_files(" ", "c"), "has a class folder whose name has nothing that can be shown; give it another"),
        (own_files("train", "test"), "has no images train/<class>"),
        (own_files("train/a", "train/b", "test/a"), "has no images in test/ of b"),
        (own_files("train/a", "test/a"), "only one class of images, a"),
        (own_files("train/a", "train/b", "test/a", "test/b", count=1), "no class with two or more training images"),
        (own_files("a", "b", count=2), "no class with two or more training images, .*; a third of each class is"),
        (own_files("m/train/a", "m/test/a", "m/test/b", "n/train/a", "n/test/a"), "several data sets: m, n; .*/m$"),
        (
            GIVEN | {"test/dog/new.png": b"no image"},
            "cannot be read as a PNG, JPEG, BMP, TIFF or WebP image$",
        ),
        (GIVEN | {"test/dog/new.png": b""}, "test/dog/new.png cannot be read"),
        (GIVEN | {"test/dog/new.jpg": GIVEN["test/dog/0.png"][:-100]}, "test/dog/new.jpg cannot be read.*"),
        (GIVEN | {"test/dog/new.png": BOMB}, "test/dog/new.png .*8,000 x 8,001 pixels, and 64 million are allowed"),
    ],
)
@pytest.mark.parametrize("kind", ["zip", "folder"])
def test_own_images_that_cannot_be_used_are_one_line(
    tmp_path: Path, own_cache: Path, kind: str, files: dict[str, bytes], message: str
) -> None:
    path = write_zip(tmp_path / "own.zip", files) if kind == "zip" else write_folder(tmp_path / "own", files)
    with pytest.raises(BadInput, match=message) as caught:
        own(path)
    assert str(path) in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert list(own_cache.glob("data/[!.]*")) == []


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("folder:", "needs the path"),
        ("folder:  ", "needs the path"),
        ("folder:/no/such place", "there is no folder or zip /no/such place"),
        ("folder:/no\0such", "there is no folder or zip /no such"),
        ("folder:~\0", f"there is no folder or zip {Path.cwd()}/~"),
        ("folder:/" + 5000 * "long", "cannot be read"),
        ("folder:0123456789abcdef", "no own images with the fingerprint 0123456789abcdef"),
        (f"folder:{__file__}", "cannot be read as a zip file"),
        (f"folder:{__file__}/inside", "cannot be read as a zip file"),
        ("foldr:/tmp", "did you mean 'folder:PATH'"),
    ],
)
def test_a_place_without_own_images_is_one_line(name: str, message: str) -> None:
    for call in (data.load, data.dataset_info):
        with pytest.raises(BadInput, match=message) as caught:
            call(name)
        assert len(str(caught.value).splitlines()) == 1
        assert len(str(caught.value)) < 500


def test_own_images_have_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = write_folder(tmp_path / "many", GIVEN)
    zipped = write_zip(tmp_path / "many.zip", GIVEN)
    for path in (place, zipped):
        with monkeypatch.context() as patch:
            patch.setattr("ssad_core.data.own.MOST_IMAGES", 11)
            with pytest.raises(BadInput, match="has more than 11 images"):
                own(path)
        with monkeypatch.context() as patch:
            patch.setattr("ssad_core.data.own.MOST_BYTES", 1000)
            with pytest.raises(BadInput, match=r"train/cat/0\.png has 0 MB"):
                own(path)


def test_a_circle_of_links_ends(tmp_path: Path) -> None:
    place = write_folder(tmp_path / "pets", GIVEN)
    (place / "train" / "again").symlink_to(place)
    (place / "train" / "gone.png").symlink_to(tmp_path / "nowhere")
    assert data.counts(own(place)) == {"cat": (3, 3), "dog": (3, 3)}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_one_line(tmp_path: Path) -> None:
    place = write_folder(tmp_path / "pets", GIVEN)
    (place / "test" / "cat" / "0.png").chmod(0)
    with pytest.raises(BadInput, match=r"test/cat/0\.png cannot be read .*Permission denied"):
        own(place)
    (place / "test" / "cat").chmod(0)
    with pytest.raises(BadInput, match=r"cannot be read .*Permission denied"):
        own(place)
    (place / "test" / "cat").chmod(0o700)


def test_an_upload_is_kept_once_under_its_content(tmp_path: Path, own_cache: Path) -> None:
    content = write_zip(tmp_path / "a.zip", GIVEN).read_bytes()
    kept = data.keep_upload("../My pets (1).zip", io.BytesIO(content))
    assert kept == data.keep_upload("My pets (1).zip", io.BytesIO(content))
    assert kept.read_bytes() == content
    assert kept.relative_to(own_cache / "uploads").name == "My pets (1).zip"
    assert own(kept).info.title == "My pets (1)"
    # By another name it is the same file.
    other = data.keep_upload("other.zip", io.BytesIO(content))
    assert (other.name, own(other).info.title) == ("other.zip", "other")
    assert other.samefile(kept)
    assert own(other).fingerprint == own(kept).fingerprint
    assert {path for path in own_cache.rglob("*") if path.suffix == ".zip"} == {kept, other}
    assert data.keep_upload("other.zip", io.BytesIO(content + b"!")).parent != kept.parent


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("Pru\u0308fteile Gro\u0308\u00dfe 3.zip", "Pr\u00fcfteile Gr\u00f6\u00dfe 3"),
        ("猫 😀 (v1.2) [neu].zip", "猫 😀 (v1.2) [neu]"),
        ("it's 100% & more; $HOME #1 ~+=@64.zip", "it's 100% & more; $HOME #1 ~+=@64"),
        ("a\\b: *c*?\n\x00\x7f\udcff.zip", "a_b_ _c__"),
        (" .. .zip", "upload"),
        ("😀" * 90 + ".zip", "😀" * 50),
    ],
)
def test_an_upload_has_its_own_name_in_addresses_and_commands_too(tmp_path: Path, given: str, name: str) -> None:
    from ssad_core.question import Question, from_query

    kept = data.keep_upload(given, io.BytesIO(write_zip(tmp_path / "a.zip", MVTEC).read_bytes()))
    assert kept.stem == own(kept).info.title == name
    for size in (32, 64):
        asked = Question(dataset=data.own_name(str(kept), size), normal_class="good")
        assert from_query(dict(parse_qsl(urlencode(asked.to_query())))) == (asked, [])
        words = shlex.split(asked.command())
        assert words[words.index("--dataset") + 1] == asked.dataset
        assert data.load(asked.dataset).info.size == size


@pytest.mark.parametrize(
    "files",
    [own_files("good"), GIVEN | {"test/dog/0.png": b"none"}, {"read me.txt": b""}],
    ids=["class", "png", "text"],
)
def test_an_upload_that_cannot_be_read_is_not_kept(tmp_path: Path, files: dict[str, bytes]) -> None:
    place = write_zip(tmp_path / "a.zip", files)
    kept = data.keep_upload("a.zip", io.BytesIO(place.read_bytes()))
    with pytest.raises(BadInput, match=r"^a\.zip"):
        own(kept)
    assert not kept.exists()
    with pytest.raises(BadInput):
        own(place)
    assert place.exists()  # a person's own file


def test_an_upload_that_can_be_read_is_kept(tmp_path: Path) -> None:
    both = {f"{size}/{name}": content for size in ("large", "small") for name, content in GIVEN.items()}
    kept = data.keep_upload("a.zip", io.BytesIO(write_zip(tmp_path / "a.zip", both).read_bytes()))
    for wrong in (kept, kept / "larg"):
        with pytest.raises(BadInput):
            own(wrong)
    assert data.counts(own(kept / "large")) == {"cat": (3, 3), "dog": (3, 3)}


def test_a_run_on_own_images_outlives_their_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch")
    from ssad_core import cli
    from ssad_core.question import Question, from_query
    from ssad_core.samples import Samples
    from ssad_core.store import Store

    def train(path: Path, *more: str) -> dict[str, object]:
        sizes = ["--epochs", "1", "--features", "4", "--hidden", "8", "--limit", "20", "--json", "--device", "cpu"]
        assert cli.main(["train", "--dataset", f"folder:{path}", *sizes, *more]) == 0
        return json.loads(capsys.readouterr().out)

    place = write_folder(tmp_path / "my screws", MVTEC)
    line = train(place)
    assert {"class:2 holes", "class:10 cuts", "rest", "gen:cutout"} <= set(line["auc"])
    assert train(place) == line  # from the store
    assert train(write_zip(tmp_path / "screws.zip", MVTEC)) == line
    place.rename(tmp_path / "moved")
    assert train(tmp_path / "moved") == line

    shutil.rmtree(tmp_path / "moved")
    (tmp_path / "screws.zip").unlink()
    assert cli.main(["runs"]) == 0
    assert "my screws/good" in capsys.readouterr().out
    run = Store().load(line["run"])
    dataset = data.load(run.spec.dataset)
    assert len(Samples.of(run.spec, dataset).train_normal()) == 3
    question = Question(dataset=run.spec.dataset, normal_class="good", settings=run.spec.settings)
    assert from_query(question.to_query()) == (question, [])
    assert question.run(dataset) == run.spec
    shutil.rmtree(tmp_path / "cache" / "data")
    # Its images are gone for good, and another process lists it still.
    listed = subprocess.run([sys.executable, "-m", "ssad_core", "runs"], cwd=ROOT, capture_output=True, text=True)
    assert f"{run.spec.dataset}/0  DAE-CutOut" in listed.stdout


@pytest.mark.parametrize("detector", ["dae", "deepsad", "ap"])
def test_a_run_on_own_images_at_64_pixels(detector: str, tmp_path: Path) -> None:
    from ssad_core import worker
    from ssad_core.detectors import settings_for
    from ssad_core.question import Question
    from ssad_core.report import FIGURES, draw
    from ssad_core.spec import Anomaly
    from ssad_core.store import Store
    from ssad_core.views import Comparison

    name = f"folder:{write_zip(tmp_path / 'screws.zip', own_files('train/good', 'test/good', 'test/bent', count=4))}@64"
    sizes = settings_for("quick", detector, epochs=1, features=4, hidden=8)
    spec = Question(name, "good", detector=detector, augment="geom", settings=sizes).run(data.load(name))
    run = worker.run(spec, Store(), "cpu")
    comparison = Comparison(run, None, Anomaly("class", "bent"), data.load(spec.dataset))
    views = comparison.views()
    assert views.originals.shape == (16, 3, 64, 64)
    drawn = [figure for name in FIGURES for figure in draw(name, comparison, views)]
    assert len(drawn) == (4 if views.detectors[0].explanations is not None else 3)


def test_own_images_in_an_address(tmp_path: Path) -> None:
    from ssad_core.question import Question, from_query
    from ssad_core.spec import Anomaly

    name = f"folder:{write_zip(tmp_path / 'my screws.zip', MVTEC)}@64"
    question = Question(dataset=name, normal_class="good", anomaly=Anomaly("class", "2 holes"))
    assert from_query(question.to_query()) == (question, [])
    assert from_query({"dataset": name})[0].normal_class == "good"
    other, rejected = from_query({**question.to_query(), "class": "2 holes"})
    assert other == question
    assert "2 holes has fewer than two training images" in rejected[0]
    gone, rejected = from_query({"dataset": "folder:/no/where"})
    assert gone == Question()
    assert rejected == ["dataset: there is no folder or zip /no/where"]
