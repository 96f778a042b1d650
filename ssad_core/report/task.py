"""A task and its run in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..question import anomaly_name, run_name

if TYPE_CHECKING:
    from ..data import Dataset
    from ..spec import Anomaly
    from ..views import Comparison


def title(comparison: Comparison) -> str:
    """The task and the run in words."""
    return f"{task(comparison)}: {run_name(comparison.run.spec)}"


def task(comparison: Comparison) -> str:
    """The task in words."""
    normal = comparison.dataset.info.classes[comparison.run.spec.normal_class]
    return task_title(comparison.dataset, normal, comparison.anomaly)


def task_title(dataset: Dataset, normal_class: str, anomaly: Anomaly) -> str:
    """A task in words."""
    return f"{dataset.info.title}, {normal_class} against {anomaly_name(anomaly)}"
