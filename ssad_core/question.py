"""What a person asks of the lab, and its one text form in addresses, on the command line and in words.

A question is a task (data set, normal class, anomaly) and a run (detector, aug, settings, seed); its baseline follows.
"""

from __future__ import annotations

import dataclasses
import re
import shlex
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, replace
from typing import TypeVar

from . import augment
from .data import Dataset, class_index, counts, dataset_info, is_own, normal_class
from .detectors import detector_info, display_name, nearest_preset, preset_of, settings_for
from .errors import BadInput, unknown
from .protocol import PROFILES
from .spec import OVERRIDABLE, PRECISIONS, RANGES, WEIGHT_DECAY, Anomaly, Params, RunSpec, Settings, exact

T = TypeVar("T")


@dataclass(frozen=True)
class Question:
    """Every choice a person makes before training. The default shows Finding 1 within seconds, and was picked because it
    does (the README has the whole table); its settings are DAE's."""

    dataset: str = "photos"
    normal_class: str = "temple"
    anomaly: Anomaly = dataclasses.field(default_factory=lambda: Anomaly("gen", "cutout"))
    detector: str = "dae"
    augment: str = "cutout"
    params: Params = ()
    profile: str = "paper"
    settings: Settings = dataclasses.field(default_factory=lambda: settings_for("quick"))
    seed: int = 0
    precision: str = "float32"

    def run(self, dataset: Dataset) -> RunSpec:
        """The run that answers it on this data set. BadInput when the detector cannot be trained with this aug, or there are
        fewer than two images to train with."""
        label = class_index(dataset.info, normal_class(dataset.info, self.normal_class))
        there, _ = counts(dataset)[dataset.info.classes[label]]
        if min(there, self.settings.limit or there) < 2:
            of = f"limit is {self.settings.limit}" if there > 1 else f"{self.normal_class} has {there}"
            raise BadInput(f"training needs at least two images of the normal class; {of}")
        return RunSpec(
            dataset=dataset.info.name,  # own images are known by their content, not by their path
            fingerprint=dataset.fingerprint,
            normal_class=label,
            detector=self.detector,
            augment=self.augment,
            params=check_aug(self.detector, self.augment, dict(self.params), self.profile),
            settings=self.settings,
            seed=self.seed,
            profile=self.profile,
            precision=self.precision,
        )

    def with_aug(self, name: str, params: Params = ()) -> Question:
        """The same question of another aug, asked of the same test images. Where its settings are a preset's, the others
        are that preset's for this aug: AP has the fewer epochs the more functions aug has. What a person has set stays."""
        sized_for = self.detector, self.dataset, dataset_info(self.dataset).channels
        preset = preset_of(self.settings, *sized_for, self.augment)
        same = self.settings.test_limit
        settings = settings_for(preset, *sized_for, name, test_limit=same) if preset else self.settings
        return replace(self, augment=name, params=params, settings=settings)

    def command(self) -> str:
        """The shell command that trains the same run."""
        words = ["python", "-m", "ssad_core", "train", "--dataset", self.dataset]
        # What begins with a dash, as somebody's folder may, is taken for an option without an equals sign.
        dashed = self.normal_class.startswith("-")
        words += [f"--normal-class={self.normal_class}"] if dashed else ["--normal-class", self.normal_class]
        words += ["--detector", self.detector, "--augment", self.augment]
        for name, value in self.params:
            words += ["--param", f"{name}={exact(value)}"]
        sized_for = self.detector, self.dataset, dataset_info(self.dataset).channels, self.augment
        preset = nearest_preset(self.settings, *sized_for)
        words += ["--profile", self.profile, "--preset", preset]
        for name, value in asdict(self.settings).items():
            if value != getattr(settings_for(preset, *sized_for), name):
                words += [f"--{name.replace('_', '-')}", exact(value)]
        if self.precision != "float32":
            words += ["--precision", self.precision]
        return shlex.join([*words, "--seed", str(self.seed)])

    def to_query(self) -> dict[str, str]:
        """All of it for an address, defaults included; `from_query` is the inverse."""
        return {
            "dataset": self.dataset,
            "class": self.normal_class,
            "anomaly": self.anomaly.key,
            "detector": self.detector,
            "aug": call_text(self.augment, self.params),
            "profile": self.profile,
            **{name: exact(value) for name, value in asdict(self.settings).items()},
            "seed": str(self.seed),
            "precision": self.precision,
        }


def check_aug(detector: str, name: str, params: Mapping[str, float], profile: str = "paper") -> Params:
    """`check_augment` of what a detector is to be trained with. BadInput also when it has no use for that."""
    info = detector_info(detector)
    if name == "identity" and info.baseline is None:
        raise BadInput(f"{info.title} predicts what aug did to an image; choose another aug than the identity")
    return check_augment(name, params, profile, info.role)


def check_augment(name: str, params: Mapping[str, float], profile: str = "paper", role: str = "aug") -> Params:
    """The parameters of an augmentation in their one form, those at their default left out. BadInput when wrong."""
    augment.check(name, profile, role, **params)
    known = augment.AUGMENTATIONS[name].parameters
    for parameter in known:
        if role != "aug" and parameter.training_only and parameter.name in params:
            of = "as a gen" if role == "gen" else "to be predicted"
            raise BadInput(f"{of}, {name} changes every image and has no {parameter.name}")
    defaults = {parameter.name: parameter.default for parameter in known}
    return tuple(sorted((key, float(value)) for key, value in params.items() if value != defaults[key]))


def parse_params(texts: list[str]) -> dict[str, float]:
    """``["c=.4"]`` to ``{"c": .4}``."""
    params: dict[str, float] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise BadInput(f"a parameter is written name=value, such as c=0.4, not {text[:60]!r}")
        if name.strip() in params:
            raise BadInput(f"{name.strip()[:60]!r} is given twice")
        params[name.strip()] = number(name.strip(), value)
    return params


def number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise BadInput(f"{name} must be a number, not {text[:60]!r}") from None


def whole(name: str, text: str) -> int:
    value = number(name, text)
    if value != value or value in (float("inf"), float("-inf")) or value != int(value):
        raise BadInput(f"{name} must be a whole number, not {text[:60]!r}")
    return int(value)


def parse_seed(text: str) -> int:
    value = whole("seed", text)
    if not 0 <= value < 2**31:
        raise BadInput(f"seed must be from 0 to {2**31 - 1}, not {text[:60]}")
    return value


def parse_call(text: str) -> tuple[str, dict[str, float]]:
    """``"cutout(c=0.4)"`` to ``("cutout", {"c": 0.4})``."""
    match = re.fullmatch(r"([\w-]+)\s*(?:\(([^()]*)\))?", text.strip())
    if not match:
        raise BadInput(f"{text[:60]!r} is not written like cutout or cutout(c=0.4)")
    return match[1], parse_params([part for part in (match[2] or "").split(",") if part.strip()])


def call_text(name: str, params: Params) -> str:
    """The inverse of `parse_call`."""
    return Anomaly("gen", name, params).key.removeprefix("gen:")


def parse_anomaly(text: str, dataset: str, normal_class: str, profile: str = "paper") -> Anomaly:
    """The inverse of `Anomaly.key` for a data set and its normal class. BadInput says what is wrong."""
    info = dataset_info(dataset)
    if text == "rest":
        if len(info.classes) == 2:
            raise BadInput(f"{info.title} has one other class; choose it by name")
        return Anomaly("rest")
    kind, _, rest = text.partition(":")
    if kind == "gen":
        name, params = parse_call(rest)
        if name == "identity":
            raise BadInput("identity makes no anomalies; choose another gen")
        return Anomaly("gen", name, check_augment(name, params, profile, "gen"))
    if kind == "class":
        name = info.classes[class_index(info, rest)]
        if name == normal_class:
            raise BadInput(f"{name} is the normal class; choose another as the anomaly")
        return Anomaly("class", name)
    raise BadInput(f"an anomaly is gen:NAME, class:NAME or rest, not {text[:60]!r}")


def default_anomaly() -> Anomaly:
    return Question().anomaly


def from_query(query: Mapping[str, str], also_known: tuple[str, ...] = ()) -> tuple[Question, list[str]]:
    """The question in an address, and one line for every value in it that could not be used.

    Each field stands for itself: a bad one falls back to its default and the others still count. ``also_known`` are
    fields that somebody else reads.
    """
    rejected: list[str] = []
    default = Question()

    def take(field: str, parse: Callable[[str], T], fallback: T) -> T:
        if field not in query:
            return fallback
        try:
            return parse(query[field])
        except BadInput as error:
            rejected.append(f"{field}: {error}")
            return fallback

    known = {*default.to_query(), "preset", *also_known}
    rejected += [str(unknown("field", field, sorted(known))) for field in query if field not in known]

    info = take("dataset", dataset_info, dataset_info(default.dataset))
    dataset = query["dataset"] if is_own(info.name) else info.name
    normal = take("class", lambda text: normal_class(info, text), normal_class(info))
    profile = take("profile", lambda text: _one_of("profile", text, PROFILES), default.profile)
    detector = take("detector", lambda text: detector_info(text).name, default.detector)

    def aug(text: str) -> tuple[str, Params]:
        name, params = parse_call(text)
        return name, check_aug(detector, name, params, profile)

    name, params = take("aug", aug, (default.augment, default.params))
    anomaly = take("anomaly", lambda text: parse_anomaly(text, dataset, normal, profile), default.anomaly)
    sized_for = detector, dataset, info.channels, name
    settings = take("preset", lambda text: settings_for(text, *sized_for), settings_for("quick", *sized_for))
    for field in OVERRIDABLE:
        settings = take(field, lambda text, f=field, s=settings: _override(s, f, text), settings)

    seed = take("seed", parse_seed, default.seed)
    precision = take("precision", lambda text: _one_of("precision", text, PRECISIONS), default.precision)
    return Question(dataset, normal, anomaly, detector, name, params, profile, settings, seed, precision), rejected


def _override(settings: Settings, field: str, text: str) -> Settings:
    parse = number if isinstance(RANGES[field][0], float) else whole
    return replace(settings, **{field: parse(field, text)})


def _one_of(kind: str, text: str, known: Collection[str]) -> str:
    if text not in known:
        raise unknown(kind, text, known)
    return text


def question_of(spec: RunSpec, anomaly: Anomaly | None = None) -> Question:
    """The question that a run answers, about ``anomaly`` if its images have that one, else about the default. BadInput where
    the run's own images are not here any more."""
    info = dataset_info(spec.dataset)
    normal = info.classes[spec.normal_class]
    anomaly = anomaly or default_anomaly()
    try:
        anomaly = parse_anomaly(anomaly.key, spec.dataset, normal, spec.profile)
    except BadInput:
        anomaly = default_anomaly()
    return Question(
        dataset=spec.dataset,
        normal_class=normal,
        anomaly=anomaly,
        detector=spec.detector,
        augment=spec.augment,
        params=spec.params,
        profile=spec.profile,
        settings=spec.settings,
        seed=spec.seed,
        precision=spec.precision,
    )


def changed(question: Question, field: str, text: str) -> Question:
    """The question with one field of its address changed. BadInput says what is wrong with that. Another normal class may
    make the anomaly the default one, another detector has its own weight decay where none was set."""
    query = question.to_query()
    if field == "detector" and question.settings.weight_decay == WEIGHT_DECAY[question.detector]:
        del query["weight_decay"]
    found, rejected = from_query({**query, field: text})
    if wrong := [line for line in rejected if not line.startswith("anomaly: ")]:
        raise BadInput(wrong[0])
    return found


def run_name(spec: RunSpec) -> str:
    """How the paper writes the run's detector: "DAE-CutOut-0.4", "AE"."""
    return display_name(spec, augment.label(spec.augment, dict(spec.params)))


def anomaly_name(anomaly: Anomaly) -> str:
    """How the app writes an anomaly: "CutOut-0.4", "Automobile", "all other classes"."""
    if anomaly.kind == "gen":
        return augment.label(anomaly.name, dict(anomaly.params))
    return anomaly.name if anomaly.kind == "class" else "all other classes"
