"""The lab's views as Plotly figures: data in, figure out, for pages that compare, for export and for notebooks.

Backgrounds are transparent and text is a grey that reads on white and on black. ``fig.layout.meta["alt"]`` holds each
figure's text alternative.
"""

from .base import to_html
from .bias import bias_figure
from .gains import GainRow, SpreadRow, gains_figure, spread_figure
from .maps import MapPanel, map_figure, maps_figure
from .matrices import MatrixCell, ScatterPoint, matrix_figure, scatter_figure, tasks_figure
from .pictures import gallery_figure, reconstruction_figure
from .scores import ScorePanel, histogram_figure, histograms_figure, roc_figure
from .sweeps import surface_figure, sweep_figure

__all__ = [
    "GainRow",
    "MapPanel",
    "MatrixCell",
    "ScatterPoint",
    "ScorePanel",
    "SpreadRow",
    "bias_figure",
    "gains_figure",
    "gallery_figure",
    "histogram_figure",
    "histograms_figure",
    "map_figure",
    "maps_figure",
    "matrix_figure",
    "reconstruction_figure",
    "roc_figure",
    "scatter_figure",
    "spread_figure",
    "surface_figure",
    "sweep_figure",
    "tasks_figure",
    "to_html",
]
