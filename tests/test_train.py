"""The training loop against a textbook's, its schedule against torch's, and that it repeats bit for bit."""

from __future__ import annotations

import hashlib
import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from fakes import OnCuda
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from ssad_core import augment
from ssad_core.detectors import DETECTORS, Detector, augs, build
from ssad_core.detectors.base import cosine
from ssad_core.errors import BadInput
from ssad_core.networks import ConvAE
from ssad_core.paths import ROOT
from ssad_core.spec import RunSpec, Settings
from ssad_core.train import Adam, Curve, TrainingFailed, batches, choose_device, train

pytestmark = pytest.mark.usefixtures("one_thread")

CPU = torch.device("cpu")
TINY = RunSpec(
    dataset="digits",
    fingerprint="0" * 16,
    normal_class=0,
    detector="dae",
    augment="cutout",
    params=(),
    settings=Settings(epochs=2, features=4, hidden=8, batch_size=16, limit=64, test_limit=0),
)


def digest(detector: Detector) -> str:
    """Of all weights and running statistics, to the last bit."""
    state = sorted(detector.network.state_dict().items())
    return hashlib.sha256(b"".join(value.contiguous().numpy().tobytes() for _, value in state)).hexdigest()


# -- schedule and batches ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("epochs", [1, 2, 12, 256])
def test_the_schedule_is_torchs_cosine_per_epoch(epochs: int) -> None:
    factors = [cosine(epoch, epochs) for epoch in range(epochs)]
    assert factors[0] == 1
    assert factors == sorted(factors, reverse=True)
    assert 0 < factors[-1] <= 1
    assert cosine(epochs, epochs) == 0  # the limit, never trained with

    adam = torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, T_max=epochs)
    theirs = []
    for _ in range(epochs):
        theirs.append(adam.param_groups[0]["lr"])
        adam.step()
        schedule.step()
    np.testing.assert_allclose(factors, theirs, atol=1e-12)


@pytest.mark.parametrize("size", [2, 3, 16, 1024])
@pytest.mark.parametrize("n", [2, 3, 4, 5, 16, 17, 33, 1000, 1025])
def test_batches_keep_every_image_and_are_never_of_one(n: int, size: int) -> None:
    order = torch.randperm(n, generator=torch.Generator().manual_seed(0))
    parts = list(batches(order, size))
    assert torch.equal(torch.cat(parts), order)
    lengths = [len(part) for part in parts]
    assert min(lengths) >= 2
    full, rest = divmod(n, size)
    if rest == 1 and full:
        assert lengths == [size] * (full - 1) + [size + 1]
    else:
        assert lengths == [size] * full + [rest] * (rest > 0)


@pytest.mark.parametrize("decay", [0.0, 0.5e-6, 0.1])
def test_adam_is_torchs_to_the_bit_also_as_the_rate_changes(decay: float) -> None:
    ours, theirs = (nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 1)) for _ in range(2))
    theirs.load_state_dict(ours.state_dict())
    x = torch.rand(7, 5)
    adam = Adam(ours.parameters(), decay)
    oracle = torch.optim.Adam(theirs.parameters(), weight_decay=decay, fused=True)
    for rate in (1e-3, 1e-3, 5e-4, 1e-1):
        ours(x).square().mean().backward()
        adam.step(rate)
        oracle.param_groups[0]["lr"] = rate
        oracle.zero_grad()
        theirs(x).square().mean().backward()
        oracle.step()
        for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
            assert torch.equal(one, other)
            assert one.grad is None


def test_a_training_process_starts_without_torchs_compiler() -> None:
    code = (
        "import sys, ssad_core.worker as w; w.warm_up(w.choose_device('cpu')); sys.exit('torch._dynamo' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


# -- the loop ---------------------------------------------------------------------------------------------------------


def textbook(spec: RunSpec, images: Tensor) -> tuple[ConvAE, list[float]]:
    """Network and loss per epoch of METHOD's "DAE / AE" with torch's own optimiser, schedule and loss, nothing faster."""
    settings = spec.settings
    torch.manual_seed(spec.seed)
    network = ConvAE(images.shape[1], settings.features, settings.hidden)
    aug = augment.get(spec.augment, spec.profile, "aug", **dict(spec.params))
    adam = torch.optim.Adam(network.parameters(), lr=settings.learning_rate, fused=False, foreach=False)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, T_max=settings.epochs)
    generator = torch.Generator().manual_seed(spec.seed)
    losses = []
    for _ in range(settings.epochs):
        order = torch.randperm(len(images), generator=generator).tolist()
        total = 0.0
        for start in range(0, len(images), settings.batch_size):
            x = images[order[start : start + settings.batch_size]]
            loss = F.mse_loss(network(aug(x, generator)), x)
            adam.zero_grad()
            loss.backward()
            adam.step()
            total += loss.item() * len(x)
        schedule.step()
        losses.append(total / len(images))
    return network.eval(), losses


@pytest.mark.parametrize("name", augment.AUGMENTATIONS)
@pytest.mark.parametrize("count", [64, 50])
def test_it_is_the_textbooks_loop(images: Tensor, double: None, name: str, count: int) -> None:
    spec = replace(TINY, augment=name, seed=5, settings=replace(TINY.settings, epochs=4, learning_rate=1e-2))
    x = images[:count].double()
    network, losses = textbook(spec, x)
    detector, curve = train(spec, x, CPU)
    np.testing.assert_allclose(curve.loss, losses, rtol=1e-6)
    assert curve.loss[-1] < curve.loss[0]
    with torch.no_grad():
        np.testing.assert_allclose(detector.network(x), network(x), atol=1e-4)


def test_it_repeats_bit_for_bit_here_and_in_another_process(images: Tensor, tmp_path: Path) -> None:
    first, curve = train(TINY, images, CPU)
    second, again = train(TINY, images, CPU)
    assert digest(first) == digest(second)
    assert curve.loss == again.loss

    np.save(tmp_path / "images.npy", images.numpy())
    code = f"""
import sys
sys.path.insert(0, {str(ROOT / "tests")!r})
import numpy, torch
from ssad_core.train import prepared, train
from test_train import CPU, TINY, digest
torch.rand(7)  # whatever was drawn before
with prepared(CPU, 1):
    print(digest(train(TINY, torch.from_numpy(numpy.load("images.npy")), CPU)[0]))
"""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    out = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert out.stdout.strip() == digest(first)


@pytest.mark.parametrize(("detector", "aug"), [("dae", "cutout"), ("deepsad", "flip"), ("ap", "rotate")])
def test_in_bfloat16_a_training_repeats_and_ends_near_that_in_float32(images: Tensor, detector: str, aug: str) -> None:
    exact = replace(TINY, detector=detector, augment=aug)
    rough = replace(exact, precision="bfloat16")
    (trained, curve), (again, _), (reference, expected) = (train(spec, images, CPU) for spec in (rough, rough, exact))
    assert digest(trained) == digest(again) != digest(reference)
    np.testing.assert_allclose(curve.loss, expected.loss, rtol=0.02)
    assert {value.dtype for value in trained.network.parameters()} == {torch.float32}
    scores, other = (detector.examine(images).scores for detector in (trained, reference))
    assert scores.dtype == torch.float32
    assert np.corrcoef(scores, other)[0, 1] > 0.9


def test_seed_and_augmentation_decide_the_weights(images: Tensor) -> None:
    specs = [TINY, replace(TINY, seed=1), TINY.baseline(), replace(TINY, params=(("c", 0.4),))]
    assert len({digest(train(spec, images, CPU)[0]) for spec in specs}) == len(specs)


def test_watching_sees_every_epoch_and_changes_nothing(images: Tensor) -> None:
    seen = []

    def on_epoch(detector: Detector, curve: Curve) -> None:
        assert not any(module.training for module in detector.network.modules())
        torch.rand(100)  # a watcher may draw
        detector.examine(images)
        seen.append((curve.epoch, curve.images, len(curve.loss), curve.seconds_left))

    watched, curve = train(TINY, images, CPU, on_epoch)
    assert [row[:3] for row in seen] == [(1, 64, 1), (2, 128, 2)]
    assert seen[0][3] > seen[1][3] == 0
    assert curve.images_per_second == pytest.approx(128 / curve.seconds)
    assert digest(watched) == digest(train(TINY, images, CPU)[0])
    assert not watched.network.training


def test_before_the_first_epoch_nothing_is_estimated() -> None:
    curve = Curve(epochs=5, images_per_epoch=64)
    assert (curve.epoch, curve.images_per_second, curve.done, curve.seconds_left) == (0, 0, 0, None)


def test_an_epoch_is_followed_step_by_step(images: Tensor) -> None:
    steps = []
    train(TINY, images, CPU, on_step=lambda curve: steps.append((curve.epoch, curve.images, curve.done)))
    assert steps == [
        (epoch, seen, seen / 128) for epoch in (0, 1) for seen in range(64 * epoch + 16, 64 * epoch + 65, 16)
    ]


@pytest.mark.parametrize("settings", [{"batch_size": 2}, {"batch_size": 1024}, {"learning_rate": 1.0}])
def test_extreme_settings_train(images: Tensor, settings: dict[str, float]) -> None:
    _, curve = train(replace(TINY, settings=replace(TINY.settings, **settings)), images[:33], CPU)
    assert all(map(math.isfinite, curve.loss))


# -- what cannot be trained -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("scale", "became"), [(float("nan"), "nan"), (1e30, "inf")])
def test_a_loss_that_is_no_number_ends_it_in_one_sentence(images: Tensor, scale: float, became: str) -> None:
    epochs = []
    spec = replace(TINY, settings=replace(TINY.settings, batch_size=64))
    with pytest.raises(TrainingFailed) as caught:
        train(spec, images * scale, CPU, lambda detector, curve: epochs.append(curve.epoch))
    assert str(caught.value) == f"The loss became {became} in epoch 1; a learning rate below 0.001 may help."
    assert epochs == []


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_images_are_refused(images: Tensor, count: int) -> None:
    with pytest.raises(BadInput, match=f"at least two images of the normal class; there are {count}"):
        train(TINY, images[:count], CPU)


def test_two_images_are_enough(images: Tensor) -> None:
    assert math.isfinite(train(TINY, images[:2], CPU)[1].loss[-1])


@pytest.mark.parametrize("aug", ["identity", "cutout", "geom"])
@pytest.mark.parametrize("detector", DETECTORS)
def test_on_an_accelerator_a_step_neither_waits_for_the_host_nor_mixes_devices(detector: str, aug: str) -> None:
    if aug not in augs(detector):
        pytest.skip("no aug of this detector")
    spec = replace(TINY, detector=detector, augment=aug)
    with FakeTensorMode():
        with torch.device("cuda"):  # a fake network cannot be moved there
            built = build(spec, 1)
        x, copy = torch.rand(16, 1, 32, 32, device="cuda"), torch.zeros(16, dtype=torch.long, device="cuda")
        optimiser = Adam(built.network.parameters(), spec.settings.weight_decay)
        loss = built.loss(x, copy, OnCuda())
        for p in built.network.parameters():  # in place of backward(), for which a device must be there
            p.grad = torch.empty_like(p)
        optimiser.step(1e-3)
        built.network.eval()
        found = built.examine(x)
        again = built.explain(found.codes)
    assert {part.device.type for part in (loss, *found, again)} == {"cuda"}


# What sums in no fixed order on CUDA, by the documentation of torch.use_deterministic_algorithms, and is no convolution, of
# which cuDNN is asked for one that does.
IN_ANY_ORDER = [
    "_adaptive_avg_pool2d_backward",
    "adaptive_max_pool2d_backward",
    "bincount",
    "cumsum",
    "grid_sampler_2d_backward",
    "histc",
    "index_add",
    "index_put",
    "median",
    "nll_loss2d_forward",
    "put",
    "reflection_pad2d_backward",
    "replication_pad2d_backward",
    "scatter",
    "scatter_add",
    "scatter_reduce",
    "upsample_bilinear2d_backward",
    "upsample_bicubic2d_backward",
]


class Recorded(TorchDispatchMode):
    """The names of all operations, those of the gradients as well."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def __torch_dispatch__(self, op, types, args=(), kwargs=None) -> object:
        self.names.add(op.overloadpacket.__name__.removesuffix("_"))
        return op(*args, **(kwargs or {}))


@pytest.mark.parametrize("detector", DETECTORS)
def test_nothing_of_a_training_sums_in_any_order_on_an_accelerator(detector: str) -> None:
    once = replace(TINY, settings=replace(TINY.settings, epochs=1))
    with Recorded() as recorded:
        for aug in augs(detector):
            for channels in (1, 3):
                train(replace(once, detector=detector, augment=aug), torch.rand(20, channels, 32, 32), CPU)
    assert "convolution_backward" in recorded.names
    assert recorded.names.isdisjoint(IN_ANY_ORDER)


def test_the_record_has_what_sums_in_any_order() -> None:
    with Recorded() as recorded:
        F.interpolate(torch.ones(1, 1, 4, 4, requires_grad=True), (8, 8), mode="bilinear").sum().backward()
        torch.zeros(3).index_add_(0, torch.tensor([0]), torch.ones(1))
    assert {"upsample_bilinear2d_backward", "index_add"} <= recorded.names


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("aug", ["rotate", "simclr"])
@pytest.mark.parametrize("detector", DETECTORS)
def test_on_cuda_the_host_waits_for_no_step_of_an_epoch(images: Tensor, detector: str, aug: str) -> None:
    def on_step(curve: Curve) -> None:  # an error wherever the host waits, but at the end of an epoch
        torch.cuda.set_sync_debug_mode("error" if curve.images % curve.images_per_epoch else "default")

    try:
        train(replace(TINY, detector=detector, augment=aug), images, torch.device("cuda"), on_step=on_step)
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_cuda_is_chosen_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)  # the only thing that is asked
    assert [choose_device(name).type for name in ("auto", "cuda", "cpu")] == ["cuda", "cuda", "cpu"]


def test_devices_are_chosen_by_themselves_or_refused() -> None:
    assert choose_device("cpu") == CPU
    cuda = torch.cuda.is_available()
    assert choose_device("auto").type == choose_device().type == ("cuda" if cuda else "cpu")
    with pytest.raises(BadInput, match="device must be auto, cpu or cuda, not 'gpu'"):
        choose_device("gpu")
    if not cuda:
        with pytest.raises(BadInput, match="no CUDA device"):
            choose_device("cuda")
