"""The controls of a question, in the sidebar."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.components.upload import ask_own
from ssad_core import augment
from ssad_core.data import DATASETS, DatasetInfo, dataset_info, is_own, normal_class
from ssad_core.detectors import DETECTORS, PRESETS, augs, detector_info, nearest_preset, preset_of, presets_for
from ssad_core.protocol import PROFILES, SWITCHES
from ssad_core.question import Question, anomaly_name, check_augment, default_anomaly
from ssad_core.spec import PRECISIONS, RANGES, TITLES, Anomaly, Params, Settings

OWN = "own"
GENS = tuple(name for name in augment.AUGMENTATIONS if name != "identity")

EDITED = "edited preset"  # in the session: the preset that was last chosen

HELP = {
    "epochs": "How often every training image is seen.",
    "features": "Channels of the first convolution, of AP's first stage; those of the next grow with them.",
    "hidden": "Numbers in an image's code.",
    "batch_size": "Images per step of the optimiser.",
    "limit": "At most so many images of the normal class; 0 takes all.",
    "test_limit": "At most so many test images of each class; 0 takes all.",
    "learning_rate": "Adam's, at the start; later it {schedule}.",
    "weight_decay": "Adam's: so much of each weight is added to its gradient.",
}
STEPS = {"learning_rate": 1e-4, "weight_decay": 1e-5}  # of what is no whole number


def ask(last: Question, vary: bool = False) -> Question:
    """Draws the controls; ``last`` is what they show when they are new. With ``vary`` a page asks for aug's parameters
    itself."""
    with st.sidebar:
        st.subheader("Normal")
        dataset, info = _ask_dataset(last.dataset)
        names = info.normal_classes
        normal = st.selectbox(
            "Normal class",
            names,
            index=names.index(last.normal_class if last.normal_class in names else normal_class(info)),
            help="Only this class is seen in training.",
            key=f"ask-class-{dataset}",
        )

        st.subheader("Anomaly")
        profile = st.session_state.get("ask-profile", last.profile)
        anomaly = _ask_anomaly(last.anomaly, info.classes, normal, profile, scope=f"{dataset}-{normal}")

        st.subheader("Augmentation")
        detector = st.session_state.get("ask-detector", last.detector)  # which is asked for below
        choices = augs(detector)
        aug = st.selectbox(
            "aug",
            choices,
            index=choices.index(last.augment) if last.augment in choices else choices.index("cutout"),
            format_func=_titled,
            help="What self-supervision shows the detector in training. Finding 1 of the paper: it helps when it looks "
            "like the anomalies, and can harm when it does not.",
            key="ask-aug",
        )
        role = detector_info(detector).role
        known = last.params if aug == last.augment else ()
        params = () if vary else ask_params(aug, known, profile, role, scope="aug")

        st.subheader("Training")
        detectors = list(DETECTORS)
        detector = st.selectbox(
            "Detector",
            detectors,
            index=detectors.index(last.detector),
            format_func=lambda name: DETECTORS[name].title,
            help="\n\n".join(row.help for row in DETECTORS.values()),
            key="ask-detector",
        )
        preset = st.segmented_control(
            "Preset",
            list(PRESETS),
            default=_preset(last),
            required=True,
            format_func=str.capitalize,
            help="Quick: the effect within seconds (AP: a minute). Standard: at most some three minutes (AP: fifteen) on two "
            "cores. Paper: the paper's own size; on a CPU that takes long.",
            key="ask-preset",
        )
        slot = st.empty()
        rest = _ask_settings(preset, detector, dataset, aug, last)
        # The values that count: a field keeps a number that is out of its range, which is not taken.
        own = presets_for(*_sizes(detector, dataset, aug))[preset]
        settings = rest["settings"]
        changed = [f"{TITLES[n]} {getattr(settings, n):g}" for n in HELP if getattr(settings, n) != getattr(own, n)]
        if changed:
            slot.caption(f"{preset.capitalize()}, changed: {', '.join(changed)}.")
    return Question(dataset, normal, anomaly, detector, aug, params, **rest)


def _ask_dataset(last: str) -> tuple[str, DatasetInfo]:
    choices = [*DATASETS, OWN]
    chosen = st.selectbox(
        "Data set",
        choices,
        index=choices.index(OWN if is_own(last) else last),
        format_func=lambda name: "Own images…" if name == OWN else DATASETS[name].title,
        help="Digits and Photos come with the app. The others are read from SSAD_DATA_DIR or downloaded once. Own images "
        "are a folder or a zip of yours.",
        key="ask-dataset",
    )
    return ask_own(last) if chosen == OWN else (chosen, dataset_info(chosen))


def _ask_anomaly(last: Anomaly, classes: tuple[str, ...], normal: str, profile: str, scope: str) -> Anomaly:
    """A gen, another class or the rest: none of them trains anything."""
    choices = [
        *(Anomaly("gen", name) for name in GENS),
        *(Anomaly("class", name) for name in classes if name != normal),
        *([Anomaly("rest")] if len(classes) > 2 else []),
    ]
    bare = Anomaly(last.kind, last.name)
    chosen = st.selectbox(
        "gen, or a class",
        choices,
        index=choices.index(bare) if bare in choices else choices.index(default_anomaly()),
        format_func=lambda a: f"gen: {anomaly_name(a)}" if a.kind == "gen" else f"class: {anomaly_name(a)}",
        help="What is anomalous in the test images: gen applied to every normal one (the controlled testbed), or another "
        "class (in the wild). Changing it never trains again.",
        key=f"ask-anomaly-{scope}",
    )
    if chosen.kind != "gen":
        return chosen
    params = ask_params(chosen.name, last.params if chosen.name == last.name else (), profile, "gen", scope="gen")
    return Anomaly("gen", chosen.name, params)


def use_as(role: str, name: str, params: Params, question: Question) -> None:
    """Sets the controls of `ask` to another aug or gen; a callback, since widgets that are drawn cannot be set."""
    if role == "aug":
        st.session_state["ask-aug"] = name
    else:
        st.session_state[f"ask-anomaly-{question.dataset}-{question.normal_class}"] = Anomaly("gen", name)
    given = dict(params)
    for parameter in augment.AUGMENTATIONS[name].parameters:
        key = f"ask-{role}-{name}-{parameter.name}"
        value = given.get(parameter.name, parameter.default)
        if parameter.default is None:
            st.session_state[f"{key}-on"] = value is not None
        if value is not None and not (role == "gen" and parameter.training_only):
            st.session_state[key] = float(value)


def ask_params(name: str, last: Params, profile: str, role: str, scope: str) -> Params:
    """A slider for each parameter that has a use in the role; one whose default is a random range is first switched on."""
    values: dict[str, float] = {}
    for parameter in augment.AUGMENTATIONS[name].parameters:
        if role != "aug" and parameter.training_only:
            continue  # it is applied to every image
        known = dict(last).get(parameter.name, parameter.default)
        key = f"ask-{scope}-{name}-{parameter.name}"
        title, fixed = f"Fix the {parameter.title}", known is not None
        if parameter.default is None and not st.toggle(title, fixed, help=parameter.help, key=f"{key}-on"):
            continue
        middle = round((parameter.low + parameter.high) / 2, 2)
        values[parameter.name] = st.slider(
            parameter.title.capitalize(),
            parameter.low,
            parameter.high,
            float(known if known is not None else middle),
            parameter.step,
            help=parameter.help,
            key=key,
        )
    return check_augment(name, values, profile, role)


def _ask_settings(preset: str, detector: str, dataset: str, aug: str, last: Question) -> dict[str, Any]:
    """What else a question is made of, each to be changed: the preset's settings, which start anew with another preset or
    detector, or a data set or an aug with other presets; seed, precision and profile."""
    known = presets_for(*_sizes(detector, dataset, aug))
    same = (preset, known) == (_preset(last), presets_for(*_sizes(last.detector, last.dataset, last.augment)))
    st.session_state[EDITED] = preset
    start = last.settings if same else known[preset]
    keys = {name: f"ask-{name}-{preset}-{detector}-{getattr(known[preset], name)}" for name in HELP}
    # Closed at first, and then not there: half of the sidebar, which every page would draw anew at every click.
    box = st.expander("Settings", on_change="rerun", key="settings-open")
    if not box.open:
        # What was set with the very click that has closed it is only there.
        now = st.session_state
        settings = {name: now.get(key, getattr(start, name)) for name, key in keys.items()}
        others = {name: now.get(f"ask-{name}", getattr(last, name)) for name in ("seed", "precision", "profile")}
        return {"settings": Settings(**settings), **others}
    values: dict[str, float] = {}
    with box:
        for name, help_text in HELP.items():
            low, high = RANGES[name]
            value = getattr(start, name)
            values[name] = st.number_input(
                TITLES[name],
                low,
                high,
                value,
                step=STEPS.get(name, 1),
                format="%.4g" if name in STEPS else None,
                help=help_text.format(schedule=DETECTORS[detector].schedule),
                key=keys[name],
            )
        seed = st.number_input(
            "Seed",
            0,
            2**31 - 1,
            last.seed,
            help="Of the weights, the shuffling and the augmentations in training. What is tested does not depend on it.",
            key="ask-seed",
        )
        precision = st.selectbox(
            "Precision",
            PRECISIONS,
            index=PRECISIONS.index(last.precision),
            help="What the network computes in while it is trained. bfloat16 is for GPUs and for CPUs that have it (AVX-512 "
            "BF16): up to twice as fast there, slower elsewhere; scores differ from float32's as another seed's do.",
            key="ask-precision",
        )
        profiles = list(PROFILES)
        profile = st.selectbox(
            "Profile",
            profiles,
            index=profiles.index(last.profile),
            help="paper: as the text says. reference: as the authors' public code does, where the two differ.",
            key="ask-profile",
        )
        both = [(switch, " / ".join(map(switch.says, PROFILES.values()))) for switch in SWITCHES]
        differ = "\n".join(f"- {switch.name}: {said} ({switch.source})" for switch, said in both)
        st.caption(f"Where the profiles differ, paper / reference:\n{differ}")
    return {"settings": Settings(**values), "seed": int(seed), "precision": precision, "profile": profile}


def _preset(question: Question) -> str:
    """The preset that the question's settings are; of settings that were edited the one that they were before, or in a new
    session the nearest."""
    sizes = _sizes(question.detector, question.dataset, question.augment)
    return (
        preset_of(question.settings, *sizes)
        or st.session_state.get(EDITED)
        or nearest_preset(question.settings, *sizes)
    )


def _sizes(detector: str, dataset: str, aug: str) -> tuple[str, str, int, str]:
    """What the presets depend on: the detector, a data set's name and its channels, and the aug."""
    return detector, dataset, dataset_info(dataset).channels, aug


def _titled(name: str) -> str:
    info = augment.AUGMENTATIONS[name]
    return info.title if info.category == "none" else f"{info.title} ({info.category})"
