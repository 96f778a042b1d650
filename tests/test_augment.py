"""Augmentations: replayed image by image with torchvision's kernels, and the distributions of what is drawn."""

from __future__ import annotations

import itertools
import subprocess
import sys

import numpy as np
import pytest
import torch
from scipy.stats import chisquare, ks_2samp
from sklearn.datasets import load_sample_image
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.testing import assert_close
from torchvision import transforms
from torchvision.transforms import functional as F

from ssad_core import augment
from ssad_core.augment.local import CutOut
from ssad_core.errors import BadInput
from ssad_core.protocol import PROFILES

NAMES = tuple(augment.AUGMENTATIONS)


def patches(n: int = 64, channels: int = 3) -> Tensor:
    """float32 (n, channels, 32, 32) in [0, 1]: natural colour patches of scikit-learn's photograph of a temple."""
    photo = torch.from_numpy(load_sample_image("china.jpg").copy()).permute(2, 0, 1)
    tiles = photo.unfold(1, 32, 32).unfold(2, 32, 32).flatten(1, 2).transpose(0, 1)  # (260, 3, 32, 32)
    return tiles[:n, :channels].float() / 255


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def replayed(name: str, image: Tensor, drawn: dict[str, int]) -> Tensor:
    """One image (C, H, W), changed by torchvision as the recorded parameters say."""
    match name:
        case "identity":
            return image
        case "rotate":
            return F.rotate(image, 90 * drawn["turns"])  # degrees, counter-clockwise
        case "flip":
            return F.vflip(image) if drawn["applied"] else image
        case "invert":
            return F.invert(image) if drawn["applied"] else image
        case "cutout":
            zero = torch.zeros((), dtype=image.dtype)
            return F.erase(image, drawn["top"], drawn["left"], drawn["height"], drawn["width"], zero)
    raise AssertionError(f"no oracle for {name}")


# -- what is done with the parameters ---------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("name", "params"), [*((name, {}) for name in NAMES), ("cutout", {"c": 0.1}), ("cutout", {"c": 0.9})]
)
@pytest.mark.parametrize("role", augment.ROLES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_each_image_equals_torchvisions(
    name: str, params: dict[str, float], channels: int, role: str, dtype: torch.dtype
) -> None:
    x = patches(channels=channels).to(dtype)
    before = x.clone()
    transform = augment.get(name, role=role, **params)
    drawn = transform.sample_params(len(x), channels, 32, seeded())
    assert all(len(value) == len(x) for value in drawn.values())
    out = transform.apply(x, drawn)
    one_by_one = [
        replayed(name, image, {key: value[i].item() for key, value in drawn.items()}) for i, image in enumerate(x)
    ]
    assert_close(out, torch.stack(one_by_one), rtol=0, atol=0)
    assert_close(x, before, rtol=0, atol=0)


@pytest.mark.parametrize("role", augment.ROLES)
@pytest.mark.parametrize("name", NAMES)
def test_a_call_draws_then_applies_and_its_seed_decides(name: str, role: str) -> None:
    x, transform = patches(), augment.get(name, role=role)
    out = transform(x, seeded(3))
    assert_close(out, transform.apply(x, transform.sample_params(64, 3, 32, seeded(3))), rtol=0, atol=0)
    always = name == "identity" or (role != "aug" and name in ("flip", "invert"))
    assert torch.equal(out, transform(x, seeded(4))) == always


@pytest.mark.parametrize("name", NAMES)
def test_no_images_are_no_images(name: str) -> None:
    assert augment.get(name)(torch.empty(0, 1, 32, 32), seeded()).shape == (0, 1, 32, 32)


@pytest.mark.parametrize("params", [{}, {"c": 0.4}])
@pytest.mark.parametrize("size", [16, 64])
def test_cutout_fits_images_of_any_size(size: int, params: dict[str, float]) -> None:
    x = torch.ones(2000, 1, size, size)
    share = 1 - augment.get("cutout", **params)(x, seeded()).mean().item()
    assert share == pytest.approx((round(0.4 * size) / size) ** 2 if params else 0.174, abs=0.006)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_waits_for_the_device(name: str) -> None:
    # Fake tensors have shapes and no values: whatever needs a value on the host (.item(), boolean indexing) raises.
    with FakeTensorMode():
        assert augment.get(name)(torch.rand(8, 3, 32, 32), torch.Generator()).shape == (8, 3, 32, 32)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("name", NAMES)
def test_on_cuda_as_on_the_cpu_and_drawn_there(name: str) -> None:
    x, transform = patches(), augment.get(name)
    drawn = transform.sample_params(64, 3, 32, torch.Generator("cuda").manual_seed(0))
    assert all(value.is_cuda for value in drawn.values())
    here = transform.apply(x, {key: value.cpu() for key, value in drawn.items()})
    assert_close(transform.apply(x.cuda(), drawn).cpu(), here, rtol=0, atol=0)


# -- what is drawn ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("role", "turns"), [("aug", 4), ("analysis", 4), ("gen", 3)])
def test_rotate_draws_quarter_turns_uniformly_and_as_a_gen_never_none(role: str, turns: int) -> None:
    drawn = augment.get("rotate", role=role).sample_params(12_000, 3, 32, seeded())["turns"]
    counts = torch.bincount(drawn, minlength=4)
    assert len(counts) == 4
    assert (counts > 0).sum() == turns
    assert chisquare(counts[4 - turns :]).pvalue > 0.001


@pytest.mark.parametrize("name", ["flip", "invert"])
def test_flip_and_invert_are_drawn_with_p_in_training_and_always_elsewhere(name: str) -> None:
    def share(role: str, **params: float) -> float:
        applied = augment.get(name, role=role, **params).sample_params(20_000, 3, 32, seeded())["applied"]
        return applied.float().mean().item()

    assert share("aug") == pytest.approx(0.5, abs=0.015)
    assert share("aug", p=0.2) == pytest.approx(0.2, abs=0.015)
    assert [share("aug", p=p) for p in (0, 1)] == [0, 1]
    for role in ("gen", "analysis"):
        assert share(role) == share(role, p=0.2) == 1


# METHOD's table: the widths in pixels of the square on a 32 x 32 image.
WIDTHS = {"paper": (3, 6, 10, 13, 16, 19, 22, 26, 29), "reference": (10, 14, 18, 20, 23, 25, 27, 29, 30)}


@pytest.mark.parametrize("role", augment.ROLES)
@pytest.mark.parametrize("profile", PROFILES)
def test_cutout_with_c_erases_a_square_of_the_profiles_width(profile: str, role: str) -> None:
    for tenths, width in enumerate(WIDTHS[profile], start=1):
        erased = augment.get("cutout", profile, role, c=tenths / 10)(torch.ones(32, 3, 32, 32), seeded()) == 0
        for axis in (2, 3):
            assert (erased.any(axis).sum(2) == width).all()
        assert (erased.sum((2, 3)) == width**2).all()


def test_the_profiles_differ_in_nothing_but_cutouts_c() -> None:
    x = patches()
    for name, role in itertools.product(NAMES, augment.ROLES):
        paper, reference = (augment.get(name, profile, role)(x, seeded()) for profile in PROFILES)
        assert_close(paper, reference, rtol=0, atol=0)
    paper, reference = (augment.get("cutout", profile, c=0.5)(x, seeded()) for profile in PROFILES)
    assert not torch.equal(paper, reference)


def test_cutouts_patches_are_random_erasings() -> None:
    drawn = augment.get("cutout").sample_params(100_000, 3, 32, seeded())
    height, width = (drawn[key].double() for key in ("height", "width"))
    area, aspect = height * width / 32**2, height / width
    assert area.mean().item() == pytest.approx(0.174, abs=0.002)
    assert aspect.log().mean().item() == pytest.approx(0, abs=0.02)  # ln(.3 x 3.3) / 2 = -.005
    assert max(height.max(), width.max()) < 32
    big = height * width > 150  # where rounding to pixels moves area and aspect little
    assert 0.02 * 0.7 < area.min() < area.max() < 0.33 * 1.05
    assert 0.3 * 0.9 < aspect[big].min() < 0.33 < 3 < aspect[big].max() < 3.3 * 1.1

    torch.manual_seed(0)  # torchvision draws from the global generator
    image = torch.empty(3, 32, 32)
    theirs = np.array(
        [transforms.RandomErasing.get_params(image, (0.02, 0.33), (0.3, 3.3), [0.0])[:4] for _ in range(4000)]
    )
    ours = torch.stack([drawn[key][:4000] for key in ("top", "left", "height", "width")], 1).numpy()
    for column in range(4):
        assert ks_2samp(ours[:, column], theirs[:, column]).pvalue > 0.001
    assert ks_2samp(ours[:, 2] * ours[:, 3], theirs[:, 2] * theirs[:, 3]).pvalue > 0.001
    assert ks_2samp(ours[:, 2] / ours[:, 3], theirs[:, 2] / theirs[:, 3]).pvalue > 0.001


def test_cutouts_corners_are_uniform_and_independent() -> None:
    drawn = augment.get("cutout", c=0.5).sample_params(34_000, 3, 32, seeded())
    counts = torch.zeros(17, 17, dtype=torch.long)
    counts.index_put_((drawn["top"], drawn["left"]), torch.tensor(1), accumulate=True)  # raises outside 0 to 16
    assert chisquare(counts.flatten()).pvalue > 0.001


def test_cutout_tries_ten_times() -> None:
    class Large(CutOut):
        AREA = (0.6, 1.0)  # most tries are as high or as wide as the image

    n = 40_000
    rng = np.random.default_rng(0)
    area, aspect = rng.uniform(0.6, 1, 10**6) * 32**2, np.exp(rng.uniform(np.log(0.3), np.log(3.3), 10**6))
    refused = np.mean((np.round(np.sqrt(area * aspect)) >= 32) | (np.round(np.sqrt(area / aspect)) >= 32))
    expected = refused**10
    assert refused**9 - refused**11 > 20 * np.sqrt(expected / n)  # so that ten is told from nine and eleven

    transform = Large("cutout", "local", {"c": None}, "paper", "aug")
    untouched = (transform.sample_params(n, 1, 32, seeded())["height"] == 0).float().mean().item()
    assert untouched == pytest.approx(expected, abs=4 * np.sqrt(expected / n))


def test_cutout_leaves_the_image_when_no_try_fits() -> None:
    class TooLarge(CutOut):
        AREA = (1.1, 1.2)

    x = patches()
    out = TooLarge("cutout", "local", {"c": None}, "paper", "gen")(x, seeded())
    assert_close(out, x, rtol=0, atol=0)


# -- the table and what people type -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_the_table_describes_what_get_makes(name: str) -> None:
    info = augment.AUGMENTATIONS[name]
    transform = augment.get(name)
    assert (transform.name, transform.category) == (info.name, info.category)
    assert transform.params == {parameter.name: parameter.default for parameter in info.parameters}
    assert info.category in augment.CATEGORY_COLOURS
    for parameter in info.parameters:
        for value in (parameter.low, parameter.high):
            assert augment.get(name, **{parameter.name: value}).params[parameter.name] == value


@pytest.mark.parametrize(
    ("name", "options", "line"),
    [
        ("cutuot", {}, "unknown augmentation 'cutuot'; did you mean 'cutout'? Known: "),
        ("cutout", {"profile": "papre"}, "unknown profile 'papre'; did you mean 'paper'? Known: paper, reference"),
        ("cutout", {"role": "train"}, "unknown role 'train'. Known: aug, gen, analysis"),
        ("cutout", {"p": 0.5}, "cutout has no parameter 'p'; its parameters: c"),
        ("rotate", {"c": 0.5}, "rotate has no parameter 'c'; it has none"),
        ("cutout", {"c": 0.95}, "cutout's c must be a number between 0.1 and 0.9, not 0.95"),
        ("cutout", {"c": 0}, "cutout's c must be a number between 0.1 and 0.9, not 0"),
        ("flip", {"p": float("nan")}, "flip's p must be a number between 0 and 1, not nan"),
        ("flip", {"p": float("inf")}, "flip's p must be a number between 0 and 1, not inf"),
        ("flip", {"p": "half"}, "flip's p must be a number between 0 and 1, not 'half'"),
        ("flip", {"p": True}, "flip's p must be a number between 0 and 1, not True"),
        ("flip", {"p": 10**400}, "flip's p must be a number between 0 and 1, not 1000"),
    ],
)
def test_bad_input_gets_one_clear_line(name: str, options: dict[str, object], line: str) -> None:
    with pytest.raises(BadInput) as caught:
        augment.get(name, **options)
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 150


def test_numpys_numbers_are_numbers() -> None:
    assert augment.check("flip", p=np.int64(1)) == {"p": 1.0}
    assert augment.check("cutout", c=np.float32(0.5)) == {"c": 0.5}


@pytest.mark.parametrize(
    ("name", "params", "label"),
    [
        ("cutout", {}, "CutOut"),
        ("cutout", {"c": 0.4}, "CutOut-0.4"),
        ("flip", {}, "Flip"),
        ("flip", {"p": 0.3}, "Flip (p = 0.3)"),
        *((name, augment.get(name).params, augment.AUGMENTATIONS[name].title) for name in NAMES),
    ],
)
def test_labels_are_the_papers(name: str, params: dict[str, float | None], label: str) -> None:
    assert augment.label(name, params) == label


def test_the_table_is_read_without_torch() -> None:
    # The server paints its first page from it, and importing torch takes seconds.
    code = "import sys, ssad_core.augment; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


# -- the colours ------------------------------------------------------------------------------------------------------

# Linear sRGB as seen with each deficiency: Machado, Oliveira and Fernandes (2009), severity 1.
VISION = {
    "full": np.eye(3),
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}
# Linear sRGB to OKLab, where distances are perceptual: Ottosson (2020).
CONES = [
    [0.4122214708, 0.5363325363, 0.0514459929],
    [0.2119034982, 0.6806995451, 0.1073969566],
    [0.0883024619, 0.2817188376, 0.6299787005],
]
OKLAB = [
    [0.2104542553, 0.7936177850, -0.0040720468],
    [1.9779984951, -2.4285922050, 0.4505937099],
    [0.0259040371, 0.7827717662, -0.8086757660],
]


def linear(colour: str) -> np.ndarray:
    """Linear sRGB (3,) of "#rrggbb"."""
    values = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def luminance(colour: str) -> float:
    return float(linear(colour) @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("vision", VISION)
def test_categories_are_told_apart(vision: str) -> None:
    seen = {
        category: np.asarray(OKLAB) @ np.cbrt(CONES @ np.clip(VISION[vision] @ linear(colour), 0, 1))
        for category, colour in augment.CATEGORY_COLOURS.items()
    }
    for one, other in itertools.combinations(seen, 2):
        # .02 is just noticeable, side by side
        assert np.linalg.norm(seen[one] - seen[other]) > 0.1, (one, other)


@pytest.mark.parametrize("page", ["#ffffff", "#0e1117"], ids=["light", "dark"])
def test_categories_are_readable_on_both_themes(page: str) -> None:
    for category, colour in augment.CATEGORY_COLOURS.items():
        low, high = sorted((luminance(colour), luminance(page)))
        assert (high + 0.05) / (low + 0.05) >= 3, category  # WCAG 2.1, 1.4.11
