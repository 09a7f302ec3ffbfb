"""What the instances of a group are recommended: never anything but what their group is."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from msgspec import structs

from compute_optimizer.model.recommendation import (
    Ec2InstanceRecommendation,
    Results,
)
from compute_optimizer.model.resource import Resource


def following_groups(
    instances: Sequence[Resource],
    alone: Results[Ec2InstanceRecommendation],
    machines: Results[Ec2InstanceRecommendation],
) -> Results[Ec2InstanceRecommendation]:
    """Return what was found of instances `alone`, with members following their groups.

    `machines` are the recommendations for one machine of each group, and the errors of groups,
    under the ARNs of the groups. A group that is in neither is not known: its members stay alone.
    """
    of_groups = {one.resource_arn: one for one in machines.recommendations}
    refused = {one.resource_arn: one for one in machines.errors}
    owners = {one.arn: one.auto_scaling_group_arn or "" for one in instances}
    found = tuple(
        _following(one, of_groups)
        for one in alone.recommendations
        if owners[one.resource_arn] not in refused
    )
    errors = tuple(
        replace(refused[owners[one.resource_arn]], resource_arn=one.resource_arn)
        for one in alone.recommendations
        if owners[one.resource_arn] in refused
    )
    return Results(found, (*alone.errors, *errors))


def _following(
    member: Ec2InstanceRecommendation, of_groups: Mapping[str, Ec2InstanceRecommendation]
) -> Ec2InstanceRecommendation:
    """Return the recommendation with what decides taken from the group; its use is its own."""
    machine = of_groups.get(member.auto_scaling_group_arn or "")
    if machine is None:
        return member
    # Of a mixed group the options are told for one of its types only.
    same = member.current_instance_type == machine.current_instance_type
    return structs.replace(
        member,
        finding=machine.finding,
        finding_reason_codes=machine.finding_reason_codes,
        options=machine.options if same else (),
        current_performance_risk=machine.current_performance_risk,
        evidence=machine.evidence,
        other=machine.other,
        follows_group=True,
    )
