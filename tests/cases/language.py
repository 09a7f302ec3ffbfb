"""The language of case files: metrics in, finding and options out. docs/engine.md describes it."""

import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from compute_optimizer.model.metrics import MetricKey, Statistic
from compute_optimizer.model.preferences import Preferences
from compute_optimizer.model.recommendation import (
    Ec2InstanceRecommendation,
    RecommendationError,
    RecommendationOption,
)
from compute_optimizer.model.resource import EC2_INSTANCE, Resource
from tests.fleets import analyzed, instance

SEGMENT = re.compile(
    r"(?:(?P<start>[\d.]+)(?P<step>[+-][\d.e-]+)?|_)x(?P<count>\d+)(?:~(?P<jitter>[\d.]+))?"
)
PERCENT_METRICS = ("CPUUtilization", "mem_used_percent")
JITTER_SEED = 288

Answer = Ec2InstanceRecommendation | RecommendationError


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
        found = analyzed([self.resource], self.series, self.preferences)
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
    if kind != EC2_INSTANCE:
        raise ValueError(f"{name}: no resource type {kind}")
    given = dict(pair.split("=", 1) for pair in pairs)
    numbers = {key: float(given.pop(key)) for key in ("vcpus", "memory_mib") if key in given}
    return Case(name, instance(1, given.pop("type"), **given, **numbers))  # type: ignore[arg-type]  # keywords of a file


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
    usual = Statistic.MAXIMUM if metric in PERCENT_METRICS else Statistic.SUM
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
    CHECKS[words[0]](answer, words[1:])


def _recommendation(answer: Answer) -> Ec2InstanceRecommendation:
    assert isinstance(answer, Ec2InstanceRecommendation), answer
    return answer


def _check_error(answer: Answer, words: list[str]) -> None:
    assert isinstance(answer, RecommendationError), answer
    assert [answer.code] == words, answer


def _check_finding(answer: Answer, words: list[str]) -> None:
    found = _recommendation(answer)
    codes = [found.finding.value, *found.finding_reason_codes]
    assert codes == words, codes


def _check_option(answer: Answer, words: list[str]) -> None:
    rank, instance_type, *conditions = words
    pool = next((word[5:] for word in conditions if word.startswith("pool=")), "CURRENT")
    option = _option(answer, pool, int(rank))
    assert option is not None, f"no option {rank} in {pool}"
    assert option.instance_type == instance_type, option
    for condition in conditions:
        _check_condition(option, condition)


def _option(answer: Answer, pool: str, rank: int) -> RecommendationOption | None:
    options = _recommendation(answer).options
    return next((o for o in options if (o.architecture_pool, o.rank) == (pool, rank)), None)


def _check_condition(option: RecommendationOption, condition: str) -> None:
    if limit := condition.partition("risk<")[2]:
        assert option.performance_risk < float(limit), option
    if least := condition.partition("saves>")[2]:
        assert option.savings is not None
        assert option.savings.monthly_usd > float(least), option
    if names := condition.partition("differs=")[2]:
        assert list(option.platform_differences) == names.split(","), option
    if figure := condition.partition("cpu=")[2]:
        assert abs(option.projected_utilization[0].value - float(figure)) < 0.05, option


def _check_no(answer: Answer, words: list[str]) -> None:
    match words:
        case ["option", rank, *pool]:
            assert (
                _option(answer, "".join(pool).removeprefix("pool=") or "CURRENT", int(rank)) is None
            )
        case ["family", family]:
            names = [option.instance_type for option in _recommendation(answer).options]
            assert not [name for name in names if name.startswith(f"{family}.")], names
        case _:
            raise ValueError(" ".join(words))


def _check_risk(answer: Answer, words: list[str]) -> None:
    assert [_recommendation(answer).current_performance_risk.value] == words, answer


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
