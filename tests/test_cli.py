"""The command line: one JSON line on standard output, the rest on standard error, and an honest exit status."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny import ROOT, python, tiny, trainer, words

from ssad_core.augment import AUGMENTATIONS
from ssad_core.cli import main
from ssad_core.data import DATASETS
from ssad_core.data.table import CALLED_NORMAL
from ssad_core.detectors import presets_for
from ssad_core.spec import RANGES
from ssad_core.store import Store, write_json


def ssad(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "ssad_core", *arguments], cwd=ROOT, capture_output=True, text=True)


def test_a_run_is_trained_and_then_answered_from_the_store() -> None:
    trained = ssad(*words(0, 3))
    assert trained.returncode == 0, trained.stderr
    line = json.loads(trained.stdout)
    assert trained.stdout.count("\n") == 1
    assert line["run"] == tiny(epochs=3).id
    assert line["name"] == "DAE-CutOut"
    assert line["seconds"] >= line["train_seconds"] > 0
    assert line["images_per_second"] == pytest.approx(3 * 64 / line["train_seconds"])
    others = {f"class:{i}" for i in range(10)} - {"class:1"}
    assert set(line["auc"]) >= {"gen:cutout", "gen:flip", "gen:invert", "rest"} | others
    assert "class:1" not in line["auc"]
    assert "training" in trained.stderr
    assert "100%" in trained.stderr
    assert "Traceback" not in trained.stderr

    # The same, whatever it is called, now without torch.
    code = "import sys; from ssad_core.cli import main; status = main(); assert 'torch' not in sys.modules; sys.exit(status)"
    again = subprocess.run(
        [sys.executable, "-c", code, *words(0, 3, "--json", "--learning-rate", "1e-3", "--augment", "cutout")],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout) == line
    short = "ssad_core: DAE-CutOut: only 6 steps of the optimiser, hardly a training: "
    assert again.stderr.startswith(short)
    assert again.stderr.count("\n") == trained.stderr.count(short) == 1


@pytest.mark.parametrize(("aug", "name"), [("flip", "DeepSAD-Flip"), ("identity", "DeepSVDD")])
def test_deepsad_is_trained_and_answered_from_the_store(
    aug: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sizes = "--dataset digits --normal-class 3 --detector deepsad --epochs 2 --limit 64 --test-limit 20 --json"
    lines = []
    for _ in range(2):
        assert main(["train", *sizes.split(), "--augment", aug, "--device", "cpu"]) == 0
        lines.append(json.loads(capsys.readouterr().out))
    assert lines[0] == lines[1]
    assert lines[0]["name"] == name
    assert set(lines[0]["auc"]) == {"gen:cutout", "gen:flip", "gen:invert", "rest"} | {
        f"class:{i}" for i in range(10) if i != 3
    }
    settings = Store().load(lines[0]["run"]).spec.settings
    assert (settings.features, settings.hidden) == (8, 32)  # of MNIST's LeNet


def test_figures_of_stored_runs_are_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ids = []
    for more in ((), ("--augment", "identity"), ("--detector", "deepsad")):
        assert main([*words(0, 2, *more), "--json"]) == 0
        ids.append(json.loads(capsys.readouterr().out)["run"])
    run, _, lonely = ids
    out = tmp_path / "figure.html"
    # A histogram and a map for each detector, the baseline's too where it is stored; else one figure for all.
    for name, count in {"histogram": 2, "roc": 1, "map": 2, "reconstruction": 1}.items():
        assert main(["figure", name, "--run", run, "--anomaly", "class:8", "--out", str(out)]) == 0
        page = out.read_text()
        assert page.count("Plotly.newPlot(") == count
        assert "DAE-CutOut" in page
        assert "AE" in page
        assert "against 8" in page
        assert "<script src=" not in page  # offline too
    assert main(["figure", "histogram", "--run", run, lonely, "--anomaly", "gen:blur(sigma=2)", "--out", str(out)]) == 0
    assert out.read_text().count("Plotly.newPlot(") == 3
    capsys.readouterr()
    assert main(["figure", "sweep", "--run", lonely, "--out", str(out)]) == 2
    assert_one_line(capsys, "relative to DeepSVDD, which is not stored for these runs")

    # Side by side, all in one figure; detectors whose scores have no common unit in one each.
    assert main([*words(0, 2, "--detector", "deepsad", "--augment", "identity"), "--json"]) == 0
    assert main([*words(0, 2, "--augment", "flip"), "--json"]) == 0
    flip = json.loads(capsys.readouterr().out.splitlines()[-1])["run"]
    for name, more in {"rocs": ["--anomaly", "gen:rotate"], "tasks": []}.items():
        assert main(["figure", name, "--run", run, flip, lonely, *more, "--out", str(out)]) == 0
        assert out.read_text().count("Plotly.newPlot(") == 1
        assert all(each in out.read_text() for each in ("DAE-CutOut", "DAE-Flip", "DeepSAD-CutOut"))
    for name, count in {"histograms": 2, "maps": 2, "reconstructions": 1}.items():
        assert main(["figure", name, "--run", run, flip, lonely, "--anomaly", "class:8", "--out", str(out)]) == 0
        page = out.read_text()
        assert page.count("Plotly.newPlot(") == count
        assert "DAE-CutOut" in page
        assert "DAE-Flip" in page
        assert ("DeepSAD-CutOut" in page.split("<figure>", 1)[1]) == (name != "reconstructions")
        assert ("t-SNE of perplexity 26.3, seed 0" in page) == (name == "maps")  # of 80 points
    assert main([*words(0, 2, "--normal-class", "2"), "--json"]) == 0
    other = json.loads(capsys.readouterr().out.splitlines()[-1])["run"]
    assert main(["figure", "histograms", "--run", run, other, "--out", str(out)]) == 2
    assert_one_line(capsys, "of one data set, normal class, profile and number of test images")
    for more in (("--test-limit", "30"), ("--profile", "reference")):  # scored on other images, which no picture is of
        assert main([*words(0, 2, *more), "--json"]) == 0
        other = json.loads(capsys.readouterr().out.splitlines()[-1])["run"]
        for name in ("alignment", "reconstructions"):
            assert main(["figure", name, "--run", run, other, "--anomaly", "gen:noise", "--out", str(out)]) == 2
            assert_one_line(capsys, "number of test images")
        assert main(["figure", "roc", "--run", other, "--anomaly", "gen:noise", "--out", str(out)]) == 0
    for more, space in (((), "the code of AE"), (("--encoder", "pixels"), "raw pixels")):
        assert main(["figure", "histograms", "--run", run, flip, "--out", str(out), *more]) == 0
        assert f"MMD in {space}." in out.read_text()

    for name, of in (("sweep", run), ("surface", run), ("sweep", lonely)):
        assert main(["figure", name, "--run", of, "--out", str(out)]) == 2
        assert_one_line(capsys, "at any of the sweep's values of aug's patch size c (0.1, 0.2, ")

    # Of a sweep, all that is stored; the sweep of any of its runs is the same.
    for more in (("--param", "c=0.2"), ("--param", "c=0.5")):
        assert main([*words(0, 2, *more), "--json"]) == 0
    swept = json.loads(capsys.readouterr().out.splitlines()[-1])["run"]
    assert main([*words(5, 2, "--param", "c=0.2"), "--json"]) == 0  # of another seed one value: the surface stays
    for name, text in {"sweep": "Relative AUC against", "surface": "gen 0.9: "}.items():
        assert main(["figure", name, "--run", swept, "--out", str(out)]) == 0
        page = out.read_text()
        assert page.count("Plotly.newPlot(") == 1
        assert text in page
        assert "DAE-CutOut" in page
    capsys.readouterr()

    for arguments, part in {
        f"histograms --run {run} --encoder resnet --out {out}": "unknown encoder 'resnet'; did you mean 'resnet50'?",
        f"roc --run {run} --encoder pixel --out {out}": "unknown encoder 'pixel'; did you mean 'pixels'?",
        f"maps --run {run} --encoder pixels --out {out}": "--encoder is for histograms and alignment, not for maps",
        f"roc --run {run} --by-score --out {out}": "--by-score is for map and maps, not for roc",
        f"surface --run {swept} --anomaly gen:flip --out {out}": "Flip has nothing continuous to vary here",
        f"surface --run {swept} --anomaly rest --out {out}": "its anomaly is a gen, such as gen:cutout",
        f"sweep --run {ids[1]} --out {out}": "Identity has nothing continuous to vary here",
        f"histgram --run {run} --out {out}": "unknown figure 'histgram'; did you mean 'histogram'?",
        f"roc --run {run} --out {tmp_path / 'roc.png'}": "its file ends in .html",
        f"roc --run 0123456789abcdef --out {out}": "no run '0123456789abcdef' is stored",
        f"roc --run {run} --anomaly class:1 --out {out}": "1 is the normal class",
        f"reconstruction --run {lonely} --out {out}": "these detectors have no reconstruction",
        f"roc --out {out}": "the figure roc needs --run ID",
        f"gallery --run {run} --out {out}": "the gallery is of a data set, without --run",
        f"roc --run {run} --dataset digits --out {out}": "the figure roc has its runs' data set",
        f"gallery --dataset digits --normal-class ten --out {out}": "unknown class of Digits 'ten'",
        f"tasks --run {run} --anomaly rest --out {out}": "the figure tasks is not of one anomaly: leave out --anomaly",
        f"bias --run {run} --anomaly= --out {out}": "the figure bias is not of one anomaly: leave out --anomaly",
        f"gallery --anomaly nonsense --out {out}": "the figure gallery is not of one anomaly: leave out --anomaly",
        f"roc --run {run} --dataset= --out {out}": "the figure roc has its runs' data set",
        f"gallery --dataset= --out {out}": "unknown data set ''",
        f"gallery --profile= --out {out}": "unknown profile ''",
        f"gallery --profile papr --out {out}": "unknown profile 'papr'; did you mean 'paper'?",
    }.items():
        assert main(["figure", *arguments.split()]) == 2
        error = capsys.readouterr().err
        assert part in error
        assert error.count("\n") == 1


def test_a_list_of_runs_may_be_given_in_pieces_and_has_each_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for aug in ("cutout", "flip"):
        assert main([*words(0, 1, "--augment", aug), "--json"]) == 0
    one, other = (json.loads(line)["run"] for line in capsys.readouterr().out.splitlines())
    out = tmp_path / "figure.html"
    assert main(["figure", "roc", "--run", one, "--run", other, one, "--out", str(out)]) == 0
    assert out.read_text().count("Plotly.newPlot(") == 2
    assert main(["delete", one, other, one]) == 0
    assert Store().list() == []


def mnist_of_noise(folder: Path, seed: int) -> None:
    """Class folders of ten classes, with four training and three test images each."""
    rng = np.random.default_rng(seed)
    for split, count in (("train", 4), ("test", 3)):
        for label in range(10):
            (folder / split / str(label)).mkdir(parents=True)
            for i in range(count):
                pixels = rng.integers(0, 256, (28, 28), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / split / str(label) / f"{i}.png")


def test_a_run_whose_images_are_others_now_has_no_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = tmp_path / "data", tmp_path / "figure.html"
    monkeypatch.setenv("SSAD_DATA_DIR", str(data))
    mnist_of_noise(data / "mnist", 0)
    sizes = "--epochs 1 --features 4 --hidden 8"
    assert main(["train", "--dataset", "mnist", *sizes.split(), "--json"]) == 0
    run = Store().load(json.loads(capsys.readouterr().out)["run"])
    figure = ["--run", run.id, "--anomaly", "gen:noise", "--out", str(out)]
    assert main(["figure", "roc", *figure]) == 0
    kept = sorted((run.path / "derived").iterdir())
    (data / "mnist").rename(tmp_path / "before")
    mnist_of_noise(data / "mnist", 1)
    for name in ("roc", "reconstruction", "histograms", "rocs"):
        assert main(["figure", name, *figure[:2], "--anomaly", "gen:blur", "--out", str(out)]) == 2
        assert_one_line(capsys, f"MNIST has other images now than those of the run {run.id}; train it anew")
    assert sorted((run.path / "derived").iterdir()) == kept


def test_a_figure_says_what_went_wrong_in_a_training(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words(0, 50), "--json"]) == 0  # long enough that there is nothing else to say
    assert main([*words(0, 50, "--augment", "identity"), "--json"]) == 0
    run, baseline = (Store().load(json.loads(line)["run"]) for line in capsys.readouterr().out.splitlines())
    write_json(baseline.path / "result.json", {**baseline.result, "warning": "All is <one> point."})
    for name, of in (("roc", [run.id]), ("tasks", [run.id, baseline.id])):
        assert main(["figure", name, "--run", *of, "--out", str(tmp_path / "figure.html")]) == 0
        assert_one_line(capsys, "AE: All is <one> point.")
        page = (tmp_path / "figure.html").read_text()
        assert '<p role="alert">⚠ AE: All is &lt;one&gt; point.</p>' in page
    assert "★" not in page  # a run that went wrong competes with nobody, and the other is alone


def test_the_gallery_is_drawn_of_any_class_wherever_one_lives(tmp_path: Path) -> None:
    out = tmp_path / "gallery.html"
    ascii_only = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    command = "-m ssad_core figure gallery --dataset digits --normal-class 8 --out"
    subprocess.run([sys.executable, *command.split(), str(out)], cwd=ROOT, env=ascii_only, check=True)
    page = out.read_text(encoding="utf-8")
    assert page.count("Plotly.newPlot(") == 1
    assert "Digits, 8: augmentations" in page
    assert all(info.title in page for info in AUGMENTATIONS.values())


def test_runs_are_listed_and_deleted(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []
    lines = []
    for seed in (1, 2):
        assert main(words(seed, 1, "--json", "--device", "cpu")) == 0
        lines.append(json.loads(capsys.readouterr().out))
    assert main(["runs", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["run"] for row in rows] == [line["run"] for line in reversed(lines)]
    assert rows[0]["auc"] == lines[1]["auc"]
    assert rows[0]["spec"] == tiny(seed=2, epochs=1).to_dict()
    assert rows[0]["bytes"] > 10_000
    assert main(["runs"]) == 0
    text = capsys.readouterr()
    assert "Digits/1  DAE-CutOut" in text.out
    assert "2 runs, 0." in text.err
    assert str(Store().root) in text.err

    (Store().run(lines[0]["run"]) / "result.json").write_text("{")
    assert main(["runs"]) == 0
    assert f"damaged, to be deleted and trained again: {lines[0]['run']}" in capsys.readouterr().err
    assert main(words(1, 1)) == 1
    assert_one_line(capsys, lines[0]["run"], "delete it and train it again")

    assert main(["delete", *(line["run"] for line in lines)]) == 0
    assert main(["runs", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []
    assert main(["delete", lines[0]["run"]]) == 2
    assert_one_line(capsys, "no run", lines[0]["run"])


def assert_one_line(capsys: pytest.CaptureFixture[str], *parts: str) -> None:
    text = capsys.readouterr()
    assert text.out == ""
    # What a progress bar wrote before, on the line it is still on, is not meant.
    assert text.err.endswith("\n")
    line = text.err[:-1].rpartition("\n")[2]
    assert line.startswith(("ssad_core: ", "python -m ssad_core"))
    for part in parts:
        assert part in line
    assert "Traceback" not in text.err


@pytest.mark.parametrize("table", ["datasets", "augmentations", "detectors"])
def test_the_tables_have_what_there_is(table: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([table, "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    known = {"datasets": set(DATASETS), "augmentations": set(AUGMENTATIONS), "detectors": {"dae", "deepsad"}}[table]
    assert set(rows) >= known
    if table == "augmentations":
        (c,) = [parameter for parameter in rows["cutout"]["parameters"] if parameter["name"] == "c"]
        assert {"name", "default", "low", "high"} <= set(c)
        assert rows["flip"]["category"] == "geometric"
    if table == "datasets":
        assert rows["fashion_mnist"]["classes"][0] == "T-shirt/top"
    if table == "detectors":
        for name in known:
            assert rows[name]["presets"] == {key: asdict(preset) for key, preset in presets_for(name).items()}
        assert [rows[name]["baseline"] for name in ("dae", "deepsad")] == ["AE", "DeepSVDD"]
        assert [rows[name]["pictures"] for name in ("dae", "deepsad")] == [True, False]
    assert main([table]) == 0
    text = capsys.readouterr().out
    for name in known:
        assert name in text


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ("--dataset digit", ["unknown data set 'digit'", "did you mean 'digits'"]),
        ("--augment cutuot", ["unknown augmentation 'cutuot'", "did you mean 'cutout'"]),
        ("--augment foo", ["unknown augmentation 'foo'. Known: "]),
        ("--detector deo", ["unknown detector 'deo'", "dae"]),
        ("--preset quik", ["unknown preset 'quik'", "did you mean 'quick'"]),
        ("--profile papre", ["unknown profile 'papre'", "did you mean 'paper'"]),
        ("--precision bfloat", ["unknown precision 'bfloat'", "did you mean 'bfloat16'"]),
        ("--device cpux", ["unknown device 'cpux'", "did you mean 'cpu'"]),
        ("--dataset photos --normal-class tempel", ["'tempel'", "did you mean 'temple'"]),
        ("--dataset digits --normal-class 10", ["10", "0", "9"]),
        ("--dataset digits --normal-class -1", ["-1"]),
        ("--param c=2", ["cutout's c", "0.1", "0.9"]),
        ("--param c=nan", ["cutout's c", "nan"]),
        ("--param c=x", ["c must be a number", "'x'"]),
        ("--param c", ["name=value"]),
        ("--param d=.5", ["'d'"]),
        ("--epochs 0", ["epochs must be", "1 and 10000"]),
        ("--epochs x", ["--epochs", "'x'"]),
        ("--batch-size 1", ["batch_size must be", "2 and 65536"]),
        ("--learning-rate nan", ["learning_rate", "nan"]),
        ("--learning-rate 2", ["learning_rate must be", "1e-07 and 1.0"]),
        ("--limit -1", ["limit must be", "0 and"]),
        ("--seed -1", ["seed must be"]),
        ("--seed 99999999999", ["seed must be"]),
        ("--seed x", ["seed must be", "'x'"]),
        ("--nonsense", ["--nonsense"]),
    ],
)
def test_bad_arguments_are_one_line(arguments: str, parts: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    try:
        status = main(["train", *arguments.split()])
    except SystemExit as end:  # argparse's own way
        status = end.code
    assert status == 2
    text = capsys.readouterr()
    assert text.out == ""
    assert text.err.count("\n") == 1, text.err
    for part in parts:
        assert part in text.err


@pytest.mark.parametrize("command", ["train", "figure"])
def test_help_says_which_class_is_the_normal_one(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([command, "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "one called good, normal or ok, else the first that can be trained on" in said
    assert CALLED_NORMAL == ("good", "normal", "ok")


def test_no_or_an_unknown_command_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    for words_ in ([], ["trian"]):
        with pytest.raises(SystemExit) as end:
            main(words_)
        assert end.value.code == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_an_unwritable_cache_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("SSAD_CACHE_DIR", str(tmp_path / "file"))
    for command in (words(), ["runs"], ["delete", "0" * 16]):
        assert main(command) == 2
        assert_one_line(capsys, "cannot write to", str(tmp_path / "file"), "SSAD_CACHE_DIR")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut short", None])
def test_a_damaged_data_file_is_one_line(
    content: bytes | None,
    shared_data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if content is None:  # a real one that was not copied to its end
        with open(shared_data / "mnist.zip", "rb") as file:
            content = file.read(1_000_000)
    (tmp_path / "mnist.zip").write_bytes(content)
    monkeypatch.setenv("SSAD_DATA_DIR", str(tmp_path))
    assert main(["train", "--dataset", "mnist", "--normal-class", "3"]) == 2
    assert_one_line(capsys, "mnist.zip")


def test_cuda_without_cuda_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is CUDA here")
    assert main(words(3, 1, "--device", "cuda")) == 2
    assert_one_line(capsys, "no CUDA device is usable here")


def test_a_failed_training_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(RANGES, "learning_rate", (0.0, 1e39))  # no allowed one is bad enough
    assert main(words(4, 2, "--learning-rate", "1e38")) == 1
    assert_one_line(capsys, "The loss became nan in epoch 1; a learning rate below 1e+38 may help.")
    assert main(words(4, 2, "--learning-rate", "1e38")) == 1  # it is tried again, not remembered
    assert_one_line(capsys, "The loss became nan")


def test_ctrl_c_is_one_line_and_the_run_can_be_tried_again(capsys: pytest.CaptureFixture[str]) -> None:
    store, spec = Store(), tiny(seed=5, epochs=100)
    process = python("-m", "ssad_core", *words(5, 100))
    assert trainer(store, spec.id) == process.pid
    assert main(["delete", spec.id]) == 1
    assert_one_line(capsys, f"run {spec.id} is being trained by another process")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (1, "")
    assert err.endswith("\nssad_core: interrupted\n")
    assert "Traceback" not in err
    assert store.progress(spec.id)["state"] == "interrupted"
    assert main(words(5, 100, "--json", "--device", "cpu")) == 0
    assert json.loads(capsys.readouterr().out)["run"] == spec.id


def test_output_that_nobody_reads_is_no_traceback() -> None:
    process = python("-m", "ssad_core", "augmentations", "--json")
    process.stdout.close()
    assert process.wait(60) == 1
    assert process.stderr.read() == ""


@pytest.mark.parametrize("closed", ["1", "2"])
def test_output_that_the_shell_has_closed_is_no_failure(closed: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = [sys.executable, "-m", "ssad_core", *words(6, 1)]
    shell = ["sh", "-c", f'exec "$@" {closed}>&-', "sh", *command]
    said = subprocess.run(shell, cwd=ROOT, capture_output=True, text=True)
    assert said.returncode == 0
    assert (said.stdout != "", said.stderr != "") == (closed == "2", closed == "1")
    assert "Traceback" not in said.stderr
    assert main([*words(6, 1), "--json"]) == 0
    assert closed == "1" or capsys.readouterr().out == said.stdout


def test_letters_that_the_output_cannot_have_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["testbed", "--dataset", "digits", "--augment", "flip", "--stored"]
    command += ["--epochs", "1", "--limit", "32", "--test-limit", "10", "--features", "4"]
    assert main([word for word in command if word != "--stored"]) == 0
    said = capsys.readouterr().out
    latin = subprocess.run(
        [sys.executable, "-m", "ssad_core", *command],
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "latin-1"},
        capture_output=True,
        encoding="latin-1",
    )
    assert latin.returncode == 0, latin.stderr
    assert not said.isascii()
    assert latin.stdout == said.encode("latin-1", "namereplace").decode("latin-1")
