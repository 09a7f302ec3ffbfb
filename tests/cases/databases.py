"""How the language of case files reads databases, and what it can expect of them."""

from collections.abc import Callable
from typing import Any

from compute_optimizer.model.database import ClassOption, DatabaseRecommendation, StorageOption
from compute_optimizer.model.resource import Resource
from compute_optimizer.resources.rds.dimensions import BYTES_USED, FREE_STORAGE
from compute_optimizer.resources.rds.dimensions import GAUGES as EVERY_GAUGE
from tests.databases import cluster, database

GAUGES = tuple(
    metric for metric in EVERY_GAUGE if metric not in ("CPUUtilization", "mem_used_percent")
)
LEVELS = (FREE_STORAGE, BYTES_USED)
"""Metrics that are averages by themselves."""

NUMBERS = ("allocated_gib", "iops", "throughput_mibps", "max_allocated_gib", "promotion_tier")
FLAGS = ("multi_az", "writer", "read_replica", "global_secondary", "performance_insights")


def database_of(given: dict[str, str]) -> Resource:
    """Return the DB instance or, where its type is Aurora's storage, the cluster."""
    numbers = {key: int(given.pop(key)) for key in NUMBERS if key in given}
    flags = {key: given.pop(key) == "true" for key in FLAGS if key in given}
    kind = given.pop("type")
    if kind.startswith("aurora"):
        members = given.pop("members", "db.r5.large").split(";")
        return cluster("orders", kind, member_classes=tuple(members), **given)
    return database(1, kind, **given, **numbers, **flags)


def _check_instance(answer: DatabaseRecommendation, words: list[str]) -> None:
    """Assert finding and reason codes of the instance."""
    finding = answer.instance_finding
    told = [finding.value if finding else "none", *answer.instance_reason_codes]
    assert told == words, told


def _check_storage(answer: DatabaseRecommendation, words: list[str]) -> None:
    """Assert finding and reason codes of the storage."""
    finding = answer.storage_finding
    told = [finding.value if finding else "none", *answer.storage_reason_codes]
    assert told == words, told


def _check_option(answer: DatabaseRecommendation, words: list[str]) -> None:
    rank, db_class, *conditions = words
    pool = next((word[5:] for word in conditions if word.startswith("pool=")), "CURRENT")
    option = _class_option(answer, int(rank), pool)
    assert option is not None, f"no option {rank} in {pool}"
    assert option.db_class == db_class, option
    for condition in conditions:
        if figure := condition.partition("cpu=")[2]:
            assert option.projected_cpu is not None
            assert abs(option.projected_cpu - float(figure)) < 0.05, option
        _check_shared(option, condition)


def _class_option(answer: DatabaseRecommendation, rank: int, pool: str) -> ClassOption | None:
    found = (o for o in answer.instance_options if (o.rank, o.architecture_pool) == (rank, pool))
    return next(found, None)


def _check_disk(answer: DatabaseRecommendation, words: list[str]) -> None:
    rank, storage_type, *conditions = words
    option = next((o for o in answer.storage_options if o.rank == int(rank)), None)
    assert option is not None, f"no storage option {rank}"
    assert option.configuration.storage_type == storage_type, option
    for condition in conditions:
        if name := next((name for name in FIGURES if condition.startswith(f"{name}=")), None):
            told = getattr(option.configuration, FIGURES[name])
            assert told == int(condition.removeprefix(f"{name}=")), option
        elif wanted := condition.partition("varies=")[2]:
            assert str(option.cost_variation) == wanted, option
        else:
            _check_shared(option, condition)


FIGURES = {
    "gib": "allocated_gib",
    "iops": "iops",
    "mibps": "throughput_mibps",
    "max": "max_allocated_gib",
}
"""Conditions of storage, and the members of a configuration that they look at."""


def _check_shared(option: ClassOption | StorageOption, condition: str) -> None:
    if exactly := condition.partition("saves=")[2]:
        assert option.savings is not None
        assert abs(option.savings.monthly_usd - float(exactly)) < 0.005, option
    if condition == "unpriced":
        assert option.savings is None, option


def _check_no(answer: DatabaseRecommendation, words: list[str]) -> None:
    match words:
        case ["option", rank]:
            assert _class_option(answer, int(rank), "CURRENT") is None, answer.instance_options
        case ["disk", rank]:
            assert not [o for o in answer.storage_options if o.rank == int(rank)], answer
        case _:
            raise ValueError(" ".join(words))


def _check_risk(answer: DatabaseRecommendation, words: list[str]) -> None:
    assert [str(answer.current_performance_risk)] == words, answer


def _check_idle(answer: DatabaseRecommendation, words: list[str]) -> None:
    assert [str(answer.idle)] == words, answer


CHECKS: dict[str, Callable[[Any, list[str]], None]] = {
    "instance": _check_instance,
    "storage": _check_storage,
    "option": _check_option,
    "disk": _check_disk,
    "no": _check_no,
    "risk": _check_risk,
    "idle": _check_idle,
}
"""What a case can expect of a database; an error is expected as of every type."""
