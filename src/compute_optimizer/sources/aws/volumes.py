"""EBS volumes."""

from compute_optimizer.model.ebs_volume import EbsVolume
from compute_optimizer.model.resource import EBS_VOLUME, Resource
from compute_optimizer.sources.aws.calls import INSTANCES, VOLUMES
from compute_optimizer.sources.aws.records import Answers, Located, tags_of

PROVISIONED_IOPS = ("gp3", "io1", "io2")
"""Types whose IOPS are provisioned; of others EC2 tells what their size gives them."""

PROVISIONED_THROUGHPUT = "gp3"


def read_volumes(at: Located, answers: Answers) -> list[Resource]:
    """Return the volumes."""
    roots = {
        (one["InstanceId"], one.get("RootDeviceName"))
        for reservation in answers[INSTANCES]
        for one in reservation["Instances"]
    }
    found: list[Resource] = []
    for one in answers[VOLUMES]:
        kind, tags = one["VolumeType"], tags_of(one.get("Tags"))
        attached = {(to["InstanceId"], to["Device"]) for to in one["Attachments"]}
        members = at.shared(
            EBS_VOLUME,
            arn=at.arn("ec2", f"volume/{one['VolumeId']}"),
            resource_id=one["VolumeId"],
            instance_type=kind,
            name=tags.get("Name", ""),
            tags=tags,
        )
        volume = EbsVolume(
            **members,
            state=one["State"],
            size_gib=one["Size"],
            iops=one.get("Iops") if kind in PROVISIONED_IOPS else None,
            throughput_mibps=one.get("Throughput") if kind == PROVISIONED_THROUGHPUT else None,
            root=not attached.isdisjoint(roots),
            created_at=one["CreateTime"],
        )
        found.append(volume)
    return found
