"""What the augmentations make of the images of a class."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import augment

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from ..data import Dataset

SHOWN = 8  # images


def draw_gallery(dataset: Dataset, normal_class: int, profile: str = "paper") -> go.Figure:
    """Every augmentation, with its default parameters and p = 1, on training images of a class."""
    from .. import figures
    from ..evaluate import to_bytes
    from ..samples import VIEW_LIMIT, Samples, to_float

    samples = Samples(dataset, normal_class)
    images = samples.train_normal()[:VIEW_LIMIT]
    x, changed, degrees, colours = to_float(images), {}, {}, {}
    for name, info in augment.AUGMENTATIONS.items():
        after = samples.augmented(images, name, profile, {})
        changed[info.title], colours[info.title] = to_bytes(after[:SHOWN]), augment.CATEGORY_COLOURS[info.category]
        degrees[info.title], _ = augment.modification(x, after)
    title = f"{dataset.info.title}, {dataset.info.classes[normal_class]}: augmentations and degree of modification"
    return figures.gallery_figure(images[:SHOWN], changed, degrees, colours, title=title)
