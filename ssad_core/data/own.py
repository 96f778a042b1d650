"""A person's own images: folder:PATH, where PATH is a folder or a zip, or a folder inside a zip; folder:PATH@64 for 64 x 64
pixels instead of 32 x 32.

They lie in class folders, in one of two layouts; MVTec's is the first, with classes that have test images only:

    train/<class>/*  test/<class>/*     with the split that is given
    <class>/*                           split here, 2 : 1 in each class, by the content of the files

A single folder around them is looked through. Once read, they are known by their content: ``folder:<fingerprint>``
names them on this machine wherever their source has gone, and it is the name that a run has them by.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import unicodedata
import uuid
import zipfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePosixPath
from typing import IO, Any

import numpy as np
from PIL import Image, ImageOps

from ..errors import BadInput
from ..numbers import counted
from ..paths import cache_dir, cannot_write
from .decoded import fingerprint, own_images, own_images_of
from .folders import REPORT_EVERY, SPLITS, SUFFIXES, complaint, is_image, numeric
from .images import SIZE, SIZES, Images, Progress, fitted
from .table import DatasetInfo

PREFIX = "folder:"
FINGERPRINT = re.compile("[0-9a-f]{16}")
SIZED = re.compile(r"(.*)@(\d+)", re.DOTALL)
ENDINGS = (*SUFFIXES, ".jfif", ".bmp", ".tif", ".tiff", ".webp")
FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "WEBP")
# What lies beside images and is not missed; what has a dot in front, and __MACOSX, is neither.
LITTER = (".txt", ".md", ".html", ".json", ".csv", ".tsv", ".xml", ".yaml", ".yml", ".log", ".db", ".ini")
VALIDATION = ("val", "valid", "validation")  # folders beside train/ that are no classes
FEW = 30  # test images, of which an AUC is known to some +- 0.15
MOST_IMAGES = 100_000
MOST_BYTES = 200_000_000  # of one file
MOST_PIXELS = 64_000_000  # of one image
UPLOADS = "uploads"  # in the cache, each in a folder of its content's hash
LONGEST = 200  # bytes of an upload's name; file systems have room for 255
DEEPEST = 6  # folders below PATH that are looked into, which also ends a circle of links

FULL = 65_535  # the largest value of 16 bits
JOINERS = "\u200c\u200d"  # of letters, in Persian and Indic scripts and in emoji; not printable, but not blank either

Name = tuple[str, ...]  # a file's path below the source, in parts; of a folder the last is empty


def is_own(name: str) -> bool:
    """Whether a data set's name stands for a person's own images."""
    return name.startswith(PREFIX)


def own_name(path: str, size: int = SIZE) -> str:
    """The name of own images at a path.

    >>> own_name("screws.zip"), own_name("screws.zip", 64), own_name("screws@64")
    ('folder:screws.zip', 'folder:screws.zip@64', 'folder:screws@64@32')
    """
    return f"{PREFIX}{path}" + (f"@{size}" if size != SIZE or SIZED.fullmatch(path) else "")


def path_and_size(name: str) -> tuple[str, int]:
    """The inverse of `own_name`. Where only the whole is a path that is there, its @ is the path's own. BadInput for a
    size that images cannot have."""
    whole = name.removeprefix(PREFIX).strip()
    sized = SIZED.fullmatch(whole)
    if sized is None:
        return whole, SIZE
    path, size = sized.groups()
    possible = size in map(str, SIZES)
    if _is_there(whole) and not (possible and _is_there(path)):
        return whole, SIZE
    if not possible:
        raise BadInput(f"own images can have {' or '.join(map(str, SIZES))} pixels a side, not {size[:20]}")
    return path, int(size)


def _is_there(path: str) -> bool:
    return os.path.exists(_from_home(path))


def _from_home(path: str) -> str:
    with suppress(ValueError):  # of a null byte after a ~: such a user, as any unknown one, has no home
        return os.path.expanduser(path)
    return path


@dataclass(frozen=True)
class Listing:
    """The images below a place and, for each folder there, how many of its other files have which ending, without litter."""

    images: list[Name]
    others: dict[Name, Counter[str]]


@dataclass(frozen=True)
class Place:
    """Where own images are: a folder or a zip, and the folder inside the zip that is meant."""

    path: Path
    inside: Name = ()

    @classmethod
    def of(cls, text: str) -> Place:
        """The place at a path. BadInput when there is nothing."""
        if not text:
            raise BadInput("folder: needs the path of a folder or a zip, such as folder:/home/me/screws.zip")
        path = Path(os.path.abspath(_from_home(text)))
        try:
            for there in (path, *path.parents):
                if there.exists():
                    if there == path or there.is_file():
                        return cls(there, path.relative_to(there).parts)
                    break
        except OSError as error:
            raise BadInput(f"{_line(path)} cannot be read ({error.strerror})") from error
        raise BadInput(f"there is no folder or zip {cls(path)}")

    def __str__(self) -> str:
        """Its path; of an upload the file's own name, since a person does not know where it is kept."""
        whole = self.path.joinpath(*self.inside)
        return _line(Path(*whole.relative_to(cache_dir() / UPLOADS).parts[1:]) if self.uploaded else whole)

    @property
    def uploaded(self) -> bool:
        """Whether it is an upload, or lies in one."""
        return cache_dir() / UPLOADS in self.path.parent.parents

    @property
    def title(self) -> str:
        """The name of the folder or zip, without its path."""
        return _line(self.inside[-1] if self.inside else self.path.stem if self.path.is_file() else self.path.name)

    def stamps(self) -> list[object]:
        """JSON values that change when any image does, or what is passed over."""
        if self.path.is_file():
            stat = self.path.stat()
            return [(str(self.path.joinpath(*self.inside)), stat.st_size, stat.st_mtime_ns)]
        with self.opened() as (listing, _), complaint(f"{self} cannot be read"):
            stats = [("/".join(name), self.path.joinpath(*name).stat()) for name in sorted(listing.images)]
        others = [("/".join(folder), sorted(endings.items())) for folder, endings in sorted(listing.others.items())]
        return [str(self.path), others, *((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats)]

    @contextmanager
    def opened(self) -> Iterator[tuple[Listing, Callable[[Name], bytes]]]:
        """What lies below the place, and what reads an image. BadInput when there are none or too many, or no way in."""
        if self.path.is_dir():
            with complaint(f"{self} cannot be read"):
                listing = self._listing(_walk(self.path))
            yield listing, lambda name: self._read(name, self.path.joinpath(*name))
        else:
            with complaint(f"{Place(self.path)} is no folder, and cannot be read as a zip file"):
                archive = zipfile.ZipFile(self.path)
            with archive:
                depth = len(self.inside)
                entries = archive.infolist()
                # Old tools of Windows write backslashes, which a name from elsewhere may have inside.
                slash = "/" if any("/" in file.filename for file in entries) else "\\"
                files = {_parts(file, slash): file for file in entries}
                below = {name[depth:]: file for name, file in files.items() if name[:depth] == self.inside}
                yield self._listing(below), lambda name: self._read(name, below[name], archive)

    def _listing(self, names: Iterable[Name]) -> Listing:
        images: list[Name] = []
        others: defaultdict[Name, Counter[str]] = defaultdict(Counter)
        for name in names:
            if not name or any(part.startswith((".", "__MACOSX")) for part in name):
                continue
            folder, file = name[:-1], name[-1]
            ending = PurePosixPath(file).suffix.lower()
            if is_image(file, ENDINGS):
                images.append(name)
                if len(images) > MOST_IMAGES:
                    raise BadInput(f"{self} has more than {MOST_IMAGES:,} images")
            else:
                others[folder].update([ending] if file and ending not in LITTER else [])
        if not images:
            wanted, rest = ", ".join(f"*{ending}" for ending in ENDINGS), sum(others.values(), Counter())
            raise BadInput(
                f"{self} has no images ({wanted})" + (f", but other files ({_endings(rest)})" if rest else "")
            )
        return Listing(images, dict(others))

    def _read(self, name: Name, file: Path | zipfile.ZipInfo, archive: zipfile.ZipFile | None = None) -> bytes:
        with complaint(f"{self}: {_line('/'.join(name))} cannot be read"):
            size = file.file_size if isinstance(file, zipfile.ZipInfo) else file.stat().st_size
            if size > MOST_BYTES:
                raise BadInput(
                    f"{self}: {_line('/'.join(name))} has {size / 1e6:,.0f} MB; an image may have {MOST_BYTES / 1e6:.0f}"
                )
            if isinstance(file, zipfile.ZipInfo) and file.flag_bits & 1:
                raise BadInput(f"{self} is protected by a password; zip it without one")
            return archive.read(file) if archive else file.read_bytes()


def sources(name: str) -> tuple[Path, ...]:
    """The folder or zip that is read, none for folder:FINGERPRINT. BadInput when there is nothing."""
    return () if _fingerprint(name) else (Place.of(path_and_size(name)[0]).path,)


def load_own(name: str, progress: Progress) -> tuple[DatasetInfo, str, Images]:
    """What folder:PATH or folder:FINGERPRINT names: its description, fingerprint and images. BadInput, one line."""
    if known := _fingerprint(name):
        found = own_images(known)
        if found is None:
            raise BadInput(
                f"no own images with the fingerprint {known} are in {cache_dir() / 'data'}; name their folder or zip again"
            )
        images, about = found
        return _info(about), known, images
    path, size = path_and_size(name)
    place = Place.of(path)
    images, about, note = own_images_of([size, *place.stamps()], lambda: _read_or_drop(place, size, progress))
    # Whoever read these images first may have called them something else, and had other files beside them.
    return replace(_info(about, place.title), note=note), about["fingerprint"], images


def _fingerprint(name: str) -> str | None:
    known = name.removeprefix(PREFIX)
    return known if FINGERPRINT.fullmatch(known) else None


def keep_upload(file_name: str, content: IO[bytes]) -> Path:
    """Keeps an uploaded zip in the cache under its content's hash, and returns where it is.

    The same content is kept once, under each name that it is uploaded by. BadInput when the cache cannot be written.
    """
    digest = hashlib.file_digest(content, "sha256").hexdigest()[:16]
    # Without what file names cannot have, here or on another system, and no longer than they may be.
    name = re.sub(r'[\\/:*?"<>|]', "_", _line(Path(file_name).stem))
    name = name.encode(errors="ignore")[:LONGEST].decode(errors="ignore").strip(" .") or "upload"
    target = cache_dir() / UPLOADS / digest / f"{name}.zip"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            return target
        beside = target.with_name(f".{uuid.uuid4().hex[:8]}.zip")
        content.seek(0)
        try:
            try:
                os.link(next(target.parent.glob("[!.]*.zip")), beside)
            except (StopIteration, OSError):  # the first of this content, or no links here
                with open(beside, "wb") as copy:
                    shutil.copyfileobj(content, copy)
            os.replace(beside, target)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(cache_dir(), "SSAD_CACHE_DIR", error) from error
    return target


class SeveralSets(BadInput):
    """A folder or zip that holds more than one data set; ``paths`` has the path of each, by its name."""

    def __init__(self, place: Place, paths: dict[str, str]) -> None:
        example = _line(next(iter(paths.values())))
        super().__init__(
            f"{place} holds several data sets: {_list(list(paths))}; choose one by its path, such as {PREFIX}{example}"
        )
        self.paths = paths


@dataclass(frozen=True)
class Layout:
    """The classes in the order of their labels, those with training images first, and the images of each split as
    (label, name). Without a given split ``test`` is empty. ``remarks`` are sentences on what belongs to neither."""

    classes: tuple[str, ...]
    train: list[tuple[int, Name]]
    test: list[tuple[int, Name]]
    remarks: tuple[str, ...]

    @classmethod
    def of(cls, place: Place, listing: Listing) -> Layout:
        """Finds the layout of these images. BadInput says what is missing from either."""
        names = listing.images
        top = _single_top(names)
        below = [(name[len(top) :], name) for name in names if name[: len(top)] == top]
        given = _is_given([parts for parts, _ in below])
        inner = {parts[0] for parts, _ in below if len(parts) == 4 and parts[1].casefold() in SPLITS}
        if inner and not given:
            around = place.path.joinpath(*place.inside, *top)
            raise SeveralSets(place, {name: str(around / name) for name in sorted(inner, key=numeric)})
        found: dict[str, dict[str, list[Name]]] = {split: {} for split in SPLITS}
        written: defaultdict[tuple[str, str], set[str]] = defaultdict(set)  # the folders of a class in a split
        for parts, name in sorted(below, key=lambda file: (numeric(file[0][-1]), file[0])):
            split, rest = _split_of(parts, given)
            if len(rest) == 2 and split in SPLITS:
                found[split].setdefault(_line(rest[0]), []).append(name)
                written[split, _line(rest[0])].add(rest[0])
        train, test = found["train"], found["test"]
        unread = _unread(listing, top, given)
        hint = f"; {unread}" if unread else ""
        if "" in train or "" in test:
            raise BadInput(f"{place} has a class folder whose name has nothing that can be shown; give it another")
        if given:
            for split in SPLITS:
                if not found[split]:
                    alone = "; without the folder train/ around its classes it is split 2 : 1" if train else ""
                    raise BadInput(f"{place} has no images {split}/<class>/*{alone}{hint}")
            if lacking := [name for name in train if name not in test]:
                raise BadInput(f"{place} has no images in test/ of {_list(sorted(lacking, key=numeric))}{hint}")
        classes = [*sorted(train, key=numeric), *sorted((name for name in test if name not in train), key=numeric)]
        if len(classes) < 2:
            has = f"only one class of images, {classes[0]}" if classes else "no folders of images that are classes"
            raise BadInput(f"{place} has {has}; it needs <class>/*, or train/<class>/* and test/<class>/*{hint}")
        files = [
            [(label, name) for label, cls_ in enumerate(classes) for name in split.get(cls_, ())]
            for split in (train, test)
        ]
        read = {name for split in files for _, name in split}
        # Not MVTec's masks, which are no images of anything.
        elsewhere = sum(name not in read and "ground_truth" not in name[:-1] for name in names)
        remarks = [f"Images in other places were passed over: {elsewhere:,}."] if elsewhere else []
        if joined := sorted({name for (_, name), folders in written.items() if len(folders) > 1}, key=numeric):
            remarks.append(
                f"Folders whose names differ only in blanks or in how accents are written are one class: {_list(joined)}."
            )
        remarks += [f"{unread[0].upper()}{unread[1:]}."] if unread else []
        return cls(tuple(classes), *files, tuple(remarks))


def _is_given(images: list[Name]) -> bool:
    """Whether a split is given by folders train/ and test/, and neither is a class, as trains are among vehicles."""
    folders = {parts[0].casefold() for parts in images if len(parts) > 1}
    if any(len(parts) > 2 and parts[0].casefold() in SPLITS for parts in images) or folders.issuperset(SPLITS):
        return True
    return not folders.isdisjoint(SPLITS) and folders.issubset({*SPLITS, *VALIDATION})


def _split_of(parts: Name, given: bool) -> tuple[str, Name]:
    """The split that a file is in, and its path there; what goes by another name than a split's is in none."""
    return (parts[0].casefold(), parts[1:]) if given else ("train", parts)


def _single_top(names: list[Name]) -> Name:
    """The folders that lie around all others, as people zip things; images beside them do not count."""
    top: Name = ()
    while True:
        deeper = [name for name in names if len(name) > len(top) + 1]
        around = {name[len(top)] for name in deeper}
        if len(around) != 1 or {part.casefold() for part in around} & set(SPLITS):
            return top
        if all(len(name) == len(top) + 2 for name in deeper):
            return top  # a class
        top = (*top, *around)


def _read_or_drop(place: Place, size: int, progress: Progress) -> tuple[Images, dict[str, Any], str]:
    """`_read`; an upload that cannot be read is not kept."""
    try:
        return _read(place, size, progress)
    except SeveralSets:
        raise
    except BadInput:
        if place.uploaded and not place.inside:
            place.path.unlink(missing_ok=True)
        raise


def _read(place: Place, size: int, progress: Progress) -> tuple[Images, dict[str, Any], str]:
    """Reads the images and splits them where no split is given; also the description, to be stored beside them, and the
    note, which says more: what is true of this place alone."""
    with place.opened() as (listing, read):
        layout = Layout.of(place, listing)
        files = layout.train + layout.test
        pixels = np.empty((len(files), 3, size, size), np.uint8)
        hashes, square, largest = [], True, 0
        for done, (_, name) in enumerate(files):
            if done % REPORT_EVERY == 0:
                progress(done / len(files), f"Reading {place.title}: {done:,} of {len(files):,} images")
            content = read(name)
            with complaint(f"{place}: {_line('/'.join(name))} cannot be read as a PNG, JPEG, BMP, TIFF or WebP image"):
                pixels[done], is_square, value = _pixels(content, size)
            hashes.append(hashlib.sha256(content).digest())
            square, largest = square and is_square, max(largest, value)
    if (pixels == pixels[:, :1]).all():
        pixels = np.ascontiguousarray(pixels[:, :1])
    labels = np.array([label for label, _ in files], np.int64)
    digests = [hashlib.sha256(image).digest() for image in pixels]  # the same of the same pixels
    testing = np.arange(len(files)) >= len(layout.train) if layout.test else _third(labels, hashes, digests)
    images = Images(pixels[~testing], labels[~testing], pixels[testing], labels[testing])
    trained = np.bincount(images.train_labels, minlength=len(layout.classes))
    if (trained < 2).all():
        split = "" if layout.test else "; a third of each class is for testing, and equal images stay together"
        raise BadInput(f"{place} has no class with two or more training images, which a normal class needs{split}")
    test_only = tuple(name for name, count in zip(layout.classes, trained, strict=True) if count < 2)
    # The names are content too: a run is shown with them, and its anomalies are called by them.
    known = hashlib.sha256(json.dumps([fingerprint(images), layout.classes]).encode()).hexdigest()[:16]
    info = DatasetInfo(
        name=f"{PREFIX}{known}",
        title=place.title,
        channels=pixels.shape[1],
        classes=layout.classes,
        embedded=False,
        independent=True,
        note=_note(images, test_only, _trained_on(digests, testing)),
        test_only=test_only,
        size=size,
    )
    note = " ".join([info.note, *_of_the_place(layout, square, largest)])
    return images, {"fingerprint": known, "info": asdict(info)}, note


def _trained_on(digests: list[bytes], testing: np.ndarray) -> int:
    """How many of the images for ``testing``, bool (N,), are trained on too: images with the same digest."""
    trained = {digests[i] for i in np.flatnonzero(~testing)}
    return sum(digests[i] in trained for i in np.flatnonzero(testing))


def _third(labels: np.ndarray, hashes: list[bytes], pixels: list[bytes]) -> np.ndarray:
    """bool (N,): which images are for testing, a third of each class and one at least, by the hashes of their files, so
    that neither the machine nor the names of the files matter.

    Images with the same ``pixels``, by their hashes, stay together. Those that are more than the third has room for are
    trained on, unless there are no others: then the fewest are for testing.
    """
    testing = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        alike: dict[bytes, list[int]] = {}
        for i in sorted(np.flatnonzero(labels == label), key=lambda i: hashes[i]):
            alike.setdefault(pixels[i], []).append(i)
        room = max(1, sum(map(len, alike.values())) // 3)
        chosen: list[int] = []
        for group in alike.values():
            if len(chosen) + len(group) <= room:
                chosen += group
        testing[chosen or min(alike.values(), key=len)] = True
    return testing


def _note(images: Images, test_only: tuple[str, ...], again: int) -> str:
    """What is to be said of the images wherever they lie; ``again`` of those for testing are trained on too."""
    size, fewest = images.test_images.shape[-1], np.bincount(images.test_labels).min()
    lines = [f"Own images, resized to {size} x {size}."]
    if test_only:
        lines.append(f"With fewer than two training images, and so anomalies only: {_list(test_only)}.")
    if fewest < FEW:
        lines.append(f"With as few as {counted(fewest, 'test image')} of a class, an AUC says little.")
    if again:
        lines.append(
            f"Of {counted(len(images.test_images), 'test image')} {again:,} {'is a' if again == 1 else 'are'} training "
            f"{'image' if again == 1 else 'images'} too, pixel by pixel, so an AUC is not that of new images."
        )
    return " ".join(lines)


def _of_the_place(layout: Layout, square: bool, largest: int) -> list[str]:
    """What is to be said of the files that these images were read from; ``largest`` is as of `_pixels`."""
    lines = [] if square else ["Of images that are not square the central square was taken."]
    if 0 < largest < FULL / 8:
        lines.append(
            f"Images of 16 bits have values up to {largest:,} of {FULL:,} only, so they are dark here; if they hold fewer "
            "bits, stretch them first."
        )
    if not layout.test:
        lines.append(
            "They came without train/ and test/ and were split 2 : 1 in each class, by the content of the files."
        )
    return [*lines, *layout.remarks]


def _pixels(content: bytes, size: int) -> tuple[np.ndarray, bool, int]:
    """uint8 (3, size, size), whether the image was square, of another the centre is taken, and its largest value if it had
    16 bits, else 0.

    Upright as its EXIF data say, 16 bits brought to 8, transparent parts white; of several pages or frames the first.
    """
    with Image.open(io.BytesIO(content), formats=FORMATS) as image:
        width, height = image.size
        if width * height > MOST_PIXELS:
            raise ValueError(f"it has {width:,} x {height:,} pixels, and {MOST_PIXELS / 1e6:.0f} million are allowed")
        side = min(width, height)
        left, upper = (width - side) // 2, (height - side) // 2
        image = ImageOps.exif_transpose(image.crop((left, upper, left + side, upper + side)))
        if image.mode == "F":
            raise ValueError("its pixels are fractions, and 8 or 16 bits are read")
        largest = 0
        if image.mode.startswith("I"):  # convert() would cut 16 bits at 255
            values = np.asarray(image)
            largest = int(values.max())
            if values.min() < 0 or largest > FULL:
                raise ValueError("its pixels have more than 16 bits")
            image = Image.fromarray(np.rint(values / (FULL / 255)).astype(np.uint8))
        if image.has_transparency_data:
            image = image.convert("RGBA")
            image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
        return fitted(image, 3, size), width == height, largest


def _walk(folder: Path) -> Iterator[Name]:
    def fail(error: OSError) -> None:
        raise error

    for where, folders, names in os.walk(folder, onerror=fail, followlinks=True):
        parts = Path(where).relative_to(folder).parts
        folders[:] = sorted(name for name in folders if not name.startswith(".")) if len(parts) < DEEPEST else []
        yield (*parts, "")
        # A dangling link is no file.
        yield from ((*parts, name) for name in names if os.path.exists(os.path.join(where, name)))


def _parts(file: zipfile.ZipInfo, slash: str) -> Name:
    """The file's path in parts. Many programs write names as UTF-8 and do not say so; zipfile takes those for CP437."""
    name = file.filename
    if not file.flag_bits & 0x800:
        with suppress(UnicodeError):
            name = name.encode("cp437").decode()
    *folders, last = name.split(slash)
    return (*(part for part in folders if part not in ("", ".")), last)


def _info(about: dict[str, Any], called: str | None = None) -> DatasetInfo:
    """The stored description. The title says the size where it is not the usual one: runs of both lie in one list."""
    info = about["info"]
    stored = DatasetInfo(**{**info, "classes": tuple(info["classes"]), "test_only": tuple(info["test_only"])})
    size = "" if stored.size == SIZE else f", {stored.size} x {stored.size}"
    return replace(stored, title=f"{called or stored.title}{size}")


def _line(text: object) -> str:
    """A name or path of a file as a line to be shown, in one form wherever it comes from: macOS writes accents apart."""
    shown = "".join(letter if letter.isprintable() or letter in JOINERS else " " for letter in str(text))
    return unicodedata.normalize("NFC", " ".join(shown.split()).strip(f" {JOINERS}"))[:300]


def _unread(listing: Listing, top: Name, given: bool) -> str:
    """What was passed over in class folders, by ending, and which have no image at all, not even further down."""

    def below(name: Name) -> tuple[str, Name]:
        return _split_of(name[len(top) :], given) if name[: len(top)] == top else ("", ())

    endings: Counter[str] = Counter()
    folders = {}
    for folder, others in listing.others.items():
        split, rest = below((*folder, ""))
        if len(rest) == 2 and split in SPLITS:
            endings += others
            folders[rest[0]] = _line(rest[0])
    for name in listing.images:
        split, rest = below(name)
        if len(rest) > 1 and split in SPLITS:
            folders.pop(rest[0], None)
    said = []
    if count := endings.total():
        one, many = (
            "file was passed over as it is no image that is",
            "files were passed over as they are no images that are",
        )
        said.append(f"{count:,} {one if count == 1 else many} read ({_endings(endings)})")
    if folders:
        said.append(f"without any image: {_list(sorted(folders.values(), key=numeric))}")
    return "; ".join(said)


def _endings(endings: Counter[str]) -> str:
    """Each ending and how many files have it, the most frequent first."""
    ordered = sorted(endings.items(), key=lambda item: (-item[1], item[0]))
    return _list(f"{_line(ending)[:12] or 'without an ending'} {count:,}" for ending, count in ordered)


def _list(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
