"""What is trained on, scored and shown: the same images whatever the run, gens paired with their normals."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch

from ssad_core import augment
from ssad_core.data import Dataset, load
from ssad_core.detectors import settings_for
from ssad_core.errors import BadInput
from ssad_core.samples import Samples, seed_for, to_float
from ssad_core.spec import CONTROLLED, Anomaly, RunSpec

GENS = [Anomaly("gen", name) for name in augment.AUGMENTATIONS if name != "identity"]
DETERMINISTIC = {"flip": lambda x: x.flip(2), "invert": lambda x: 1 - x}  # as gens they draw nothing


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSAD_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def digits(cache: None) -> Dataset:
    return load("digits")


@pytest.fixture(scope="module")
def photos(cache: None) -> Dataset:
    return load("photos")


def rows(images: np.ndarray) -> list[bytes]:
    return [image.tobytes() for image in images]


# -- which images -----------------------------------------------------------------------------------------------------


def test_a_class_is_all_of_its_images_and_no_others(digits: Dataset) -> None:
    for label in range(10):
        samples = Samples(digits, label)
        train = digits.train_images[digits.train_labels == label]
        test = digits.test_images[digits.test_labels == label]
        assert sorted(rows(samples.train_normal())) == sorted(rows(train))
        assert sorted(rows(samples.test_normal())) == sorted(rows(test))
        assert rows(samples.test_normal()) != rows(test)  # in a shuffled order


@pytest.mark.parametrize("limit", [1, 7, 59, 60, 10_000])
def test_a_smaller_limit_keeps_a_part_of_a_larger_ones(digits: Dataset, limit: int) -> None:
    everything, some = Samples(digits, 3), Samples(digits, 3, limit, limit)
    assert rows(some.train_normal()) == rows(everything.train_normal())[:limit]
    for label in range(10):
        assert rows(some.test_class(label)) == rows(everything.test_class(label))[:limit]
    for anomaly in [*GENS, *some.classes(), Anomaly("gen", "cutout", (("c", 0.4),))]:
        for profile in ("paper", "reference"):
            kept = some.anomalous(anomaly, profile)
            assert torch.equal(kept, everything.anomalous(anomaly, profile)[:limit])
            assert torch.equal(everything.anomalous(anomaly, profile, limit), kept)


@pytest.mark.parametrize("name", augment.AUGMENTATIONS)
def test_an_images_augmentation_does_not_depend_on_how_many_are_asked_for(digits: Dataset, name: str) -> None:
    # Digits have twice as many training as test images, so the number that is drawn must not follow either group's.
    samples = Samples(digits, 3)
    images = samples.train_normal()
    whole = samples.augmented(images, name, "paper", {})
    for count in (1, 40, 61, 100):
        assert torch.equal(samples.augmented(images[:count], name, "paper", {}), whole[:count])


def test_the_images_do_not_depend_on_the_run(digits: Dataset) -> None:
    spec = RunSpec("digits", digits.fingerprint, 3, "dae", "cutout", (), settings_for("quick"))
    runs = [
        spec,
        spec.baseline(),
        replace(spec, augment="flip"),
        replace(spec, seed=1),
        replace(spec, settings=settings_for("quick", epochs=3, features=2, batch_size=7, learning_rate=0.1)),
    ]
    first, *others = [Samples.of(run, digits) for run in runs]
    for other in others:
        assert rows(other.train_normal()) == rows(first.train_normal())
        for anomaly in [*GENS, *first.classes(), Anomaly("rest")]:
            assert torch.equal(other.anomalous(anomaly, "paper"), first.anomalous(anomaly, "paper"))


def test_a_run_decides_its_class_and_limits(photos: Dataset) -> None:
    spec = RunSpec("photos", photos.fingerprint, 1, "dae", "flip", (), settings_for("quick", limit=30, test_limit=20))
    samples = Samples.of(spec, photos)
    assert len(samples.train_normal()) == 30
    assert rows(samples.test_normal()) == rows(samples.test_class(1))
    assert len(samples.test_class(0)) == len(samples.test_normal()) == 20
    assert samples.classes() == [Anomaly("class", "temple")]


def test_a_run_of_other_images_has_no_samples_here(photos: Dataset) -> None:
    spec = RunSpec("photos", "0" * 16, 1, "dae", "flip", (), settings_for("quick"))
    with pytest.raises(BadInput, match=f"Photos has other images now than those of the run {spec.id}; train it anew"):
        Samples.of(spec, photos)


@pytest.mark.parametrize("sizes", [(60, 60, 60), (200, 400, 90), (10, 900, 300), (3, 5, 7)])
def test_the_shown_of_the_rest_are_as_many_of_each_class_as_there_are(
    sizes: tuple[int, ...], monkeypatch: pytest.MonkeyPatch, photos: Dataset
) -> None:
    labels = np.repeat([0, 1, 2, 3], [20, *sizes])
    images = np.random.default_rng(0).integers(0, 256, (len(labels), 1, 4, 4), dtype=np.uint8)
    info = replace(photos.info, classes=tuple("abcd"))
    samples = Samples(Dataset(info, "0", images, labels, images, labels), 0)
    monkeypatch.setattr("ssad_core.samples.VIEW_LIMIT", 240)
    shown = samples.shown(Anomaly("rest"))
    every, limited = samples.rest(), samples.rest(240)
    for all_of_it, some in zip(every, limited, strict=True):
        np.testing.assert_array_equal(all_of_it[shown], some)
    assert torch.equal(
        samples.anomalous(Anomaly("rest"), "paper")[shown], samples.anomalous(Anomaly("rest"), "paper", 240)
    )
    assert len(shown) == min(240, sum(sizes))
    counts = np.bincount(every[1][shown])[1:]
    level = counts.max()
    assert all(count == size or count >= level - 1 for count, size in zip(counts, sizes, strict=True))
    for label in range(1, 4):
        own = Anomaly("class", "abcd"[label])
        np.testing.assert_array_equal(samples.shown(own), np.arange(min(sizes[label - 1], 240)))


def test_the_rest_is_the_other_classes_in_order(digits: Dataset) -> None:
    samples = Samples(digits, 3, test_limit=20)
    images, labels = samples.rest()
    others = [label for label in range(10) if label != 3]
    assert labels.tolist() == [label for label in others for _ in range(20)]
    assert rows(images) == [row for label in others for row in rows(samples.test_class(label))]
    assert [anomaly.name for anomaly in samples.classes()] == [str(label) for label in others]
    assert torch.equal(samples.anomalous(Anomaly("rest"), "paper"), to_float(images))
    assert torch.equal(
        torch.cat([samples.anomalous(anomaly, "paper") for anomaly in samples.classes()]), to_float(images)
    )


@pytest.mark.parametrize("limit", [9, 10, 50, 90])
def test_a_limited_rest_has_every_class(digits: Dataset, limit: int) -> None:
    images, labels = Samples(digits, 3).rest(limit)
    assert len(images) == len(labels) == limit
    counts = np.bincount(labels, minlength=10)
    assert counts[3] == 0
    share = -(-limit // 9)
    assert counts.max() == share
    if limit % 9 == 0:
        assert sorted(counts)[1:] == [share] * 9


def test_bytes_become_shares_of_255(photos: Dataset) -> None:
    images = photos.test_images[:5]
    x = to_float(images)
    assert x.dtype == torch.float32
    np.testing.assert_array_equal(x.numpy(), images.astype(np.float32) / np.float32(255))
    x.zero_()
    np.testing.assert_array_equal(images, photos.test_images[:5])  # a copy
    assert images.any()


# -- gen and aug ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", ["paper", "reference"])
def test_anomaly_i_is_made_of_normal_i(photos: Dataset, profile: str) -> None:
    samples = Samples(photos, 0, test_limit=100)
    normal = to_float(samples.test_normal())
    for name, change in DETERMINISTIC.items():
        assert torch.equal(samples.anomalous(Anomaly("gen", name), profile), change(normal))
    turned = samples.anomalous(Anomaly("gen", "rotate"), profile)
    for before, after in zip(normal, turned, strict=True):
        assert any(torch.equal(after, torch.rot90(before, k, (1, 2))) for k in (1, 2, 3))
    erased = samples.anomalous(Anomaly("gen", "cutout"), profile)
    assert ((erased == normal) | (erased == 0)).all()


@pytest.mark.parametrize("gen", GENS, ids=lambda gen: gen.name)
def test_no_anomaly_is_its_normal_image(photos: Dataset, gen: Anomaly) -> None:
    samples = Samples(photos, 0)
    changed = (samples.anomalous(gen, "paper") != to_float(samples.test_normal())).flatten(1).any(1)
    if gen in CONTROLLED or gen.name in ("rotate", "geom"):
        assert changed.all()
    assert changed.float().mean() > 0.9  # the narrowest blurs round to nothing


def test_the_controlled_testbeds_gens_are_paired_and_at_their_defaults() -> None:
    assert [gen.key for gen in CONTROLLED] == ["gen:cutout", "gen:flip", "gen:invert"]  # Sec. 3
    assert all(gen in GENS and gen.paired for gen in CONTROLLED)


def test_draws_are_fixed_and_apart_for_all_that_differs(photos: Dataset) -> None:
    ones = np.full((50, 3, 32, 32), 255, np.uint8)
    fixed = {"c": 0.4}
    temple, flower = Samples(photos, 0), Samples(photos, 1)
    draws = {
        "gen": temple.generated(ones, Anomaly("gen", "cutout"), "paper"),
        "aug": temple.augmented(ones, "cutout", "paper", {}),
        "gen c": temple.generated(ones, Anomaly("gen", "cutout", (("c", 0.4),)), "paper"),
        "aug c": temple.augmented(ones, "cutout", "paper", fixed),
        "gen other c": temple.generated(ones, Anomaly("gen", "cutout", (("c", 0.41),)), "paper"),
        "other class": flower.generated(ones, Anomaly("gen", "cutout"), "paper"),
        "other data": Samples(replace(photos, fingerprint="0" * 16), 0).augmented(ones, "cutout", "paper", {}),
    }
    for (one, x), (other, y) in itertools.combinations(draws.items(), 2):
        assert not torch.equal(x, y), (one, other)
    again = Samples(photos, 0, limit=60, test_limit=60)
    assert torch.equal(again.generated(ones, Anomaly("gen", "cutout"), "paper"), draws["gen"])
    assert torch.equal(again.augmented(ones, "cutout", "paper", fixed), draws["aug c"])


def test_augmented_for_analysis_every_image_is_changed(photos: Dataset) -> None:
    samples = Samples(photos, 0, limit=50)
    images = samples.train_normal()
    for name, change in DETERMINISTIC.items():
        assert torch.equal(samples.augmented(images, name, "paper", {"p": 0.1}), change(to_float(images)))
    assert torch.equal(samples.augmented(images, "identity", "paper", {}), to_float(images))


def test_seeds_depend_on_everything_they_are_made_of() -> None:
    seeds = [seed_for(), seed_for("a"), seed_for("a", "b"), seed_for("b", "a"), seed_for("a", 1), seed_for("a", 2)]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert seed_for("a", 1) == seeds[4]
