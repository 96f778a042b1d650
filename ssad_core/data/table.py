"""The one table of data sets and of their classes, whatever their images come from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import BadInput, unknown

DIGITS = tuple("0123456789")


@dataclass(frozen=True)
class DatasetInfo:
    """What is known of a data set before any image is read.

    ``channels`` is 1 or 3; a class's index in ``classes`` is its label. ``embedded`` sets come with scikit-learn and
    need no download. ``note`` is one sentence for the reader, caveats included. Where images are not ``independent``
    of each other (photos), no p-value may be drawn from them. ``test_only`` classes have fewer than two training
    images, so they can be anomalies but not the normal class. Images have ``size`` x ``size`` pixels.
    """

    name: str
    title: str
    channels: int
    classes: tuple[str, ...]
    embedded: bool
    independent: bool
    note: str
    test_only: tuple[str, ...] = ()
    size: int = 32

    @property
    def normal_classes(self) -> tuple[str, ...]:
        """The classes that can be trained on."""
        return tuple(name for name in self.classes if name not in self.test_only)


DATASETS: dict[str, DatasetInfo] = {
    info.name: info
    for info in (
        DatasetInfo(
            name="digits",
            title="Digits",
            channels=1,
            classes=DIGITS,
            embedded=True,
            independent=True,
            note="Handwritten digits, 8 x 8 enlarged to 32 x 32; with about 60 test images a class, an AUC needs its "
            "interval.",
        ),
        DatasetInfo(
            name="photos",
            title="Photos",
            channels=3,
            classes=("temple", "flower"),
            embedded=True,
            independent=False,
            note="Patches of two photographs, training left of x = 400 and test right of it, which look different; patches "
            "overlap, so they give no p-values.",
        ),
        DatasetInfo(
            name="mnist",
            title="MNIST",
            channels=1,
            classes=DIGITS,
            embedded=False,
            independent=True,
            note="Handwritten digits, 28 x 28 enlarged to 32 x 32.",
        ),
        DatasetInfo(
            name="fashion_mnist",
            title="Fashion-MNIST",
            channels=1,
            classes=(
                "T-shirt/top",
                "Trouser",
                "Pullover",
                "Dress",
                "Coat",
                "Sandal",
                "Shirt",
                "Sneaker",
                "Bag",
                "Ankle boot",
            ),
            embedded=False,
            independent=True,
            note="Grey pictures of clothes, 28 x 28 enlarged to 32 x 32.",
        ),
        DatasetInfo(
            name="svhn",
            title="SVHN",
            channels=3,
            classes=DIGITS,
            embedded=False,
            independent=True,
            note="Digits of house numbers, cut from street photographs; some classes have three times the images of "
            "others.",
        ),
        DatasetInfo(
            name="cifar10",
            title="CIFAR-10",
            channels=3,
            classes=(
                "Airplane",
                "Automobile",
                "Bird",
                "Cat",
                "Deer",
                "Dog",
                "Frog",
                "Horse",
                "Ship",
                "Truck",
            ),
            embedded=False,
            independent=True,
            note="Small colour photographs of ten kinds of animals and vehicles.",
        ),
    )
}


def named(name: str) -> DatasetInfo:
    """The table's row. BadInput with the nearest known name when there is none."""
    if name not in DATASETS:
        raise unknown("data set", name, [*DATASETS, "folder:PATH"])
    return DATASETS[name]


def class_index(dataset: DatasetInfo | str, value: str | int) -> int:
    """The label of a class that is named (in any case) or numbered. The data set may be given as a name of the table.

    BadInput with the nearest known name, or with the range, when it is not a class of the data set.

    >>> class_index("cifar10", "automobile"), class_index("cifar10", "1"), class_index("digits", 3)
    (1, 1, 3)
    """
    info = dataset if isinstance(dataset, DatasetInfo) else named(dataset)
    text = str(value).strip()
    if text in info.classes:  # own images may have classes that differ in case only
        return info.classes.index(text)
    folded = [name.casefold() for name in info.classes]
    if text.casefold() in folded:
        return folded.index(text.casefold())
    if isinstance(value, int | np.integer) or (text.isascii() and text.isdigit()):
        known = {str(label): label for label in range(len(info.classes))}
        number = text.lstrip("0") or "0"
        if number not in known:
            raise BadInput(f"{info.title} has the classes 0 to {len(info.classes) - 1}, not {text[:60]}")
        return known[number]
    raise unknown(f"class of {info.title}", text, info.classes)


CALLED_NORMAL = ("good", "normal", "ok")


def normal_class(info: DatasetInfo, value: str | int | None = None) -> str:
    """The name of the class that is to be the normal one; for None one that is called so, else the first that can be.

    BadInput, as of `class_index`, and when the class has not the training images that a normal class needs.
    """
    if value is None:
        return next((name for name in info.normal_classes if name.lower() in CALLED_NORMAL), info.normal_classes[0])
    name = info.classes[class_index(info, value)]
    if name in info.test_only:
        raise BadInput(
            f"{name} has fewer than two training images, so it can be an anomaly but not the normal class; "
            f"{info.title} can be trained on {', '.join(info.normal_classes)}"
        )
    return name
