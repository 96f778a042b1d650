"""Augmentations: replayed image by image with torchvision's kernels, and the distributions of what is drawn."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from contrast import contrast, linear
from fakes import OnCuda
from scipy.stats import chisquare, ks_2samp, kstest
from sklearn.datasets import load_sample_image
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.testing import assert_close
from torchvision import transforms
from torchvision.transforms import functional as F

from ssad_core import augment
from ssad_core.augment.geometric import draw_crop
from ssad_core.augment.local import CutOut, CutPaste, CutPasteScar, Paste
from ssad_core.errors import BadInput
from ssad_core.paths import ROOT
from ssad_core.protocol import PROFILES, SWITCHES

NAMES = tuple(augment.AUGMENTATIONS)


def patches(n: int = 64, channels: int = 3) -> Tensor:
    """float32 (n <= 260, channels, 32, 32) in [0, 1]: natural colour patches of scikit-learn's photograph of a temple."""
    photo = torch.from_numpy(load_sample_image("china.jpg").copy()).permute(2, 0, 1)
    tiles = photo.unfold(1, 32, 32).unfold(2, 32, 32).flatten(1, 2).transpose(0, 1)  # (260, 3, 32, 32)
    return tiles[:n, :channels].float() / 255


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def of_image(drawn: dict[str, Tensor], i: int) -> dict[str, Any]:
    """What was drawn for the i-th image: numbers, lists and fields."""
    one = {key: value[i] for key, value in drawn.items()}
    return {key: value if value.dim() > 1 else value.tolist() for key, value in one.items()}


def replayed(name: str, profile: str, image: Tensor, drawn: dict[str, Any]) -> Tensor:
    """One image (C, H, W), changed by torchvision as the recorded parameters say."""
    size = image.shape[-1]
    match name:
        case "identity":
            return image
        case "rotate":
            return F.rotate(image, 90 * drawn["turns"])  # degrees, counter-clockwise
        case "crop":
            box = drawn["top"], drawn["left"], drawn["height"], drawn["width"]
            return F.resized_crop(image, *box, [size, size])
        case "flip":
            return F.vflip(image) if drawn["applied"] else image
        case "geom":
            shift = {"angle": 0, "translate": [drawn["dx"], drawn["dy"]], "scale": 1, "shear": [0, 0]}
            if profile == "paper":
                image = F.rotate(image, 90 * drawn["turns"])
                return F.affine(F.vflip(image) if drawn["flipped"] else image, **shift)
            image = F.affine(F.hflip(image) if drawn["flipped"] else image, **shift)
            return F.rotate(image, 90 * drawn["turns"])
        case "cutout":
            zero = torch.zeros((), dtype=image.dtype)
            return F.erase(image, drawn["top"], drawn["left"], drawn["height"], drawn["width"], zero)
        case "cutpaste" | "cutpaste-scar":
            patch = F.crop(image, drawn["top"], drawn["left"], drawn["height"], drawn["width"])
            patch = jittered(patch, drawn)
            mask = torch.ones_like(patch[:1])
            if name == "cutpaste-scar":
                patch, mask = (F.rotate(part, drawn["angle"], expand=True) for part in (patch, mask))
            _, height, width = patch.shape
            out = image.clone()
            target = out[:, drawn["to_top"] : drawn["to_top"] + height, drawn["to_left"] : drawn["to_left"] + width]
            target.copy_(torch.where(mask == 1, patch, target))  # raises where the canvas is not inside the image
            return out
        case "noise":
            return image + drawn["noise"]
        case "mask":
            return torch.where(drawn["masked"], 0, image)
        case "blur":
            return F.gaussian_blur(image, {16: 3, 32: 3, 64: 7}[size], drawn["sigma"])
        case "color":
            return jittered(image, drawn)
        case "invert":
            return F.invert(image) if drawn["applied"] else image
        case "simclr":
            image = replayed("crop", profile, image, drawn)
            image = F.hflip(image) if drawn["mirrored"] else image
            image = jittered(image, drawn) if drawn["jittered"] else image
            image = F.rgb_to_grayscale(image, len(image)) if drawn["grey"] else image
            return replayed("blur", profile, image, drawn)
    raise AssertionError(f"no oracle for {name}")


def jittered(image: Tensor, drawn: dict[str, Any]) -> Tensor:
    """One image under torchvision's ColorJitter with the recorded factors and order."""
    for step in drawn["order"]:
        name = ("brightness", "contrast", "saturation", "hue")[step]
        image = getattr(F, f"adjust_{name}")(image, drawn[name])
    return image


# The others move pixels or do one operation on each, exactly. (torchvision turns the hue in single precision always.)
TOLERANCE = {"crop": 5e-6, "blur": 1e-6, "color": 5e-6, "simclr": 1e-5, "cutpaste": 1e-6, "cutpaste-scar": 1e-6}

GIVEN = [
    *((name, {}) for name in NAMES),
    ("cutout", {"c": 0.1}),
    ("cutout", {"c": 0.9}),
    ("noise", {"sigma": 0.5}),
    ("mask", {"p": 0.7}),
    ("blur", {"sigma": 0.1}),
    ("color", {"s": 2.0}),
]


def assert_replayed(name: str, profile: str, x: Tensor, drawn: dict[str, Tensor], out: Tensor) -> None:
    # In double precision whatever the batch's: where a turned scar's pixel lies halfway between two, rounding decides.
    one_by_one = torch.stack([replayed(name, profile, image, of_image(drawn, i)) for i, image in enumerate(x.double())])
    assert out.dtype == x.dtype
    assert_close(out, one_by_one.to(x.dtype), rtol=0, atol=TOLERANCE.get(name, 0))


# -- what is done with the parameters ---------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("name", "params"), GIVEN)
@pytest.mark.parametrize("role", augment.ROLES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("profile", PROFILES)
def test_each_image_equals_torchvisions(
    name: str, params: dict[str, float], channels: int, role: str, dtype: torch.dtype, profile: str
) -> None:
    x = patches(24, channels).to(dtype)
    before = x.clone()
    transform = augment.get(name, profile, role, **params)
    drawn = transform.sample_params(len(x), channels, 32, seeded())
    assert all(len(value) == len(x) for value in drawn.values())
    assert_replayed(name, profile, x, drawn, transform.apply(x, drawn))
    assert_close(x, before, rtol=0, atol=0)


@pytest.mark.parametrize("size", [16, 64])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("profile", PROFILES)
def test_images_of_any_size_are_changed_likewise(name: str, size: int, profile: str) -> None:
    x = F.resize(patches(16), [size, size])
    transform = augment.get(name, profile)
    drawn = transform.sample_params(len(x), 3, size, seeded())
    assert_replayed(name, profile, x, drawn, transform.apply(x, drawn))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", NAMES)
def test_an_image_is_changed_the_same_whatever_its_batch(name: str, channels: int) -> None:
    x, transform = patches(260, channels), augment.get(name)  # of three channels more than are changed at a time
    drawn = transform.sample_params(len(x), channels, 32, seeded())
    whole = transform.apply(x, drawn)
    for n in (1, 2, 37, 171):
        some = transform.apply(x[:n], {key: value[:n] for key, value in drawn.items()})
        assert_close(some, whole[:n], rtol=0, atol=0)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("channels", [1, 3])
def test_black_and_white_images_stay_images(name: str, channels: int) -> None:
    x = torch.stack([torch.zeros(channels, 32, 32), torch.ones(channels, 32, 32)]).repeat(50, 1, 1, 1)
    out = augment.get(name)(x, seeded())
    assert out.isfinite().all()
    if name != "noise":
        assert out.min() >= 0
        assert out.max() <= 1 + 1e-6  # weights of crop and blur sum to 1 up to rounding


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


@pytest.mark.parametrize("role", ["aug", "gen"])
@pytest.mark.parametrize("name", NAMES)
def test_on_an_accelerator_nothing_waits_for_the_host_or_mixes_devices(name: str, role: str) -> None:
    with FakeTensorMode():
        for profile in PROFILES:
            transform = augment.get(name, profile=profile, role=role)
            drawn = transform.sample_params(8, 3, 32, OnCuda())
            assert {value.device.type for value in drawn.values()} <= {"cuda"}
            changed = transform.apply(torch.rand(8, 3, 32, 32, device="cuda"), drawn)
            assert (changed.device.type, changed.shape) == ("cuda", (8, 3, 32, 32))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("name", NAMES)
def test_on_cuda_as_on_the_cpu_and_drawn_there(name: str) -> None:
    x, transform = patches(), augment.get(name)
    drawn = transform.sample_params(64, 3, 32, torch.Generator("cuda").manual_seed(0))
    assert all(value.is_cuda for value in drawn.values())
    here = transform.apply(x, {key: value.cpu() for key, value in drawn.items()})
    assert_close(transform.apply(x.cuda(), drawn).cpu(), here, rtol=0, atol=TOLERANCE.get(name, 0))


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


def test_the_profiles_differ_in_nothing_but_the_switches() -> None:
    x = patches()
    for (name, params), role in itertools.product(GIVEN, augment.ROLES):
        paper, reference = (augment.get(name, profile, role, **params)(x, seeded()) for profile in PROFILES)
        differ = name in ("geom", "mask", "cutpaste-scar") or (name == "cutout" and bool(params))
        assert torch.equal(paper, reference) != differ, (name, params, role)


def said() -> dict[str, str]:
    """What the profile ``paper`` does, by switch."""
    return {switch.name: switch.says(PROFILES["paper"]) for switch in SWITCHES}


@pytest.mark.parametrize(
    ("value", "switch", "name"),
    [
        ("cutout_c", "CutOut's c", "cutout"),
        ("geom", "GEOM", "geom"),
        ("mask_p", "Mask", "mask"),
        ("mask_channels", "Mask", "mask"),
        ("scar_width", "CutPaste-scar", "cutpaste-scar"),
        ("scar_height", "CutPaste-scar", "cutpaste-scar"),
    ],
)
def test_what_is_said_of_a_switch_and_what_is_done_follow_its_value(
    value: str, switch: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def made() -> dict[str, Tensor]:
        given = {other: {"c": 0.4} if other == "cutout" else {} for other in NAMES}
        return {other: augment.get(other, **params)(patches(), seeded()) for other, params in given.items()}

    said_before, made_before = said(), made()
    other = getattr(PROFILES["reference"], value)
    monkeypatch.setitem(PROFILES, "paper", replace(PROFILES["paper"], **{value: other}))
    assert [key for key, words in said().items() if words != said_before[key]] == [switch]
    assert [key for key, images in made().items() if not torch.equal(images, made_before[key])] == [name]


def test_the_numbers_that_are_said_are_those_that_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    odd = replace(PROFILES["paper"], mask_p=0.37, scar_width=(5, 7), scar_height=(20, 21))
    monkeypatch.setitem(PROFILES, "paper", odd)
    masked = drawn_by("mask", 512)["masked"].double().mean()
    assert said()["Mask"].startswith(f"p = {masked:.2f},")
    scar = drawn_by("cutpaste-scar", 1000)
    width, height = ([int(scar[side].min()), int(scar[side].max())] for side in ("width", "height"))
    assert said()["CutPaste-scar"] == "{} to {} pixels wide, {} to {} high".format(*width, *height)


def test_help_has_the_profiles_own_values() -> None:
    code = """
from dataclasses import replace
from ssad_core.protocol import PROFILES
PROFILES["reference"] = replace(PROFILES["reference"], mask_p=0.37, mask_channels="somehow", cutout_c="height")
from ssad_core.augment import AUGMENTATIONS
print(AUGMENTATIONS["mask"].help, AUGMENTATIONS["mask"].parameters[0].help, AUGMENTATIONS["cutout"].parameters[0].help)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    for words in ("together (profile reference: somehow)", "0.2 (profile reference: 0.37)"):
        assert words in done.stdout
    assert "c is its width (profile reference: height)" in done.stdout


def drawn_by(name: str, n: int, profile: str = "paper", role: str = "aug", **params: float) -> dict[str, Tensor]:
    return augment.get(name, profile, role, **params).sample_params(n, 3, 32, seeded())


def uniformly(values: Tensor, low: float, high: float) -> bool:
    """Whether real numbers are uniform from low to high."""
    return (
        bool(low <= values.min() and values.max() <= high)
        and kstest(values, "uniform", (low, high - low)).pvalue > 1e-3
    )


def evenly(values: Tensor, among: Sequence[int]) -> bool:
    """Whether whole numbers are uniform over ``among``, and no others."""
    found, counts = values.unique(return_counts=True)
    return found.tolist() == sorted(among) and chisquare(counts).pvalue > 1e-3


def test_crops_boxes_are_random_resized_crops() -> None:
    drawn = drawn_by("crop", 50_000)
    assert (drawn["top"] + drawn["height"]).max() == (drawn["left"] + drawn["width"]).max() == 32
    area, aspect = (drawn["height"] * drawn["width"]).double(), drawn["width"] / drawn["height"]
    assert 0.07 * 32**2 < area.min() < 0.09 * 32**2
    assert area.max() == 32**2
    assert 0.65 < aspect.min() < 3 / 4 < 4 / 3 < aspect.max() < 1.55  # beyond by rounding to pixels
    assert aspect.log().mean().item() == pytest.approx(0, abs=0.005)

    torch.manual_seed(0)  # torchvision draws from the global generator
    image, scale, ratio = torch.empty(3, 32, 32), [0.08, 1.0], [3 / 4, 4 / 3]
    theirs = np.array([transforms.RandomResizedCrop.get_params(image, scale, ratio) for _ in range(3000)])
    ours = torch.stack([drawn[key][:3000] for key in ("top", "left", "height", "width")], 1).numpy()
    for column in range(4):
        assert ks_2samp(ours[:, column], theirs[:, column]).pvalue > 0.001
    assert ks_2samp(ours[:, 2] * ours[:, 3], theirs[:, 2] * theirs[:, 3]).pvalue > 0.001
    assert ks_2samp(ours[:, 2] / ours[:, 3], theirs[:, 2] / theirs[:, 3]).pvalue > 0.001


def test_crop_tries_ten_times_and_then_takes_all_of_the_square() -> None:
    whole = draw_crop(100, 32, seeded(), area=(1.35, 1.5))  # which fits at no aspect
    assert (whole["top"] == 0).all()
    assert (whole["left"] == 0).all()
    assert (whole["height"] == 32).all()
    assert (whole["width"] == 32).all()

    n = 20_000
    drawn = draw_crop(n, 32, seeded(), area=(0.9, 1.1))
    rng = np.random.default_rng(0)
    area, aspect = rng.uniform(0.9, 1.1, 10**6) * 32**2, np.exp(rng.uniform(np.log(3 / 4), np.log(4 / 3), 10**6))
    height, width = np.round(np.sqrt(area / aspect)), np.round(np.sqrt(area * aspect))
    refused = np.mean((height > 32) | (width > 32))
    # The whole square is drawn as such too, now and then.
    square = np.mean((height == 32) & (width == 32)) / (1 - refused)
    expected = refused**10 + (1 - refused**10) * square
    assert (refused**9 - refused**11) * (1 - square) > 8 * np.sqrt(expected / n)  # ten is told from nine and eleven
    found = ((drawn["height"] == 32) & (drawn["width"] == 32)).float().mean().item()
    assert found == pytest.approx(expected, abs=4 * np.sqrt(expected / n))


@pytest.mark.parametrize("role", augment.ROLES)
def test_geom_as_the_paper_turns_then_flips_then_always_shifts(role: str) -> None:
    drawn = drawn_by("geom", 32_000, "paper", role)
    shift = {(8, 0): 0, (-8, 0): 1, (0, 8): 2, (0, -8): 3}
    ways = torch.tensor([shift[pair] for pair in zip(drawn["dx"].tolist(), drawn["dy"].tolist(), strict=True)])
    assert evenly(ways + 4 * drawn["turns"] + 16 * drawn["flipped"], range(32))


@pytest.mark.parametrize("role", augment.ROLES)
def test_geom_as_the_code_has_72_states_and_as_a_gen_never_the_identity(role: str) -> None:
    drawn = drawn_by("geom", 72_000, "reference", role)
    dx, dy = (drawn[key] // 8 % 3 for key in ("dx", "dy"))
    assert set(drawn["dx"].tolist()) == set(drawn["dy"].tolist()) == {-8, 0, 8}
    state = drawn["flipped"] + 2 * dx + 6 * dy + 18 * drawn["turns"]
    assert evenly(state, range(1 if role == "gen" else 0, 72))


@pytest.mark.parametrize(("name", "profile"), [("rotate", "paper"), ("geom", "paper"), ("geom", "reference")])
def test_gens_that_can_draw_the_identity_never_do(name: str, profile: str) -> None:
    x = torch.rand(2000, 1, 32, 32, generator=seeded(1))
    assert augment.modification(x, augment.get(name, profile, "gen")(x, seeded()))[1] == 0
    if (name, profile) != ("geom", "paper"):
        assert augment.modification(x, augment.get(name, profile, "aug")(x, seeded()))[1] > 0


def test_aps_72_states_of_geom_are_golan_and_el_yanivs() -> None:
    image = patches(1)[0]
    states = augment.get("geom").function(image.expand(72, -1, -1, -1), torch.arange(72), {})
    found = {state.numpy().tobytes() for state in states}
    padded = np.pad(image.numpy(), ((0, 0), (8, 8), (8, 8)), "symmetric")  # scipy.ndimage's mode "reflect"
    moved = [padded[:, 8 - dy : 40 - dy, 8 - dx : 40 - dx] for dx, dy in itertools.product((-8, 0, 8), repeat=2)]
    # Mirroring first is the same as mirroring after the opposite shift, and all shifts are here.
    mirrored = [one[:, :, ::-1] for one in moved]
    expected = {np.rot90(one, turns, (1, 2)).tobytes() for one in moved + mirrored for turns in range(4)}
    assert len(expected) == 72
    assert found == expected
    assert torch.equal(states[0], image)
    assert augment.AUGMENTATIONS["geom"].classes == len(states)


def test_cutpastes_patches_are_li_et_als() -> None:
    drawn = drawn_by("cutpaste", 50_000)
    height, width = drawn["height"], drawn["width"]
    for corner, side in (("top", height), ("left", width), ("to_top", height), ("to_left", width)):
        for length in (5, 9):
            assert evenly(drawn[corner][side == length], range(32 - length + 1))
    rng = np.random.default_rng(0)
    area = rng.uniform(0.02, 0.15, 50_000) * 32**2
    aspect = np.where(rng.random(50_000) < 0.5, rng.uniform(0.3, 1, 50_000), rng.uniform(1, 3.3, 50_000))
    theirs = np.sqrt(area / aspect).astype(int), np.sqrt(area * aspect).astype(int)
    assert ks_2samp(height, theirs[0]).pvalue > 0.001
    assert ks_2samp(width, theirs[1]).pvalue > 0.001
    assert ks_2samp(height * width, theirs[0] * theirs[1]).pvalue > 0.001
    for factor in ("brightness", "contrast", "saturation"):
        assert uniformly(drawn[factor], 0.9, 1.1)
    assert uniformly(drawn["hue"], -0.1, 0.1)


@pytest.mark.parametrize(
    ("profile", "heights", "widths"),
    [("paper", range(2, 17), range(10, 26)), ("reference", range(10, 25), range(2, 16))],
)
def test_scars_have_the_profiles_sizes_and_stay_in_the_image(profile: str, heights: range, widths: range) -> None:
    drawn = drawn_by("cutpaste-scar", 50_000, profile)
    assert evenly(drawn["height"], heights)
    assert evenly(drawn["width"], widths)
    assert uniformly(drawn["angle"], -45, 45)
    for start, side in (("top", "height"), ("left", "width"), ("to_top", "canvas_height"), ("to_left", "canvas_width")):
        assert drawn[start].min() == 0
        assert (drawn[start] + drawn[side]).max() == 32
    some = drawn["canvas_height"] == 20
    assert evenly(drawn["to_top"][some], range(13))


@pytest.mark.parametrize("kind", [CutPaste, CutPasteScar])
@pytest.mark.parametrize("profile", PROFILES)
def test_pasting_pastes_only_pixels_of_its_source(kind: type[Paste], profile: str) -> None:
    class Plain(kind):
        JITTER = 0.0

    # Every pixel is its own colour, so that each pixel of the result tells where it is from.
    places = torch.arange(32 * 32).view(1, 1, 32, 32)
    x = (places / 32**2).repeat(200, 1, 1, 1)
    transform = Plain("cutpaste", {}, profile, "aug")
    drawn = transform.sample_params(200, 1, 32, seeded())
    out = (transform.apply(x, drawn) * 32**2).round().long()
    changed = out != places
    assert 0.01 < changed.float().mean() < 0.3
    row, column = out // 32, out % 32
    top, left, height, width = (drawn[key].view(-1, 1, 1, 1) for key in ("top", "left", "height", "width"))
    source = (row >= top) & (row < top + height) & (column >= left) & (column < left + width)
    assert source[changed].all()
    if kind is CutPaste:
        assert (changed.sum((1, 2, 3)) <= drawn["height"] * drawn["width"]).all()


def test_noise_is_gaussian_and_not_clipped() -> None:
    x = torch.rand(64, 3, 32, 32, generator=seeded(1))
    for params, sigma in (({}, 0.1), ({"sigma": 0.3}, 0.3)):
        noise = (augment.get("noise", **params)(x, seeded()) - x).flatten()
        assert noise.mean().item() == pytest.approx(0, abs=4 * sigma / np.sqrt(len(noise)))
        assert noise.std().item() == pytest.approx(sigma, rel=0.01)
        assert kstest(noise[:20_000] / sigma, "norm").pvalue > 0.001
    dark, bright = (augment.get("noise")(torch.full_like(x, value), seeded()) for value in (0.0, 1.0))
    assert (dark < 0).float().mean().item() == pytest.approx(0.5, abs=0.01)
    assert (bright > 1).float().mean().item() == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("role", augment.ROLES)
@pytest.mark.parametrize(("profile", "p"), [("paper", 0.2), ("reference", 0.1)])
def test_mask_blackens_pixels_or_values_with_the_profiles_probability(profile: str, p: float, role: str) -> None:
    x = torch.ones(64, 3, 32, 32)
    for params, expected in (({}, p), ({"p": 0.35}, 0.35), ({"p": 0.0}, 0.0), ({"p": 1.0}, 1.0)):
        black = augment.get("mask", profile, role, **params)(x, seeded()) == 0
        assert black.float().mean().item() == pytest.approx(expected, abs=0.007)
        together = black.all(1).float().mean().item()
        assert together == pytest.approx(expected if profile == "paper" else expected**3, abs=0.007)


def test_blurs_sigma_is_uniform_or_given() -> None:
    assert uniformly(drawn_by("blur", 20_000)["sigma"], 0.1, 2)
    assert (drawn_by("blur", 8, sigma=0.7)["sigma"] == 0.7).all()


@pytest.mark.parametrize("name", ["color", "simclr"])
def test_the_jitters_factors_and_orders_are_uniform(name: str) -> None:
    drawn = drawn_by(name, 24_000)
    for factor in ("brightness", "contrast", "saturation"):
        assert uniformly(drawn[factor], 0.2, 1.8)
    assert uniformly(drawn["hue"], -0.2, 0.2)
    assert (drawn["order"].sort(1).values == torch.arange(4)).all()
    assert evenly(
        drawn["order"] @ torch.tensor([1, 4, 16, 64]),
        [  # each of the 24 orders as a number of base 4
            sum(step * 4**i for i, step in enumerate(order)) for order in itertools.permutations(range(4))
        ],
    )


def test_colors_strength_scales_the_jitter() -> None:
    for s, low, high, hue in ((0.5, 0.6, 1.4, 0.1), (2.0, 0.0, 2.6, 0.4), (0.0, 1.0, 1.0, 0.0)):
        drawn = drawn_by("color", 5000, s=s)
        for factor in ("brightness", "contrast", "saturation"):
            assert drawn[factor].min().item() == pytest.approx(low, abs=0.01)
            assert drawn[factor].max().item() == pytest.approx(high, abs=0.01)
        assert drawn["hue"].abs().max().item() == pytest.approx(hue, abs=0.01)


def test_simclrs_steps_have_their_probabilities() -> None:
    drawn = drawn_by("simclr", 20_000)
    for step, p in (("mirrored", 0.5), ("jittered", 0.8), ("grey", 0.2)):
        assert drawn[step].float().mean().item() == pytest.approx(p, abs=0.012)
    assert uniformly(drawn["sigma"], 0.1, 2)
    crop = drawn_by("crop", 20_000)
    assert ks_2samp(drawn["height"] * drawn["width"], crop["height"] * crop["width"]).pvalue > 0.001


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

    transform = Large("cutout", {"c": None}, "paper", "aug")
    untouched = (transform.sample_params(n, 1, 32, seeded())["height"] == 0).float().mean().item()
    assert untouched == pytest.approx(expected, abs=4 * np.sqrt(expected / n))


def test_cutout_leaves_the_image_when_no_try_fits() -> None:
    class TooLarge(CutOut):
        AREA = (1.1, 1.2)

    x = patches()
    out = TooLarge("cutout", {"c": None}, "paper", "gen")(x, seeded())
    assert_close(out, x, rtol=0, atol=0)


# -- how much is changed ----------------------------------------------------------------------------------------------


def test_the_degree_of_modification_is_the_mean_change_of_a_value() -> None:
    x = patches(40)
    assert augment.modification(x, x) == (0, 1)
    degree, unchanged = augment.modification(x, 1 - x)
    assert degree == pytest.approx(np.abs(1 - 2 * x.numpy()).mean(), rel=1e-5)
    assert unchanged == 0
    some = x.clone()
    some[:10, 0, 0, 0] += 0.5
    assert augment.modification(x, some) == (pytest.approx(0.5 * 10 / x.numel(), rel=1e-5), 0.75)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "identity"])
@pytest.mark.parametrize("profile", PROFILES)
def test_gens_change_the_images(name: str, profile: str) -> None:
    x = patches(260)
    degree, unchanged = augment.modification(x, augment.get(name, profile, "gen")(x, seeded()))
    assert 0.002 < degree < 0.7
    assert unchanged < 0.05


# -- the table and what people type -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_the_table_describes_what_get_makes(name: str) -> None:
    info = augment.AUGMENTATIONS[name]
    transform = augment.get(name)
    assert transform.name == info.name
    assert transform.params == {parameter.name: parameter.default for parameter in info.parameters}
    assert info.category in augment.CATEGORY_COLOURS
    assert info.classes == {"identity": 1, "rotate": 4, "geom": 72}.get(name, 2)  # METHOD, "AP"
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
        ("blur", {"sigma": 0}, "blur's sigma must be a number between 0.1 and 2, not 0"),
        ("mask", {"sigma": 0.1}, "mask has no parameter 'sigma'; its parameters: p"),
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
    assert len(str(caught.value)) < 180


def test_the_fourteen_augmentations_and_their_categories_are_the_papers() -> None:
    of = {category: [] for category in augment.CATEGORY_COLOURS}
    for info in augment.AUGMENTATIONS.values():
        of[info.category].append(info.title)
    assert of == {
        "none": ["Identity"],
        "geometric": ["Rotate", "Crop", "Flip", "GEOM"],
        "local": ["CutOut", "CutPaste", "CutPaste-scar"],
        "elementwise": ["Noise", "Mask", "Blur"],
        "color": ["Color", "Invert"],
        "mixed": ["SimCLR"],
    }


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
        ("mask", {"p": 0.2}, "Mask (p = 0.2)"),
        ("noise", {"sigma": 0.1}, "Noise"),
        ("blur", {"sigma": 1.5}, "Blur (sigma = 1.5)"),
        ("color", {"s": 0.5}, "Color (s = 0.5)"),
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
        assert contrast(colour, page) >= 3, category


@pytest.mark.parametrize("name", augment.AUGMENTATIONS)
def test_the_functions_that_ap_tells_apart_have_each_a_name(name: str) -> None:
    names = augment.functions(name)
    assert len(names) == len(set(names)) == augment.AUGMENTATIONS[name].classes
    assert names[0] == "as is"


def test_the_functions_of_rotate_and_geom_do_what_their_names_say() -> None:
    image = patches(1)[0].numpy()
    padded = np.pad(image, ((0, 0), (8, 8), (8, 8)), "symmetric")
    for name in ("rotate", "geom"):
        k = augment.AUGMENTATIONS[name].classes
        changed = augment.get(name).function(torch.from_numpy(image).expand(k, -1, -1, -1), torch.arange(k), {})
        for words, found in zip(augment.functions(name), changed.numpy(), strict=True):
            said = set(words.split(", "))
            start = padded[:, :, ::-1] if "mirrored" in said else padded
            top = 8 + 8 * (("up" in said) - ("down" in said))
            left = 8 + 8 * (("left" in said) - ("right" in said))
            moved = start[:, top : top + 32, left : left + 32]
            turns = {"90°", "180°", "270°"} & said
            np.testing.assert_array_equal(np.rot90(moved, int(turns.pop()[:-1]) // 90 if turns else 0, (1, 2)), found)
