"""How what is idle is stopped: commands that AWS's tools know, of what can be taken back."""

import shlex

import pytest

from compute_optimizer.console.changes import Subject
from compute_optimizer.console.stopping import STOPS, stop_of
from tests.console.changing import IDLE, known_to_the_cli


@pytest.mark.parametrize("resource_type", STOPS)
def test_the_last_command_stops_what_is_idle_and_all_are_known_to_the_cli(
    resource_type: str,
) -> None:
    arn, verb, options = IDLE[resource_type]
    change = STOPS[resource_type].make(Subject(f"arn:aws:{arn}", "web-1"))

    commands = [shlex.split(line)[1:] for line in change.commands.replace("\\\n", " ").splitlines()]
    assert " ".join(commands[-1]) == f"{verb} --region us-east-1 {options}"
    for command in commands:
        given = {word for word in command if word.startswith("--")}
        assert given <= known_to_the_cli(command), command
    assert change.mind


def test_a_volume_is_deleted_after_its_snapshot_is_complete() -> None:
    change = STOPS["EbsVolume"].make(Subject("arn:aws:ec2:us-east-1:1:volume/vol-1", "data"))

    verbs = [line.split()[2] for line in change.commands.splitlines() if line.startswith("aws")]
    assert verbs == ["create-snapshot", "wait", "delete-volume"]


def test_what_can_only_be_deleted_with_its_data_has_no_command() -> None:
    assert stop_of("DynamoDBTable") is None
