"""How well augmentations are aligned with anomalies: squared MMD between aug(train) and the anomalies, as a matrix, and
whether it predicts what an augmentation gains (Finding 1, App. G, Table 2)."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from . import augment
from .data import Dataset
from .detectors import detector_info
from .encoders import embed, encoder_info, identity, recall, remember
from .errors import BadInput
from .mmd import PERMUTATIONS, MmdEstimate, estimate
from .spec import CONTROLLED, Anomaly, Params, RunSpec
from .statistics import auc, rank_correlation
from .store import StoredRun, short

if TYPE_CHECKING:
    from .samples import Samples


class Aug(NamedTuple):
    """A row of the matrix."""

    name: str
    params: Params = ()

    @property
    def label(self) -> str:
        return augment.label(self.name, dict(self.params))


def aug_of(name: str, params: Params) -> Aug:
    """The row of a run's aug: what is analysed is applied with p = 1 (METHOD, "Where p = .5 matters"), so flips of any p are
    one row."""
    unused = {p.name for p in augment.augmentation_info(name).parameters if p.training_only}
    return Aug(name, tuple((key, value) for key, value in params if key not in unused))


def rows(more: Iterable[Aug] = ()) -> list[Aug]:
    """Every augmentation with its defaults, category by category, and after it those of ``more`` that have parameters."""
    order = list(augment.AUGMENTATIONS)
    return sorted({Aug(name) for name in order} | set(more), key=lambda aug: (order.index(aug.name), aug.params))


def columns(dataset: Dataset, normal_class: int, anomaly: Anomaly) -> list[Anomaly]:
    """The gens of the controlled testbed, ``anomaly`` if it is another gen, every other class, and all of these together."""
    gens = [*CONTROLLED, *([anomaly] if anomaly.kind == "gen" and anomaly not in CONTROLLED else [])]
    classes = [Anomaly("class", name) for label, name in enumerate(dataset.info.classes) if label != normal_class]
    return [*gens, *classes, *([Anomaly("rest")] if len(classes) > 1 else [])]


@dataclass(frozen=True, eq=False)
class Space:
    """The space of one of `encoders.ENCODERS`, and the images that are embedded in it: those that ``spec`` is scored on and
    shown. ``run`` is whose code it is; None of pixels and of ResNet50."""

    encoder: str
    spec: RunSpec
    dataset: Dataset
    run: StoredRun | None = None
    _embedded: dict[object, np.ndarray] = field(default_factory=dict, repr=False)

    @cached_property
    def samples(self) -> Samples:
        from .samples import Samples  # torch, which a page's first paint does not wait for

        return Samples.of(self.spec, self.dataset)

    @cached_property
    def key(self) -> str:
        """Changes exactly when the values do. BadInput on weights that cannot be read."""
        if self.run:
            return self.run.id
        spec, settings = self.spec, self.spec.settings
        images = spec.fingerprint, spec.normal_class, spec.profile, settings.limit, settings.test_limit, spec.method
        return f"{identity(self.encoder)}|{'|'.join(map(str, images))}"

    @classmethod
    def of(
        cls, encoder: str, spec: RunSpec, dataset: Dataset, baseline: StoredRun | None, run: StoredRun | None = None
    ) -> Space:
        """The space of an encoder's name. BadInput when there is none, or when the run whose code it is is not there."""
        coder = {"baseline": baseline, "run": run}.get(encoder)
        if encoder in ("baseline", "run") and coder is None:
            raise BadInput(f"there is no run whose code could be {encoder_info(encoder).title}")
        encoder_info(encoder)
        return cls(encoder, spec, dataset, coder)

    def mmd(self, aug: Aug, anomaly: Anomaly) -> MmdEstimate:
        """Eq. 1 between aug(train) and the anomalies; computed once, then kept: with the run whose code it is, or beside the
        embeddings. It has a p-value where the data set's images are independent."""

        def compute() -> dict[str, np.ndarray]:
            permutations = PERMUTATIONS if self.dataset.info.independent else 0
            found = estimate(self._augmented(aug), self._anomalous(anomaly), permutations=permutations)
            return {name: np.array(value) for name, value in asdict(found).items() if value is not None}

        if self.run:
            return _read(self.run.remember(self._name(aug, anomaly), compute))
        return _read(remember(self._name(aug, anomaly), compute))

    def known(self, aug: Aug, anomaly: Anomaly) -> MmdEstimate | None:
        """`mmd`, if it is kept."""
        name = self._name(aug, anomaly)
        kept = self.run.derived(name) if self.run else recall(name)
        return _read(kept) if kept else None

    def _name(self, aug: Aug, anomaly: Anomaly) -> str:
        pair = short(*aug, anomaly.key, PERMUTATIONS)
        return f"mmd-{pair}" if self.run else f"mmd|{self.key}|{pair}"

    def _augmented(self, aug: Aug) -> np.ndarray:
        """float32 (n, h): the training sample of the views, augmented once."""
        return self._once(aug, lambda: self._embed_augmented(aug))

    def _anomalous(self, anomaly: Anomaly) -> np.ndarray:
        """float32 (n, h): the anomalies that the views show (`samples.Samples.shown`)."""
        return self._once(anomaly, lambda: self._embed_anomalous(anomaly))

    def _once(self, what: object, compute: Callable[[], np.ndarray]) -> np.ndarray:
        if what not in self._embedded:
            self._embedded[what] = compute()
        return self._embedded[what]

    def _embed_augmented(self, aug: Aug) -> np.ndarray:
        from .evaluate import augmented_results

        if self.run:
            return augmented_results(self.run, *aug, self.dataset)[1]
        images = self.samples.augmented(self.samples.train_shown(), aug.name, self.spec.profile, dict(aug.params))
        return embed(self.encoder, images)

    def _embed_anomalous(self, anomaly: Anomaly) -> np.ndarray:
        from .evaluate import anomaly_results
        from .samples import VIEW_LIMIT

        if not self.run:
            return embed(self.encoder, self.samples.anomalous(anomaly, self.spec.profile, VIEW_LIMIT))
        _, codes = anomaly_results(self.run, anomaly, self.dataset)
        return codes[self.samples.shown(anomaly)]


def _read(kept: Mapping[str, np.ndarray]) -> MmdEstimate:
    return MmdEstimate(**{name: value.item() for name, value in kept.items()})


Cells = Mapping[tuple[Aug, Anomaly], MmdEstimate]


@dataclass(frozen=True, eq=False)
class Alignment:
    """The matrix: each row's space, and the columns."""

    spaces: Mapping[Aug, Space]
    columns: tuple[Anomaly, ...]

    @classmethod
    def of(
        cls,
        encoder: str,
        spec: RunSpec,
        dataset: Dataset,
        anomaly: Anomaly,
        *,
        more: Iterable[Aug] = (),
        baseline: StoredRun | None = None,
        runs: Sequence[StoredRun] = (),
    ) -> Alignment:
        """The matrix of the task of ``spec`` and ``anomaly``: all augmentations in one space, also those that nothing was
        trained with; or each of the ``runs`` in its own. BadInput as of `Space.of`, and on two runs of one aug there."""
        if encoder_info(encoder).one_space:
            space = Space.of(encoder, spec, dataset, baseline)
            spaces = dict.fromkeys(rows(more), space)
        else:
            own = {
                aug_of(run.spec.augment, run.spec.params): Space.of(encoder, run.spec, dataset, None, run)
                for run in runs
            }
            if len(own) < len(runs):
                raise BadInput("in each run's own code a row is one run, and two of these have the same aug")
            spaces = {aug: own[aug] for aug in rows(own) if aug in own}
        return cls(spaces, tuple(columns(dataset, spec.normal_class, anomaly)))

    @property
    def rows(self) -> list[Aug]:
        return list(self.spaces)

    @property
    def ranked(self) -> bool:
        """Whether all rows share a space, so that their values can be compared."""
        return all(encoder_info(space.encoder).one_space for space in self.spaces.values())

    @property
    def dataset(self) -> Dataset:
        """Whose images all rows are scored on."""
        return next(iter(self.spaces.values())).dataset

    @property
    def size(self) -> int:
        return len(self.spaces) * len(self.columns)

    def is_whole(self, cells: Cells, anomaly: Anomaly) -> bool:
        """Whether all of a column is among the cells."""
        return all((aug, anomaly) in cells for aug in self.spaces)

    @property
    def key(self) -> str:
        """Changes exactly when the matrix does."""
        keys = sorted({space.key for space in self.spaces.values()})
        return short(*keys, *self.spaces, *(anomaly.key for anomaly in self.columns))

    def cells(self) -> Cells:
        """Those that are kept."""
        pairs = ((aug, anomaly) for aug in self.spaces for anomaly in self.columns)
        found = {(aug, anomaly): self.spaces[aug].known(aug, anomaly) for aug, anomaly in pairs}
        return {pair: cell for pair, cell in found.items() if cell is not None}

    def fill(self, first: Anomaly, seconds: float = math.inf) -> Cells:
        """All of them, what is missing computed column by column, that of ``first`` first; each is kept as it comes. After so
        many ``seconds`` no other one is begun, and those that are there are given."""
        end = time.monotonic() + seconds
        found: dict[tuple[Aug, Anomaly], MmdEstimate] = {}
        for anomaly in sorted(self.columns, key=lambda anomaly: anomaly != first):
            for aug, space in self.spaces.items():
                found[aug, anomaly] = space.mmd(aug, anomaly)
                if time.monotonic() > end:
                    return found
        return found


def best(cells: Cells, anomaly: Anomaly) -> Aug:
    """The augmentation of the smallest value in a column, which must have one."""
    values = {aug: cell.value for (aug, other), cell in cells.items() if other == anomaly}
    return min(values, key=values.__getitem__)


def table(cells: Cells) -> list[list[object]]:
    """Rows for a CSV of the cells; the first has the names."""
    header: list[object] = ["aug", "anomaly", "MMD", "spread", "points a set", "draws", "p"]
    found = [[aug.label, anomaly.key, c.value, c.spread, c.m, c.draws, c.p] for (aug, anomaly), c in cells.items()]
    return [header, *found]


@dataclass(frozen=True)
class Outcome:
    """What an augmentation's MMD and its trained ``run``, by its id, say of one kind of anomaly; ``gain`` is the relative
    AUC, or the AUC of a detector without a baseline."""

    run: str
    aug: Aug
    anomaly: Anomaly
    mmd: float
    gain: float


def pairs_of(runs: Iterable[StoredRun], baselines: Mapping[str, StoredRun]) -> list[tuple[StoredRun, StoredRun | None]]:
    """Each of the runs that can gain something, with its baseline, one of ``baselines`` (by id): none for a detector that has
    no baseline. A baseline gains nothing by definition, a run whose baseline is not there has no relative AUC, and what comes
    of a training that went wrong says nothing."""
    found = [(run, baselines.get(run.spec.baseline().id)) for run in runs if not run.spec.is_baseline]
    return [
        (run, base)
        for run, base in found
        if (base or not detector_info(run.spec.detector).baseline) and not run.warning and not (base and base.warning)
    ]


def outcomes(
    cells: Cells,
    runs: Sequence[tuple[StoredRun, StoredRun | None]],
    columns: Iterable[Anomaly],
    dataset: Dataset,
    compute: bool = True,
) -> list[Outcome]:
    """One of each of the ``runs``, each with its baseline, on each column, where there is a cell; without ``compute``
    where both are scored already."""
    from .evaluate import anomaly_results, has_results

    def score(run: StoredRun, anomaly: Anomaly) -> float:
        return auc(run.scores["normal"], anomaly_results(run, anomaly, dataset)[0])

    found, below = [], {}
    for anomaly in columns:
        for run, baseline in runs:
            aug = aug_of(run.spec.augment, run.spec.params)
            asked = [run, baseline] if baseline else [run]
            cell = cells.get((aug, anomaly))
            if cell is None or not (compute or all(has_results(r, anomaly) for r in asked)):
                continue
            if baseline and (baseline.id, anomaly) not in below:
                below[baseline.id, anomaly] = score(baseline, anomaly)
            gain = score(run, anomaly) - (below[baseline.id, anomaly] if baseline else 0)
            found.append(Outcome(run.id, aug, anomaly, cell.value, gain))
    return found


def correlation(found: Sequence[Outcome]) -> float | None:
    """`rank_correlation` of MMD and gain, below 0 where the better aligned augmentations gain more."""
    return rank_correlation([one.mmd for one in found], [one.gain for one in found])
