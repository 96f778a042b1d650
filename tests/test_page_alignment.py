"""The page Alignment through Streamlit's AppTest, on real, tiny runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from apptest import LONG, TINY, address, calm, charts, close_service, labels, open_page, tiny, warned, words
from scipy.stats import spearmanr
from streamlit.testing.v1 import AppTest

from pages.components import batch, service
from pages.components.choices import _lead
from ssad_core import worker
from ssad_core.alignment import Aug, Outcome
from ssad_core.data import load
from ssad_core.numbers import decimal
from ssad_core.question import run_name
from ssad_core.selection import CRITERIA
from ssad_core.spec import RunSpec
from ssad_core.store import Store
from ssad_core.views import Comparison

pytestmark = pytest.mark.usefixtures("no_spares")

PAGE = "pages/alignment.py"


@pytest.fixture
def nothing(own_cache: Path) -> Iterator[None]:
    """A cache without any run."""
    close_service()
    yield
    close_service()


def measured(app: AppTest) -> AppTest:
    """The page when all that it waits for is there."""
    for _ in range(100):
        service.jobs()._pool.submit(lambda: None).result()
        if "Measuring: " not in words(calm(app.run())):
            return app
    pytest.fail("it is measured for ever")


def names_best(app: AppTest, anomaly: str = "CutOut") -> bool:
    """Whether it is said which aug comes first, and no more than that where others lie within its spread."""
    lead = "Smallest MMD" if "No clear winner: " in words(app) else "Best aligned"
    return f"{lead} with {anomaly}: " in words(app)


def test_with_nothing_trained_it_says_what_each_space_needs(nothing: None) -> None:
    app = open_page(PAGE, **TINY)
    assert "the code of AE, which is not trained yet" in words(app)
    assert "train-missing" in [button.key for button in app.button]
    assert len(charts(app)) == 0
    app = measured(open_page(PAGE, **TINY, encoder="pixels"))
    assert len(charts(app)) == 1
    assert names_best(app)
    assert "nothing here compares with Table 2" in words(app)
    assert "Train 10 other runs" in labels(app)  # of 14; four lie side by side


def test_one_image_is_counted_in_the_singular(own_lab: Store) -> None:
    worker.run(tiny(test_limit="1").run(load("digits")), own_lab, "cpu")
    app = measured(open_page(PAGE, **TINY | {"test_limit": "1"}, encoder="pixels"))
    assert "a set has as few as 1 image. Of fewer" in words(app)
    assert ", 1 image<br>" in str(charts(app)[0]["data"])


def test_a_handful_of_images_name_no_best_aug_and_mark_nothing(nothing: None) -> None:
    app = measured(open_page(PAGE, **TINY | {"test_limit": "4"}, encoder="pixels"))
    assert "a set has as few as 4 images. Of fewer than 10 nothing is marked" in words(app)
    assert not names_best(app)
    assert "≈" not in words(app)
    (matrix,) = charts(app)
    assert "≈" not in str(matrix["data"])
    assert not matrix["layout"].get("shapes")


def test_what_is_said_of_a_missing_baseline_holds_while_it_trains_too(own_lab: Store) -> None:
    app = open_page(PAGE, **{**TINY, "epochs": "10000"}, pins="")
    calm(app.button(key="train-missing").click().run())
    assert "train-missing" not in [button.key for button in app.button]
    assert "the code of AE, which is not trained yet" in words(app)
    assert "the button above" not in words(app)
    calm(app.button(key="cancel-missing").click().run())


def test_the_baseline_alone_gives_the_whole_matrix(nothing: None) -> None:
    worker.run(tiny().run(load("digits")).baseline(), Store(), "cpu")
    app = open_page(PAGE, **TINY)
    assert names_best(measured(app))
    assert "No augmentation is trained yet" in words(app)
    assert "the mean over 20 draws of 256 of the images that the views show" in words(app)
    assert "≈ stands where a permutation test cannot tell the two sets apart (p of 0.05 or more; 1,000 " in words(app)
    assert len(charts(app)) == 1
    assert not warned(app)
    # Of a gen that the run was not scored on with its training, either: nothing would be set against that.
    assert names_best(measured(open_page(PAGE, **TINY, anomaly="gen:rotate")), "Rotate")


def test_success_is_set_against_alignment(own_lab: Store) -> None:
    app = measured(open_page(PAGE, **TINY))
    assert "Does alignment predict success here?" in words(app)
    assert "Too few to say: a rank correlation wants at least 4 trained augs, and there is 1" in words(app)

    longer = {**TINY, "epochs": "20"}  # so that they differ
    for aug in ("identity", "cutout", "flip", "invert", "noise"):
        worker.run(tiny(**longer, aug=aug).run(load("digits")), own_lab, "cpu")
    app = measured(open_page(PAGE, **longer))
    assert len(charts(app)) == 2
    assert not app.table
    (said,) = re.findall(r"Rank correlation of MMD and relative AUC on CutOut: .* over 4 augs(.*)", words(app))
    assert said.startswith(". Nothing is concluded of these trainings; a warning on this page says why.")
    assert "Over all 52 pairs of aug and anomaly" in words(app)
    # Another anomaly trains nothing; a gen of its own is one more column.
    app = measured(open_page(PAGE, **longer, anomaly="gen:rotate"))
    assert "Over all 56 pairs" in words(app)
    assert names_best(app, "Rotate")


def test_what_would_have_been_chosen_without_labels_is_said_beside_the_best(own_lab: Store) -> None:
    data = load("digits")
    specs = [tiny(**LONG, aug=aug).run(data) for aug in ("identity", "cutout", "flip", "noise", "blur")]
    baseline, *runs = (worker.run(spec, own_lab, "cpu") for spec in specs)
    app = measured(open_page(PAGE, **LONG))
    assert re.search(r"Rank correlation of MMD and relative AUC on CutOut: .* over 4 augs: .* here\.", words(app))
    assert "Nothing is concluded" not in words(app)
    app.session_state["choices"] = True
    measured(app.run())
    asked = tiny().anomaly
    values = {run.id: Comparison(run, None, asked, data).criteria(compute=False) for run in runs}
    assert None not in values.values()  # computed while the page waited, and kept
    gains = {run.id: run.result["auc"][asked.key] - baseline.result["auc"][asked.key] for run in runs}
    names = {run.id: run_name(run.spec).removeprefix("DAE-") for run in runs}

    lines = app.table[0].value.set_index("Criterion")
    assert list(lines.index[:6]) == list(CRITERIA.values())
    for name, title in CRITERIA.items():
        chosen = min(values, key=lambda run: values[run][name])
        rho = spearmanr([values[run][name] for run in gains], list(gains.values())).statistic
        expected = [names[chosen], decimal(gains[chosen], sign="+"), decimal(max(gains.values()) - gains[chosen])]
        assert list(lines.loc[title]) == [*expected, decimal(rho, 2, "+")]
    assert lines.loc["Any, on average", "Relative AUC"] == decimal(sum(gains.values()) / 4, sign="+")
    assert re.search(rf"DSV would have chosen .*\*\*{lines.loc['DSV', 'Chosen']}\*\*, relative AUC", words(app))

    # Another anomaly is another test set.
    (anomalies,) = (box for box in app.selectbox if box.label == "gen, or a class")
    measured(anomalies.select("gen: Flip").run())
    assert not app.table[0].value.set_index("Criterion").equals(lines)


@pytest.mark.parametrize(
    ("sizes", "why"),
    [
        ({**LONG, "test_limit": "6"}, "fewer than 10 test images of a group are too few."),
        ({**TINY, "epochs": "20"}, "a warning on this page says why."),
    ],
)
def test_of_few_images_or_steps_nothing_is_concluded(own_lab: Store, sizes: dict[str, str], why: str) -> None:
    for aug in ("identity", "cutout", "flip", "noise", "blur"):
        worker.run(tiny(**sizes, aug=aug).run(load("digits")), own_lab, "cpu")
    app = measured(open_page(PAGE, **sizes))
    app.session_state["choices"] = True
    measured(app.run())
    assert words(app).count(why) == 2  # beside the correlation, and over the choices
    verdicts = ("about success here", "gained more here", "the best of these", "Below best")
    assert not any(verdict in words(app) for verdict in verdicts)
    assert "Below best" not in app.table[0].value.columns


def test_of_one_aug_there_is_nothing_to_choose(own_lab: Store) -> None:
    app = measured(open_page(PAGE, **TINY))
    app.session_state["choices"] = True
    assert "There is nothing to choose from: only one aug is trained." in words(measured(app.run()))


@pytest.mark.parametrize(
    ("gains", "said"),
    [
        ((0.2, 0.1, -0.1), "the best of these 3: **Flip**, relative AUC +0.200."),
        ((0.2, 0.20004, -0.1), "one of the 2 best of these 3: **Flip**, relative AUC +0.200."),
        ((0.0, 0.0, 0.0), "All 3 reach the same, relative AUC 0.000, so there is none to be chosen."),
        (
            (-0.1, 0.2, 0.1),
            "chosen **Flip**, relative AUC −0.100; the best of these 3 is **CutOut**, relative AUC +0.200.",
        ),
    ],
)
def test_of_augs_that_tie_none_is_called_the_best(gains: tuple[float, ...], said: str) -> None:
    augs = ("flip", "cutout", "noise")
    outcomes = [Outcome(aug, Aug(aug), tiny().anomaly, 0.1, gain) for aug, gain in zip(augs, gains, strict=True)]
    assert said in _lead("flip", outcomes, "relative AUC")


@pytest.mark.parametrize("damaged", [1, 2])
def test_of_runs_that_cannot_be_judged_none_is_chosen(damaged: int, own_lab: Store) -> None:
    data = load("digits")
    runs = [worker.run(tiny(aug=aug).run(data), own_lab, "cpu") for aug in ("cutout", "flip")]
    app = measured(open_page(PAGE, **TINY))
    for run in runs[:damaged]:
        (run.path / "codes.npz").write_bytes(b"")
    app.session_state["choices"] = True
    measured(app.run())
    assert "There is nothing to choose from: fewer than two augs could be judged." in words(app)
    assert "codes.npz cannot be read; delete the run and train it again" in words(app)
    assert not app.table


def test_a_parameter_beside_it_is_a_row_without_training(own_lab: Store) -> None:
    app = measured(open_page(PAGE, **TINY, anomaly="gen:cutout(c=0.4)", pins="cutout(c=0.4)~flip"))
    assert not warned(app)
    assert len(charts(app)) == 2
    assert names_best(app, "CutOut-0.4")


def test_a_run_that_ends_while_the_page_looks_is_not_offered_again(
    own_lab: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = worker.run(tiny(aug="noise").run(load("digits")), own_lab, "cpu")
    measured(open_page(PAGE, **TINY, encoder="pixels"))  # so that nothing else draws the page anew
    now, looks = batch.stored_of, []

    def a_moment_before(specs: list[RunSpec]) -> batch.Stored:
        looks.append(len(looks))
        return {id_: run for id_, run in now(specs).items() if looks != [0] or id_ != noise.id}

    monkeypatch.setattr(batch, "stored_of", a_moment_before)
    app = open_page(PAGE, **TINY, encoder="pixels")
    assert len(looks) > 1
    assert "Train 9 other runs" in labels(app)  # of 14; four lie side by side


def test_each_runs_code_is_not_ranked(lab: Path) -> None:
    app = measured(open_page(PAGE, **TINY, encoder="run"))
    assert "these values are not ranked and not set against success" in words(app)
    assert not names_best(app)
    assert len(charts(app)) == 1


def test_a_detector_without_a_baseline_has_no_code_of_one(lab: Path) -> None:
    app = open_page(PAGE, **TINY, detector="ap", aug="flip")
    (control,) = (group for group in app.button_group if group.label == "MMD measured in")
    assert control.value == "run"
    assert "Each run's own code is a space once it is trained" in words(app)
    calm(control.set_value("pixels").run())
    assert names_best(measured(app))


def test_photos_have_no_p(nothing: None) -> None:
    app = measured(open_page(PAGE, **{**TINY, "dataset": "photos", "class": "temple"}, encoder="pixels"))
    assert "There are no p-values: patches of one photograph overlap" in words(app)
    assert "≈" not in words(app)


def test_without_weights_resnet50_says_where_to_put_them_and_the_others_go_on(
    lab: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSAD_RESNET50", raising=False)
    app = open_page(PAGE, **TINY, encoder="resnet50-224-raw")
    assert f"put torchvision's resnet50-0676ba61.pth (IMAGENET1K_V1, 98 MB) into {data_dir}" in words(app)
    assert not app.error
    assert len(charts(app)) == 0
    assert [toggle.value for toggle in app.toggle if toggle.key in ("ask-enlarged", "ask-normalised")] == [True, False]
    calm(app.toggle(key="ask-enlarged").set_value(False).run())
    assert address(app)["encoder"] == "resnet50-raw"
    # What another page does not offer stays chosen.
    calm(app.switch_page("pages/lab.py").run())
    assert "MMD of aug and anomalies" in words(app)
    assert address(app)["encoder"] == "resnet50-raw"
    calm(app.switch_page(PAGE).run())
    (control,) = (group for group in app.button_group if group.label == "MMD measured in")
    assert control.value == "resnet50"
    calm(control.set_value("baseline").run())
    assert names_best(measured(app))
    assert address(app)["encoder"] == "baseline"


def test_weights_that_cannot_be_used_are_one_message(
    lab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.pth").write_text("no weights")
    monkeypatch.setenv("SSAD_RESNET50", str(tmp_path / "mine.pth"))
    app = measured(open_page(PAGE, **TINY, encoder="resnet50"))
    (warning,) = warned(app)
    assert "mine.pth is damaged, or no file of weights that torch has saved" in warning
    monkeypatch.setenv("SSAD_RESNET50", str(tmp_path / "nowhere.pth"))
    (error,) = calm(app.run()).error
    assert "nowhere.pth" in error.value
