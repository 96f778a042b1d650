"""Which images are trained on, scored and shown, and what gen made of them.

All of it depends on the data set's content, the class, gen with its parameters and its profile, and one fixed evaluation
seed, never on a run (METHOD: "Tasks"): every run is scored on the same images, so that comparisons are paired.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from . import augment
from .data import Dataset
from .errors import BadInput
from .spec import Anomaly, RunSpec

EVALUATION_SEED = 20230423  # any number, but always this one
VIEW_LIMIT = 500  # images a group in the views (METHOD: "What the views draw")


def seed_for(*what: object) -> int:
    """A 63-bit seed that depends on all of ``what`` and the evaluation seed."""
    text = "|".join(str(part) for part in (EVALUATION_SEED, *what))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def to_float(images: np.ndarray) -> Tensor:
    """uint8 (N, C, H, W) to float32 in [0, 1]."""
    return torch.from_numpy(np.array(images, copy=True)).float().div_(255)


@dataclass(frozen=True)
class Samples:
    """The images of one data set and normal class.

    ``limit`` and ``test_limit`` bound the training images and the test images of each class (0: all). Orders are
    fixed shuffles, so the first k of anything is a random sample, and a smaller limit keeps a part of a larger one's.
    """

    dataset: Dataset
    normal_class: int
    limit: int = 0
    test_limit: int = 0

    @classmethod
    def of(cls, spec: RunSpec, dataset: Dataset) -> Samples:
        """The samples of a run. BadInput where the data set has other images now than when the run was asked for."""
        if spec.fingerprint != dataset.fingerprint:
            raise BadInput(f"{dataset.info.title} has other images now than those of the run {spec.id}; train it anew")
        return cls(dataset, spec.normal_class, spec.settings.limit, spec.settings.test_limit)

    def _order(self, split: str, label: int) -> np.ndarray:
        labels = self.dataset.train_labels if split == "train" else self.dataset.test_labels
        found = np.flatnonzero(labels == label)
        return np.random.default_rng(seed_for(self.dataset.fingerprint, split, label)).permutation(found)

    def train_normal(self) -> np.ndarray:
        """uint8 (N, C, H, W): the training images of the normal class."""
        order = self._order("train", self.normal_class)
        return self.dataset.train_images[order[: self.limit or None]]

    def train_shown(self) -> np.ndarray:
        """uint8 (N, C, H, W): the sample of `train_normal` for the views, as many as test normals are shown."""
        return self.train_normal()[: min(VIEW_LIMIT, len(self.test_normal()))]

    def test_class(self, label: int) -> np.ndarray:
        """uint8 (N, C, H, W): the test images of a class."""
        return self.dataset.test_images[self._order("test", label)[: self.test_limit or None]]

    def test_normal(self) -> np.ndarray:
        """uint8 (N, C, H, W): the test images of the normal class."""
        return self.test_class(self.normal_class)

    def augmented(self, images: np.ndarray, name: str, profile: str, params: dict[str, float]) -> Tensor:
        """float32: each of the images (at most as many as the class has in training) augmented once, with p = 1 where there
        is a p (METHOD); the i-th image gets the same whatever their number."""
        return self._draw(augment.get(name, profile=profile, role="analysis", **params), images, "train")

    def generated(self, images: np.ndarray, anomaly: Anomaly, profile: str) -> Tensor:
        """float32: gen of each of the given test normals, which must be the first of `test_normal`."""
        return self._draw(
            augment.get(anomaly.name, profile=profile, role="gen", **dict(anomaly.params)), images, "test"
        )

    def _draw(self, transform: augment.Augmentation, images: np.ndarray, split: str) -> Tensor:
        # Parameters are drawn for all images of the class and cut, so that no limit changes what an image gets.
        given = sorted((k, v) for k, v in transform.params.items() if v is not None)
        kind = transform.role, transform.name, given, transform.profile
        generator = torch.Generator().manual_seed(seed_for(self.dataset.fingerprint, self.normal_class, *kind))
        total = len(self._order(split, self.normal_class))
        x = to_float(images)
        params = transform.sample_params(total, x.shape[1], x.shape[-1], generator)
        return transform.apply(x, {name: value[: len(x)] for name, value in params.items()})

    def anomalous(self, anomaly: Anomaly, profile: str, limit: int | None = None) -> Tensor:
        """float32 (N, C, H, W): the anomalies of a task; with ``limit`` the first of them, spread over the classes."""
        if anomaly.kind == "gen":
            return self.generated(self.test_normal()[:limit], anomaly, profile)
        if anomaly.kind == "class":
            return to_float(self.test_class(self.dataset.info.classes.index(anomaly.name))[:limit])
        images, _ = self.rest(limit)
        return to_float(images)

    def rest(self, limit: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """uint8 images and labels of all other classes, class by class; with ``limit`` the first, of each class in turn."""
        _, labels = self._rest(limit)
        parts = [self.test_class(label)[: np.count_nonzero(labels == label)] for label in self._others()]
        return np.concatenate(parts), labels

    def shown(self, anomaly: Anomaly) -> np.ndarray:
        """Which of a task's anomalies the views show, (n,) indices: those of `anomalous` with `VIEW_LIMIT`."""
        if anomaly.kind == "rest":
            return self._rest(VIEW_LIMIT)[0]
        label = self.normal_class if anomaly.paired else self.dataset.info.classes.index(anomaly.name)
        return np.arange(min(self._size(label), VIEW_LIMIT))

    def _rest(self, limit: int | None) -> tuple[np.ndarray, np.ndarray]:
        """Which of all images of the other classes are the first ``limit``, and their labels."""
        others = self._others()
        sizes = [self._size(label) for label in others]
        labels, ranks = np.repeat(others, sizes), np.concatenate([np.arange(size) for size in sizes])
        first = np.sort(np.lexsort((labels, ranks))[:limit])
        return first, labels[first]

    def _others(self) -> list[int]:
        return [label for label in range(len(self.dataset.info.classes)) if label != self.normal_class]

    def _size(self, label: int) -> int:
        """How many test images of a class there are."""
        return min(
            np.count_nonzero(self.dataset.test_labels == label), self.test_limit or len(self.dataset.test_labels)
        )

    def classes(self) -> list[Anomaly]:
        """Every other class as an anomaly."""
        return [Anomaly("class", self.dataset.info.classes[label]) for label in self._others()]
