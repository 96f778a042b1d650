"""Own images in the app: a path or an upload, through Streamlit's AppTest, on the real app."""

from __future__ import annotations

import html
import io
import json
import re
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from apptest import TINY, address, calm, close_service, labels, open_page, tiny, words
from streamlit.delta_generator import DeltaGenerator
from streamlit.testing.v1 import AppTest
from test_data import MVTEC, own_files, write_folder, write_zip

from pages.components import batch, question
from ssad_core import worker
from ssad_core.data import keep_upload, load
from ssad_core.detectors import with_baseline
from ssad_core.jobs import Jobs
from ssad_core.question import from_query
from ssad_core.store import Store

pytestmark = pytest.mark.usefixtures("no_spares")


@pytest.fixture(autouse=True)
def _own_service() -> Iterator[None]:
    yield
    close_service()


def test_the_name_of_an_own_class_is_no_markdown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "MOST_NAMED", 99)
    place = write_folder(tmp_path / "parts", own_files("nuts *A* [$1]", "bolts", "pins"))
    app = open_page("pages/what_if.py", dataset=f"folder:{place}", anomaly="rest", over="classes")
    (line,) = (caption.value for caption in app.caption if "In the background, as one sweep" in caption.value)
    assert r"AE, normal class nuts \*A\* \[\$1\]" in line


def test_the_name_of_own_images_is_no_markdown_while_they_are_read_and_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, escaped = "nuts *A* [$1]", r"nuts \*A\* \[\$1\]"
    place = write_folder(tmp_path / name, own_files(name, "bolts", "pins"))
    said = []
    monkeypatch.setattr(DeltaGenerator, "progress", lambda slot, done, text: said.append(text.partition(":")[0]))
    app = open_page()
    calm(app.selectbox(key="ask-dataset").set_value("own").run())
    calm(app.text_input(key="ask-own-path").set_value(str(place)).run())
    assert said.pop() == f"Reading {escaped}"
    with monkeypatch.context() as patch:
        patch.setattr(question, "load", lambda _, progress: progress(0, f"Reading {name}"))
        question.read(f"folder:{place}")  # as where it was forgotten
    assert said.pop() == f"Reading {escaped}"

    asked, _ = from_query({"dataset": f"folder:{place}", "class": "bolts", "anomaly": f"class:{name}"})
    run = asked.run(load(asked.dataset))
    with Store().begin(run) as work:
        work.progress(state="training", message=f"Reading {name}")
        app = open_page(**asked.to_query())
        monkeypatch.setattr(Jobs, "going_on", lambda jobs: [(run, jobs.status(run.id))])
        runs = open_page("pages/runs.py")
    assert f"those of {escaped} come at the end" in "".join(caption.value for caption in app.caption)
    assert f"Reading {escaped}" in "".join(line.value for line in runs.markdown)


def test_the_name_of_an_own_class_is_no_html(tmp_path: Path) -> None:
    name, other = "<img src=x onerror=1>", "<b onclick=1>"
    folders = [f"{split}/{label}" for split in ("train", "test") for label in (name, other, "bolts")]
    place = write_folder(tmp_path / "parts", own_files(*folders, count=12))
    query = {**TINY, "dataset": f"folder:{place}", "class": name, "anomaly": f"class:{other}"}
    run = tiny(**query).run(load(query["dataset"]))
    for spec in with_baseline(run):
        worker.run(spec, Store(), "cpu")
    for path, shown in {
        "pages/lab.py": [f"{name}: 12 training", f"{other}: 12 test"],
        "pages/reconstructions.py": [f"{name}, test normal 1", f"{other}, anomaly 1", f"Anomalous: {other}"],
        "pages/error_bias.py": [],
    }.items():
        app = open_page(path, **query, pins="")
        drawn = [each.proto.body for each in app.get("html")]
        tables = (each.proto for each in app.get("bidi_component") if each.proto.component_name == "ssad_picture_table")
        drawn += [json.loads(table.json)["content"] for table in tables]
        said = [each.value for each in (*app.markdown, *app.caption)]
        for text in (name, other):
            assert not [each for each in drawn if text in each]
            assert not [each for each in said if re.search(rf"(?<!\\){text}", each)]
        for text in shown:
            assert [each for each in drawn if html.escape(text) in each]


def test_the_normal_class_of_own_images_is_at_first_the_one_called_so(tmp_path: Path) -> None:
    place = write_folder(tmp_path / "parts", own_files("bad", "good", count=7))
    app = open_page()
    calm(app.selectbox(key="ask-dataset").set_value("own").run())
    calm(app.text_input(key="ask-own-path").set_value(str(place)).run())
    assert address(app)["class"] == app.selectbox(key=f"ask-class-folder:{place}").value == "good"
    assert address(open_page(dataset=f"folder:{place}"))["class"] == "good"


def test_where_the_path_is_left_empty_it_is_that_of_the_images_so_far(tmp_path: Path) -> None:
    place = write_folder(tmp_path / "parts", own_files("bad", "good", count=7))
    app = open_page(dataset=f"folder:{place}")
    calm(app.text_input(key="ask-own-path").set_value("").run())
    calm(app.segmented_control(key="ask-own-size").set_value(64).run())
    assert address(app)["dataset"] == f"folder:{place}@64"
    assert "Until your images are here" not in words(app)
    assert app.text_input(key="ask-own-path").proto.placeholder == str(place)


def test_of_many_own_classes_the_normal_one_and_some_others_are_shown_unasked(tmp_path: Path) -> None:
    place = write_folder(tmp_path / "many", own_files(*(f"c{k:02}" for k in range(12))))

    def shown(app: AppTest) -> list[str]:
        return re.findall(r">(c\d\d): 2 training<", words(app))

    app = open_page(dataset=f"folder:{place}", **{"class": "c11"})
    assert shown(app) == ["c11", *(f"c{k:02}" for k in range(9))]
    (everything,) = (toggle for toggle in app.toggle if toggle.label == "All 12 classes")
    calm(everything.set_value(True).run())
    assert shown(app) == [f"c{k:02}" for k in range(12)]


def test_own_images_by_their_path(tmp_path: Path) -> None:
    place = write_folder(tmp_path / "my screws", MVTEC)
    app = open_page()
    calm(app.selectbox(key="ask-dataset").set_value("own").run())
    assert "Until your images are here, this is Photos." in words(app)
    assert address(app)["dataset"] == "photos"

    calm(app.text_input(key="ask-own-path").set_value(f"{place}?").run())
    assert f"there is no folder or zip {place}?" in words(app)
    assert "Train: DAE-CutOut and its baseline AE" in labels(app)  # the Lab goes on with Photos

    calm(app.text_input(key="ask-own-path").set_value(str(place)).run())
    assert address(app)["dataset"] == f"folder:{place}"
    assert app.selectbox(key=f"ask-class-folder:{place}").options == ["good"]
    text = words(app)
    for part in (
        "my screws",
        "2 holes: 3 test",
        "good: 3 training",
        "good: 3 test",
        "anomalies only: 2 holes, 10 cuts",
    ):
        assert part in text

    calm(app.segmented_control(key="ask-own-size").set_value(64).run())
    assert address(app)["dataset"] == f"folder:{place}@64"
    assert "resized to 64 x 64" in words(app)

    # The address brings another person there; without the folder it says so and starts with Photos.
    link = address(app)
    other = open_page(**link)
    assert other.selectbox(key="ask-dataset").value == "own"
    assert other.text_input(key="ask-own-path").value == str(place)
    assert other.segmented_control(key="ask-own-size").value == 64
    assert "2 holes: 3 test" in words(other)
    shutil.rmtree(place)
    gone = open_page(**link)
    assert f"dataset: there is no folder or zip {place}" in words(gone)
    assert gone.selectbox(key="ask-dataset").value == "photos"


def test_an_upload_that_is_of_no_use_is_named_as_the_person_knows_it(tmp_path: Path, own_cache: Path) -> None:
    lonely = write_zip(tmp_path / "lonely.zip", own_files("good")).read_bytes()
    app = open_page()
    calm(app.selectbox(key="ask-dataset").set_value("own").run())
    for name, content, said in (
        ("notzip.zip", b"no zip", "notzip.zip is no folder, and cannot be read as a zip file"),
        ("lonely.zip", lonely, "lonely.zip has only one class of images, good"),
    ):
        calm(app.file_uploader(key="ask-own-upload").set_value((name, content, "application/zip")).run())
        (error,) = app.error
        assert error.value.replace("\\", "").startswith(said)
        assert str(own_cache) not in error.value
        assert not [path for path in (own_cache / "uploads").rglob("*") if path.is_file()]
        (again,) = calm(app.run()).error  # though it is not there any more
        assert again.value == error.value
    # Who typed a path knows the file by it.
    calm(app.text_input(key="ask-own-path").set_value(str(tmp_path / "lonely.zip")).run())
    assert f"{tmp_path}/lonely.zip has only one class" in words(app)


def test_own_images_by_an_upload(tmp_path: Path) -> None:
    app = open_page()
    calm(app.selectbox(key="ask-dataset").set_value("own").run())
    content = write_zip(tmp_path / "screws.zip", MVTEC).read_bytes()
    calm(app.file_uploader(key="ask-own-upload").set_value(("screws.zip", content, "application/zip")).run())
    kept = keep_upload("screws.zip", io.BytesIO(content))
    assert address(app)["dataset"] == f"folder:{kept}"
    assert "2 holes: 3 test" in words(app)
    assert zipfile.is_zipfile(kept)


def test_an_upload_has_the_name_that_each_person_gave_it(tmp_path: Path) -> None:
    content = write_zip(tmp_path / "screws.zip", MVTEC).read_bytes()
    fingerprints = set()
    for name in ("screws", "Bens Größe #3 (neu) 😀"):
        app = open_page()
        calm(app.selectbox(key="ask-dataset").set_value("own").run())
        calm(app.file_uploader(key="ask-own-upload").set_value((f"{name}.zip", content, "application/zip")).run())
        assert app.text_input(key="ask-own-path").value.endswith(f"/{name}.zip")
        dataset = load(address(app)["dataset"])
        assert dataset.info.title == name
        fingerprints.add(dataset.fingerprint)
    assert len(fingerprints) == 1  # what is trained on one is there for the other


def test_of_two_data_sets_in_a_zip_the_other_can_be_chosen_too(tmp_path: Path) -> None:
    both = {f"{size}/{name}": content for size in ("large", "small") for name, content in MVTEC.items()}
    place = write_zip(tmp_path / "screws.zip", both)
    app = open_page()
    calm(app.selectbox(key="ask-dataset").set_value("own").run())
    calm(app.text_input(key="ask-own-path").set_value(str(place)).run())
    assert "Until one of them is chosen, this is Photos." in words(app)
    for name in ("large", "small"):
        calm(app.selectbox(key="ask-own-set").set_value(name).run())
        assert app.selectbox(key="ask-own-set").value == name
        assert address(app)["dataset"] == f"folder:{place}/{name}"
    # The zip itself asks again, and another path has nothing to choose.
    calm(app.text_input(key="ask-own-path").set_value(str(place)).run())
    assert app.selectbox(key="ask-own-set").value is None
    calm(app.text_input(key="ask-own-path").set_value(str(tmp_path / "other")).run())
    assert "ask-own-set" not in {box.key for box in app.selectbox}
