"""In whose space alignment is measured (App. G, METHOD: "MMD"): a detector's code, pixels, or ResNet50's pooled features.

The table is read without torch. What ResNet50 makes of images depends on nothing but them and its weights, so it is kept by
the content of both, below ``embeddings/`` in the cache: no run, seed or preset embeds the same images again.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .downloading import beside, in_a_child
from .errors import BadInput, unknown
from .paths import cache_dir, cannot_write, data_dir
from .store import Damaged, read_arrays, write_arrays

if TYPE_CHECKING:
    from torch import Tensor, nn

WEIGHTS_FILE = "resnet50-0676ba61.pth"  # torchvision's IMAGENET1K_V1; the digits begin its SHA-256
WEIGHTS_MB = 98
BATCH = 64
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's pixels, as torchvision's weights want them


@dataclass(frozen=True)
class Encoder:
    """A row of the table: ``title`` completes "in the space of".

    one_space : whether all augmentations share it, so that their values can be ranked.
    network : whether ResNet50 embeds the images, which takes seconds to minutes the first time.
    imagenet : whether it wants weights, of IMAGENET1K_V1 or the user's own.
    enlarged, normalised : what it is shown: images resized to 224 x 224 pixels, or as they are; less ImageNet's mean and
        divided by its deviation, or as they are. Nobody says which the paper used.
    """

    title: str
    help: str
    one_space: bool = True
    network: bool = False
    imagenet: bool = False
    enlarged: bool = False
    normalised: bool = True


def resnet50(enlarged: bool = False, normalised: bool = True) -> str:
    """The name, in `ENCODERS`, of ResNet50 with ImageNet weights that is shown images in this way."""
    return "resnet50" + ("-224" if enlarged else "") + ("" if normalised else "-raw")


ENCODERS: dict[str, Encoder] = {
    "baseline": Encoder(
        "the baseline's code",
        "What the detector without augmentation has learned: one space for all augmentations.",
    ),
    "run": Encoder(
        "the run's own code",
        "What each run has learned: another space for each, so their values are not to be ranked.",
        one_space=False,
    ),
    "untrained": Encoder(
        "an untrained ResNet50", "The paper's network with random weights of a fixed seed.", network=True
    ),
    "pixels": Encoder("raw pixels", "No encoder at all."),
    **{
        resnet50(enlarged, normalised): Encoder(
            "ResNet50",
            "The paper's encoder: 2,048 features that were learned on ImageNet. It needs a file of weights.",
            network=True,
            imagenet=True,
            enlarged=enlarged,
            normalised=normalised,
        )
        for enlarged in (False, True)
        for normalised in (True, False)
    },
}


def encoder_info(name: str) -> Encoder:
    """The row of an encoder. BadInput, with the nearest name, when there is none."""
    if name not in ENCODERS:
        raise unknown("encoder", name, ENCODERS)
    return ENCODERS[name]


def at_once(baseline: bool) -> list[str]:
    """The encoders that embed within a moment: those without a network, the baseline's code where there is a ``baseline``."""
    return [name for name, info in ENCODERS.items() if not info.network and (baseline or name != "baseline")]


def default_encoder(baseline: bool = True) -> str:
    """ResNet50 where its weights are at hand, else the baseline's code or, where there is no ``baseline``, the run's own."""
    return resnet50() if weights_path() else "baseline" if baseline else "run"


def weights_path() -> Path | None:
    """The file with ResNet50's weights: SSAD_RESNET50, which need not exist; else torchvision's in SSAD_DATA_DIR, None if
    it is not there."""
    if named := os.environ.get("SSAD_RESNET50"):
        return Path(named).expanduser().absolute()
    lying = data_dir() / WEIGHTS_FILE
    return lying if lying.is_file() else None


def where_to_put_weights() -> str:
    """What a person can do who has no weights."""
    return (
        f"put torchvision's {WEIGHTS_FILE} (IMAGENET1K_V1, {WEIGHTS_MB} MB) into {data_dir()}, or name a file with "
        "ResNet50's weights in SSAD_RESNET50"
    )


def download_weights() -> Path:
    """Has torchvision download its weights into SSAD_DATA_DIR. BadInput, saying where else to get them, when it cannot."""
    folder = data_dir()
    try:
        with beside(folder) as made:
            in_a_child(__name__, "_download", str(made))
            os.replace(made / WEIGHTS_FILE, folder / WEIGHTS_FILE)
    except OSError as error:
        where = where_to_put_weights()
        raise BadInput(f"ResNet50's weights could not be downloaded ({error.strerror or error}); {where}") from error
    return folder / WEIGHTS_FILE


def _download(folder: str) -> None:
    from torchvision.models import ResNet50_Weights

    ResNet50_Weights.IMAGENET1K_V1.get_state_dict(model_dir=folder, progress=False, check_hash=True, weights_only=True)


def identity(name: str) -> str:
    """What changes exactly when the encoder's embeddings do: its name and its weights. BadInput on weights that cannot be
    read; downloads those that are nowhere."""
    info = encoder_info(name)
    return f"{name}-{_digest(_stamped(weights_path() or download_weights()))}" if info.imagenet else name


def is_published(name: str) -> bool:
    """Whether this is the paper's encoder: ResNet50 with exactly torchvision's IMAGENET1K_V1."""
    return encoder_info(name).imagenet and f"-{WEIGHTS_FILE[9:17]}" in identity(name)


Stamped = tuple[Path, int, int]  # a file with its size and time: read again when they change


def _stamped(path: Path) -> Stamped:
    try:
        about = path.stat()
    except OSError as error:
        raise BadInput(f"ResNet50's weights cannot be read from {path} ({error.strerror})") from error
    return path, about.st_size, about.st_mtime_ns


@lru_cache(maxsize=4)
def _digest(file: Stamped) -> str:
    try:
        with file[0].open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()[:16]
    except OSError as error:
        raise BadInput(f"ResNet50's weights cannot be read from {file[0]} ({error.strerror})") from error


def embed(name: str, images: Tensor) -> np.ndarray:
    """float32 (N, h): the images (N, C, H, W) in [0, 1] as "pixels" (h = C H W) or a ResNet50 (h = 2048) sees them.

    One channel is repeated to three. Kept, so that the same images are embedded once. BadInput on weights that cannot be
    used, and on an encoder that is a run's code.
    """
    info = encoder_info(name)
    if not info.network and name != "pixels":
        raise BadInput(f"{info.title} is a run's, and embeds no images by itself")
    if not info.network:
        return images.flatten(1).numpy()
    content = hashlib.sha256(np.ascontiguousarray(images.numpy()).tobytes()).hexdigest()
    key = f"{identity(name)}|{tuple(images.shape)}|{content}"
    return remember(key, lambda: {"embeddings": _features(name, images)})["embeddings"]


def _features(name: str, images: Tensor) -> np.ndarray:
    import torch
    from torch.nn.functional import interpolate

    info = encoder_info(name)
    network = _network(_stamped(weights_path() or download_weights()) if info.imagenet else None)
    mean, std = (torch.tensor(values)[:, None, None] for values in (_MEAN, _STD))
    parts = []
    with torch.inference_mode():
        for x in images.split(BATCH):
            x = x.expand(-1, 3, -1, -1)
            if info.enlarged:
                x = interpolate(x, size=(224, 224), mode="bilinear", align_corners=False)
            if info.normalised:
                x = (x - mean) / std
            parts.append(network(x.contiguous(memory_format=torch.channels_last)))
    return torch.cat(parts).numpy()


@lru_cache(maxsize=1)
def _network(weights: Stamped | None) -> nn.Module:
    """ResNet50 up to its pooled features; of None with random weights, the same ones always."""
    import torch
    from torchvision.models import resnet50 as build

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = build(weights=None)
    network.fc = torch.nn.Identity()
    if weights:
        path = weights[0]
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:  # unpickling, zip, system: a damaged file raises anything
            raise BadInput(f"{path} is damaged, or no file of weights that torch has saved") from error
        try:
            network.load_state_dict({key: value for key, value in state.items() if not key.startswith("fc.")})
        except (RuntimeError, AttributeError, TypeError) as error:
            raise BadInput(f"{path} holds no weights of torchvision's ResNet50") from error
        if not all(value.isfinite().all() for value in network.state_dict().values()):
            raise BadInput(f"{path} holds weights that are not finite numbers")
    return network.to(memory_format=torch.channels_last).eval()


def recall(key: str) -> dict[str, np.ndarray] | None:
    """What `remember` has kept under this key; None when there is nothing, or nothing that can be read."""
    try:
        return read_arrays(_file(key))
    except Damaged:
        return None


def remember(key: str, compute: Callable[[], Mapping[str, np.ndarray]]) -> Mapping[str, np.ndarray]:
    """What is kept under this key; computed and kept first when it is not. BadInput when the cache cannot be written."""
    kept = recall(key)
    if kept is None:
        kept = compute()
        try:
            _folder().mkdir(parents=True, exist_ok=True)
            write_arrays(_file(key), kept)
        except OSError as error:
            raise cannot_write(_folder(), "SSAD_CACHE_DIR", error) from error
    return kept


def forget() -> None:
    """Deletes all that `remember` has kept. BadInput when the cache cannot be written."""
    try:
        for file in _folder().glob("*.npz"):
            file.unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(_folder(), "SSAD_CACHE_DIR", error) from error


def _folder() -> Path:
    return cache_dir() / "embeddings"


def _file(key: str) -> Path:
    return _folder() / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.npz"
