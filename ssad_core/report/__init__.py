"""A comparison's or a sweep's figures as Plotly draws them, for pages, downloads, the command line and notebooks."""

from .alignment import SIGNIFICANT, alignment_matrix, alignment_scatter, space_title
from .comparison import FIGURES, draw, scale_of
from .gallery import draw_gallery
from .runs import draw_rocs, draw_tasks, task_aucs
from .side_by_side import SIDE_BY_SIDE, augmented, draw_bias, draw_side_by_side
from .sweep import SWEEPS, alike, curve, draw_sweep, surface, sweep_of
from .task import task, task_title, title
from .testbed import draw_gains, draw_settings, lead, p_text, trials

__all__ = [
    "FIGURES",
    "SIDE_BY_SIDE",
    "SIGNIFICANT",
    "SWEEPS",
    "alignment_matrix",
    "alignment_scatter",
    "alike",
    "augmented",
    "curve",
    "draw",
    "draw_bias",
    "draw_gains",
    "draw_gallery",
    "draw_rocs",
    "draw_settings",
    "draw_side_by_side",
    "draw_sweep",
    "draw_tasks",
    "lead",
    "p_text",
    "scale_of",
    "space_title",
    "surface",
    "sweep_of",
    "task",
    "task_aucs",
    "task_title",
    "title",
    "trials",
]
