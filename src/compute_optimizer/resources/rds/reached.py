"""Whether databases have come up against the class or the storage that they were given."""

from dataclasses import replace

from compute_optimizer.catalog.database_classes import DatabaseClasses
from compute_optimizer.engine.reached import MadeChange, Resized, judged_by, shrunk
from compute_optimizer.model.database import Database, StorageConfiguration
from compute_optimizer.model.decision import Configuration
from compute_optimizer.resources.rds.replay import REPLAY, class_capacity, storage_capacity


def _configured(database: Database, now: Configuration) -> Database:
    """Return the database as it became; of an Aurora cluster no capacity is at stake."""
    return replace(
        database,
        instance_type=now.get("dbClass", database.instance_type),
        allocated_gib=now.get("allocatedGib", database.allocated_gib),
    )


def _resized(change: MadeChange, classes: DatabaseClasses) -> Resized:
    before, now = (_carried(one, classes) for one in (change.former, change.now))
    return Resized(shrunk(before, now), now)


def _carried(one: Configuration, classes: DatabaseClasses) -> tuple[float, ...]:
    storage = StorageConfiguration(
        storage_type=one.get("storageType", ""),
        allocated_gib=one.get("allocatedGib"),
        iops=one.get("iops"),
        throughput_mibps=one.get("throughputMibps"),
    )
    return (*class_capacity(one.get("dbClass", ""), classes), *storage_capacity(storage))


JUDGE = judged_by(REPLAY, _configured, _resized)
