"""What memory serving processes hold, and how it grows with what they answer."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

PER_ANSWERS = 100_000
"""Answers to which a growth is told."""

KB = 1024
"""Bytes of what the kernel calls kB."""

WARM_UP_ANSWERS = 350_000
"""Of all processes, before memory says anything: caches fill up, and the allocator takes its
arenas. The second of two processes took its last ones after 350,000 (a run of a million answers on
2026-11-26, docs/decisions/0050-what-a-poll-and-a-page-cost.md)."""

Samples = Sequence[tuple[int, float]]
"""Answers so far, and the megabytes then."""


def serving_processes(parent: int) -> list[int]:
    """Return the ids of the processes that `serve` has started to answer."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [
        int(child)
        for child in children
        if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()
    ]


def private_mb(process: int) -> float:
    """Return the megabytes that a process has for itself: anonymous ones (RssAnon, proc(5))."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    told = dict(line.split(":", 1) for line in lines)
    return int(told["RssAnon"].split()[0]) * KB / 1e6


def growth(samples: Samples) -> float | None:
    """Return the megabytes that came for each PER_ANSWERS answers after the warm-up.

    A straight line through all samples: one at each end would tell what the allocator did then.
    None where as many answers did not follow: what a short run gains is the warm-up.
    """
    answers, megabytes = np.array(samples, float).T
    if answers.max() < 2 * WARM_UP_ANSWERS:
        return None
    late = answers >= WARM_UP_ANSWERS
    slope, _ = np.polyfit(answers[late], megabytes[late], 1)
    return float(slope) * PER_ANSWERS
