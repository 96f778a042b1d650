"""Which aug would have been chosen without labels, and what that would have cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from pages.components.background import compute_missing
from pages.components.markdown import plain
from pages.components.matrix import Pairs
from ssad_core.alignment import Outcome
from ssad_core.data import Dataset
from ssad_core.numbers import decimal, highest
from ssad_core.selection import CRITERIA, choose
from ssad_core.statistics import rank_correlation

BY_LABELS = "MMD to the anomalies (needs their labels)"
BELOW = "Below best"


def show_choices(outcomes: Sequence[Outcome], pairs: Pairs, measure: str, dataset: Dataset, doubt: str) -> None:
    """What each criterion chooses among the augs that are trained, ``outcomes`` of one anomaly, beside what they reach; none
    is called the best where there is a ``doubt``, a sentence why nothing can be concluded."""
    box = st.expander(
        "Could the best aug have been chosen without labels?",
        icon=":material/how_to_vote:",
        on_change="rerun",
        key="choices",
    )
    if not box.open:
        return
    from ssad_core.views import Comparison  # torch, which may still be loading

    with box:
        if len(outcomes) < 2:
            st.info("There is nothing to choose from: only one aug is trained.", icon=":material/info:")
            return
        runs = {run.id: run for run, _ in pairs}
        judged = {one.run: Comparison(runs[one.run], None, one.anomaly, dataset) for one in outcomes}
        known = {run: comparison.criteria(compute=False) for run, comparison in judged.items()}
        anomaly = outcomes[0].anomaly.key
        missing = {f"criteria-{run}-{anomaly}": judged[run].criteria for run in known if known[run] is None}
        failed = compute_missing(missing, "criteria", lambda: st.caption("Judging each run without labels…"))
        if failed:
            text = f"Not all of it could be computed: {plain(next(iter(failed.values())))}"
            st.warning(text, icon=":material/error:")
        if len(failed) < len(missing):
            return
        outcomes = [one for one in outcomes if known[one.run] is not None]
        if len(outcomes) < 2:
            st.info("There is nothing to choose from: fewer than two augs could be judged.", icon=":material/info:")
            return
        values = {title: {one.run: known[one.run][name] for one in outcomes} for name, title in CRITERIA.items()}
        values[BY_LABELS] = {one.run: one.mmd for one in outcomes}
        lines = _rows(values, outcomes, measure)
        if doubt:
            lines = [{name: value for name, value in line.items() if name != BELOW} for line in lines]
            st.markdown(doubt)
        elif lead := _lead(choose(values[CRITERIA["dsv"]]), outcomes, measure):
            st.markdown(lead)
        st.table(lines, border="horizontal", hide_index=True)
        st.caption(
            "Each criterion takes the aug of its smallest value. DSV, discordance and separability validation (Sec. "
            "6), and those that it was compared with look at each run's own code: at training images, at the same "
            "under aug, and at the test images of the views, whose labels they are not told. "
            f"{'' if doubt else f'*{BELOW}* is how much AUC the choice gives away. '}"
            f"*Rank corr.* is how criterion and {measure} go together: below 0, lower values went with more. "
            "Measured here, one seed."
        )


def _lead(run: str | None, outcomes: Sequence[Outcome], measure: str) -> str | None:
    """What DSV chooses, beside the best in the three digits that are shown."""
    if run is None:
        return None
    leaders = highest({one.run: one.gain for one in outcomes})
    best = [one for one in outcomes if one.run in leaders]
    (chosen,) = (one for one in outcomes if one.run == run)

    def said(one: Outcome) -> str:
        return f"**{one.aug.label}**, {measure} {_gain(one.gain, measure)}"

    if len(best) == len(outcomes):
        return f"All {len(outcomes)} reach the same, {measure} {_gain(chosen.gain, measure)}, so there is none to be chosen."
    if chosen in best:
        of = f"one of the {len(best)} best" if len(best) > 1 else "the best"
        return f"DSV would have chosen {of} of these {len(outcomes)}: {said(chosen)}."
    return f"DSV would have chosen {said(chosen)}; the best of these {len(outcomes)} is {said(best[0])}."


def _gain(value: float, measure: str) -> str:
    return decimal(value, sign="+" if measure.startswith("relative") else "")


def _rows(values: Mapping[str, Mapping[str, float]], outcomes: Sequence[Outcome], measure: str) -> list[dict[str, str]]:
    """A line for each criterion, and one for choosing at random."""
    gains, augs = {one.run: one.gain for one in outcomes}, {one.run: one.aug.label for one in outcomes}
    best, mean = max(gains.values()), sum(gains.values()) / len(gains)

    def line(criterion: str, aug: str, gain: float, rho: float | None) -> dict[str, str]:
        return {
            "Criterion": criterion,
            "Chosen": aug,
            "Relative AUC" if measure.startswith("relative") else measure: _gain(gain, measure),
            BELOW: decimal(best - gain),
            "Rank corr.": "–" if rho is None else decimal(rho, 2, "+"),
        }

    lines = []
    for criterion, of in values.items():
        chosen = choose(of)
        if chosen is None:
            continue
        rho = rank_correlation([of[run] for run in gains], list(gains.values()))
        lines.append(line(criterion, augs[chosen], gains[chosen], rho))
    return [*lines, line("Any, on average", "–", mean, None)]
