"""One YAML file, or a text, to the records of `state`: sections of what an emulator starts with."""

from collections.abc import Sequence
from pathlib import Path

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from compute_optimizer.emulator import state
from compute_optimizer.sources.yaml_files import convert_yaml, read_yaml

Stated = state.Record | Path | str | Sequence["Stated"]
"""Records, the path of a YAML file, its text, or several of them."""

TEXT = "the text of the state"
"""What errors call YAML that stands in a test itself."""


class StateFile(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file; every section may be left out."""

    organization: state.Organization | UnsetType = UNSET
    accounts: list[state.Account] = []
    instances: list[state.Instance] = []
    auto_scaling_groups: list[state.AutoScalingGroup] = []
    volumes: list[state.Volume] = []
    functions: list[state.Function] = []
    services: list[state.Service] = []
    databases: list[state.Database] = []
    aurora_clusters: list[state.AuroraCluster] = []
    nat_gateways: list[state.NatGateway] = []
    idle_resources: list[state.IdleResource] = []
    files: list[state.Files] = []
    """Inventory and metrics; paths count from where the file is."""
    preferences: list[state.Preferences] = []
    export_jobs: list[state.ExportJob] = []
    recommendations: list[state.FixedRecommendations] = []


def records_of(stated: Stated) -> list[state.Record]:
    """Return the records that a test states; raise InvalidInput that names the place in YAML."""
    if isinstance(stated, Path):
        return _of_file(read_yaml(stated, StateFile), stated.parent)
    if isinstance(stated, str):
        if "\n" not in stated and stated.endswith((".yaml", ".yml")):
            return records_of(Path(stated))
        return _of_file(convert_yaml(stated, TEXT, StateFile), Path())
    if isinstance(stated, Sequence):
        return [record for one in stated for record in records_of(one)]
    return [stated]


def _of_file(file: StateFile, folder: Path) -> list[state.Record]:
    """Return all sections as one list, in an order in which each can refer to those before it."""
    found: list[state.Record] = []
    if file.organization is not UNSET:
        found.append(file.organization)
    for section in (
        file.accounts,
        file.auto_scaling_groups,
        file.instances,
        file.volumes,
        file.functions,
        file.services,
        file.databases,
        file.aurora_clusters,
        file.nat_gateways,
        file.idle_resources,
        [_beside(one, folder) for one in file.files],
        file.preferences,
        file.export_jobs,
        file.recommendations,
    ):
        found += section
    return found


def _beside(files: state.Files, folder: Path) -> state.Files:
    inventory = files.inventory and str(folder / files.inventory)
    return replace(files, inventory=inventory, metrics=[str(folder / one) for one in files.metrics])
