"""ResNet50 against torchvision's own; weights that are missing, damaged or of something else; what is kept."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import http.server
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torchvision.models import ResNet50_Weights, resnet18, resnet50
from torchvision.transforms.v2 import functional as F

from ssad_core import encoders
from ssad_core.encoders import ENCODERS, WEIGHTS_FILE, embed, identity, is_published, weights_path
from ssad_core.errors import BadInput


@pytest.fixture(scope="module")
def network() -> nn.Module:
    torch.manual_seed(1)
    return resnet50(weights=None).eval()


@pytest.fixture(scope="module")
def file(network: nn.Module, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "mine.pth"
    torch.save(network.state_dict(), path)
    return path


@pytest.fixture
def weights(file: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SSAD_RESNET50", str(file))
    return file


@pytest.fixture(autouse=True)
def no_weights(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSAD_RESNET50", raising=False)


@pytest.fixture
def colour() -> Tensor:
    return torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def theirs(network: nn.Module, x: Tensor, enlarged: bool, normalised: bool) -> np.ndarray:
    """The input of torchvision's last layer."""
    if enlarged:
        x = F.resize(x, [224, 224], antialias=False)
    if normalised:
        x = F.normalize(x, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    found = []
    hook = network.fc.register_forward_pre_hook(lambda _, inputs: found.append(inputs[0]))
    with torch.no_grad():
        network(x)
    hook.remove()
    return found[0].numpy()


@pytest.mark.parametrize("enlarged", [False, True])
@pytest.mark.parametrize("normalised", [False, True])
def test_embeds_as_torchvision_does(
    network: nn.Module, weights: Path, colour: Tensor, enlarged: bool, normalised: bool
) -> None:
    found = embed(encoders.resnet50(enlarged, normalised), colour)
    assert found.shape == (3, 2048)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, theirs(network, colour, enlarged, normalised), rtol=1e-3, atol=1e-3)


def test_a_grey_image_is_three_equal_channels(weights: Path, images: Tensor) -> None:
    np.testing.assert_array_equal(embed("resnet50", images[:4]), embed("resnet50", images[:4].repeat(1, 3, 1, 1)))


def test_pixels_are_pixels(colour: Tensor) -> None:
    np.testing.assert_array_equal(embed("pixels", colour), colour.reshape(3, -1).numpy())


def test_the_untrained_one_is_always_the_same_and_leaves_torchs_generator_alone(
    colour: Tensor, own_cache: Path
) -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    first = encoders._features("untrained", colour)
    encoders._network.cache_clear()
    np.testing.assert_array_equal(encoders._features("untrained", colour), first)
    torch.testing.assert_close(torch.rand(3), expected)


def test_the_same_images_are_embedded_once(weights: Path, colour: Tensor, own_cache: Path) -> None:
    first = embed("resnet50", colour)
    kept = list((own_cache / "embeddings").iterdir())
    assert len(kept) == 1
    np.savez(kept[0], embeddings=first + 1)  # what is kept is what is given
    np.testing.assert_array_equal(embed("resnet50", colour), first + 1)
    kept[0].write_bytes(b"PK cut off")
    np.testing.assert_array_equal(embed("resnet50", colour), first)
    embed("resnet50", colour.flip(0))
    embed("untrained", colour)
    assert len(list((own_cache / "embeddings").iterdir())) == 3


def test_other_weights_give_other_embeddings(
    weights: Path, network: nn.Module, colour: Tensor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, name = embed("resnet50", colour), identity("resnet50")
    torch.save({key: value for key, value in network.state_dict().items() if key[:3] != "fc."}, tmp_path / "other.pth")
    monkeypatch.setenv("SSAD_RESNET50", str(tmp_path / "other.pth"))
    assert identity("resnet50") != name  # though the last layer, of which nothing is asked, is all that differs
    np.testing.assert_array_equal(embed("resnet50", colour), first)
    torch.save({key: value / 2 for key, value in network.state_dict().items()}, tmp_path / "other.pth")
    assert not np.allclose(embed("resnet50", colour), first)


def test_the_file_is_found_in_the_folder_of_images(file: Path, data_dir: Path) -> None:
    assert weights_path() is None
    assert encoders.default_encoder() == "baseline"
    (data_dir / WEIGHTS_FILE).symlink_to(file)
    assert weights_path() == data_dir / WEIGHTS_FILE
    assert encoders.default_encoder() == "resnet50"
    assert not is_published("resnet50")  # whatever it is called


def wrong(kind: str, path: Path, file: Path) -> None:
    match kind:
        case "cut off":
            path.write_bytes(file.read_bytes()[:100_000])
        case "no weights":
            path.write_text("<html>404</html>")
        case "a tensor":
            torch.save(torch.ones(3), path)
        case "another network":
            torch.save(resnet18(weights=None).state_dict(), path)
        case "not finite":
            state = torch.load(file, weights_only=True)
            state["conv1.weight"][0] = torch.nan
            torch.save(state, path)
        case "code":
            torch.save(resnet18, path)  # unpickling would run what the file names
        case "a folder":
            path.mkdir()


@pytest.mark.parametrize(
    "kind", ["cut off", "no weights", "a tensor", "another network", "not finite", "code", "a folder", "nowhere"]
)
def test_a_file_that_cannot_be_used_is_one_line(
    kind: str, file: Path, tmp_path: Path, colour: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "wrong.pth"
    wrong(kind, path, file)
    monkeypatch.setenv("SSAD_RESNET50", str(path))
    with pytest.raises(BadInput, match=r"wrong\.pth") as raised:
        embed("resnet50", colour)
    assert "\n" not in str(raised.value)
    assert embed("untrained", colour).shape == (3, 2048)  # the others go on


def test_what_cannot_be_downloaded_says_where_to_put_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")  # nothing can be downloaded into a file
    monkeypatch.setenv("SSAD_DATA_DIR", str(tmp_path / "file"))
    with pytest.raises(BadInput, match="could not be downloaded") as raised:
        encoders.download_weights()
    for part in (WEIGHTS_FILE, "SSAD_RESNET50", str(tmp_path / "file")):
        assert part in str(raised.value)
    assert "\n" not in str(raised.value)


def test_downloaded_weights_are_moved_into_place(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def download(_module: str, _function: str, folder: str) -> None:
        (Path(folder) / WEIGHTS_FILE).write_text("weights")
        assert not (data_dir / WEIGHTS_FILE).exists()

    monkeypatch.setattr(encoders, "in_a_child", download)
    assert encoders.download_weights().read_text() == "weights"
    assert list(data_dir.iterdir()) == [data_dir / WEIGHTS_FILE]


def test_torchvision_downloads_and_checks_the_weights(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a server on this machine, which hands out weights of ours under a name that has their digits, as torchvision's."""
    served = tmp_path / "served"
    served.mkdir()
    digits = hashlib.sha256(file.read_bytes()).hexdigest()[:8]
    for name in (f"resnet50-{digits}.pth", "resnet50-00000000.pth"):
        (served / name).symlink_to(file)
    handler = functools.partial(QuietHandler, directory=str(served))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            for name in ("resnet50-00000000.pth", f"resnet50-{digits}.pth"):
                address = f"http://127.0.0.1:{server.server_port}/{name}"
                row = dataclasses.replace(ResNet50_Weights.IMAGENET1K_V1.value, url=address)
                monkeypatch.setattr(ResNet50_Weights.IMAGENET1K_V1, "_value_", row)
                if digits not in name:
                    with pytest.raises(RuntimeError, match="hash"):
                        encoders._download(str(tmp_path / "data"))
                    assert list((tmp_path / "data").iterdir()) == []
                else:
                    encoders._download(str(tmp_path / "data"))
        finally:
            server.shutdown()
    assert (tmp_path / "data" / f"resnet50-{digits}.pth").read_bytes() == file.read_bytes()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def test_unknown_encoders_and_codes_are_refused(colour: Tensor) -> None:
    with pytest.raises(BadInput, match="did you mean 'pixels'"):
        embed("pixel", colour)
    with pytest.raises(BadInput, match="is a run's"):
        embed("baseline", colour)


def test_the_table_has_every_way_to_show_images_to_resnet50() -> None:
    ways = {(info.enlarged, info.normalised) for info in ENCODERS.values() if info.imagenet}
    assert len(ways) == 4
    for enlarged, normalised in ways:
        info = ENCODERS[encoders.resnet50(enlarged, normalised)]
        assert (info.enlarged, info.normalised) == (enlarged, normalised)
    assert encoders.at_once(baseline=True) == ["baseline", "run", "pixels"]
    assert encoders.at_once(baseline=False) == ["run", "pixels"]
