"""Where the exports of each resource type hold what is compared; names are in lower case.

The columns are those of the service's own files (spec, appendix E).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from compute_optimizer.model.export import IDLE
from compute_optimizer.model.resource import (
    AUTO_SCALING_GROUP,
    EBS_VOLUME,
    EC2_INSTANCE,
    ECS_SERVICE,
    LAMBDA_FUNCTION,
    LICENSE,
    RDS_DB_INSTANCE,
)
from compute_optimizer.views.export_columns import Column

FIRST = "recommendationoptions_1_"
"""How the columns of the first option begin."""

ERRORS = ("errorcode", "errormessage")

USE = "utilizationmetrics"
REASONS = "findingreasoncodes_is"


@dataclass(frozen=True, slots=True)
class Advice:
    """One answer about a resource; databases have a second one, about their storage."""

    finding: str
    option: tuple[str, ...]
    """What the first option is: differs where any does."""
    savings: str
    """Of the first option, a month."""
    price: str = ""
    """List price as it is; empty where the export has none."""


@dataclass(frozen=True, slots=True)
class Places:
    """The columns of one type."""

    current: tuple[str, ...]
    """What the resource is."""
    advice: Advice
    storage: Advice | None = None
    risk: str = f"{FIRST}performancerisk"
    """Of the first option; empty where the export has none, as the next one."""
    current_risk: str = "currentperformancerisk"
    look_back: str = "lookbackperiodindays"
    refreshed: str = "lastrefreshtimestamp_utc"


@dataclass(frozen=True, slots=True)
class ComparedType:
    """The columns of one type, and what of them the columns of ours have."""

    places: Places
    use: tuple[str, ...]
    """Values of use that the columns of both sides hold."""
    reasons: tuple[str, ...] = ()
    """Columns that are true for each reason of a finding."""

    @property
    def advice(self) -> tuple[Advice, ...]:
        """Return all answers about a resource."""
        places = self.places
        return (places.advice,) if places.storage is None else (places.advice, places.storage)

    @property
    def columns(self) -> frozenset[str]:
        """Every column that is looked at."""
        places = self.places
        told = [name for one in self.advice for name in (one.finding, one.savings, one.price)]
        told += [name for one in self.advice for name in one.option]
        others = (places.risk, places.current_risk, places.look_back, places.refreshed)
        every = (*told, *others, *places.current, *self.use, *self.reasons, *ERRORS)
        return frozenset({"accountid", *every}) - {""}


def _volume(prefix: str) -> tuple[str, ...]:
    figures = ("type", "size", "baselineiops", "baselinethroughput")
    return tuple(f"{prefix}configuration_volume{figure}" for figure in figures)


def _usual(option: tuple[str, ...], price: str = "") -> Advice:
    return Advice("finding", option, f"{FIRST}estimatedmonthlysavings_value", price)


def _database_storage(prefix: str) -> tuple[str, ...]:
    figures = ("storagetype", "allocatedstorage", "iops", "storagethroughput")
    return tuple(f"{prefix}{figure}" for figure in figures)


_CLASS = "instancerecommendationoptions_1_"
_STORAGE = "storagerecommendationoptions_1_"

PLACES: Mapping[str, Places] = {
    EC2_INSTANCE: Places(
        current=("currentinstancetype",),
        advice=_usual((f"{FIRST}instancetype",), "current_ondemandprice"),
    ),
    AUTO_SCALING_GROUP: Places(
        current=("currentconfiguration_instancetype", "currentconfiguration_desiredcapacity"),
        advice=_usual((f"{FIRST}configuration_instancetype",), "current_ondemandprice"),
    ),
    EBS_VOLUME: Places(
        current=_volume("current"), advice=_usual(_volume(FIRST), "current_monthlyprice")
    ),
    LAMBDA_FUNCTION: Places(
        current=("currentconfiguration_memorysize",),
        # The files have what it cost in the period, which goes with its use: that is no list price.
        advice=_usual((f"{FIRST}configuration_memorysize",)),
        risk="",
    ),
    ECS_SERVICE: Places(
        current=("currentserviceconfiguration_cpu", "currentserviceconfiguration_memory"),
        advice=_usual((f"{FIRST}cpu", f"{FIRST}memory")),
        risk="",
    ),
    RDS_DB_INSTANCE: Places(
        current=("currentdbinstanceclass", *_database_storage("currentstorageconfiguration")),
        advice=Advice(
            "instancefinding",
            (f"{_CLASS}dbinstanceclass",),
            f"{_CLASS}estimatedmonthlysavingsvalue",
            "currentinstanceondemandhourlyprice",
        ),
        storage=Advice(
            "storagefinding",
            _database_storage(_STORAGE),
            f"{_STORAGE}estimatedmonthlysavingsvalue",
            "currentstorageondemandmonthlyprice",
        ),
        risk=f"{_CLASS}performancerisk",
        # No public file has a column of it.
        current_risk="",
        refreshed="lastrefreshtimestamp",
    ),
    LICENSE: Places(
        current=tuple(f"currentlicenseconfiguration_license{of}" for of in ("name", "edition")),
        advice=Advice(
            "finding",
            (f"{FIRST}licenseedition", f"{FIRST}licensemodel"),
            f"{FIRST}estimatedmonthlysavingsvalue",
        ),
        risk="",
        current_risk="",
    ),
    IDLE: Places(
        current=("resourcetype",),
        advice=Advice("finding", (), "estimatedmonthlysavingsvalue"),
        risk="",
        current_risk="",
    ),
}
"""By resource type whose exports can be compared, IDLE among them."""


def compared_type(resource_type: str, columns: Sequence[Column]) -> ComparedType:
    """Return where a type's columns hold what is compared."""
    names = [column.name.lower() for column in columns]
    use = tuple(name for name in names if name.startswith(USE))
    reasons = tuple(name for name in names if REASONS in name)
    return ComparedType(PLACES[resource_type], use, reasons)
