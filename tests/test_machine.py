"""What a machine has for trainings, and what is left of it."""

from __future__ import annotations

import os
import runpy
from pathlib import Path

import pytest
import torch
from tiny import WIDE, tiny

from ssad_core import machine
from ssad_core.machine import Machine, cores, gpus
from ssad_core.spec import GPU_PARTS

SMALL, WIDE_ONE, LARGE = (tiny(**sizes).settings for sizes in ({}, WIDE, {"batch_size": 5000}))


def test_cores_are_those_that_the_process_may_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "QUOTA", tmp_path / "cpu.max")
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 7, 9}, raising=False)
    assert cores() == Machine().cores == 3
    monkeypatch.delattr(os, "sched_getaffinity")  # as on macOS
    assert cores() == 64
    for quota, found in {"max 100000": 64, "150000 100000": 2, "20000 100000": 1, "9900000 100000": 64}.items():
        machine.QUOTA.write_text(f"{quota}\n")
        assert cores() == found


@pytest.mark.parametrize(
    ("files", "visible", "found"),
    [
        ([], None, 0),
        ([], "0,1", 0),
        (["nvidiactl"], None, 1),
        (["nvidiactl", "nvidia-uvm", "nvidia0", "nvidia1", "nvidia10"], None, 3),
        (["nvidiactl", "nvidia0", "nvidia1", "nvidia2"], "2,GPU-8f2c", 2),
        (["nvidiactl", "nvidia0"], "0,1", 1),
        (["nvidiactl", "nvidia0"], "", 0),
        (["nvidiactl", "nvidia0"], "-1", 0),
    ],
)
def test_gpus_are_those_that_are_there_and_visible(
    files: list[str], visible: str | None, found: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "DEVICES", tmp_path)
    monkeypatch.setattr(machine, "TORCH", tmp_path / "version.py")
    machine.TORCH.write_text("cuda = '13.0'")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    for name in files:
        (tmp_path / name).touch()
    assert gpus() == found
    (tmp_path / "nvidia-smi").touch(0o700)
    assert gpus() == (found or int(visible not in ("", "-1")))
    machine.TORCH.write_text("cuda = None")  # a build for the CPU finds none
    assert gpus() == 0


def test_torch_says_without_an_import_what_it_was_built_for() -> None:
    assert runpy.run_path(str(machine.TORCH))["cuda"] == torch.version.cuda


def test_trainings_take_cores_or_a_core_and_parts_of_a_gpu() -> None:
    plain, two = Machine(cores=8, gpus=0), Machine(cores=8, gpus=2)
    assert [plain.needs(sizes) for sizes in (SMALL, WIDE_ONE)] == [{"core": 1}, {"core": 8}]
    assert two.needs(WIDE_ONE, "cpu") == {"core": 8}
    assert [two.needs(sizes) for sizes in (SMALL, LARGE)] == [{"core": 1, "gpu": 1}, {"core": 1, "gpu": GPU_PARTS}]
    assert two.capacity == {"core": 8, "gpu": 2 * GPU_PARTS}


def test_trainings_are_spread_over_the_gpus() -> None:
    two = Machine(cores=8, gpus=2)
    small, large = two.needs(SMALL), two.needs(LARGE)
    assert [two.take(small) for _ in range(3)] == [0, 1, 0]
    assert not two.has(large)  # nor is it spread over two
    two.give_back(small, 1)
    assert two.has(large)
    assert two.take(large) == 1
    assert [two.has(needs) for needs in (small, large)] == [True, False]
    assert [two.take(small) for _ in range(5)] == [0] * 5
    assert not two.has(small)  # for want of cores
    for gpu, needs in ((1, large), *[(0, small)] * 7):
        two.give_back(needs, gpu)
    assert [two.take(large), two.take(large)] == [0, 1]
    assert not two.has(small)
    assert two.has({"core": 6})
    assert two.take({"core": 6}) is None  # of no GPU
    two.give_back({"core": 6}, None)
    assert two.has({"core": 6})
