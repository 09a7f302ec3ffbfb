"""The language of case files: metrics in, finding and options out. docs/engine.md describes it."""

import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np

from compute_optimizer.model.auto_scaling_group import AutoScalingGroupRecommendation
from compute_optimizer.model.database import DatabaseRecommendation
from compute_optimizer.model.ebs_volume import EbsVolumeRecommendation
from compute_optimizer.model.ecs_service import EcsServiceRecommendation
from compute_optimizer.model.lambda_function import LambdaFunctionRecommendation
from compute_optimizer.model.license import LicenseRecommendation
from compute_optimizer.model.metrics import MetricKey, Statistic
from compute_optimizer.model.preferences import Preferences
from compute_optimizer.model.recommendation import (
    Ec2InstanceRecommendation,
    IdleRecommendation,
    RecommendationError,
    RecommendationOption,
)
from compute_optimizer.model.resource import (
    AUTO_SCALING_GROUP,
    EBS_VOLUME,
    EC2_INSTANCE,
    ECS_SERVICE,
    LAMBDA_FUNCTION,
    LICENSE,
    NAT_GATEWAY,
    NEWER_IDLE_TYPES,
    RDS_DB_INSTANCE,
    Resource,
)
from compute_optimizer.resources.ec2.dimensions import GPU_METRICS
from tests.cases.databases import CHECKS as DATABASE_CHECKS
from tests.cases.databases import GAUGES, LEVELS, database_of
from tests.databases import analyzed_databases
from tests.fleets import analyzed, instance
from tests.functions import analyzed_functions, function
from tests.groups import analyzed_groups, group
from tests.idleness import idle_of, idle_only, nat_gateway
from tests.licenses import analyzed_licenses, licensed
from tests.services import analyzed_services, service
from tests.volumes import analyzed_volumes, volume

SEGMENT = re.compile(
    r"(?:(?P<start>[\d.]+)(?P<step>[+-][\d.e-]+)?|_)x(?P<count>\d+)(?:~(?P<jitter>[\d.]+))?"
)
MAXIMA = (
    "CPUUtilization",
    "mem_used_percent",
    "VolumeIOPSExceededCheck",
    "VolumeThroughputExceededCheck",
    "ActiveConnectionCount",
    "Duration",
    "used_memory_max",
    "EngineCPUUtilization",
    *GPU_METRICS,
    "CurrConnections",
    "UserConnected",
    "mssql_enterprise_features_used",
    *GAUGES,
)
"""Metrics that are maxima unless a case says otherwise."""
JITTER_SEED = 288

Recommendation = (
    Ec2InstanceRecommendation
    | EbsVolumeRecommendation
    | AutoScalingGroupRecommendation
    | LambdaFunctionRecommendation
    | EcsServiceRecommendation
    | DatabaseRecommendation
    | LicenseRecommendation
)
Answer = Recommendation | RecommendationError


@dataclass(slots=True)
class Case:
    """One resource, its samples and what is expected of it."""

    name: str
    kind: "Kind"
    resource: Resource
    preferences: Preferences = field(default_factory=Preferences)
    series: dict[MetricKey, np.ndarray] = field(default_factory=dict)
    expectations: list[list[str]] = field(default_factory=list)

    def answer(self) -> Answer:
        """Return the recommendation, or the error instead of one."""
        found = self.kind.analyzed([self.resource], self.series, self.preferences)
        answers: list[Answer] = [*found.recommendations, *found.errors]
        return answers[0]

    def check(self, words: list[str]) -> None:
        """Assert one expectation."""
        if words[0] in IDLE_CHECKS:
            IDLE_CHECKS[words[0]](idle_of([self.resource], self.series), words[1:])
            return
        answer = self.answer()
        checks = DATABASE_CHECKS if isinstance(answer, DatabaseRecommendation) else CHECKS
        checks[words[0]](answer, words[1:])


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
    found = KINDS[kind]
    return Case(name, found, found.resource(dict(pair.split("=", 1) for pair in pairs)))


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
    created = given.pop("created", "")
    moment = datetime.fromisoformat(created) if created else None
    size = int(given.pop("size_gib"))
    return volume(1, given.pop("type"), size, root=root, created_at=moment, **given, **numbers)


def _nat_gateway(given: dict[str, str]) -> Resource:
    routed = {"true": True, "false": False, "unknown": None}[given.pop("routed")]
    return nat_gateway(1, in_route_table=routed, **given)


def _idle_only(resource_type: str, given: dict[str, str]) -> Resource:
    """Return a resource; `indexes=a;b` names those of a table, `none` or `unknown`."""
    others: dict[str, Any] = {{"type": "instance_type"}.get(key, key): given[key] for key in given}
    if "cost" in others:
        others["monthly_usd"] = float(others.pop("cost"))
    if "indexes" in others:
        words: dict[str, Any] = {"none": (), "unknown": None}
        told = others["indexes"]
        others["indexes"] = words.get(told, tuple(told.split(";")))
    return idle_only(resource_type, **others)


def _never(*_arguments: Any) -> Any:
    raise ValueError("there is nothing to recommend but to delete it")


def _group(given: dict[str, str]) -> Resource:
    """Return a group; `type=a;b` mixes types, `tags=KEY` has one tag."""
    others: dict[str, Any] = dict(given)
    for key in {"size", "min_size", "max_size", "desired_capacity"} & given.keys():
        others[key] = int(given[key])
    for key in {"spot", "weighted"} & given.keys():
        others[key] = given[key] == "true"
    tags = dict.fromkeys(others.pop("tags", "").split(), "")
    return group(1, *others.pop("type").split(";"), tags=tags, **others)


def _function(given: dict[str, str]) -> Resource:
    numbers = {"timeout_seconds": float(given.pop("timeout"))} if "timeout" in given else {}
    size, architecture = int(given.pop("memory")), given.pop("architecture", "x86_64")
    return function("worker", size, instance_type=architecture, **given, **numbers)


def _service(given: dict[str, str]) -> Resource:
    tasks = {"desired_count": int(given.pop("tasks"))} if "tasks" in given else {}
    scaling = {"auto_scaling": tuple(given.pop("scaling").split(";"))} if "scaling" in given else {}
    launch = {"instance_type": given.pop("launch")} if "launch" in given else {}
    cpu, memory = int(given.pop("cpu")), int(given.pop("memory"))
    return service("api", cpu, memory, **tasks, **scaling, **launch, **given)


def _license(given: dict[str, str]) -> Resource:
    """Return an instance with a license; `features=a;b` or `features=none` states them."""
    vcpus = {"vcpus": float(given.pop("vcpus"))} if "vcpus" in given else {}
    stated = given.pop("features", None)
    own: dict[str, Any] = {key: given.pop(key) for key in ("edition", "model") if key in given}
    if stated is not None:
        own["features"] = () if stated == "none" else tuple(stated.split(";"))
    if "insights" in given:
        own["metrics_source_arn"] = given.pop("insights")
    own["production"] = given.pop("production", "true") == "true"
    return licensed(1, given.pop("type"), **own, **vcpus, **given)


KINDS = {
    EC2_INSTANCE: Kind(_instance, analyzed),
    EBS_VOLUME: Kind(_volume, analyzed_volumes),
    NAT_GATEWAY: Kind(_nat_gateway, _never),
    AUTO_SCALING_GROUP: Kind(_group, analyzed_groups),
    LAMBDA_FUNCTION: Kind(_function, analyzed_functions),
    ECS_SERVICE: Kind(_service, analyzed_services),
    RDS_DB_INSTANCE: Kind(database_of, analyzed_databases),
    **{name: Kind(partial(_idle_only, name), _never) for name in NEWER_IDLE_TYPES},
    LICENSE: Kind(_license, analyzed_licenses),
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


def _recommendation(answer: Answer) -> Recommendation:
    assert not isinstance(answer, RecommendationError), answer
    return answer


def _machines(answer: Answer) -> Ec2InstanceRecommendation | AutoScalingGroupRecommendation:
    assert isinstance(answer, Ec2InstanceRecommendation | AutoScalingGroupRecommendation), answer
    return answer


def _check_error(answer: Answer, words: list[str]) -> None:
    assert isinstance(answer, RecommendationError), answer
    assert [answer.code] == words, answer


def _check_finding(answer: Answer, words: list[str]) -> None:
    found = _recommendation(answer)
    codes = [found.finding.value, *getattr(found, "finding_reason_codes", ())]
    assert codes == words, codes


def _check_option(answer: Answer, words: list[str]) -> None:
    if own := OPTION_CHECKS.get(type(answer)):
        own(answer, words)
        return
    rank, instance_type, *conditions = words
    pool = next((word[5:] for word in conditions if word.startswith("pool=")), "CURRENT")
    option = _option(answer, pool, int(rank))
    assert option is not None, f"no option {rank} in {pool}"
    assert option.instance_type == instance_type, option
    for condition in conditions:
        _check_condition(option, condition)


def _option(answer: Answer, pool: str, rank: int) -> RecommendationOption | None:
    options = _machines(answer).options
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


def _check_memory_option(found: LambdaFunctionRecommendation, words: list[str]) -> None:
    rank, size, *conditions = words
    option = next((o for o in found.options if o.rank == int(rank)), None)
    assert option is not None, f"no option {rank}"
    assert option.memory_size == int(size), option
    for condition in conditions:
        name, _, figure = condition.partition("=")
        if name in ("lower", "upper", "expected"):
            assert abs(getattr(option.duration, f"{name}_ms") - float(figure)) < 0.005, option
        else:
            _check_shared(option, condition)


def _check_task_option(found: EcsServiceRecommendation, words: list[str]) -> None:
    rank, size, *conditions = words
    assert rank == "1"
    assert found.options, "no option"
    (option,) = found.options
    assert f"{option.cpu_units}/{option.memory}" == size, option
    for condition in conditions:
        name, _, figures = condition.partition("=")
        if name in ("cpu", "memory"):
            used = next(one for one in option.projected if one.name.lower() == name)
            lower, upper = (float(figure) for figure in figures.split(".."))
            assert abs(used.lower - lower) < 0.005, option
            assert abs(used.upper - upper) < 0.005, option
        else:
            _check_shared(option, condition)


def _check_license_option(found: LicenseRecommendation, words: list[str]) -> None:
    rank, edition, *conditions = words
    option = next((o for o in found.options if o.rank == int(rank)), None)
    assert option is not None, f"no option {rank}"
    assert option.edition == edition, option
    for condition in conditions:
        if model := condition.partition("model=")[2]:
            assert option.license_model == model, option
        elif share := condition.partition("percent=")[2]:
            assert option.savings is not None
            assert abs(option.savings.percentage - float(share)) < 0.005, option
        else:
            _check_shared(option, condition)


OPTION_CHECKS: dict[type, Callable[[Any, list[str]], None]] = {
    EbsVolumeRecommendation: _check_volume_option,
    LambdaFunctionRecommendation: _check_memory_option,
    EcsServiceRecommendation: _check_task_option,
    LicenseRecommendation: _check_license_option,
}
"""How the options of a type are looked at; instances have their own way."""


def _check_shared(option: Any, condition: str) -> None:
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
    if figure := condition.partition("hours=")[2]:
        assert getattr(option, "hour_reduction", None) == float(figure), option
    if figure := condition.partition("cpu=")[2]:
        assert abs(option.projected_utilization[0].value - float(figure)) < 0.05, option


def _check_no(answer: Answer, words: list[str]) -> None:
    match words:
        case ["option", rank] if type(answer) in OPTION_CHECKS:
            options = cast(Any, answer).options
            assert len(options) < int(rank), answer
        case ["option", rank, *pool]:
            assert (
                _option(answer, "".join(pool).removeprefix("pool=") or "CURRENT", int(rank)) is None
            )
        case ["family", family]:
            names = [option.instance_type for option in _machines(answer).options]
            assert not [name for name in names if name.startswith(f"{family}.")], names
        case _:
            raise ValueError(" ".join(words))


def _check_risk(answer: Answer, words: list[str]) -> None:
    found = _recommendation(answer)
    assert not isinstance(found, LicenseRecommendation), found
    assert [found.current_performance_risk or "unknown"] == words, answer


def _check_idle(answer: Answer, words: list[str]) -> None:
    found = _recommendation(answer)
    assert not isinstance(found, LambdaFunctionRecommendation | LicenseRecommendation), found
    assert [str(found.idle)] == words, answer


def _check_listed(found: list[IdleRecommendation], words: list[str]) -> None:
    finding, *conditions = words
    assert [one.finding.value for one in found] == [finding], found
    savings = found[0].savings
    for condition in conditions:
        if exactly := condition.partition("saves=")[2]:
            assert savings is not None
            assert abs(savings.monthly_usd - float(exactly)) < 0.005, savings
        else:
            assert condition == "unpriced"
            assert savings is None


def _check_unlisted(found: list[IdleRecommendation], words: list[str]) -> None:
    assert (found, words) == ([], [])


IDLE_CHECKS = {"listed": _check_listed, "unlisted": _check_unlisted}
"""Of idle recommendations; the series are as long as the window of a rule."""

CHECKS: dict[str, Callable[[Answer, list[str]], None]] = {
    "error": _check_error,
    "finding": _check_finding,
    "option": _check_option,
    "no": _check_no,
    "risk": _check_risk,
    "idle": _check_idle,
}
