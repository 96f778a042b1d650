"""ConvAE and the LeNets against METHOD, written out layer by layer as a textbook would."""

from __future__ import annotations

import re

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from ssad_core.detectors.presets import LENETS, lenet
from ssad_core.networks import ConvAE, LeNet, WideResNet


def textbook(channels: int, f: int, hidden: int) -> tuple[nn.Sequential, nn.Sequential]:
    """Encoder and decoder of METHOD's "DAE / AE" with PyTorch's default initialisation."""
    encoder = nn.Sequential(
        *(nn.Conv2d(channels, f, 3, stride=2, padding=1), nn.BatchNorm2d(f), nn.ReLU()),
        *(nn.Conv2d(f, 2 * f, 3, stride=2, padding=1), nn.BatchNorm2d(2 * f), nn.ReLU()),
        *(nn.Conv2d(2 * f, 4 * f, 3, stride=2, padding=1), nn.BatchNorm2d(4 * f), nn.ReLU()),
        *(nn.Conv2d(4 * f, 8 * f, 3, stride=2, padding=1), nn.BatchNorm2d(8 * f), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(8 * f * 2 * 2, hidden), nn.Tanh()),
    )
    up = {"kernel_size": 3, "stride": 2, "padding": 1, "output_padding": 1}
    decoder = nn.Sequential(
        *(nn.Linear(hidden, 8 * f * 2 * 2), nn.BatchNorm1d(8 * f * 2 * 2), nn.ReLU(), nn.Unflatten(1, (8 * f, 2, 2))),
        *(nn.ConvTranspose2d(8 * f, 4 * f, **up), nn.BatchNorm2d(4 * f), nn.ReLU()),
        *(nn.ConvTranspose2d(4 * f, 2 * f, **up), nn.BatchNorm2d(2 * f), nn.ReLU()),
        *(nn.ConvTranspose2d(2 * f, f, **up), nn.BatchNorm2d(f), nn.ReLU()),
        *(nn.ConvTranspose2d(f, channels, **up), nn.Sigmoid()),
    )
    return encoder, decoder


def images(n: int, channels: int) -> Tensor:
    return torch.rand(n, channels, 32, 32, generator=torch.Generator().manual_seed(0))


def layers(network: nn.Module) -> list[str]:
    """The innermost modules in their order, with all their settings; whether a ReLU works in place is none of them."""
    torchs = {"Halve": "Conv2d", "Double": "ConvTranspose2d", "(, )?inplace=True": ""}
    innermost = [repr(m) for m in network.modules() if not list(m.children())]
    for ours, theirs in torchs.items():
        innermost = [re.sub(ours, theirs, text) for text in innermost]
    return innermost


@pytest.mark.parametrize(("channels", "parameters"), [(3, 4_159_235), (1, 4_156_929)])
def test_the_papers_size_has_the_methods_parameters(channels: int, parameters: int) -> None:
    assert sum(p.numel() for p in ConvAE(channels).parameters()) == parameters


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@pytest.mark.parametrize(("channels", "features", "hidden"), [(3, 64, 256), (1, 16, 128), (3, 4, 7)])
def test_it_is_the_textbooks_network(channels: int, features: int, hidden: int, training: bool) -> None:
    torch.manual_seed(0)
    ours = ConvAE(channels, features, hidden).train(training)
    torch.manual_seed(0)
    encoder, decoder = (part.train(training) for part in textbook(channels, features, hidden))
    assert layers(ours) == layers(nn.Sequential(encoder, decoder))

    x = images(5, channels)
    with torch.no_grad():  # in training, BatchNorm takes the batch's statistics, the same at each pass
        code = encoder(x)
        assert_close(ours(x), decoder(code), rtol=0, atol=0)
        assert_close(ours.encode(x), code, rtol=0, atol=0)
        assert_close(ours.decode(code), decoder(code), rtol=0, atol=0)


def test_codes_and_images_keep_their_ranges() -> None:
    torch.manual_seed(0)
    network = ConvAE(3, features=8, hidden=16)
    extreme = 100 * images(6, 3) - 50
    with torch.no_grad():
        code, image = network.encode(extreme), network.decode(100 * network.encode(extreme))
    assert code.shape == (6, 16)
    assert image.shape == (6, 3, 32, 32)
    assert -1 <= code.min() < 0 < code.max() <= 1
    assert 0 <= image.min() < 0.5 < image.max() <= 1


def test_it_learns_to_reconstruct() -> None:
    torch.manual_seed(0)
    network, x = ConvAE(1, features=8, hidden=16), images(8, 1)[:, :, :1].expand(8, 1, 32, 32)
    adam = torch.optim.Adam(network.parameters(), lr=1e-2)
    losses = []
    for _ in range(60):
        loss = (network(x) - x).square().mean()
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses.append(loss.item())
    assert losses[-1] < 0.3 * losses[0]


# -- the LeNets -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dataset", "channels", "parameters"), [("mnist", 1, 9_192), ("fashion_mnist", 1, 283_536), ("cifar10", 3, 520_544)]
)
def test_the_lenets_have_the_methods_parameters(dataset: str, channels: int, parameters: int) -> None:
    network = LeNet(channels, *LENETS[dataset])
    assert sum(p.numel() for p in network.parameters()) == parameters


def block(inputs: int, outputs: int) -> list[nn.Module]:
    convolution = nn.Conv2d(inputs, outputs, 5, stride=1, padding=2, bias=False)
    return [convolution, nn.BatchNorm2d(outputs, eps=1e-4, affine=False), nn.LeakyReLU(0.01), nn.MaxPool2d(2, 2)]


def textbook_lenet(name: str) -> nn.Sequential:
    """METHOD's "LeNet type", with PyTorch's default initialisation."""
    if name == "mnist":
        return nn.Sequential(*block(1, 8), *block(8, 4), nn.Flatten(), nn.Linear(4 * 8 * 8, 32, bias=False))
    if name == "fashion_mnist":
        return nn.Sequential(
            *(*block(1, 16), *block(16, 32), nn.Flatten(), nn.Linear(32 * 8 * 8, 128, bias=False)),
            *(nn.BatchNorm1d(128, eps=1e-4, affine=False), nn.LeakyReLU(0.01), nn.Linear(128, 64, bias=False)),
        )
    blocks = [*block(3, 32), *block(32, 64), *block(64, 128)]
    return nn.Sequential(*blocks, nn.Flatten(), nn.Linear(128 * 4 * 4, 128, bias=False))


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@pytest.mark.parametrize("name", LENETS)
def test_a_lenet_is_the_textbooks(name: str, training: bool) -> None:
    channels = 3 if name == "cifar10" else 1
    torch.manual_seed(0)
    ours = LeNet(channels, *LENETS[name]).train(training)
    torch.manual_seed(0)
    theirs = textbook_lenet(name).train(training)
    assert layers(ours) == layers(theirs)
    x = images(5, channels)
    with torch.no_grad():
        assert_close(ours(x), theirs(x), rtol=0, atol=0)


def test_the_lenet_follows_the_data_set_and_its_sizes_the_settings() -> None:
    chosen = {
        **{("mnist", 1): "mnist", ("digits", 1): "mnist", ("fashion_mnist", 1): "fashion_mnist"},
        **{("cifar10", 3): "cifar10", ("svhn", 3): "cifar10", ("photos", 3): "cifar10"},
        **{("folder:mine", 3): "cifar10", ("folder:mine", 1): "fashion_mnist"},
    }
    assert {key: lenet(*key) for key in chosen} == {key: LENETS[name] for key, name in chosen.items()}
    assert LENETS["cifar10"].scaled(16, 40) == ((16, 32, 64), (40,))
    assert LENETS["mnist"].scaled(16, 40) == ((16, 8), (40,))
    assert LENETS["fashion_mnist"].scaled(4, 40) == ((4, 8), (80, 40))
    for sizes in LENETS.values():
        assert sizes.scaled(sizes.convolutions[0], sizes.linear[-1]) == sizes
        smallest = LeNet(1, *sizes.scaled(1, 2))
        assert smallest(images(3, 1)).shape == (3, 2)


# -- the Wide ResNet --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("classes", "width", "parameters"),
    [(2, 4, 1_196_754), (4, 4, 1_197_268), (72, 4, 1_214_744), (2, 1, 77_586)],
)
def test_the_wide_resnet_has_the_methods_parameters(classes: int, width: int, parameters: int) -> None:
    network = WideResNet(3, classes, 16 * width, 64 * width)
    assert sum(p.numel() for p in network.parameters()) == parameters


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@pytest.mark.parametrize(("channels", "sizes"), [(3, (16, 64)), (1, (4, 10)), (1, (1, 2))])
def test_a_wide_resnet_is_the_textbooks(channels: int, sizes: tuple[int, int], training: bool) -> None:
    """METHOD's words, one operation after the other; small ones too, which oneDNN's strided 1 x 1 convolution breaks."""
    torch.manual_seed(0)
    network = WideResNet(channels, 5, *sizes).train(training)
    state = {name: value.double() for name, value in network.state_dict().items()}
    x = images(6, channels)

    def norm(x: Tensor, name: str) -> Tensor:
        mean, variance = state[f"{name}.running_mean"], state[f"{name}.running_var"]
        if training:
            mean, variance = x.mean((0, 2, 3)), x.var((0, 2, 3), correction=0)
        shape = (1, -1, 1, 1)
        x = (x - mean.view(shape)) / (variance.view(shape) + 1e-5).sqrt()
        return x * state[f"{name}.weight"].view(shape) + state[f"{name}.bias"].view(shape)

    def conv(x: Tensor, name: str, stride: int = 1) -> Tensor:
        weight = state[f"{name}.weight"]
        return nn.functional.conv2d(x, weight, stride=stride, padding=weight.shape[-1] // 2)

    h = conv(2 * x.double() - 1, "stem")
    for stage, stride in enumerate((1, 2, 2)):
        name = f"stages.{stage}"
        active = norm(h, f"{name}.norm1").relu()
        inner = norm(conv(active, f"{name}.conv1", stride), f"{name}.norm2").relu()
        h = conv(inner, f"{name}.conv2") + conv(active, f"{name}.shortcut", stride)
    code = nn.functional.avg_pool2d(norm(h, "norm").relu(), 8).flatten(1)
    logits = code @ state["classify.weight"].T + state["classify.bias"]
    assert code.shape == (6, sizes[1])
    found = network.to(memory_format=torch.channels_last)(x.contiguous(memory_format=torch.channels_last))
    assert_close(found, logits.float(), rtol=1e-4, atol=1e-4)
    found.sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in network.parameters())


def test_the_wide_resnet_starts_he_normal() -> None:
    torch.manual_seed(0)
    for name, weight in WideResNet(3, 72).named_parameters():
        if weight.ndim > 1:
            deviation = (2 / weight[0].numel()) ** 0.5
            assert weight.std().item() == pytest.approx(deviation, rel=0.1), name
    network = WideResNet(3, 72)
    assert not network.classify.bias.any()


# -- larger images ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [32, 48, 64])
def test_networks_follow_the_size_of_the_images(size: int) -> None:
    x = torch.rand(2, 3, size, size)
    autoencoder = ConvAE(3, 8, 20, size)
    assert autoencoder.encode(x).shape == (2, 20)
    assert autoencoder(x).shape == x.shape
    assert LeNet(3, *LENETS["cifar10"].scaled(4, 20), size)(x).shape == (2, 20)
    wide = WideResNet(3, 5, 4, 20)
    assert wide.encode(x).shape == (2, 20)
    assert wide(x).shape == (2, 5)
    # Only what is flattened grows.
    layers = [{k: v.shape for k, v in ConvAE(3, 8, 20, s).named_parameters()} for s in (32, size)]
    changed = {name for name in layers[0] if layers[0][name] != layers[1][name]}
    flat = {
        "encoder.linear.weight",
        "decoder.linear.weight",
        "decoder.linear.bias",
        "decoder.norm.weight",
        "decoder.norm.bias",
    }
    assert changed == (flat if size != 32 else set())
