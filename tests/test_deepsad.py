"""DeepSAD and DeepSVDD against METHOD's formulas written out per image, and against a textbook's training."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ssad_core import augment, detectors, worker
from ssad_core.data import load
from ssad_core.detectors import build, deepsad, detector_info, settings_for
from ssad_core.detectors.base import step
from ssad_core.detectors.deepsad import COLLAPSED, DeepSAD, away_from_zero
from ssad_core.evaluate import anomaly_results, examine_stored
from ssad_core.networks import LeNet
from ssad_core.protocol import PROFILES, SWITCHES
from ssad_core.question import Question
from ssad_core.samples import Samples, to_float
from ssad_core.spec import CONTROLLED, Anomaly, RunSpec, Settings
from ssad_core.store import Store
from ssad_core.train import Curve, train
from ssad_core.views import Comparison

pytestmark = pytest.mark.usefixtures("one_thread")

CPU = torch.device("cpu")
TINY = RunSpec(
    dataset="digits",
    fingerprint="0" * 16,
    normal_class=0,
    detector="deepsad",
    augment="invert",
    params=(),
    settings=Settings(
        epochs=4, features=4, hidden=8, batch_size=16, limit=64, test_limit=0, learning_rate=1e-2, weight_decay=1e-2
    ),
)
VARIANTS = [replace(TINY, profile=p, augment=a) for p in ("paper", "reference") for a in ("invert", "identity")]
NAMES = [f"{spec.profile}, {spec.augment}" for spec in VARIANTS]


def fresh(spec: RunSpec) -> DeepSAD:
    torch.manual_seed(spec.seed)
    detector = build(spec, 1)
    assert isinstance(detector, DeepSAD)
    return detector


def loss_of(spec: RunSpec, codes: np.ndarray, augmented: np.ndarray, centre: np.ndarray) -> float:
    """METHOD's loss, an image after the other."""
    values = []
    for code, other in zip(codes, augmented, strict=True):
        near, far = float(((code - centre) ** 2).sum()), float(((other - centre) ** 2).sum())
        if spec.profile == "paper":
            near, far = math.sqrt(near + 1e-12), math.sqrt(far + 1e-12)
        values.append(near if spec.augment == "identity" else near + 1 / (far + 1e-6))
    return sum(values) / len(values)


# -- the loss ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spec", VARIANTS, ids=NAMES)
def test_the_loss_is_the_methods_and_from_one_forward_pass(spec: RunSpec, images: Tensor) -> None:
    detector, x = fresh(spec), images[:12]
    augmented = augment.get(spec.augment)(x, torch.Generator().manual_seed(1))
    twin = LeNet(1, (4, 2), (8,))
    twin.load_state_dict(detector.network.state_dict())
    detector.network.centre.copy_(twin.centre.copy_(torch.linspace(-1, 1, 8)))
    with torch.no_grad():
        loss = detector.loss(x, torch.zeros(12, dtype=torch.long), torch.Generator().manual_seed(1))
        if spec.augment == "identity":
            codes, others = twin(x), torch.zeros(12, 8)
        else:
            codes, others = twin(torch.cat([x, augmented])).split(12)
    expected = loss_of(spec, codes.double().numpy(), others.double().numpy(), twin.centre.double().numpy())
    assert loss.item() == pytest.approx(expected, rel=1e-5)
    # BatchNorm has seen one batch of all images that take part, not two.
    for name, value in detector.network.state_dict().items():
        torch.testing.assert_close(value, twin.state_dict()[name], msg=name)
    assert detector.network.state_dict()["encoder.0.1.num_batches_tracked"] == 1


@pytest.mark.parametrize("spec", VARIANTS, ids=NAMES)
def test_the_loss_and_its_gradient_are_finite_on_the_centre(spec: RunSpec) -> None:
    # Of black images a network without biases makes 0, the centre, and so of what is cut out of them.
    detector = fresh(spec if spec.augment == "identity" else replace(spec, augment="cutout"))
    black = torch.zeros(4, 1, 32, 32)
    loss = detector.loss(black, torch.zeros(4, dtype=torch.long), torch.Generator())
    loss.backward()
    at_zero = 1e-6 if spec.profile == "paper" else 0.0
    far = 0.0 if spec.augment == "identity" else 1 / (at_zero + 1e-6)
    assert loss.item() == pytest.approx(at_zero + far, rel=1e-5)
    assert all(torch.isfinite(p.grad).all() for p in detector.network.parameters())


# -- the centre -------------------------------------------------------------------------------------------------------


def test_small_components_of_a_fixed_centre_move_away_from_zero_and_an_exact_zero_stays() -> None:
    below = float(np.nextafter(np.float32(0.1), np.float32(0)))
    centre = torch.tensor([-2.0, -0.1, -below, -1e-30, 0.0, -0.0, 1e-30, 0.05, below, 0.1, 3.0])
    moved = torch.tensor([-2.0, -0.1, -0.1, -0.1, 0.0, 0.0, 0.1, 0.1, 0.1, 0.1, 3.0])
    assert torch.equal(away_from_zero(centre), moved)


@pytest.mark.parametrize("spec", VARIANTS, ids=NAMES)
def test_the_centre_follows_the_mean_in_paper_and_is_fixed_otherwise(spec: RunSpec, images: Tensor) -> None:
    means, centres = [], []

    def on_epoch(detector: DeepSAD, curve: Curve) -> None:
        with torch.no_grad():
            means.append(detector.network(images).mean(0))
        centres.append(detector.network.centre.clone())

    detector, curve = train(spec, images, CPU, on_epoch)
    before = fresh(spec).network.eval()
    with torch.no_grad():
        start = before(images).mean(0)
    assert start.abs().min() > 0
    assert start.abs().min() < 0.1
    if spec.profile == "paper" and spec.augment != "identity":
        torch.testing.assert_close(torch.stack(centres), torch.stack(means))
        assert curve.monitor["centre norm"][0] == pytest.approx(start.norm().item(), rel=1e-5)
    else:
        fixed = torch.where(start.abs() < 0.1, 0.1 * start.sign(), start)
        for centre in centres:
            torch.testing.assert_close(centre, fixed)
    assert len(curve.monitor["centre norm"]) == spec.settings.epochs + 1  # one before the first epoch
    assert not detector.network.centre.requires_grad
    assert "centre" in detector.network.state_dict()


@pytest.mark.parametrize("count", [64, 512, 513, 700])
def test_what_is_watched_is_of_all_images(images: Tensor, count: int) -> None:
    detector, x = fresh(TINY), images.repeat(11, 1, 1, 1)[:count]
    detector.network.eval()
    found = detector.settle(x)
    with torch.no_grad():
        codes = detector.network(x).double().numpy()
    centre = codes.mean(0)
    distances = np.linalg.norm(codes - centre, axis=1)
    assert found == {
        "centre norm": pytest.approx(np.linalg.norm(centre), rel=1e-4),
        "mean distance": pytest.approx(distances.mean(), rel=1e-4),
        "spread": pytest.approx(distances.std(), rel=1e-4),
        "code spread": pytest.approx(np.sqrt((distances**2).mean() / (codes**2).sum(1).mean()), rel=1e-4),
    }


# -- training ---------------------------------------------------------------------------------------------------------


def textbook(spec: RunSpec, images: Tensor) -> tuple[LeNet, Tensor, list[float]]:
    """METHOD's DeepSVDD and DeepSAD with torch's own optimiser and schedule."""
    settings, with_aug = spec.settings, spec.augment != "identity"
    torch.manual_seed(spec.seed)
    network = LeNet(1, (settings.features, settings.features // 2), (settings.hidden,))
    aug = augment.get(spec.augment, spec.profile, "aug", **dict(spec.params))
    optimiser = torch.optim.Adam(network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimiser, milestones=[math.ceil(settings.epochs / 3)])
    generator = torch.Generator().manual_seed(spec.seed)

    def mean_code() -> Tensor:
        network.eval()
        with torch.no_grad():
            return network(images).mean(0)

    centre, losses = mean_code(), []
    if not (spec.profile == "paper" and with_aug):
        centre[(centre.abs() < 0.1) & (centre < 0)] = -0.1
        centre[(centre.abs() < 0.1) & (centre > 0)] = 0.1
    for _ in range(settings.epochs):
        network.train()
        order, total = torch.randperm(len(images), generator=generator), 0.0
        for index in order.split(settings.batch_size):
            x = images[index]
            codes = network(torch.cat([x, aug(x, generator)]) if with_aug else x) - centre
            size = codes.square().sum(1)
            size = size if spec.profile == "reference" else torch.sqrt(size + 1e-12)
            loss = size[: len(x)].mean()
            if with_aug:
                loss = loss + (1 / (size[len(x) :] + 1e-6)).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += loss.item() * len(x)
        schedule.step()
        losses.append(total / len(images))
        if spec.profile == "paper" and with_aug:
            centre = mean_code()
    return network.eval(), centre, losses


@pytest.mark.parametrize("spec", VARIANTS, ids=NAMES)
def test_it_is_the_textbooks_training_and_with_the_identity_it_is_deepsvdd(
    spec: RunSpec, images: Tensor, double: None
) -> None:
    x = images.double()
    network, centre, losses = textbook(spec, x)
    detector, curve = train(spec, x, CPU)
    np.testing.assert_allclose(curve.loss, losses, rtol=1e-6)
    torch.testing.assert_close(detector.network.centre, centre, rtol=1e-4, atol=1e-5)
    with torch.no_grad():
        codes = network(x)
    found = detector.examine(x)
    torch.testing.assert_close(found.codes, codes, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found.scores, (codes - centre).square().sum(1), rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(found.explanation, (codes - centre).norm(dim=1), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    ("value", "switch"), [("deepsad_squared", "DeepSAD's loss"), ("deepsad_follows", "DeepSAD's centre")]
)
def test_what_is_said_of_a_switch_and_what_is_done_follow_its_value(
    value: str, switch: str, images: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def seen() -> tuple[dict[str, str], Tensor]:
        """What the profile ``paper`` says, and the centre that a training ends with."""
        detector, _ = train(TINY, images, CPU)
        return {s.name: s.says(PROFILES["paper"]) for s in SWITCHES}, detector.network.centre

    said_before, centre_before = seen()
    other = getattr(PROFILES["reference"], value)
    monkeypatch.setitem(PROFILES, "paper", replace(PROFILES["paper"], **{value: other}))
    said, centre = seen()
    assert [key for key, words in said.items() if words != said_before[key]] == [switch]
    assert not torch.equal(centre, centre_before)


def test_it_repeats_bit_for_bit(images: Tensor) -> None:
    one, other = (train(TINY, images, CPU) for _ in range(2))
    for name, value in one[0].network.state_dict().items():
        assert torch.equal(value, other[0].network.state_dict()[name]), name
    assert one[1].loss == other[1].loss
    assert one[1].monitor == other[1].monitor


@pytest.mark.parametrize("epochs", [1, 2, 3, 8, 150])
def test_the_schedule_is_torchs_step_after_a_third(epochs: int) -> None:
    assert [step(epoch, 150) for epoch in (0, 49, 50, 149)] == [1, 1, 0.1, 0.1]
    adam = torch.optim.Adam([nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = torch.optim.lr_scheduler.MultiStepLR(adam, milestones=[math.ceil(epochs / 3)])
    for epoch in range(epochs):
        assert step(epoch, epochs) == pytest.approx(adam.param_groups[0]["lr"])
        adam.step()
        schedule.step()


# -- a collapse -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", ["paper", "reference"])
@pytest.mark.parametrize("constant", ["zero", "centre"])
def test_a_network_that_became_a_constant_is_said_to_have_collapsed(
    images: Tensor, profile: str, constant: str
) -> None:
    detector, curve = fresh(replace(TINY, profile=profile)), Curve(epochs=1, images_per_epoch=64)
    detector.network.eval()
    curve.watch(detector, images)
    assert curve.warning is None
    last = detector.network.encoder[-1]
    with torch.no_grad():
        if constant == "zero":
            last.weight.zero_()
        else:  # all images of a class one could not tell apart: what differs between them is far below the code
            detector.network.encoder.append(Shift(1e5 * last.weight.abs().max()))
    curve.watch(detector, images)
    assert curve.monitor["code spread"][-1] < COLLAPSED < curve.monitor["code spread"][0]
    assert curve.warning.startswith("The training collapsed: all normal images have the same code")


class Shift(nn.Module):
    def __init__(self, by: Tensor) -> None:
        super().__init__()
        self.by = by

    def forward(self, x: Tensor) -> Tensor:
        return x + self.by


def test_a_collapse_is_in_the_curve_of_the_training(images: Tensor) -> None:
    same = images[:1].repeat(32, 1, 1, 1)  # of which any network makes one code
    assert train(TINY, same, CPU)[1].warning.startswith("The training collapsed")
    assert train(TINY, images, CPU)[1].warning is None


def test_a_collapse_is_in_progress_and_result(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deepsad, "COLLAPSED", 2.0)  # so that any training is one
    heard = []
    result = worker.run(run_spec("identity"), Store(), "cpu", heard.append).result
    assert result["warning"].startswith("The training collapsed")
    assert heard[-1]["warning"] == result["warning"]
    assert heard[-1]["monitor"] == result["monitor"]


# -- a stored run -----------------------------------------------------------------------------------------------------

SMALL = {"epochs": 4, "features": 4, "hidden": 8, "limit": 100, "test_limit": 40}


def run_spec(aug: str, dataset: str = "photos", **more: float | None) -> RunSpec:
    settings = settings_for("quick", "deepsad", dataset, **{**SMALL, **more})
    normal = load(dataset).info.classes[0]
    return Question(dataset, normal, detector="deepsad", augment=aug, settings=settings).run(load(dataset))


@pytest.mark.parametrize("dataset", ["photos", "digits"])
def test_a_stored_run_scores_as_it_did_and_shows_no_pictures(dataset: str) -> None:
    spec, store = run_spec("flip", dataset), Store()
    run, baseline = (worker.run(s, store, "cpu") for s in (spec, spec.baseline()))
    samples = Samples.of(spec, load(dataset))
    for stored in (run, baseline):
        for group, x in {
            "normal": to_float(samples.test_normal()),
            **{gen.key: samples.anomalous(gen, "paper") for gen in CONTROLLED},
        }.items():
            found = examine_stored(stored, x)
            np.testing.assert_allclose(found.scores, stored.scores[group], rtol=1e-4, atol=1e-6)
            np.testing.assert_allclose(found.codes, stored.codes[group], atol=1e-5)
            np.testing.assert_allclose(found.explanation.square(), found.scores, rtol=1e-5)
        assert set(stored.result["monitor"]) == {"centre norm", "mean distance", "spread", "code spread"}
        assert {len(values) for values in stored.result["monitor"].values()} == {SMALL["epochs"] + 1}
        assert stored.result["warning"] is None
        assert not [name for name in stored.history if name.startswith("images/")]
        assert {"scores/normal", "originals/normal", "scores/gen:cutout"} <= set(stored.history)
    views = Comparison(run, baseline, CONTROLLED[0], load(dataset)).views()
    assert [view.name for view in views.detectors] == ["DeepSVDD", "DeepSAD-Flip"]
    for view in views.detectors:
        assert view.explanations is view.errors is None
        assert len(view.scores) == len(views.group)
    patch = Anomaly("gen", "cutout", (("c", 0.6),))
    assert len(anomaly_results(run, patch, load(dataset))[0]) == 40


def test_the_table_says_what_a_detector_shows() -> None:
    for info in detectors.DETECTORS.values():
        torch.manual_seed(0)
        detector = info.build(replace(TINY, detector=info.name), 1, 32)
        detector.network.eval()
        x = torch.rand(5, 1, 32, 32)
        found = detector.examine(x)
        assert found.scores.shape == (5,)
        assert found.codes.shape == (5, 8)
        assert found.explanation.shape == (x.shape if info.pictures else (5, 2) if info.predicts else (5,))
    assert detector_info("deepsad").baseline == "DeepSVDD"


def test_quick_shows_that_the_matched_augmentation_helps() -> None:
    """Finding 1 on the default data set, at half of quick's training images."""
    spec = run_spec("cutout", **{**SMALL, "epochs": None, "features": None, "hidden": None, "limit": 500})
    run, baseline = (worker.run(s, Store(), "cpu").result["auc"]["gen:cutout"] for s in (spec, spec.baseline()))
    assert run > 0.95
    assert run > baseline + 0.02
