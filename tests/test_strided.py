"""Convolutions in bfloat16 against torch's own in float64: no less exact than the precision allows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from ssad_core.networks import ConvAE
from ssad_core.strided import TALL, Double, Halve

LAYERS = [  # kinds that ConvAE has, and channels that fit nothing
    *[(Halve, 3, 16, 32), (Halve, 16, 32, 16), (Halve, 64, 128, 4), (Halve, 1, 5, 8), (Halve, 17, 19, 2)],
    *[(Double, 128, 64, 2), (Double, 32, 16, 8), (Double, 16, 3, 16), (Double, 5, 1, 4), (Double, 19, 17, 1)],
]


def gradients(layer: nn.Module, x: Tensor, towards: Tensor) -> dict[str, Tensor]:
    """The layer's output, and the gradients of its sum weighted by ``towards``."""
    x = x.clone().requires_grad_()
    out = layer(x)
    (out * towards).sum().backward()
    named = {name: p.grad for name, p in layer.named_parameters()}
    return {"output": out.detach(), "x": x.grad, **named}  # type: ignore[dict-item]


@pytest.fixture
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("memory", [torch.channels_last, torch.contiguous_format], ids=["last", "first"])
@pytest.mark.parametrize(("kind", "inputs", "outputs", "size"), LAYERS)
def test_outputs_and_gradients_are_torchs(kind: Any, inputs: int, outputs: int, size: int, memory: Any) -> None:
    agrees(kind, inputs, outputs, size, memory, images=5)


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize(("kind", "inputs", "outputs", "size"), [(Halve, 16, 32, 16), (Double, 32, 16, 8)])
def test_so_they_are_of_whole_batches_on_two_threads(kind: Any, inputs: int, outputs: int, size: int) -> None:
    assert TALL <= 130 * 64  # places of the smaller images, so that the product is taken apart
    agrees(kind, inputs, outputs, size, torch.channels_last, images=130)


def agrees(kind: Any, inputs: int, outputs: int, size: int, memory: Any, images: int) -> None:
    torch.manual_seed(0)
    layer = kind(inputs, outputs, before_norm=False).to(memory_format=memory)
    for p in layer.parameters():
        p.data = p.data.bfloat16().float()
    x = torch.randn(images, inputs, size, size).bfloat16().float().contiguous(memory_format=memory)
    with torch.no_grad():
        towards = torch.randn_like(layer(x)).bfloat16().float()
    with torch.autocast("cpu", torch.bfloat16):
        ours = gradients(layer, x, towards)
    layer.zero_grad()
    exact = gradients(layer.double(), x.double(), towards.double())
    assert ours["output"].dtype == torch.bfloat16
    for name, value in exact.items():
        found = ours[name].double()
        assert found.shape == value.shape
        # Eight bits; without oneDNN's kernels a sum is rounded to them at each of the kernel's nine places.
        assert_close(found, value, rtol=2**-7, atol=2**-7 * value.abs().max().item(), msg=lambda m, n=name: f"{n}: {m}")


@pytest.mark.parametrize(("kind", "inputs", "outputs", "size"), LAYERS)
def test_a_bias_before_batchnorm_has_a_gradient_of_exactly_zero(
    kind: Any, inputs: int, outputs: int, size: int
) -> None:
    torch.manual_seed(0)
    layer, norm = kind(inputs, outputs), nn.BatchNorm2d(outputs)
    x = torch.randn(6, inputs, size, size)
    with torch.autocast("cpu", torch.bfloat16):
        norm(layer(x)).float().square().sum().backward()
    assert torch.equal(layer.bias.grad, torch.zeros(outputs))
    exact, norm = kind(inputs, outputs).double(), norm.double()
    norm(exact(x.double())).square().sum().backward()
    assert exact.bias.grad.abs().max() < 1e-10 * exact.weight.grad.abs().max().clamp_min(1)


def test_in_float32_they_are_torchs_own_to_the_bit() -> None:
    torch.manual_seed(0)
    for ours, theirs in (
        (Halve(3, 16), nn.Conv2d(3, 16, 3, 2, 1)),
        (Double(16, 3), nn.ConvTranspose2d(16, 3, 3, 2, 1, 1)),
    ):
        theirs.load_state_dict(ours.state_dict())
        x = torch.randn(4, ours.in_channels, 8, 8)
        towards = torch.randn_like(ours(x))
        found, expected = gradients(ours, x, towards), gradients(theirs, x, towards)
        assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_a_network_computes_in_bfloat16_only_while_it_is_trained() -> None:
    torch.manual_seed(0)
    network, x = ConvAE(3, features=4, hidden=8), torch.rand(6, 3, 32, 32)
    with torch.no_grad():
        exact = network(x)
        network.in_bfloat16 = True
        rough = network(x)
        assert rough.dtype == torch.float32
        assert 0 < (rough - exact).abs().max() < 0.02
        network.eval()
        scored = network(x)
        network.in_bfloat16 = False
        assert torch.equal(scored, network(x))
