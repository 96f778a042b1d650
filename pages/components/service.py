"""What the pages of one server share: the jobs, the store, and libraries that load while a person reads."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
import threading

import streamlit as st

from ssad_core.jobs import Jobs

# Before torch and openTSNE load OpenMP: what this process computes shares the cores with trainings, and threads that spin
# while they wait took up to ten times as long there.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


@st.cache_resource(show_spinner=False)
def jobs() -> Jobs:
    """The one service of this server. A Dask client cannot be cached as it is; this wraps it."""
    return Jobs()


_trim: threading.Timer | None = None


def give_back(after: float = 3.0) -> None:
    """Has glibc give back what views have freed, so many seconds after the last of them. They are computed in threads of
    their own, and what their arenas keep for themselves adds up: 1 GB after twenty anomalies on CIFAR-10."""
    global _trim
    if sys.platform != "linux" or not (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)):
        return
    if _trim:
        _trim.cancel()
    _trim = threading.Timer(after, trim, (0,))
    _trim.daemon = True
    _trim.start()


@st.cache_resource(show_spinner=False)
def _background() -> threading.Thread:
    def load() -> None:
        # The spare children first: they are processes, and start beside what this one does. openTSNE is left to the first
        # map, lest its two seconds delay the first training.
        jobs().warm()
        from ssad_core import views  # noqa: F401, torch comes with it

        # What was imported stays; garbage collection went through all of it again and again, 0.1 to 0.2 s in midst of a page.
        gc.freeze()

    thread = threading.Thread(target=load, daemon=True, name="background imports")
    thread.start()
    return thread


def prepare_in_background() -> None:
    """Starts spare training processes and imports torch off the page's thread, once a server. Pages call it
    when their first lines are drawn."""
    _background()
