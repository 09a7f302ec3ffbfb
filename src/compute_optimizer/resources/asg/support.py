"""Which Auto Scaling groups the service rightsizes (spec 2.3)."""

from collections.abc import Callable

import numpy as np

from compute_optimizer.catalog import InstanceTypes
from compute_optimizer.engine.arrays import Booleans
from compute_optimizer.model.auto_scaling_group import AutoScalingGroup

MIXED_SERIES = ("c", "m", "r")
"""The series whose families may be mixed."""

CONTAINER_TAGS = (
    "AmazonECSManaged",
    "eks:cluster-name",
    "k8s.io/cluster-autoscaler/enabled",
    "kubernetes.io/cluster/",
)
"""How tag keys of groups that run containers of ECS or Kubernetes begin (AWS documents them)."""


def types_of(group: AutoScalingGroup) -> tuple[str, ...]:
    """Return the instance types of a group, by priority."""
    return group.mixed_types or (group.instance_type,)


def is_supported(group: AutoScalingGroup, types: InstanceTypes) -> bool:
    """Return whether the group may have a recommendation."""
    if any(name not in types.index for name in types_of(group)):
        return False
    return not any(refuses(group, types) for refuses in _REFUSALS)


def mixable(types: InstanceTypes) -> Booleans:
    """Return which types a mixed group may have, (types,): with others it would be unsupported."""
    return np.array([_series_of(family) in MIXED_SERIES for family in types.families])


def _unsupported_type(group: AutoScalingGroup, types: InstanceTypes) -> bool:
    return not all(types.rightsizing_supported[types.index[name]] for name in types_of(group))


def _mixes_other_series(group: AutoScalingGroup, types: InstanceTypes) -> bool:
    if len(types_of(group)) == 1:
        return False
    return any(_series_of(name) not in MIXED_SERIES for name in types_of(group))


def _mixes_vendors(group: AutoScalingGroup, types: InstanceTypes) -> bool:
    # AMD with Intel, and x86 with Graviton: the vendor tells both.
    return len({int(types.cpu_vendor[types.index[name]]) for name in types_of(group)}) > 1


def _runs_containers(group: AutoScalingGroup, types: InstanceTypes) -> bool:
    return any(key.startswith(CONTAINER_TAGS) for key in group.tags)


_REFUSALS: tuple[Callable[[AutoScalingGroup, InstanceTypes], bool], ...] = (
    lambda group, types: group.spot,
    lambda group, types: group.weighted,
    _unsupported_type,
    _mixes_other_series,
    _mixes_vendors,
    _runs_containers,
)


def _series_of(instance_type: str) -> str:
    """Return the letters that a type begins with, such as c of c6gn.large and inf of inf2."""
    letters = 0
    while letters < len(instance_type) and instance_type[letters].isalpha():
        letters += 1
    return instance_type[:letters]
