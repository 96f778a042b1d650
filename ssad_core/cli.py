"""The command line: results on standard output, everything else on standard error.

Exit status: 0 done, 1 failed with one clear line, 2 bad arguments.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from . import augment
from .data import DATASETS, DatasetInfo, class_title, dataset_info, load, normal_class
from .detectors import DETECTORS, PRESETS, detector_info, presets_for, settings_for
from .encoders import ENCODERS
from .errors import BadInput, unknown
from .lineup import warnings_of
from .numbers import decimal
from .protocol import PROFILES
from .question import Question, check_aug, default_anomaly, parse_anomaly, parse_params, parse_seed, run_name
from .report import (
    FIGURES,
    SIDE_BY_SIDE,
    SWEEPS,
    alike,
    draw,
    draw_gains,
    draw_gallery,
    draw_side_by_side,
    draw_sweep,
    p_text,
    sweep_of,
    trials,
)
from .spec import PRECISIONS, RANGES, TITLES, RunSpec, Settings, exact
from .store import Store, StoredRun
from .testbed import (
    FAMILIES,
    PAPER_DATASETS,
    Summary,
    agreement_of,
    check_baseline,
    family_title,
    gains,
    summaries,
    trainings,
)
from .variants import DECAYS, VARIED

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from .views import Comparison

DEVICES = ("auto", "cpu", "cuda")
_A_DATASET = ", ".join((*DATASETS, "folder:PATH"))
_A_CLASS = "a class's name or number (default: one called good, normal or ok, else the first that can be trained on)"
_A_PROFILE = " or ".join(PROFILES)
GALLERY = "gallery"
# The figures that --encoder and --by-score are for, and those that --anomaly is not for.
WITH_ENCODER, WITH_SCORES = ("histograms", "alignment"), ("map", "maps")
WITHOUT_ANOMALY = ("bias", "tasks", GALLERY)
EVERY_FIGURE = (*FIGURES, *SIDE_BY_SIDE, *SWEEPS, GALLERY)


class _Parser(argparse.ArgumentParser):
    """One clear line on bad arguments, as everywhere else."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


class _Several(argparse.Action):
    """A list, also of an option that is given again, with each value once."""

    def __call__(
        self, parser: object, namespace: argparse.Namespace, values: Any, option_string: object = None
    ) -> None:
        setattr(namespace, self.dest, list(dict.fromkeys([*getattr(namespace, self.dest), *values])))


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command; returns its exit status."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by the shell: what is written then has to go somewhere
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115
        elif isinstance(stream, io.TextIOWrapper):  # of a minus that an encoding has not, the name is left
            stream.reconfigure(errors="namereplace")
    args = _parser().parse_args(argv)
    try:
        status = args.command(args)
        sys.stdout.flush()
        return status
    except BadInput as error:
        print(f"ssad_core: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("ssad_core: interrupted", file=sys.stderr)
        return 1
    except BrokenPipeError:  # of `... | head`; what is still buffered must not be flushed at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    except (OSError, RuntimeError) as error:
        print(f"ssad_core: {(str(error).splitlines() or [type(error).__name__])[0]}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m ssad_core", description=__doc__)
    several = {"nargs": "+", "action": _Several, "default": []}
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)
    for name, rows in (("datasets", _datasets), ("augmentations", _augmentations), ("detectors", _detectors)):
        table = commands.add_parser(name, help=f"the table of {name}")
        table.add_argument("--json", action="store_true", help="as one JSON array")
        table.set_defaults(command=lambda args, rows=rows: _table(rows(), args.json))

    train = commands.add_parser("train", help="train a run, or answer from the store")
    train.set_defaults(command=_train)
    train.add_argument("--dataset", default="photos", metavar="D", help=_A_DATASET)
    train.add_argument("--normal-class", metavar="C", help=_A_CLASS)
    train.add_argument("--detector", default="dae", help=", ".join(DETECTORS))
    train.add_argument("--augment", default="cutout", metavar="A", help=", ".join(augment.AUGMENTATIONS))
    train.add_argument("--param", action="append", default=[], metavar="k=v", help="a parameter of the augmentation")
    _add_settings(train)
    train.add_argument("--precision", default="float32", help=", ".join(PRECISIONS))
    train.add_argument("--device", default="auto", help=", ".join(DEVICES))
    train.add_argument("--json", action="store_true", help="no progress bar, only the JSON line")

    figure = commands.add_parser(
        "figure",
        help="draw a figure of stored runs, each beside its baseline if that is stored, or all beside each other; or the "
        "gallery of all augmentations on a class of a data set",
    )
    figure.set_defaults(command=_figure)
    figure.add_argument("name", metavar="NAME", help=", ".join(EVERY_FIGURE))
    figure.add_argument("--run", **several, metavar="ID", help="for all figures but the gallery")
    figure.add_argument("--dataset", metavar="D", help=f"of the gallery: {_A_DATASET}")
    figure.add_argument("--normal-class", metavar="C", help=f"of the gallery: {_A_CLASS}")
    figure.add_argument("--profile", metavar="P", help=f"of the gallery: {_A_PROFILE}")
    figure.add_argument("--anomaly", metavar="A", help="gen:NAME (default: gen:cutout), class:NAME or rest")
    figure.add_argument("--encoder", metavar="E", help=f"whose space MMD is measured in: {', '.join(ENCODERS)}")
    figure.add_argument("--by-score", action="store_true", help="maps are coloured by the score, not by the group")
    figure.add_argument("--out", type=Path, required=True, metavar="FILE", help="a page for any browser: FILE.html")

    testbed = commands.add_parser(
        "testbed",
        help="train every class of data sets with every augmentation, unless it is stored, and say what each gains over all "
        "tasks; broken off, it goes on where it stopped",
    )
    testbed.set_defaults(command=_testbed)
    testbed.add_argument(
        "--dataset", **several, metavar="D", help=f"{_A_DATASET} (default: the paper's, {', '.join(PAPER_DATASETS)})"
    )
    testbed.add_argument("--detector", default="dae", help="one that has a baseline: dae or deepsad")
    testbed.add_argument("--augment", **several, metavar="A", help="these and the baseline (default: all)")
    _add_settings(testbed)
    testbed.add_argument(
        "--vary",
        **several,
        metavar="S",
        help=f"with all combinations of these settings, at half and at all of their value: {', '.join(VARIED)} (Fig. 4b; "
        f"weight decay at {' and '.join(map(exact, DECAYS))})",
    )
    testbed.add_argument("--stored", action="store_true", help="train nothing: of what is stored")
    testbed.add_argument("--json", action="store_true", help="no progress bar, only one JSON array")
    testbed.add_argument("--out", type=Path, metavar="FILE", help="its figures too, for any browser: FILE.html")

    runs = commands.add_parser("runs", help="list the stored runs and the size of the cache")
    runs.add_argument("--json", action="store_true", help="as one JSON array")
    runs.set_defaults(command=_runs)
    delete = commands.add_parser("delete", help="delete stored runs")
    delete.add_argument("run", **several, metavar="RUN", help="a run's id")
    delete.set_defaults(command=_delete)
    return parser


def _add_settings(parser: argparse.ArgumentParser) -> None:
    """The options that say how a run is trained."""
    parser.add_argument("--profile", default="paper", help=_A_PROFILE)
    parser.add_argument("--preset", default="quick", help=", ".join(PRESETS))
    for name, title in TITLES.items():
        kind = type(RANGES[name][0])
        metavar = "F" if kind is float else "N"
        help = f"instead of the preset's: {title.lower()}{', 0 for all' if name.endswith('limit') else ''}"
        parser.add_argument(f"--{name.replace('_', '-')}", type=kind, metavar=metavar, help=help)
    parser.add_argument("--seed", default="0", metavar="S", help="of weights, shuffling and augmentation")


def _settings(args: argparse.Namespace, detector: str, info: DatasetInfo, aug: str = "cutout") -> Settings:
    given = {name: getattr(args, name) for name in TITLES}
    return settings_for(args.preset, detector, info.name, info.channels, aug, **given)


def _train(args: argparse.Namespace) -> int:
    with _ProgressBar(hidden=args.json) as report:
        info = dataset_info(args.dataset, report.reading)
    for kind, known in (("device", DEVICES), ("precision", PRECISIONS)):
        if (given := getattr(args, kind)) not in known:
            raise unknown(kind, given, known)
    detector = detector_info(args.detector).name
    params = check_aug(detector, args.augment, parse_params(args.param), args.profile)
    question = Question(
        dataset=args.dataset,
        normal_class=normal_class(info, args.normal_class),
        detector=detector,
        augment=args.augment,
        params=params,
        profile=args.profile,
        settings=_settings(args, detector, info, args.augment),
        seed=parse_seed(args.seed),
        precision=args.precision,
    )
    store = Store()
    with _ProgressBar(hidden=args.json) as report:
        spec = question.run(load(question.dataset, report.reading))
        if not store.has(spec.id):
            # Only now: importing torch takes seconds, and a stored run or a wrong argument should not wait for them.
            from .train import choose_device
            from .worker import end_process, run, warm_up

            warm_up(choose_device(args.device))
            run(spec, store, args.device, report, end_process)
    stored = store.load(spec.id)
    for line in warnings_of([stored]):
        print(f"ssad_core: {line}", file=sys.stderr)
    print(json.dumps(_line(stored)))
    return 0


def _line(run: StoredRun) -> dict[str, Any]:
    result = run.result
    return {
        "run": run.id,
        "name": run_name(run.spec),
        **{key: result[key] for key in ("seconds", "train_seconds", "images_per_second", "auc")},
        "warning": run.warning,
    }


def _testbed(args: argparse.Namespace) -> int:
    _check_html(args.out)
    names, failed = args.dataset or PAPER_DATASETS, None
    with _ProgressBar(hidden=args.json) as report:
        specs = _trainings(args, names, report)
        if not args.stored:
            from .jobs import train_all

            try:
                train_all(specs, lambda done, of: report({"state": f"{done} of {of} runs", "done": done / of}))
            except RuntimeError as error:  # what is there is said all the same
                failed = error
    store = Store()
    stored = [store.load(spec.id) for spec in specs if store.has(spec.id)]
    found = [gain for gain in gains(stored) if gain.in_paper or set(names) != set(PAPER_DATASETS)]
    rows = {family: some for family in FAMILIES if (some := summaries(found, family))}
    orders = {family: agreement_of(found, family) for family in rows}
    if args.json:
        every = [
            {"family": family, **asdict(one), "verdict": one.verdict, "agreement": orders[family]}
            for family, some in rows.items()
            for one in some
        ]
        print(json.dumps(every))
    else:
        print("\n\n".join("\n".join(_gain_lines(family, some, orders[family])) for family, some in rows.items()))
    warnings = warnings_of(stored)
    for line in (f"{len(stored)} of {len(specs)} runs are stored", *warnings):
        print(f"ssad_core: {line}", file=sys.stderr)
    if args.out:
        if not rows:
            raise BadInput("nothing to draw: no run of these is stored beside its baseline")
        from .figures import to_html

        how = _how(args, specs)
        drawn = []
        for family, some in rows.items():
            about = dict.fromkeys(class_title(*gain.normal)[0] for gain in found if gain.family == family)
            drawn.append(draw_gains(some, f"{', '.join(about)}, {family_title(family)}<br>{how}"))
        args.out.write_text(to_html(*drawn, warnings=warnings), encoding="utf-8")
    if failed:
        raise failed
    return 0


def _trainings(args: argparse.Namespace, names: Sequence[str], report: _ProgressBar) -> list[RunSpec]:
    """Those of the testbed of all these data sets."""
    detector, specs = detector_info(args.detector).name, []
    check_baseline(detector)
    for name in names:
        info = dataset_info(name, report.reading)
        for aug in args.augment:
            check_aug(detector, aug, {}, args.profile)
        shared = {"profile": args.profile, "settings": _settings(args, detector, info), "seed": parse_seed(args.seed)}
        question = Question(name, info.normal_classes[0], detector=detector, **shared)
        specs += trainings(question, load(name, report.reading), args.augment, args.vary)
    return list(dict.fromkeys(specs))  # of own images that two paths lead to once


def _how(args: argparse.Namespace, specs: Sequence[RunSpec]) -> str:
    """How all these are trained: "DAE, profile paper, seed 0, preset quick, changed: epochs 4 and 8"."""
    names = dict.fromkeys(spec.dataset for spec in specs)
    presets = {name: settings_for(args.preset, args.detector, name, dataset_info(name).channels) for name in names}
    changed = [
        f"{title.lower()} {' and '.join(map(exact, sorted({getattr(spec.settings, name) for spec in specs})))}"
        for name, title in TITLES.items()
        if any(getattr(spec.settings, name) != getattr(presets[spec.dataset], name) for spec in specs)
    ]
    shared = f"{detector_info(args.detector).title}, profile {args.profile}, seed {args.seed}, preset {args.preset}"
    return f"{shared}, changed: {', '.join(changed)}" if changed else shared


def _gain_lines(family: str, some: Sequence[Summary], order: float | None) -> list[str]:
    """A table in plain text; ``order`` is what `agreement_of` found."""
    lines = [f"{family_title(family)}: relative AUC, pseudo-median [95%] [95% by normal class]"]
    for one in some:
        spans = [[decimal(end, sign="+") for end in ends] for ends in (one.interval, one.clustered) if ends]
        texts = [decimal(one.median, sign="+"), *(f"[{low}, {high}]" for low, high in spans), p_text(one.p)]
        lines.append(f"  {one.aug:15}{'  '.join(texts)}, {trials(one)}: {one.verdict}")
    if order is not None:
        lines.append(f"  order of augs: mean rank correlation {decimal(order, 2)} between two settings")
    return lines


def _check_html(path: Path | None) -> None:
    """Before anything is computed for it."""
    if path and not path.parent.is_dir():
        raise BadInput(f"there is no folder {str(path.parent)[:60]!r} to write {path.name} into")
    if path and path.suffix not in (".html", ".htm"):
        raise BadInput(f"a figure is written as HTML, so its file ends in .html, unlike {str(path)[:60]!r}")


class _ProgressBar:
    """A bar on standard error: of what takes long before the training, of the training, of the evaluation."""

    def __init__(self, hidden: bool = False) -> None:
        self._hidden = hidden
        self._bar: Any = None

    def __enter__(self) -> _ProgressBar:
        return self

    def __call__(self, progress: dict[str, Any]) -> None:
        if self._hidden:
            return
        from tqdm import tqdm

        if self._bar is None:
            self._bar = tqdm(total=1, file=sys.stderr, bar_format="{desc}{percentage:3.0f}%|{bar}| {elapsed}{postfix}")
        self._bar.n = progress.get("done", 0)
        if progress.get("loss"):
            auc = {key: f"{values[-1][1]:.3f}" for key, values in progress.get("auc", {}).items()}
            self._bar.set_postfix({"loss": f"{progress['loss'][-1]:.4f}", **auc}, refresh=False)
        self._bar.set_description(progress.get("message", progress["state"]).rstrip("."), refresh=False)
        self._bar.refresh()

    def reading(self, done: float, text: str) -> None:
        """The `data.Progress` of this bar."""
        self({"state": "starting", "message": text, "done": done})

    def __exit__(self, *exception: object) -> None:
        if self._bar is not None:
            self._bar.close()


def _figure(args: argparse.Namespace) -> int:
    if args.name not in EVERY_FIGURE:
        raise unknown("figure", args.name, EVERY_FIGURE)
    _check_html(args.out)
    if args.encoder not in (None, *ENCODERS):
        raise unknown("encoder", args.encoder, ENCODERS)
    for option, used_by in {"encoder": WITH_ENCODER, "by_score": WITH_SCORES}.items():
        if getattr(args, option) and args.name not in used_by:
            raise BadInput(f"--{option.replace('_', '-')} is for {' and '.join(used_by)}, not for {args.name}")
    if args.anomaly is None:
        args.anomaly = default_anomaly().key
    elif args.name in WITHOUT_ANOMALY:
        raise BadInput(f"the figure {args.name} is not of one anomaly: leave out --anomaly")
    if args.name == GALLERY and args.run:
        raise BadInput("the gallery is of a data set, without --run")
    if args.name != GALLERY and not args.run:
        raise BadInput(f"the figure {args.name} needs --run ID")
    if args.run and any(given is not None for given in (args.dataset, args.normal_class, args.profile)):
        raise BadInput(
            f"the figure {args.name} has its runs' data set, class and profile; these are asked for by gallery alone"
        )
    drawn, about = (_gallery(args), []) if args.name == GALLERY else _of_runs(args)
    from .figures import to_html

    warnings = warnings_of(about)
    args.out.write_text(to_html(*drawn, warnings=warnings), encoding="utf-8")
    for line in warnings:
        print(f"ssad_core: {line}", file=sys.stderr)
    return 0


def _gallery(args: argparse.Namespace) -> list[go.Figure]:
    default = Question()
    profile = default.profile if args.profile is None else args.profile
    if profile not in PROFILES:
        raise unknown("profile", profile, PROFILES)
    with _ProgressBar() as report:
        dataset = load(default.dataset if args.dataset is None else args.dataset, report.reading)
    label = dataset.info.classes.index(normal_class(dataset.info, args.normal_class))
    return [draw_gallery(dataset, label, profile)]


def _of_runs(args: argparse.Namespace) -> tuple[list[go.Figure], list[StoredRun]]:
    """The figures, and the runs that they are about."""
    store = Store()
    stored = [store.load(run) for run in args.run]
    from .views import Comparison

    comparisons = []
    for run in stored:
        dataset = load(run.spec.dataset)
        normal = dataset.info.classes[run.spec.normal_class]
        anomaly = parse_anomaly(args.anomaly, run.spec.dataset, normal, run.spec.profile)
        baseline = run.spec.baseline().id
        comparisons.append(Comparison(run, store.load(baseline) if store.has(baseline) else None, anomaly, dataset))
    about = {run.id: run for comparison in comparisons for run in comparison.runs}
    if args.name in SIDE_BY_SIDE:
        drawn = draw_side_by_side(args.name, comparisons, encoder=args.encoder, by_score=args.by_score)
    elif args.name in SWEEPS:
        drawn, listed = [], store.list()
        for sweep in _sweeps(comparisons):
            first, classes = sweep[0], dict.fromkeys(c.run.spec.normal_class for c in sweep)
            asked = sweep_of(args.name, first.run.spec, [run.spec for run in listed], tuple(classes))
            drawn.append(draw_sweep(args.name, asked, listed, first.anomaly, first.dataset))
            kinds = {spec.id for spec in (*asked.specs(), *asked.at_random().values())}
            about |= {run.id: run for run in listed if run.id in kinds}
    else:
        drawn = [figure for c in comparisons for figure in draw(args.name, c, c.views(), by_score=args.by_score)]
    if not drawn:
        raise BadInput(f"these detectors have no {args.name}; other figures: {', '.join(FIGURES)}")
    return drawn, list(about.values())


def _sweeps(comparisons: list[Comparison]) -> list[list[Comparison]]:
    """Runs of one sweep together: those that differ in aug's parameter, seed and normal class alone."""
    sweeps: list[list[Comparison]] = []
    for comparison in comparisons:
        own = next((sweep for sweep in sweeps if alike(comparison.run.spec, sweep[0].run.spec)), None)
        if own is None:
            sweeps.append([comparison])
        else:
            own.append(comparison)
    return sweeps


def _table(rows: list[dict[str, Any]], as_json: bool) -> int:
    if as_json:
        print(json.dumps(rows))
        return 0
    for row in rows:
        print("  ".join(str(row[key]) for key in list(row)[:2]) + "  " + str(row.get("help") or row.get("note") or ""))
    return 0


def _datasets() -> list[dict[str, Any]]:
    return [asdict(info) for info in DATASETS.values()]


def _augmentations() -> list[dict[str, Any]]:
    return [
        {**asdict(info), "colour": augment.CATEGORY_COLOURS[info.category]} for info in augment.AUGMENTATIONS.values()
    ]


def _detectors() -> list[dict[str, Any]]:
    return [
        {
            **{name: value for name, value in vars(info).items() if not callable(value)},
            "presets": {preset: asdict(values) for preset, values in presets_for(info.name).items()},
        }
        for info in DETECTORS.values()
    ]


def _runs(args: argparse.Namespace) -> int:
    store = Store()
    runs = store.list()
    if args.json:
        print(json.dumps([{**_line(run), "spec": run.spec.to_dict(), "bytes": run.size} for run in runs]))
        return 0
    for run in runs:
        title, normal = class_title(run.spec.dataset, run.spec.normal_class)
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(run.result["finished"]))
        size = f"{run.spec.settings.epochs} epochs, {run.spec.settings.features} features, seed {run.spec.seed}"
        print(f"{run.id}  {when}  {title}/{normal}  {run_name(run.spec)}  {size}")
    print(f"{len(runs)} runs, {store.size / 1e6:.1f} MB in {store.root}", file=sys.stderr)
    if damaged := store.damaged():
        print(f"damaged, to be deleted and trained again: {' '.join(damaged)}", file=sys.stderr)
    return 0


def _delete(args: argparse.Namespace) -> int:
    store = Store()
    for run_id in args.run:
        store.delete(run_id)
    return 0
