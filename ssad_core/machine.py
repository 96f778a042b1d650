"""What trainings share on a machine: its cores and its GPUs, told without torch, which a server may not have imported yet."""

from __future__ import annotations

import math
import os
import runpy
import shutil
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from .spec import GPU_PARTS, Settings

Needs = dict[str, int]  # so many of "core" and, where a GPU is to be used, "gpu", whose parts are counted

CPU = Path("/proc/cpuinfo")  # where Linux tells what it can do
QUOTA = Path("/sys/fs/cgroup/cpu.max")  # where a container finds its share of the cores' time, and of how long
DEVICES = Path("/dev")  # where NVIDIA's are, in containers, too
TORCH = Path(find_spec("torch").origin).with_name("version.py")  # which also says what it was built for


def cores() -> int:
    """The CPU cores that this process may use: a cluster's scheduler, a container or taskset may keep it from others, and a
    container may have a share of their time only."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with suppress(OSError, ValueError):  # no such file, or "max"
        share, period = map(int, QUOTA.read_text().split())
        return min(allowed, math.ceil(share / period))
    return allowed


def gpus() -> int:
    """How many CUDA devices trainings of this machine find, as far as it can be told without torch."""
    driver = shutil.which("nvidia-smi") is not None or (DEVICES / "nvidiactl").exists()
    there = len(list(DEVICES.glob("nvidia[0-9]*"))) or int(driver)
    if there == 0 or runpy.run_path(str(TORCH))["cuda"] is None:
        return 0
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    return there if visible is None else min(there, sum(name not in ("", "-1") for name in visible.split(",")))


def has_bfloat16() -> bool:
    """By the CPU's flags avx512_bf16 and amx_bf16 of x86 and bf16 of ARM; True where there is nothing to read."""
    return not CPU.exists() or "bf16" in CPU.read_text()


@dataclass
class Machine:
    """What trainings share, by default all of this machine, and what is free of it. Not for several threads at once."""

    cores: int = field(default_factory=cores)
    gpus: int = field(default_factory=gpus)

    def __post_init__(self) -> None:
        self._cores, self._gpus = self.cores, [GPU_PARTS] * self.gpus  # that are free

    @property
    def capacity(self) -> Needs:
        """What its trainings can take together."""
        return {"core": self.cores, "gpu": GPU_PARTS * self.gpus}

    def needs(self, settings: Settings, device: str = "auto") -> Needs:
        """What a training takes of that."""
        if self.gpus and device != "cpu":
            return {"core": 1, "gpu": settings.gpu_share}
        return {"core": settings.threads(self.cores)}

    def has(self, needs: Needs) -> bool:
        """Whether that is free; on one GPU, if it is of one."""
        return needs["core"] <= self._cores and needs.get("gpu", 0) <= max(self._gpus, default=0)

    def take(self, needs: Needs) -> int | None:
        """Takes it; the number of the GPU that it is on, the one with the most room, None where it needs none."""
        gpu = self._gpus.index(max(self._gpus)) if "gpu" in needs else None
        self._change(needs, gpu, -1)
        return gpu

    def give_back(self, needs: Needs, gpu: int | None) -> None:
        self._change(needs, gpu, 1)

    def _change(self, needs: Needs, gpu: int | None, sign: int) -> None:
        self._cores += sign * needs["core"]
        if gpu is not None:
            self._gpus[gpu] += sign * needs["gpu"]
