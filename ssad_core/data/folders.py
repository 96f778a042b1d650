"""Class folders, as a folder or as a zip: train/<class>/*.png, *.jpg or *.jpeg and test/<class>/*."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image, UnidentifiedImageError

from ..errors import BadInput
from .images import SIZE, Images, Progress, fitted
from .table import DatasetInfo, class_index

SPLITS = ("train", "test")
SUFFIXES = (".png", ".jpg", ".jpeg")
REPORT_EVERY = 500  # images

Read = Callable[[str], bytes]


def read_class_folders(path: Path, info: DatasetInfo, progress: Progress) -> Images:
    """The images of a folder or zip whose class folders are named or numbered as ``info.classes``.

    Within a class they lie in the order of their paths, 9.png before 10.png; anything that is not
    <split>/<class>/<image> is passed over. BadInput, naming the file, when a class is unknown or has no images,
    or when the zip or an image is damaged.
    """
    with _opened(path) as (names, read):
        train, test = (_labelled(path, split, names, info) for split in SPLITS)
        files = train + test
        pixels = np.empty((len(files), info.channels, SIZE, SIZE), np.uint8)
        # One after the other: two threads took 1.4 times as long, since decoding images this small is mostly Python.
        for done, (_, name) in enumerate(files):
            if done % REPORT_EVERY == 0:
                progress(done / len(files), f"Reading {info.title}: {done:,} of {len(files):,} images")
            pixels[done] = _image(path, name, read, info.channels)
    labels = np.array([label for label, _ in files], np.int64)
    split = len(train)
    return Images(pixels[:split], labels[:split], pixels[split:], labels[split:])


@contextmanager
def _opened(path: Path) -> Iterator[tuple[list[str], Read]]:
    """The files' paths below ``path``, parts joined by /, and what reads one; the same for a folder and a zip."""
    if path.is_dir():
        names = [file.relative_to(path).as_posix() for split in SPLITS for file in path.glob(f"{split}/*/*")]
        yield names, lambda name: (path / name).read_bytes()
    else:
        with complaint(f"{path} cannot be read as a zip file"):
            archive = zipfile.ZipFile(path)
        with archive:
            yield archive.namelist(), archive.read


def _labelled(path: Path, split: str, names: Sequence[str], info: DatasetInfo) -> list[tuple[int, str]]:
    """The label and path of each image of a split, in their final order."""
    files = []
    labels: dict[str, int] = {}
    for name in names:
        parts = name.split("/")
        if len(parts) != 3 or parts[0] != split or not is_image(parts[2]):
            continue
        if parts[1] not in labels:
            try:
                labels[parts[1]] = class_index(info, parts[1])
            except BadInput as error:
                raise BadInput(f"{path}: folder {split}/{parts[1]}: {error}") from None
        files.append((labels[parts[1]], name))
    if not files:
        example = f"; it has {names[0][:80]}" if names else ""
        raise BadInput(f"{path} has no images {split}/<class>/*.png, *.jpg or *.jpeg{example}")
    missing = [name for label, name in enumerate(info.classes) if label not in labels.values()]
    if missing:
        raise BadInput(f"{path} has no images in {split}/ of the classes {', '.join(missing)}")
    return sorted(files, key=lambda file: (file[0], numeric(file[1]), file[1]))


def is_image(name: str, suffixes: Sequence[str] = SUFFIXES) -> bool:
    """Whether a file's name, without its folders, is an image's."""
    # Names with a dot in front are litter such as macOS's ._0001.png.
    return PurePosixPath(name).suffix.lower() in suffixes and not name.startswith(".")


def numeric(name: str) -> str:
    """A key that sorts numbers by value: each is padded with zeros."""
    return re.sub("[0-9]+", lambda number: number[0].zfill(20), name)


def _image(path: Path, name: str, read: Read, channels: int) -> np.ndarray:
    with (
        complaint(f"{path}: {name} cannot be read as a PNG or JPEG image"),
        Image.open(io.BytesIO(read(name)), formats=("PNG", "JPEG")) as image,
    ):
        return fitted(image, channels)


@contextmanager
def complaint(text: str) -> Iterator[None]:
    """What zipfile and Pillow raise on damaged files, which is nearly anything, as one line of BadInput."""
    try:
        yield
    except BadInput:
        raise
    except UnidentifiedImageError as error:  # its own words name only an object in memory
        raise BadInput(text) from error
    except Exception as error:
        raise BadInput(f"{text} ({' '.join(str(error).split())})") from error
