"""The language of case files: metrics in, finding and options out. docs/engine.md describes it."""

import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from compute_optimizer.model.database import DatabaseRecommendation
from compute_optimizer.model.ebs_volume import EbsVolumeRecommendation, VolumeOption
from compute_optimizer.model.metrics import MetricKey, Statistic
from compute_optimizer.model.preferences import Preferences
from compute_optimizer.model.recommendation import (
    Ec2InstanceRecommendation,
    RecommendationError,
    RecommendationOption,
)
from compute_optimizer.model.resource import EBS_VOLUME, EC2_INSTANCE, RDS_DB_INSTANCE, Resource
from tests.cases.databases import CHECKS as DATABASE_CHECKS
from tests.cases.databases import GAUGES, LEVELS, database_of
from tests.databases import analyzed_databases
from tests.fleets import analyzed, instance
from tests.volumes import analyzed_volumes, volume

SEGMENT = re.compile(
    r"(?:(?P<start>[\d.]+)(?P<step>[+-][\d.e-]+)?|_)x(?P<count>\d+)(?:~(?P<jitter>[\d.]+))?"
)
MAXIMA = (
    "CPUUtilization",
    "mem_used_percent",
    "VolumeIOPSExceededCheck",
    "VolumeThroughputExceededCheck",
    *GAUGES,
)
"""Metrics that are maxima unless a case says otherwise."""
JITTER_SEED = 288

Recommendation = Ec2InstanceRecommendation | EbsVolumeRecommendation | DatabaseRecommendation
Answer = Recommendation | RecommendationError


@dataclass(slots=True)
class Case:
    """One resource, its samples and what is expected of it."""

    name: str
    resource: Resource
    preferences: Preferences = field(default_factory=Preferences)
    series: dict[MetricKey, np.ndarray] = field(default_factory=dict)
    expectations: list[list[str]] = field(default_factory=list)

    def answer(self) -> Answer:
        """Return the recommendation, or the error instead of one."""
        analyze = KINDS[self.resource.resource_type].analyzed
        found = analyze([self.resource], self.series, self.preferences)
        answers: list[Answer] = [*found.recommendations, *found.errors]
        return answers[0]


def read_cases(path: Path) -> Iterator[Case]:
    """Yield the cases of a file; every `resource` line begins one."""
    case: Case | None = None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        words = shlex.split(line, comments=True)
        if not words:
            continue
        if words[0] == "resource":
            if case is not None:
                yield case
            case = _case(f"{path.stem}:{number}", words[1:])
        elif case is None:
            raise ValueError(f"{path.name}:{number}: a case begins with `resource`")
        else:
            _extend(case, words, indented=line.startswith(" "))
    if case is not None:
        yield case


def _case(name: str, words: list[str]) -> Case:
    kind, pairs = words[0], words[2:]
    if kind not in KINDS:
        raise ValueError(f"{name}: no resource type {kind}")
    return Case(name, KINDS[kind].resource(dict(pair.split("=", 1) for pair in pairs)))


@dataclass(frozen=True, slots=True)
class Kind:
    """How the cases of one resource type are read and answered."""

    resource: Callable[[dict[str, str]], Resource]
    analyzed: Callable[..., Any]


def _instance(given: dict[str, str]) -> Resource:
    numbers = {key: float(given.pop(key)) for key in ("vcpus", "memory_mib") if key in given}
    return instance(1, given.pop("type"), **given, **numbers)  # type: ignore[arg-type]  # keywords of a file


def _volume(given: dict[str, str]) -> Resource:
    numbers = {key: int(given.pop(key)) for key in ("iops", "throughput_mibps") if key in given}
    root = given.pop("root", "false") == "true"
    return volume(1, given.pop("type"), int(given.pop("size_gib")), root=root, **given, **numbers)


KINDS = {
    EC2_INSTANCE: Kind(_instance, analyzed),
    EBS_VOLUME: Kind(_volume, analyzed_volumes),
    RDS_DB_INSTANCE: Kind(database_of, analyzed_databases),
}


def _extend(case: Case, words: list[str], *, indented: bool) -> None:
    if indented:
        case.series[_key(words[0])] = np.concatenate([_segment(word) for word in words[1:]])
    elif words[0] == "preferences":
        case.preferences = Preferences(
            **{key: float(value) for key, value in (word.split("=") for word in words[1:])}  # type: ignore[arg-type]  # keywords of a file
        )
    elif words[0] == "expect":
        case.expectations.append(words[1:])
    elif words != ["load", "5m"]:
        raise ValueError(f"{case.name}: {' '.join(words)}")


def _key(word: str) -> MetricKey:
    """Return METRIC or METRIC:Statistic; percentages are maxima and counters sums by themselves."""
    metric, _, statistic = word.partition(":")
    metric = {"MemoryUtilization": "mem_used_percent"}.get(metric, metric)
    usual = Statistic.MAXIMUM if metric in MAXIMA else Statistic.SUM
    usual = Statistic.AVERAGE if metric in LEVELS else usual
    return MetricKey(metric, Statistic(statistic) if statistic else usual)


def _segment(word: str) -> np.ndarray:
    """Return START[+STEP]xCOUNT[~JITTER], or _xCOUNT without samples."""
    found = SEGMENT.fullmatch(word)
    if found is None:
        raise ValueError(f"no series: {word}")
    count = int(found["count"])
    if found["start"] is None:
        return np.full(count, np.nan)
    values = float(found["start"]) + float(found["step"] or 0) * np.arange(count)
    jitter = float(found["jitter"] or 0)
    return values + np.random.default_rng(JITTER_SEED).uniform(-jitter, jitter, count)


def check(answer: Answer, words: list[str]) -> None:
    """Assert one expectation."""
    checks = DATABASE_CHECKS if isinstance(answer, DatabaseRecommendation) else CHECKS
    checks[words[0]](answer, words[1:])


def _recommendation(answer: Answer) -> Recommendation:
    assert not isinstance(answer, RecommendationError), answer
    return answer


def _instance_recommendation(answer: Answer) -> Ec2InstanceRecommendation:
    assert isinstance(answer, Ec2InstanceRecommendation), answer
    return answer


def _check_error(answer: Answer, words: list[str]) -> None:
    assert isinstance(answer, RecommendationError), answer
    assert [answer.code] == words, answer


def _check_finding(answer: Answer, words: list[str]) -> None:
    found = _recommendation(answer)
    codes = [found.finding.value, *getattr(found, "finding_reason_codes", ())]
    assert codes == words, codes


def _check_option(answer: Answer, words: list[str]) -> None:
    if isinstance(answer, EbsVolumeRecommendation):
        _check_volume_option(answer, words)
        return
    rank, instance_type, *conditions = words
    pool = next((word[5:] for word in conditions if word.startswith("pool=")), "CURRENT")
    option = _option(answer, pool, int(rank))
    assert option is not None, f"no option {rank} in {pool}"
    assert option.instance_type == instance_type, option
    for condition in conditions:
        _check_condition(option, condition)


def _option(answer: Answer, pool: str, rank: int) -> RecommendationOption | None:
    options = _instance_recommendation(answer).options
    return next((o for o in options if (o.architecture_pool, o.rank) == (pool, rank)), None)


def _check_volume_option(found: EbsVolumeRecommendation, words: list[str]) -> None:
    rank, volume_type, *conditions = words
    option = next((o for o in found.options if o.rank == int(rank)), None)
    assert option is not None, f"no option {rank}"
    assert option.configuration.volume_type == volume_type, option
    for condition in conditions:
        if name := next((name for name in FIGURES if condition.startswith(f"{name}=")), None):
            told = getattr(option.configuration, FIGURES[name])
            assert told == int(condition.removeprefix(f"{name}=")), option
        else:
            _check_shared(option, condition)


FIGURES = {"gib": "size_gib", "iops": "baseline_iops", "mibps": "baseline_throughput"}
"""Conditions of volumes, and the members of a configuration that they look at."""


def _check_shared(option: RecommendationOption | VolumeOption, condition: str) -> None:
    """Check what options of every type have."""
    if limit := condition.partition("risk<")[2]:
        assert option.performance_risk < float(limit), option
    if least := condition.partition("saves>")[2]:
        assert option.savings is not None
        assert option.savings.monthly_usd > float(least), option
    if exactly := condition.partition("saves=")[2]:
        assert option.savings is not None
        assert abs(option.savings.monthly_usd - float(exactly)) < 0.005, option
    if condition == "unpriced":
        assert option.savings is None, option


def _check_condition(option: RecommendationOption, condition: str) -> None:
    _check_shared(option, condition)
    if names := condition.partition("differs=")[2]:
        assert list(option.platform_differences) == names.split(","), option
    if figure := condition.partition("cpu=")[2]:
        assert abs(option.projected_utilization[0].value - float(figure)) < 0.05, option


def _check_no(answer: Answer, words: list[str]) -> None:
    match words:
        case ["option", rank] if isinstance(answer, EbsVolumeRecommendation):
            assert not [o for o in answer.options if o.rank == int(rank)], answer
        case ["option", rank, *pool]:
            assert (
                _option(answer, "".join(pool).removeprefix("pool=") or "CURRENT", int(rank)) is None
            )
        case ["family", family]:
            names = [option.instance_type for option in _instance_recommendation(answer).options]
            assert not [name for name in names if name.startswith(f"{family}.")], names
        case _:
            raise ValueError(" ".join(words))


def _check_risk(answer: Answer, words: list[str]) -> None:
    assert [str(_recommendation(answer).current_performance_risk)] == words, answer


def _check_idle(answer: Answer, words: list[str]) -> None:
    assert [str(_recommendation(answer).idle)] == words, answer


CHECKS: dict[str, Callable[[Answer, list[str]], None]] = {
    "error": _check_error,
    "finding": _check_finding,
    "option": _check_option,
    "no": _check_no,
    "risk": _check_risk,
    "idle": _check_idle,
}
