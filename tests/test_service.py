"""What the pages of one server share, in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ssad_core.paths import ROOT

VIEWS = """
import threading, numpy as np, psutil
from pages.components import service

def view():
    arrays = [np.ones(1 << 20) for _ in range(20)]  # 8 MB each
    arrays.clear()
    arrays = [np.ones(1 << 20) for _ in range(20)]
    kept.append(np.ones(1 << 10))

kept = []
before = psutil.Process().memory_info().rss
for _ in range(8):
    thread = threading.Thread(target=view)
    thread.start()
    thread.join()
service.give_back(60)
service.give_back(0.01)
service._trim.join()
print(psutil.Process().memory_info().rss - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have another malloc")
def test_memory_of_views_is_given_back() -> None:
    done = subprocess.run([sys.executable, "-c", VIEWS], cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 50e6  # bytes; it was some 300e6
