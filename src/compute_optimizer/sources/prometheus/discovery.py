"""Who there is: the machines that servers know, what their labels tell, and what they are."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from compute_optimizer.catalog import load_instance_types
from compute_optimizer.catalog.closest_type import FAMILIES, closest_type
from compute_optimizer.catalog.instance_types import Architecture
from compute_optimizer.errors import InvalidInput
from compute_optimizer.model.resource import EC2_INSTANCE, Resource
from compute_optimizer.sources.prometheus.answers import Series
from compute_optimizer.sources.prometheus.declared import Exporter, Info
from compute_optimizer.sources.prometheus.identity import machine_of, tags_of, told

Machine = tuple[str, ...]
"""The labels by which an exporter tells one machine from another."""

Row = Mapping[str, Any]
"""What is told of a resource, named as the columns of an inventory file."""

ReadRow = Callable[[Row], Resource]
"""Return the resource of a row; raise InvalidInput for one that does not fit."""

Ask = Callable[[str], Sequence[Series]]
"""Answer an expression with placeholders, at the present moment."""

OWNER = ("account", "region", "id")

ARCHITECTURES = {
    "": Architecture.X86_64,
    "x86_64": Architecture.X86_64,
    "amd64": Architecture.X86_64,
    "aarch64": Architecture.ARM64,
    "arm64": Architecture.ARM64,
}
"""By what Linux and others call them."""


@dataclass(frozen=True, slots=True)
class KnownMachine:
    """A machine that an exporter knows."""

    exporter: int
    """Position in the list of exporters that were asked."""
    machine: Machine
    row: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Match:
    """A type that was chosen by cores and memory, for a resource that declares none."""

    arn: str
    instance_type: str
    vcpus: float
    memory_mib: float


@dataclass(frozen=True, slots=True, order=True)
class LeftOut:
    """A machine that is no resource, and why."""

    machine: str
    reason: str


@dataclass(slots=True)
class Found:
    """What discovery found."""

    resources: dict[str, Resource] = field(default_factory=dict)
    """By ARN."""
    machines: defaultdict[str, list[tuple[int, Machine]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    """By ARN, which exporters know it under which labels."""
    matches: list[Match] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    unread: dict[int, str] = field(default_factory=dict)
    """Why an exporter of a server could not be read, while others could."""


def seen(number: int, exporter: Exporter, ask: Ask) -> Iterator[KnownMachine]:
    """Yield the machines that an exporter knows; raises as `ask`."""
    described: dict[Machine, dict[str, str]] = {}
    for one in ask(exporter.machines):
        machine = machine_of(exporter.by, one.labels)
        described.setdefault(machine, {}).update(one.labels)
    for info in exporter.info:
        _describe(described.values(), info, ask)
    sizes = {
        name: _sizes(exporter, ask(getattr(exporter, name)))
        for name in ("vcpus", "memory_mib")
        if getattr(exporter, name)
    }
    for machine, labels in described.items():
        row: dict[str, Any] = {name: told(how, labels) for name, how in exporter.resource.items()}
        row |= {name: size[machine] for name, size in sizes.items() if machine in size}
        row |= {"tags": tags_of(exporter.tags, labels), "resource_type": exporter.resource_type}
        yield KnownMachine(number, machine, row)


def resources_of(
    machines: Iterable[KnownMachine], read: ReadRow, families: tuple[str, ...] = ()
) -> Found:
    """Return the resources that machines are, whichever exporters know them; pure."""
    found = Found()
    for owner, some in _by_owner(machines).items():
        row = _merged(some)
        match = _matched(row, families) if row["resource_type"] == EC2_INSTANCE else None
        try:
            resource = read({**row, "type": match[0]} if match else _without_usual_size(row))
        except InvalidInput as error:
            found.left_out.append(LeftOut(_spelled(owner, some), str(error)))
            continue
        found.resources[resource.arn] = resource
        found.machines[resource.arn] += [(one.exporter, one.machine) for one in some]
        if match:
            found.matches.append(Match(resource.arn, *match))
    return found


def known_resources(machines: Iterable[KnownMachine], known: Sequence[Resource]) -> Found:
    """Return which of some known resources machines are: by id, or else by name."""
    found, index = Found(), _index(known)
    for owner, some in _by_owner(machines).items():
        row = _merged(some)
        names = [name for name in (row.get("id", ""), row.get("name", "")) if name]
        having = next((index[name] for name in names if index.get(name)), [])
        fitting = [one for one in having if _agrees(one, owner, row["resource_type"])]
        if len(fitting) != 1:
            reason = (
                f"{len(fitting)} resources of the inventory have the id or name "
                f"{' or '.join(map(repr, names)) or 'that no label tells'}"
            )
            found.left_out.append(LeftOut(_spelled(owner, some), reason))
            continue
        found.resources[fitting[0].arn] = fitting[0]
        found.machines[fitting[0].arn] += [(one.exporter, one.machine) for one in some]
    return found


def _describe(machines: Iterable[dict[str, str]], info: Info, ask: Ask) -> None:
    """Add, in place, the labels of another metric that machines do not have."""
    by_shared = {machine_of(info.labels, one.labels): one.labels for one in ask(info.query)}
    for labels in machines:
        labels |= {**by_shared.get(machine_of(info.labels, labels), {}), **labels}


def _sizes(exporter: Exporter, answer: Sequence[Series]) -> dict[Machine, float]:
    return {
        machine_of(exporter.by, one.labels): float(one.values[-1])
        for one in answer
        if one.values[-1] > 0
    }


def _by_owner(machines: Iterable[KnownMachine]) -> dict[tuple[str, ...], list[KnownMachine]]:
    """Group what is told of the same id; a row without account or Region joins the one with."""
    groups: defaultdict[tuple[str, ...], list[KnownMachine]] = defaultdict(list)
    for one in sorted(machines, key=lambda one: (one.exporter, one.machine)):
        groups[tuple(one.row.get(name, "") for name in OWNER)].append(one)
    whole: defaultdict[str, list[tuple[str, ...]]] = defaultdict(list)
    for owner in groups:
        if all(owner):
            whole[owner[2]].append(owner)
    for owner in [owner for owner in groups if not all(owner)]:
        fitting = [one for one in whole[owner[2]] if _fits(owner, one)]
        if len(fitting) == 1:
            groups[fitting[0]] += groups.pop(owner)
    return dict(groups)


def _fits(part: Sequence[str], whole: Sequence[str]) -> bool:
    return all(not one or one == other for one, other in zip(part, whole, strict=True))


def _merged(some: Sequence[KnownMachine]) -> dict[str, Any]:
    """Return what all of them tell; of several that tell the same, the first exporter counts."""
    row: dict[str, Any] = {}
    for one in sorted(some, key=lambda one: one.exporter):
        row |= {name: value for name, value in one.row.items() if value and not row.get(name)}
    return row


def _matched(row: Row, families: tuple[str, ...]) -> tuple[str, float, float] | None:
    """Return type, vCPUs and MiB of a row that names no type and has cores and memory."""
    vcpus, memory_mib = row.get("vcpus"), row.get("memory_mib")
    architecture = ARCHITECTURES.get(row.get("architecture", ""))
    if row.get("type") or not vcpus or not memory_mib or architecture is None:
        return None
    wanted = families or FAMILIES[architecture]
    name = closest_type(load_instance_types(), wanted, row.get("region", ""), vcpus, memory_mib)
    return (name, vcpus, memory_mib) if name else None


def _without_usual_size(row: Row) -> Row:
    """Return a row without cores and memory where its type says how much it has of them.

    What the operating system sees of the memory is less than what the type has.
    """
    types = load_instance_types()
    place = types.index.get(row.get("type", ""))
    if place is None or row.get("vcpus") != types.vcpus[place]:
        return row
    return {name: value for name, value in row.items() if name not in ("vcpus", "memory_mib")}


def _index(known: Sequence[Resource]) -> dict[str, list[Resource]]:
    index: defaultdict[str, list[Resource]] = defaultdict(list)
    for one in known:
        for name in {one.resource_id, one.name, one.arn} - {""}:
            index[name].append(one)
    return index


def _agrees(resource: Resource, owner: tuple[str, ...], resource_type: str) -> bool:
    place = resource.account_id, resource.region
    return resource.resource_type == resource_type and _fits(owner[:2], place)


def _spelled(owner: tuple[str, ...], some: Sequence[KnownMachine]) -> str:
    return owner[2] or " ".join(some[0].machine)
