"""What the linked views show of a run beside its baseline (METHOD: "What the views draw").

Four groups everywhere: training normal, training augmented (each training image augmented once), test normal, test
anomalous. Everything here is computed from stored scores, codes and weights; nothing trains.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from . import augment
from .alignment import Aug, Space, aug_of
from .bias import Bias, ClassScores, Scored, error_bias
from .colours import GROUP_COLOURS
from .cost import can_be_judged
from .data import Dataset
from .detectors import detector_info
from .embedding import ANGLE, EXAGGERATED, PERPLEXITY, Separation, separation, tsne_frames
from .evaluate import anomaly_results, augmented_results, explain_stored, to_bytes
from .histogram import threshold_at_fpr
from .mmd import MmdEstimate
from .question import run_name
from .samples import VIEW_LIMIT, Samples, to_float
from .selection import ROUNDING, criteria
from .spec import Anomaly
from .statistics import TaskMetrics, auc, task_metrics
from .store import Arrays, StoredRun, short

GROUPS = tuple(GROUP_COLOURS)
# What is compared in the space of the codes: aligned, the first two groups lie in each other and the next two apart. The last
# two are alike but for the split, which is part of the first distance.
APART = {
    "aug | anomalies": ("train augmented", "test anomalous"),
    "normals | anomalies": ("test normal", "test anomalous"),
    "train | test normals": ("train normal", "test normal"),
}


@dataclass(frozen=True)
class DetectorView:
    """One detector on the points: ``scores`` (n,), and what it explains them by.

    explanations, errors : of pictures f(x), those as uint8 (n, C, H, W) and the images' exact errors |x - f(x)|, mean over
        channels, as float32 (n, H, W); else None.
    functions, probabilities : of aug's K functions, their names and how probable it is to the detector that each has
        changed the image, float32 (n, K); else empty and None.
    """

    name: str
    scores: np.ndarray
    explanations: np.ndarray | None = None
    errors: np.ndarray | None = None
    functions: tuple[str, ...] = ()
    probabilities: np.ndarray | None = None

    def taken_for(self, i: int) -> tuple[str, float]:
        """The function that is the most probable to have changed image i, and how probable that is."""
        best = int(self.probabilities[i].argmax())
        return self.functions[best], float(self.probabilities[i, best])


@dataclass(frozen=True)
class Points:
    """The n points of the linked views: ``group`` (n,) indexes `GROUPS`; ``pair`` (n,) is the same image before or after
    aug or gen, -1 for none; ``labels`` the class of each; ``originals`` uint8 (n, C, H, W)."""

    group: np.ndarray
    pair: np.ndarray
    labels: list[str]
    originals: np.ndarray


@dataclass(frozen=True)
class Views(Points):
    """The points as ``detectors`` see them."""

    detectors: tuple[DetectorView, ...]

    def scores(self, detector: int) -> dict[str, np.ndarray]:
        """A detector's scores by group."""
        return {name: self.detectors[detector].scores[self.group == i] for i, name in enumerate(GROUPS)}


@dataclass(frozen=True)
class EmbeddingMap:
    """A t-SNE map: ``xy`` float32 (n, 2), and ``frames`` float16 (frames, n, 2) of its optimisation
    (`embedding.tsne_frames`), each in units of its own extent."""

    xy: np.ndarray
    frames: np.ndarray


@dataclass(frozen=True)
class Comparison:
    """A run, its baseline and a task, with everything that is stored of them.

    ``baseline`` may be None (a detector without one), and is the run itself when the run is a baseline. ``most_train`` is
    how many training images are shown at most; see `same_sample`. ``label`` is what the run is called beside others
    (`lineup.labels`), by default its name.
    """

    run: StoredRun
    baseline: StoredRun | None
    anomaly: Anomaly
    dataset: Dataset
    most_train: int = VIEW_LIMIT
    label: str = ""

    @property
    def name(self) -> str:
        """What the run is called."""
        return self.label or run_name(self.run.spec)

    @property
    def names(self) -> list[str]:
        """What its `runs` are called."""
        return [*(run_name(run.spec) for run in self.runs[:-1]), self.name]

    @property
    def samples(self) -> Samples:
        return Samples.of(self.run.spec, self.dataset)

    @property
    def runs(self) -> tuple[StoredRun, ...]:
        """Baseline first, then the run; one where they are the same."""
        if self.baseline is None or self.baseline.id == self.run.id:
            return (self.run,)
        return (self.baseline, self.run)

    @property
    def key(self) -> str:
        """Changes exactly when the views do."""
        return "-".join([*(run.id for run in self.runs), short(self.anomaly.key, self.most_train, self.label)])

    def metrics(self) -> dict[str, TaskMetrics]:
        """The run's and the baseline's AUC and average precision, and the relative AUC, on all test images."""
        pairs = self.test_scores()
        paired = self.anomaly.paired
        found = {"run": task_metrics(*pairs[-1], pairs[0] if len(pairs) > 1 else None, paired=paired)}
        if len(pairs) > 1:
            found["baseline"] = task_metrics(*pairs[0], paired=paired)
        return found

    def test_scores(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Scores of all normal and all anomalous test images, (n,) and (m,), of each of its `runs`."""
        return [(run.scores["normal"], anomaly_results(run, self.anomaly, self.dataset)[0]) for run in self.runs]

    @property
    def auc(self) -> float:
        """The run's AUC, on all test images."""
        return auc(*self.test_scores()[-1])

    def scores(self) -> dict[str, np.ndarray]:
        """The run's scores by group, cut to what the views show; the baseline has no augmented images of its own."""
        return self._own([scores for scores, _ in self._results(self.run)])

    def own_codes(self) -> dict[str, np.ndarray]:
        """The run's codes by group, as its `scores`."""
        return self._own(self.codes(self.run))

    def _own(self, parts: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        groups = dict(zip(GROUPS, parts, strict=True))
        if self.run.spec.is_baseline:
            del groups["train augmented"]
        return groups

    def separations(self) -> dict[str, Separation]:
        """How far apart the groups of each of `APART` are in the space of the run's codes, as far as it has two points of
        both."""
        codes = self.own_codes()
        pairs = {name: [codes.get(group, ()) for group in groups] for name, groups in APART.items()}
        return {name: separation(*pair) for name, pair in pairs.items() if min(map(len, pair)) > 1}

    def codes(self, run: StoredRun) -> list[np.ndarray]:
        """A detector's codes of the four groups."""
        return [codes for _, codes in self._results(run)]

    def _results(self, run: StoredRun) -> list[tuple[np.ndarray, np.ndarray]]:
        """Scores and codes of the four groups, cut to what the views show."""
        augmented = augmented_results(run, self.run.spec.augment, self.run.spec.params, self.dataset)
        anomalous = anomaly_results(run, self.anomaly, self.dataset)
        shown, kept = self._shown(), self._anomalous_shown()
        return [
            (run.scores["train normal"][: shown[0]], run.codes["train normal"][: shown[0]]),
            (augmented[0][: shown[1]], augmented[1][: shown[1]]),
            (run.scores["normal"][: shown[2]], run.codes["normal"][: shown[2]]),
            (anomalous[0][kept], anomalous[1][kept]),
        ]

    def _shown(self) -> tuple[int, int, int]:
        """How many of the training groups (the test group's size at most) and of the test normals are shown."""
        test = min(len(self.run.scores["normal"]), VIEW_LIMIT)
        train = min(len(self.run.scores["train normal"]), test, self.most_train)
        return train, train, test

    def _anomalous_shown(self) -> np.ndarray:
        """Which anomalies are shown."""
        return self.samples.shown(self.anomaly)

    @property
    def shown(self) -> str:
        """How many of the test images the views show, in words; "" where it is all of them."""
        normal, anomalous = map(len, self.test_scores()[-1])
        counts = [(self._shown()[2], normal, "test normals"), (len(self._anomalous_shown()), anomalous, "anomalies")]
        cut = [f"{some:,} of {total:,} {what}" for some, total, what in counts if some < total]
        return f"Shown: {' and '.join(cut)}; AUC, threshold and rates are of all." if cut else ""

    @property
    def borrowed(self) -> str:
        """What the augmented images are to the baseline, in words; "" where there is no other detector than the run's."""
        if len(self.runs) == 1:
            return ""
        baseline, run = self.names
        return f"Train augmented is the aug of {run}; {baseline} is shown it here and never saw it in training."

    def views(self) -> Views:
        """The points with their explanations, which the stored weights give for the stored codes."""
        images = self._images()
        found = [self._view(run, name, images) for run, name in zip(self.runs, self.names, strict=True)]
        return Views(**vars(self._points(images)), detectors=tuple(found))

    def points(self) -> Points:
        """The points alone."""
        return self._points(self._images())

    def augmented(self) -> np.ndarray:
        """uint8 (n, C, H, W): the images of the group "train augmented"."""
        return to_bytes(self._augmented(self.samples.train_normal()[: self._shown()[0]]))

    def _augmented(self, images: np.ndarray) -> Tensor:
        spec = self.run.spec
        return self.samples.augmented(images, spec.augment, spec.profile, dict(spec.params))

    def _images(self) -> Tensor:
        samples, shown = self.samples, self._shown()
        train, test = samples.train_normal()[: shown[0]], samples.test_normal()[: shown[2]]
        anomalous = samples.anomalous(self.anomaly, self.run.spec.profile, VIEW_LIMIT)
        return torch.cat([to_float(train), self._augmented(train), to_float(test), anomalous])

    def _points(self, images: Tensor) -> Points:
        shown = self._shown()
        names = self.dataset.info.classes
        normal = names[self.run.spec.normal_class]
        sizes = [*shown, len(images) - sum(shown)]
        starts = np.concatenate([[0], np.cumsum(sizes)])
        pair = np.full(len(images), -1)
        twins = [(0, 1, sizes[0])] + ([(2, 3, min(sizes[2], sizes[3]))] if self.anomaly.paired else [])
        for one, other, count in twins:
            first, second = starts[one] + np.arange(count), starts[other] + np.arange(count)
            pair[first], pair[second] = second, first
        if self.anomaly.kind == "rest":
            anomalous_labels = [names[label] for label in self.samples.rest(VIEW_LIMIT)[1]]
        else:
            anomalous_labels = [normal if self.anomaly.paired else self.anomaly.name] * sizes[3]
        return Points(
            group=np.repeat(np.arange(4), sizes),
            pair=pair,
            labels=[normal] * sum(shown) + anomalous_labels,
            originals=to_bytes(images),
        )

    def _view(self, run: StoredRun, name: str, images: Tensor) -> DetectorView:
        # The stored scores, not new ones: another thread count may change the last digit.
        scores, codes = (np.concatenate(parts) for parts in zip(*self._results(run), strict=True))
        view = DetectorView(name, scores)
        info = detector_info(run.spec.detector)
        if not info.pictures and not info.predicts:  # the score says it all
            return view
        explanations = explain_stored(run, codes, *images.shape[1:3])
        if info.predicts:
            names = tuple(augment.functions(run.spec.augment))
            return replace(view, functions=names, probabilities=explanations.numpy())
        errors = (images - explanations).abs().mean(1).numpy()
        return replace(view, explanations=to_bytes(explanations), errors=errors)

    def bias(self) -> Bias:
        """AUC and relative AUC of every other class, on all test images, whichever anomaly this is about."""
        *before, run = map(self._scored, self.runs, self.names)
        return error_bias(run, *before, judged=can_be_judged(*self.runs))

    def _scored(self, run: StoredRun, name: str) -> Scored:
        classes = {anomaly.name: run.scores[anomaly.key] for anomaly in self.samples.classes()}
        return Scored(name, run.scores["normal"], classes)

    def class_scores(self, name: str, fpr: float) -> ClassScores:
        """How the run and its baseline score the images of another class; ``fpr`` in [0, 1] sets their thresholds."""
        key = Anomaly("class", name).key
        runs = dict(zip(self.names[::-1], self.runs[::-1], strict=True))
        return ClassScores(
            images=self.samples.test_class(self.dataset.info.classes.index(name)),
            scores={called: run.scores[key] for called, run in runs.items()},
            thresholds={called: threshold_at_fpr(run.scores["normal"], fpr) for called, run in runs.items()},
        )

    def map(self, run: StoredRun, compute: bool = True) -> np.ndarray | None:
        """The t-SNE map (n, 2) of a detector's codes of all points, computed once and stored with the run.

        None when it is not stored and ``compute`` is False.
        """
        kept = self._map(run, lambda: self.codes(run), len(GROUPS), compute)
        return None if kept is None else kept["xy"]

    def own_map(self, compute: bool = True, perplexity: float = PERPLEXITY, seed: int = 0) -> EmbeddingMap | None:
        """As `map`, of the run's `own_codes`, with how it came about."""
        groups = len(GROUPS) - self.run.spec.is_baseline
        kept = self._map(self.run, lambda: [*self.own_codes().values()], groups, compute, perplexity, seed)
        return None if kept is None else EmbeddingMap(**kept)

    def _map(
        self,
        run: StoredRun,
        codes: Callable[[], list[np.ndarray]],
        groups: int,
        compute: bool,
        perplexity: float = PERPLEXITY,
        seed: int = 0,
    ) -> Arrays | None:
        sample = self.run.id, self.anomaly.key, *self._shown(), len(self._anomalous_shown()), groups
        name = f"map-{short(*sample, f'{perplexity:g}', seed, ANGLE, EXAGGERATED)}"

        def found() -> Arrays:
            frames = tsne_frames(np.concatenate(codes()), perplexity=perplexity, seed=seed)
            extent = np.ptp(frames, axis=1).max(axis=1)[:, None, None]
            # The first may be as small as 1e-8, which a float16 does not know.
            return {"xy": frames[-1], "frames": (frames / np.where(extent > 0, extent, 1)).astype(np.float16)}

        return run.remember(name, found) if compute else run.derived(name)

    def mmd(self, encoder: str, baseline: StoredRun | None = None, aug: Aug | None = None) -> MmdEstimate:
        """Eq. 1 between aug(train), of the run's aug or another one, and the anomalies, in the space of one of
        `encoders.ENCODERS`; the code of a baseline is that of the run's own unless another one is given. BadInput for another
        encoder, and where there is no baseline."""
        spec = self.run.spec
        space = Space.of(encoder, spec, self.dataset, baseline or self.baseline, self.run)
        return space.mmd(aug or aug_of(spec.augment, spec.params), self.anomaly)

    def criteria(self, compute: bool = True) -> dict[str, float] | None:
        """`selection.criteria` of the run, which must not be a baseline, with the test images that the views show as those
        whose labels nobody knows. Computed once and stored with the run; None when it is not and ``compute`` is False."""

        def found() -> Arrays:
            codes = self.own_codes()
            test = np.concatenate([codes["test normal"], codes["test anomalous"]])
            values = criteria(codes["train normal"], codes["train augmented"], test)
            return {name: np.array(value) for name, value in values.items()}

        name = f"criteria-{short(self.anomaly.key, *self._shown(), len(self._anomalous_shown()), ROUNDING)}"
        kept = self.run.remember(name, found) if compute else self.run.derived(name)
        return None if kept is None else {name: float(value) for name, value in kept.items()}


def same_sample(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """The comparisons, of runs on one task, cut to the training images that all of them have: the first ones."""
    fewest = min(comparison._shown()[0] for comparison in comparisons)
    return [replace(comparison, most_train=fewest) for comparison in comparisons]


def score_table(views: Views, maps: Sequence[np.ndarray | None]) -> list[list[object]]:
    """Rows for a CSV of the points: group, class, pair, each detector's score and its map (n, 2) where there is one; the
    first row has the names."""
    header: list[object] = ["point", "group", "class", "pair"]
    for detector, xy in zip(views.detectors, maps, strict=True):
        header += [
            f"score {detector.name}",
            *([f"t-SNE {axis} {detector.name}" for axis in (1, 2)] if xy is not None else []),
            *([f"taken for, {detector.name}", f"probability, {detector.name}"] if detector.functions else []),
        ]
    rows = [header]
    for i in range(len(views.group)):
        row: list[object] = [i, GROUPS[views.group[i]], views.labels[i], int(views.pair[i])]
        for detector, xy in zip(views.detectors, maps, strict=True):
            row += [float(detector.scores[i]), *(map(float, xy[i]) if xy is not None else ())]
            row += detector.taken_for(i) if detector.functions else ()
        rows.append(row)
    return rows
