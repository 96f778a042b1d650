"""The Plotly figures hold the data they were given, say what they show, and survive export."""

from __future__ import annotations

import base64
import html
import io
import json
import re
from itertools import combinations

import numpy as np
import plotly.graph_objects as go
import pytest
from contrast import contrast
from PIL import Image
from plotly.colors import sample_colorscale

from ssad_core.augment import AUGMENTATIONS
from ssad_core.colours import GROUP_COLOURS
from ssad_core.detectors import DETECTORS
from ssad_core.figures import (
    MapPanel,
    MatrixCell,
    ScatterPoint,
    ScorePanel,
    gallery_figure,
    histogram_figure,
    histograms_figure,
    map_figure,
    maps_figure,
    matrix_figure,
    reconstruction_figure,
    roc_figure,
    scatter_figure,
    surface_figure,
    sweep_figure,
    tasks_figure,
    to_html,
)
from ssad_core.figures.labels import AREA, LETTER, LINE, MARK, beside
from ssad_core.numbers import number
from ssad_core.statistics import auc

RNG = np.random.default_rng(0)
SCORES = {name: RNG.lognormal(i / 2, size=50 + i) for i, name in enumerate(GROUP_COLOURS)}


def picture(fig: go.Figure) -> np.ndarray:
    """The pixels of a figure's image, uint8 (H, W, 4)."""
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(fig.data[0].source.partition(",")[2]))))


@pytest.mark.parametrize("log", [False, True])
def test_histogram(log: bool) -> None:
    fig = histogram_figure(SCORES, threshold=2.0, title="Errors", score="distance", log=log)
    *bars, threshold = fig.data
    assert [bar.line.color for bar in bars] == list(GROUP_COLOURS.values())
    for bar, scores in zip(bars, SCORES.values(), strict=True):
        assert sum(bar.y[:-1]) == pytest.approx(100)
        assert bar.x[0] <= scores.min()
        assert bar.x[-1] >= scores.max()
    assert threshold.x == (2.0, 2.0)
    assert fig.layout.xaxis.type == ("log" if log else "linear")
    assert fig.layout.xaxis.rangemode == (None if log else "tozero")
    assert fig.layout.xaxis.title.text == "distance"
    assert fig.layout.yaxis.title.text == "per cent of group"
    for name, scores in SCORES.items():
        assert f"{name} {number(np.median(scores))}" in fig.layout.meta["alt"]


@pytest.mark.parametrize("count", [1, 2, 4, 6])
@pytest.mark.parametrize("log", [False, True])
def test_histograms_side_by_side_share_bins_and_axes(count: int, log: bool) -> None:
    panels = [
        ScorePanel(f"DAE-{i}", {name: (i + 1) * scores for name, scores in SCORES.items()}, 0.5 + i, f"AUC .{i}")
        for i in range(count)
    ]
    fig = histograms_figure(panels, title="Errors", score="error", log=log)
    lines = [trace for trace in fig.data if trace.name != "threshold"]
    assert len(lines) == count * len(SCORES)
    assert len({tuple(line.x) for line in lines}) == 1
    for line in lines:
        assert sum(line.y[:-1]) == pytest.approx(100)
    assert [trace.x for trace in fig.data if trace.name == "threshold"] == [(0.5 + i,) * 2 for i in range(count)]
    # Each group is in the legend once.
    assert sorted(trace.name for trace in fig.data if trace.showlegend) == sorted([*SCORES, "threshold"])
    assert len({axis.type for axis in fig.select_xaxes()}) == 1
    for panel in panels:
        assert any(panel.name in note.text and panel.note in note.text for note in fig.layout.annotations)
        assert f"{panel.name}: {panel.note}" in fig.layout.meta["alt"]


def test_roc_names_the_auc_and_marks_the_operating_point() -> None:
    normal, anomalous = SCORES["test normal"], SCORES["test anomalous"]
    fig = roc_figure({"AE": (normal, anomalous)}, fpr=0.1)
    curve, point, _ = fig.data
    assert f"{auc(normal, anomalous):.3f}" in curve.name
    assert np.trapezoid(curve.y, curve.x) == pytest.approx(auc(normal, anomalous))
    assert point.x[0] <= 0.1
    assert point.y[0] == max(y for x, y in zip(curve.x, curve.y, strict=True) if x <= 0.1)
    assert len(roc_figure({"AE": (normal, anomalous)}).data) == 2


def test_map_colours_by_group_or_by_score() -> None:
    xy = RNG.normal(size=(50, 2))
    names = ["test anomalous", "test normal", "train normal", "train augmented", "test normal"] * 10
    by_group, by_score = map_figure(xy, names, title="Map"), map_figure(xy, names, scores=xy[:, 0], title="Map")
    for fig in (by_group, by_score):
        assert [group.name for group in fig.data] == list(GROUP_COLOURS)
        for group in fig.data:
            assert np.array_equal(np.column_stack([group.x, group.y]), xy[np.array(names) == group.name])
        assert "20 test normal" in fig.layout.meta["alt"]
    assert [group.marker.color for group in by_group.data] == list(GROUP_COLOURS.values())
    assert np.array_equal(by_score.data[2].marker.color, xy[np.array(names) == "test normal", 0])
    assert len({group.marker.symbol for group in by_score.data}) == 4
    assert [group.marker.coloraxis for group in by_score.data] == ["coloraxis"] * 4
    assert by_score.layout.coloraxis.colorbar.title.text == "score"
    assert by_group.layout.coloraxis.colorscale is None
    assert by_group.layout.yaxis.scaleanchor == "x"


@pytest.mark.parametrize("by_score", [False, True])
def test_maps_side_by_side_share_a_legend_and_keep_colours_and_symbols(by_score: bool) -> None:
    names = ["train normal", "train augmented", "test normal", "test anomalous"] * 10
    without = [name for name in names if name != "train augmented"]
    panels = []
    for name, groups in (("AE", without), ("DAE-CutOut", names), ("DAE-Flip", names)):
        scores = RNG.lognormal(size=len(groups)) if by_score else None
        panels.append(MapPanel(name, RNG.normal(size=(len(groups), 2)), groups, scores, f"AUC .9<br>of {name}"))
    fig = maps_figure(panels, title="Maps")
    assert [(trace.name, trace.xaxis) for trace in fig.data] == [
        *((name, "x") for name in without[:3]),
        *((name, axis) for axis in ("x2", "x3") for name in names[:4]),
    ]
    shown = sorted((trace.legendrank, trace.name) for trace in fig.data if trace.showlegend)
    assert [name for _, name in shown] == list(GROUP_COLOURS)
    for group in GROUP_COLOURS:
        assert len({trace.marker.symbol for trace in fig.data if trace.name == group}) == 1
    for trace in fig.data:
        panel = panels[int(trace.xaxis[1:] or 1) - 1]
        member = np.array(panel.group_names) == trace.name
        assert np.array_equal(np.column_stack([trace.x, trace.y]), panel.xy[member])
        if by_score:
            assert np.array_equal(trace.marker.color, panel.scores[member])
        else:
            assert trace.marker.color == GROUP_COLOURS[trace.name]
    assert [note.text for note in fig.layout.annotations] == [f"<b>{p.name}</b><br>{p.note}" for p in panels]
    assert "AE, 30 images: AUC .9, of AE" in fig.layout.meta["alt"]
    assert f"coloured by {'score' if by_score else 'group'}" in fig.layout.meta["alt"]


@pytest.mark.parametrize("channels", [1, 3])
def test_reconstructions_show_the_images_their_scores_and_their_errors(channels: int) -> None:
    originals = RNG.integers(256, size=(3, channels, 32, 32), dtype=np.uint8)
    half_wrong = originals.copy()
    half_wrong[:, :, 16:] = 255 - half_wrong[:, :, 16:]
    scores = {"AE": np.array([0.25, 0.5, 0.75])}
    fig = reconstruction_figure(originals, {"AE": half_wrong}, scores)
    pixels = picture(fig)
    assert pixels.shape == (3 * 40, 3 * 34, 4)
    for row, images in enumerate((originals, half_wrong)):
        for i in range(3):
            tile = pixels[row * 40 : row * 40 + 32, i * 34 : i * 34 + 32]
            expected = np.broadcast_to(images[i].transpose(1, 2, 0), (32, 32, 3))
            assert np.array_equal(tile[..., :3], expected)
            assert np.all(tile[..., 3] == 255)
    opacity = pixels[80:112, :, 3].reshape(32, 3, 34)[:, :, :32]
    assert not opacity[:16].any()  # reconstructed exactly: nothing to see
    assert opacity[16:].max() == 255
    assert list(fig.layout.yaxis.ticktext) == ["original", "AE", "AE: error"]
    assert [note.text for note in fig.layout.annotations] == ["0.250", "0.500", "0.750"]


def test_a_gallery_shows_what_has_changed_on_one_scale() -> None:
    originals = np.full((2, 3, 32, 32), 200, np.uint8)
    darker, patched = originals - 51, originals.copy()
    patched[1, :, :8] = 0
    fig = gallery_figure(
        *(originals, {"Darker": darker, "CutOut": patched}, {"Darker": 0.2, "CutOut": 0.125}),
        {"Darker": "#123456", "CutOut": "#abcdef"},
    )
    pixels = picture(fig).reshape(3, 40, 5, 34, 4)[:, :32, :, :32].transpose(0, 2, 1, 3, 4)  # row, tile, H, W
    assert np.array_equal(pixels[:, :2, ..., :3], np.stack([originals, darker, patched]).transpose(0, 1, 3, 4, 2))
    assert not pixels[:, 2].any()  # between the two halves
    opacity = pixels[:, 3:, ..., 3]
    assert not opacity[0].any()
    assert (opacity[1] == 102).all()  # .2 of the .5 that are drawn at full strength
    assert not opacity[2, 0].any()
    assert (opacity[2, 1, :8] == 255).all()
    assert not opacity[2, 1, 8:].any()
    assert "<b>CutOut</b></span> 0.125" in fig.layout.yaxis.ticktext[2]
    assert "#abcdef" in fig.layout.yaxis.ticktext[2]


def test_reconstructions_alone_are_marked_right_or_wrong() -> None:
    originals = RNG.integers(256, size=(2, 3, 32, 32), dtype=np.uint8)
    scores, right = {"AE": np.array([0.25, 0.5])}, {"AE": np.array([True, False])}
    fig = reconstruction_figure(originals, {"AE": originals}, scores, right, errors=False)
    assert list(fig.layout.yaxis.ticktext) == ["original", "AE"]
    assert [note.text for note in fig.layout.annotations] == ["✓ 0.250", "✗ 0.500"]


def test_perfect_reconstructions_have_an_empty_error_map() -> None:
    originals = RNG.integers(256, size=(2, 3, 32, 32), dtype=np.uint8)
    assert not picture(reconstruction_figure(originals, {"AE": originals}))[80:, :, 3].any()


def test_every_figure_suits_both_themes_and_exports_offline() -> None:
    figures = [
        histogram_figure(SCORES, threshold=2.0, title="A < B", score="error"),
        roc_figure({"AE": (SCORES["test normal"], SCORES["test anomalous"])}),
        map_figure(RNG.normal(size=(4, 2)), list(GROUP_COLOURS), title="Map"),
    ]
    for fig in figures:
        assert fig.layout.paper_bgcolor == fig.layout.plot_bgcolor == "rgba(0,0,0,0)"
        assert all(axis.title.text for axis in (fig.layout.xaxis, fig.layout.yaxis))
    page = to_html(figures[0])
    assert "<title>A &lt; B</title>" in page
    assert f"<figcaption>{figures[0].layout.meta['alt']}</figcaption>" in page
    assert "<script src=" not in page
    assert 'src="https://' not in page


def test_names_are_written_as_they_are() -> None:
    name = """it's "q" <b>x<b>&amp;"""
    drawn = """it's "q" &lt;b&gt;x&lt;b&gt;&amp;amp;"""  # Plotly knows no other entities by their names
    cells = {("Flip", name): MatrixCell(0.1, "0.10", f"aug Flip, {name}:<br>MMD 0.10")}
    matrix = matrix_figure(cells, {"Flip": "#000000"}, [name], best={}, chosen=("Flip", ""), measure="MMD", title=name)
    tasks = tasks_figure(np.array([[0.5]]), [name], [name], contests=[[0]], enough=np.array([[True]]), title=name)
    roc = roc_figure({name: (SCORES["test normal"], SCORES["test anomalous"])}, title=f"{name}<br>ROC")
    assert [fig.layout.title.text for fig in (matrix, tasks, roc)] == [drawn, drawn, f"{drawn}<br>ROC"]
    assert list(matrix.layout.xaxis.ticktext) == list(tasks.layout.yaxis.ticktext) == [drawn]
    assert matrix.data[0].customdata[0][0] == f"aug Flip, {drawn}:<br>MMD 0.10"
    assert roc.data[0].name.startswith(drawn)
    assert name in roc.layout.meta["alt"]
    title = to_html(roc).partition("<title>")[2].partition("</title>")[0]
    assert html.unescape(title) == f"{name} ROC"


def test_a_page_of_figures_has_lines_for_long_titles() -> None:
    title = "one of many words, " * 20
    fig = histogram_figure(SCORES, threshold=2.0, title=title, score="error")
    (drawn,) = re.findall(r'"title":\{"text":"(one .*?)"', to_html(fig))
    lines = json.loads(f'"{drawn}"').split("<br>")
    assert " ".join(lines) == title.strip()
    assert max(map(len, lines)) < 100


@pytest.mark.parametrize("detector", DETECTORS)
def test_a_score_is_said_as_a_noun_with_a_true_minus(detector: str) -> None:
    score = DETECTORS[detector].score
    fig = histogram_figure(
        {name: -scores for name, scores in SCORES.items()}, threshold=-0.97214, title="Scores", score=score
    )
    assert "Threshold −0.972" in fig.layout.meta["alt"]
    assert fig.data[-1].name == "threshold −0.9721"
    assert not re.search(r"-\d|minus", fig.layout.meta["alt"])


def test_a_scatter_has_a_log_axis_where_orders_differ() -> None:
    def scatter(*places: float) -> go.Figure:
        points = [ScatterPoint(f"aug {x:g}", "#0072B2", x, -x, (-x - 1, -x + 2)) for x in places]
        return scatter_figure(points, x_title="MMD", y_title="gain", level=0.0, title="Success")

    assert scatter(1, 2, 4).layout.xaxis.type is None
    assert scatter(0, 2, 40).layout.xaxis.type is None  # zero is on no log axis
    wide = scatter(1, 2, 40)
    assert wide.layout.xaxis.type == "log"
    assert wide.layout.xaxis.tickvals == (1, 2, 5, 10, 20)
    assert wide.layout.xaxis.ticktext == ("1", "2", "5", "10", "20")
    assert wide.data[0].x == (1, 2, 40)
    (level,) = wide.layout.shapes
    assert (level.y0, level.y1, level.x0, level.x1, level.xref) == (0, 0, 0, 1, "x domain")
    assert wide.data[0].error_y.array == (2, 2, 2)
    assert wide.data[0].error_y.arrayminus == (1, 1, 1)
    assert "aug 1 −1.000 at 1.00, aug 2 −2.000 at 2.00, aug 40 −40.000 at 40.0" in wide.layout.meta["alt"]
    assert "no points yet" in scatter().layout.meta["alt"]
    aside = ScatterPoint("aug", "#0072B2", 1, 0.9, (0.5, 0.8))  # an interval that leaves out its own value
    alone = ScatterPoint("other", "#0072B2", 2, 0.5)  # of too few images for one
    trace = scatter_figure([aside, alone], x_title="MMD", y_title="gain", level=0.0, title="Success").data[0]
    assert (trace.error_y.array, trace.error_y.arrayminus) == ((0, None), (0.4, None))
    assert trace.customdata == ("(0.500 to 0.800) ", "")


def test_small_numbers_have_powers_of_ten_on_every_axis() -> None:
    xy, names = SCORES["test normal"][:2, None] * [1, 2], ["test normal", "test anomalous"]
    fig = map_figure(xy, names, scores=np.array([1e-6, 6e-6]), title="Map")
    look = fig.layout.template.layout
    for numbers in (look.xaxis, look.yaxis, look.coloraxis.colorbar):
        assert (numbers.exponentformat, numbers.minexponent) == ("e", 4)


def test_a_matrix_shows_what_is_there_and_frames_the_best() -> None:
    cells = {
        ("CutOut", "gen Flip"): MatrixCell(0.5, "0.50", "half"),
        ("Flip", "gen Flip"): MatrixCell(0.0, "0", "none"),
        ("Flip", "Dog"): MatrixCell(3.0, "3.00", "three"),
    }
    rows = {"CutOut": "#c83314", "Flip": "#0f90fe"}
    look = {"best": {"gen Flip": "Flip"}, "chosen": ("Flip", "Dog"), "measure": "MMD", "title": "Matrix"}
    fig = matrix_figure(cells, rows, ["gen Flip", "Dog"], **look)
    (heat,) = fig.data
    np.testing.assert_allclose(10 ** np.array(heat.z, float), [[0.5, np.nan], [0.5, 3.0]])  # 0 as the least above it
    assert [list(line) for line in heat.text] == [["0.50", ""], ["0", '<span style="color:white">3.00</span>']]
    (frame,) = fig.layout.shapes
    assert (frame.x0, frame.x1, frame.y0, frame.y1) == (-0.48, 0.48, 0.54, 1.46)
    assert fig.layout.xaxis.ticktext == ("gen Flip", "<b>Dog</b>")
    assert fig.layout.yaxis.ticktext[1] == '<span style="color:#0f90fe"><b>Flip</b></span>'
    assert "Smallest by column: gen Flip: Flip (0.00)." in fig.layout.meta["alt"]
    assert np.isnan(np.array(matrix_figure({}, rows, ["Dog"], **{**look, "best": {}}).data[0].z, float)).all()


def test_long_names_of_columns_leave_the_rows_of_a_matrix_their_height() -> None:
    def drawn(*names: str) -> go.Figure:
        cells = {("Flip", name): MatrixCell(1.0, "1", f"{name}: 1") for name in names}
        look = {"best": {names[0]: "Flip"}, "chosen": ("", ""), "measure": "MMD", "title": "Matrix"}
        return matrix_figure(cells, dict.fromkeys(["Flip"], "#0f90fe"), names, **look)

    sides = [f"scratch on the metal <{'o' * 200}>, {side} side" for side in ("left", "right")]
    short, long = drawn("gen Flip", "Dog"), drawn(*sides)
    assert long.layout.xaxis.ticktext == ("scratch on t…, left side", "scratch on t… right side")
    assert long.layout.height - short.layout.height > 80  # upright, a name of so many letters takes that more
    assert drawn("o" * 24).layout.xaxis.ticktext == ("o" * 24,)
    # Hovering, the alt text and the file of numbers have the whole name.
    assert sides[0].replace("<", "&lt;").replace(">", "&gt;") in long.data[0].customdata[0][0]
    assert sides[0] in long.layout.meta["alt"]
    assert [html.unescape(name) for name in long.layout.meta["names"]["xaxis"]] == sides


@pytest.mark.parametrize("count", [24, 60])
def test_the_cells_of_a_matrix_of_many_columns_have_no_room_for_figures(count: int) -> None:
    names = [f"class {k}" for k in range(count)]
    cells = {("Flip", name): MatrixCell(1.0, "1.00", f"{name}: 1.00") for name in names}
    look = {"best": {}, "chosen": ("", ""), "measure": "MMD", "title": "Matrix"}
    (heat,) = matrix_figure(cells, {"Flip": "#0f90fe"}, names, **look).data
    assert bool(heat.texttemplate) == (count == 24)
    assert list(heat.text[0]) == ["1.00"] * count  # the file of numbers has them


@pytest.mark.parametrize("count", [1, 14])
def test_a_low_matrix_has_no_bar_of_its_colours(count: int) -> None:
    rows = {f"aug {k}": "#0f90fe" for k in range(count)}
    cells = {(name, "Dog"): MatrixCell(k + 1, f"{k + 1}", "") for k, name in enumerate(rows)}
    fig = matrix_figure(cells, rows, ["Dog"], best={}, chosen=("", ""), measure="MMD", title="Matrix")
    assert fig.data[0].showscale == (fig.layout.height > 250)


def test_figures_read_on_every_colour_of_a_matrix() -> None:
    values = np.geomspace(0.1, 10, 101)
    cells = {(f"{value:.4f}", "Dog"): MatrixCell(value, "x", "") for value in values}
    rows = dict.fromkeys((row for row, _ in cells), "#c83314")
    (heat,) = matrix_figure(cells, rows, ["Dog"], best={}, chosen=("", ""), measure="MMD", title="Matrix").data
    for (text,), colour in zip(
        heat.text, sample_colorscale(list(map(list, heat.colorscale)), np.linspace(0, 1, 101)), strict=True
    ):
        assert contrast("#ffffff" if "white" in text else "#000000", colour) >= 4.5, colour


def test_names_of_points_that_lie_together_do_not_cover_each_other() -> None:
    rng = np.random.default_rng(0)
    names = list(AUGMENTATIONS)
    points = np.concatenate([rng.normal(0, 0.02, (len(names) - 1, 2)), [[1.0, 1.0]]])  # a crowd, and one far away
    found = beside(points, points[:, [1, 1]], names, np.empty((0, 2)))
    unit = AREA / np.ptp(points, axis=0)
    boxes = [
        (x * unit[0] + place.right, y * unit[1] + place.up, LETTER * len(name) / 2, LINE / 2)
        for (x, y), place, name in zip(points, found, names, strict=True)
    ]
    for (x, y, w, h), (u, v, p, q) in combinations(boxes, 2):
        assert abs(x - u) >= w + p - 1e-6 or abs(y - v) >= h + q - 1e-6
    assert any(place.line for place in found)
    alone = found[-1]
    assert not alone.line
    assert (alone.right, alone.up) == (
        LETTER * len(names[-1]) / 2 + MARK,
        0,
    )  # where nothing is in its way: to the right


def test_a_name_keeps_clear_of_intervals() -> None:
    points = np.array([[0.0, 0.0], [0.02, 0.5], [1.0, 1.0]])
    free = beside(points, points[:, [1, 1]], ["one", "two", "three"], np.empty((0, 2)))
    tall = np.array([[0.0, 0.0], [-0.5, 1.0], [1.0, 1.0]])  # the second's passes right of the first
    assert free[0].right > 0
    assert beside(points, tall, ["one", "two", "three"], np.empty((0, 2)))[0].right <= 0


def test_a_sweep_shows_what_is_measured_what_is_missing_and_where_one_stands() -> None:
    look = {"parameter": "patch size", "measure": "AUC", "level": 0.5, "title": "Sweep"}
    means, intervals = [0.6, 0.8], [(0.5, 0.7), (0.75, 0.85)]
    each = {"seed 1": {8: 0.9, 4: 0.55}}
    fig = sweep_figure([4, 8], means, intervals, each=each, missing=[16], chosen=8, drawn=0.7, **look)
    band, dashed, seed, mean, missing = fig.data
    assert (band.fill, band.x[:4], band.y[:4]) == ("toself", (4, 8, 8, 4), (0.5, 0.75, 0.85, 0.7))
    assert (mean.x, mean.y) == ((4, 8, 16), (0.6, 0.8, None))
    assert (dashed.y, seed.x, seed.y) == ((0.6, 0.8), (4, 8), (0.55, 0.9))
    # At the foot of the figure, where no value of the measure can be read.
    assert (missing.x, missing.y, missing.yaxis, fig.layout.yaxis2.range) == ((16,), (0,), "y2", (0, 1))
    assert (fig.layout.yaxis2.tickvals, fig.layout.yaxis2.ticktext) == ((0,), ("not measured",))
    chosen, level, drawn = fig.layout.shapes
    assert (chosen.x0, chosen.x1, chosen.y0, chosen.y1, chosen.yref) == (8, 8, 0, 1, "y domain")
    assert (level.y0, level.y1) == (0.5, 0.5)
    assert (drawn.y0, drawn.y1) == (0.7, 0.7)
    assert [note.text for note in fig.layout.annotations] == ["drawn for each image: 0.700"]
    assert "4: 0.600, 8: 0.800; drawn for each image: 0.700" in fig.layout.meta["alt"]
    bare = sweep_figure([], [], [], **look)
    assert (fig.layout.showlegend, bare.layout.showlegend) == (True, False)
    assert len(bare.layout.shapes) == 1
    assert bare.layout.annotations == ()
    assert bare.layout.yaxis.range == (0.4, 0.6)


@pytest.mark.parametrize(
    ("gen", "said", "side"), [((4, 4), "gen: 4", "left"), ((2, 5), "gen: 2 to 5", "left"), ((8, 8), "gen: 8", "right")]
)
def test_a_sweep_marks_the_values_that_gen_draws(gen: tuple[float, float], said: str, side: str) -> None:
    look = {"parameter": "patch size", "measure": "AUC", "level": 0.5, "title": "Sweep"}
    fig = sweep_figure([4, 8], [0.6, 0.8], [(0.5, 0.7), (0.75, 0.85)], missing=[2], gen=gen, **look)
    mark = fig.layout.shapes[-1]
    assert (mark.x0, mark.x1, mark.y0, mark.y1, mark.yref) == (*gen, 0, 1, "y domain")
    (note,) = fig.layout.annotations
    assert (note.text, note.xanchor, note.x) == (said, side, gen[side == "right"])  # written where there is room
    assert fig.layout.meta["alt"].endswith(f"; {said}.")


def test_the_curve_of_a_sweep_breaks_where_a_value_is_missing() -> None:
    look = {"parameter": "patch size", "measure": "AUC", "level": 0.5, "title": "Sweep"}
    means, intervals = [0.6, 0.7, 0.9], [(0.5, 0.65), (0.6, 0.75), (0.85, 0.95)]
    fig = sweep_figure([2, 4, 8], means, intervals, incomplete={4: "1 of 3 trained"}, missing=[6], **look)
    band, dashed, mean, missing = fig.data
    assert band.x == (2, 4, 4, 2, None, 8, 8, None)
    assert band.y == (0.5, 0.6, 0.75, 0.65, None, 0.85, 0.95, None)
    assert (mean.x, mean.y) == ((2, 4, 6, 8), (0.6, 0.7, None, 0.9))
    assert (dashed.x, dashed.line.dash) == ((2, 4, 8), "dot")
    assert (missing.x, missing.yaxis) == ((6,), "y2")
    # What is not trained with every seed is open, and says so.
    assert mean.marker.symbol == ("circle", "circle-open", "circle", "circle")
    assert mean.customdata[1] == "0.600 to 0.750, 1 of 3 trained"
    assert "4: 0.700 (1 of 3 trained)" in fig.layout.meta["alt"]
    whole = sweep_figure([2, 4], means[:2], intervals[:2], **look)
    assert [trace.mode for trace in whole.data] == ["lines", "lines+markers"]


def test_a_surface_frames_the_best_row_of_each_measured_column() -> None:
    auc_of = np.array([[0.6, np.nan, 0.7], [0.9, np.nan, 0.5]])
    look = {"row_title": "aug's c", "column_title": "gen's c", "title": "Surface"}
    fig = surface_figure(auc_of, [4, 8], [2, 4, 8], diagonal=True, **look)
    heat, same = fig.data
    assert np.array_equal(heat.z, auc_of, equal_nan=True)
    # The cells of 2 and 8, halfway to 4, and those of 8 and 4.
    assert [(each.x0, each.x1, each.y0, each.y1) for each in fig.layout.shapes] == [(1, 3, 6, 10), (6, 10, 2, 6)]
    assert [each.showlegend for each in fig.layout.shapes] == [True, False]
    assert same.x == same.y == (4, 8)
    assert (fig.layout.xaxis.tickvals, fig.layout.yaxis.tickvals) == ((2, 4, 8), (4, 8))
    assert (fig.layout.xaxis.title.text, fig.layout.yaxis.title.text) == ("gen's c", "aug's c")
    assert len(surface_figure(auc_of, [4, 8], [2, 4, 8], **look).data) == 1
    assert "gen 2: aug 8 (0.900), gen 8: aug 4 (0.700)" in fig.layout.meta["alt"]


def test_rows_that_tie_are_framed_each_and_none_where_all_do() -> None:
    auc_of = np.array([[1, 0.9, 0.5], [1, 0.90004, 0.5], [1, 0.8, np.nan]])
    look = {"row_title": "aug's c", "column_title": "gen's c", "title": "Surface"}
    fig = surface_figure(auc_of, [1, 2, 3], [1, 2, 3], **look)
    assert {((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2) for box in fig.layout.shapes} == {(2, 1), (2, 2)}
    assert "gen 1: all alike (1.000), gen 2: aug 1 and 2 (0.900), gen 3: all alike (0.500)" in fig.layout.meta["alt"]


def test_a_surface_frames_the_chosen_cell_or_row() -> None:
    look = {"row_title": "aug's c", "column_title": "gen's c", "title": "Surface"}

    def framed(*chosen: float | None) -> tuple[set[tuple[float, ...]], str]:
        fig = surface_figure(np.ones((2, 3)), [4, 8], [2, 4, 6], chosen=chosen, **look)
        boxes = (box for box in fig.layout.shapes if box.name == "chosen")
        return {(box.x0, box.x1, box.y0, box.y1) for box in boxes}, fig.layout.meta["alt"]

    cell, said = framed(8, 4)
    assert (cell, said.endswith("Chosen: aug 8, gen 4.")) == ({(3, 5, 6, 10)}, True)
    row, said = framed(4, None)  # gen draws another value for each image
    assert (row, said.endswith("Chosen: aug 4.")) == ({(1, 7, 2, 6)}, True)
    assert framed(5, 4)[0] == set()  # which the sweep has not


def test_tasks_mark_the_best_run_of_each_where_there_is_another() -> None:
    auc_of = np.array([[0.6, 0.9], [np.nan, 0.7]])
    enough = np.array([[True, True], [False, True]])
    fig = tasks_figure(
        auc_of, ["gen Flip", "rest"], ["AE", "DAE, Flip"], contests=[[0, 1]], enough=enough, title="Tasks"
    )
    (heat,) = fig.data
    assert [list(row) for row in heat.text] == [["0.600", "<b>★ 0.900</b>"], ["", "0.700"]]
    assert fig.layout.xaxis.ticktext == ("AE", "DAE<br>Flip")
    assert fig.layout.yaxis.ticktext == ("gen Flip", "rest")
    assert (fig.layout.xaxis.side, fig.layout.yaxis.autorange) == ("top", "reversed")
    assert "Best: gen Flip: DAE, Flip (0.900)." in fig.layout.meta["alt"]
    for look in (heat, fig.layout.meta["dark"]):
        assert min(contrast(colour, look["textfont"]["color"]) for _, colour in look["colorscale"]) >= 4.5
    of_other_images = tasks_figure(
        auc_of, ["gen Flip", "rest"], ["AE", "DAE, Flip"], contests=[[0], [1]], enough=enough, title="Tasks"
    )
    assert "★" not in str(of_other_images)
    close, names = np.array([[0.90001, 0.9, 0.1], [1, 1, 1]]), ["AE", "DAE, Flip", "DAE, Noise"]
    known = {"contests": [[0, 1, 2]], "enough": np.ones((2, 3), bool)}
    tied = tasks_figure(close, ["gen Flip", "rest"], names, **known, title="Tasks")
    assert ["★" in text for row in tied.data[0].text for text in row] == [True, True, False, False, False, False]
