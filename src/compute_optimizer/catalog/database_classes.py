"""DB instance classes: EC2 instance types under the names that RDS gives them.

A class has the vCPUs, memory, network and EBS figures of its type (Amazon RDS User Guide, DB
instance classes, describes them by those types). Arrays are in the order of the names.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compute_optimizer.catalog.instance_types import InstanceTypes, load_instance_types
from compute_optimizer.catalog.own_prices import OwnPrices, with_own_prices
from compute_optimizer.catalog.size_law import SIZE_UNITS, family_of
from compute_optimizer.model.database import AURORA_IO_OPTIMIZED, AURORA_PREFIX, AURORA_STANDARD

CLASS_PREFIX = "db."

RDS_ENGINES = ("mysql", "postgres")
AURORA_ENGINES = ("aurora-mysql", "aurora-postgresql")
ENGINES = (*RDS_ENGINES, *AURORA_ENGINES)
"""The engines that get recommendations (spec 2.2), as RDS names them."""

_RDS = """
m5 m5d m6g m6gd m6i m6id m7g m7i m8g
r5 r5b r5d r6g r6gd r6i r6id r7g r7i r8g
t3 t4g x1 x2g x2idn x2iedn z1d
"""
_AURORA = "m8g r5 r6g r6i r7g r8g x2g t3 t4g r6gd r6id"

RDS_FAMILIES = frozenset(_RDS.split())
AURORA_FAMILIES = frozenset(_AURORA.split())
"""Source: AWS Compute Optimizer User Guide, requirements for RDS DB instances and Aurora."""

EC2_FAMILIES = {"x2g": "x2gd"}
"""Families whose hardware is an EC2 family of another name (Amazon RDS User Guide)."""

SMALLEST = {"t3": "micro", "t4g": "micro"}
"""The least size that RDS sells of a family; of all others large (Amazon RDS User Guide)."""

SERIES = re.compile(r"(?P<letters>[a-z]+)(?P<generation>\d+)")
"""A family's name begins with its series and its generation: m5d is of series m."""


@dataclass(frozen=True, slots=True, eq=False)
class DatabaseClasses:
    """The catalog: classes, and the storage of Aurora clusters, which stands for their type."""

    types: InstanceTypes
    """Named as classes; `families` are those of RDS, without the prefix."""
    index: Mapping[str, int]
    """What the inventory may name: classes, and `aurora` and `aurora-iopt1`."""
    aurora: NDArray[np.bool_]
    """(classes,): supported for Aurora."""
    rds: NDArray[np.bool_]
    """(classes,): supported for RDS."""

    def supported(self, engine: str) -> NDArray[np.bool_]:
        """Return which classes are supported with an engine, (classes,); none with another one."""
        if engine not in ENGINES:
            return np.zeros(len(self.types.names), dtype=np.bool_)
        return self.aurora if engine.startswith(AURORA_PREFIX) else self.rds


@cache
def load_database_classes() -> DatabaseClasses:
    """Return the classes of every supported family that the catalog of instance types has."""
    whole = load_instance_types()
    named = sorted(
        (f"{CLASS_PREFIX}{family}.{size}", place)
        for family in RDS_FAMILIES | AURORA_FAMILIES
        for name, place in whole.index.items()
        for size in [name.partition(".")[2]]
        if family_of(name) == EC2_FAMILIES.get(family, family) and _is_sold(family, size)
    )
    names = tuple(name for name, _ in named)
    types = _chosen(whole, names, np.array([place for _, place in named]))
    index = {name: place for place, name in enumerate(names)}
    storage = {AURORA_STANDARD: len(names), AURORA_IO_OPTIMIZED: len(names) + 1}
    return DatabaseClasses(
        types=types,
        index=MappingProxyType(index | storage),
        aurora=np.array([family in AURORA_FAMILIES for family in types.families]),
        rds=np.array([family in RDS_FAMILIES for family in types.families]),
    )


def with_own_class_prices(classes: DatabaseClasses, own: OwnPrices) -> DatabaseClasses:
    """Return the catalog in which own prices count before those that the package ships."""
    return replace(classes, types=with_own_prices(classes.types, own))


def newer_available(classes: DatabaseClasses, place: int, region: str, engine: str) -> bool:
    """Return whether a class of the same series and size has a later generation on offer.

    It must be supported with the engine, run the same instruction set, have the same vCPUs, no less
    memory and no less instance store. The offer of its instance type stands for that of the class.
    """
    types = classes.types
    letters, generation = _series(types.families[place])
    later = np.array([_is_later(family, letters, generation) for family in types.families])
    alike = types.vcpus == types.vcpus[place]
    alike &= types.architectures == types.architectures[place]
    alike &= types.cpu_vendor == types.cpu_vendor[place]
    alike &= types.memory_mib >= types.memory_mib[place]
    alike &= types.instance_store_gib >= types.instance_store_gib[place]
    return bool((later & alike & classes.supported(engine) & types.offered(region)).any())


@cache
def _series(family: str) -> tuple[str, int]:
    parts = SERIES.match(family)
    return (parts["letters"], int(parts["generation"])) if parts else (family, 0)


def _is_later(family: str, letters: str, generation: int) -> bool:
    of_family, its_generation = _series(family)
    return of_family == letters and its_generation > generation


def _is_sold(family: str, size: str) -> bool:
    """Return whether RDS sells a size: no bare metal, and nothing below the family's smallest."""
    if size.startswith("metal"):
        return False
    return SIZE_UNITS.get(size, np.inf) >= SIZE_UNITS[SMALLEST.get(family, "large")]


def _chosen(whole: InstanceTypes, names: tuple[str, ...], places: NDArray[np.int64]) -> Any:
    """Return the catalog of some of the types, under other names."""
    arrays = {
        one.name: getattr(whole, one.name)[places]
        for one in fields(whole)
        if isinstance(getattr(whole, one.name), np.ndarray)
    }
    families = tuple(name.split(".")[1] for name in names)
    # An x2gd lends x2g its hardware, but RDS does not hand out the instance store.
    bare = np.array([family in EC2_FAMILIES for family in families])
    arrays["instance_store_gib"] = np.where(bare, 0.0, arrays["instance_store_gib"])
    arrays["rightsizing_supported"] = np.ones(len(names), dtype=np.bool_)
    return replace(
        whole,
        names=names,
        families=families,
        index=MappingProxyType({name: place for place, name in enumerate(names)}),
        offerings=MappingProxyType({r: on[places] for r, on in whole.offerings.items()}),
        **arrays,
    )
