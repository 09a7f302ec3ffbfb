"""Instances in the inventory of a state."""

from compute_optimizer.model.resource import EC2_INSTANCE, Resource
from compute_optimizer.store import State, inventory

ACCOUNT = "111111111111"


def instance(number: int, account: str = ACCOUNT, region: str = "us-east-1") -> Resource:
    resource_id = f"i-{number:017x}"
    return Resource(
        arn=f"arn:aws:ec2:{region}:{account}:instance/{resource_id}",
        account_id=account,
        region=region,
        resource_type=EC2_INSTANCE,
        resource_id=resource_id,
        instance_type="m5.large",
        tags={"Team": "search", "App": "front"},
    )


def upsert(state: State, *resources: Resource) -> inventory.UpsertCounts:
    with state.writing() as connection:
        return inventory.upsert_resources(connection, resources)
