"""What the figures of an instance cannot show: what simple rules forget, said in sentences."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta

import numpy as np

from compute_optimizer.engine.evidence import ONLY
from compute_optimizer.engine.prediction import SATURATED_PERCENT
from compute_optimizer.engine.usage import CPU_METRIC, MEMORY_METRIC, count_samples
from compute_optimizer.model.metrics import Window
from compute_optimizer.resources.ec2.analysis import Ec2Analysis

NOTICEABLE_GAPS = 0.05
"""Share of the slots without a sample from which a gap is mentioned."""

MONTH_END = (28, 3)
"""Days of the month: from the first to the second of the next month lie the ends of months."""

WEEKEND_DAYS = 2


def cautions(analysis: Ec2Analysis, window: Window) -> tuple[str, ...]:
    """Return what to mind about the figures of a batch of one."""
    if CPU_METRIC not in analysis.fleet.chosen.series:
        return ()
    found = (caution(analysis, window) for caution in _CAUTIONS)
    return tuple(one for one in found if one is not None)


def _averages(analysis: Ec2Analysis, window: Window) -> str | None:
    if not analysis.fleet.chosen.averaged[CPU_METRIC][ONLY]:
        return None
    return (
        "the CPU is known by its averages of five minutes only, and peaks inside them are not "
        "seen. On 50 public machines that tell both, P99.5 of the maxima was 3.4 times that of "
        "the averages (the median machine). Send maxima, or allow less risk"
    )


def _ceiling(analysis: Ec2Analysis, window: Window) -> str | None:
    series = analysis.fleet.chosen.series[CPU_METRIC][ONLY]
    share = np.count_nonzero(series >= np.float32(SATURATED_PERCENT)) / max(len(series), 1)
    if not share:
        return None
    return (
        f"the CPU was at its ceiling in {share * 100:.1f} % of the slots: what was wanted beyond "
        "it cannot be seen, so a larger type is a first step, to be looked at again after it"
    )


def _gaps(analysis: Ec2Analysis, window: Window) -> str | None:
    chosen = analysis.fleet.chosen
    counts = count_samples(chosen.series[CPU_METRIC])
    missing = 1 - float(counts[ONLY]) / max(chosen.slots, 1)
    if missing < NOTICEABLE_GAPS:
        return None
    return (
        f"{missing * 100:.0f} % of the slots have no sample of CPU; whatever happened then is not "
        "in it"
    )


def _memory(analysis: Ec2Analysis, window: Window) -> str | None:
    series = analysis.fleet.chosen.series.get(MEMORY_METRIC)
    if series is not None and np.isfinite(series[ONLY]).any():
        return None
    return (
        "no metric tells the use of memory. What is allocated is not what is used, so no option "
        "has less of it; with mem_used_percent there may be more to save"
    )


def _credits(analysis: Ec2Analysis, window: Window) -> str | None:
    now = analysis.fleet.currents[ONLY]
    if now is None or not analysis.market.types.burstable[now.type_index]:
        return None
    return (
        "the present type bursts on CPU credits: use that was held back for want of them looks "
        "like use that was not wanted"
    )


def _month_end(analysis: Ec2Analysis, window: Window) -> str | None:
    if any(_is_month_end(day) for day in _days(window)):
        return None
    first, last = MONTH_END
    return (
        f"no end of a month (days {first} to {last}) lies in the look-back period, so a monthly "
        "peak would not be in it; a preference for 32 or 93 days looks further back"
    )


def _weekend(analysis: Ec2Analysis, window: Window) -> str | None:
    series = analysis.fleet.chosen.series[CPU_METRIC][ONLY].reshape(window.days, -1)
    seen = [
        day.weekday()
        for day, known in zip(_days(window), np.isfinite(series).any(axis=1), strict=True)
        if known
    ]
    kinds = {day >= 7 - WEEKEND_DAYS for day in seen}
    if len(set(seen)) >= 7 or not seen:
        return None
    missing = "weekend" if True not in kinds else "whole week"
    return f"no {missing} lies in the samples, so a weekly peak may not be in it"


def _is_month_end(day: date) -> bool:
    first, last = MONTH_END
    return day.day >= first or day.day <= last


def _days(window: Window) -> Iterator[date]:
    return (window.first + timedelta(days=number) for number in range(window.days))


_CAUTIONS: tuple[Callable[[Ec2Analysis, Window], str | None], ...] = (
    _averages,
    _ceiling,
    _gaps,
    _memory,
    _credits,
    _weekend,
    _month_end,
)
"""In the order of how much each may mislead."""
