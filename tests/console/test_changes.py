"""What changed since the analysis before, and how an option is put into effect."""

import shlex
from datetime import timedelta

import pytest

from compute_optimizer.console.changes import Subject, change_to
from tests.console.changing import CHANGES, known_to_the_cli, option
from tests.console.conftest import House
from tests.console.visiting import words
from tests.records import ACCOUNT, recommendation
from tests.written_runs import SCOPE, store_run


def analyze(house: House, count: int) -> None:
    """Store a run of so many recommendations, each of which saves 79.424 USD."""
    found = [recommendation(number) for number in range(count)]
    store_run(house.state, SCOPE, found, now=house.clock.now())


def test_the_dashboard_compares_with_the_analysis_before(house: House) -> None:
    house.enroll(ACCOUNT)
    visit = house.visit()
    visit.sign_in(ACCOUNT)
    analyze(house, 2)
    assert "There is nothing to compare with" in words(visit.get("/console/"))

    house.clock.advance(timedelta(hours=1))
    analyze(house, 3)
    page = words(visit.get("/console/"))
    # 2 x 79.424 = 158.848 and 3 x 79.424 = 238.272.
    assert "Estimated monthly savings $158.85 $238.27 +$79.42" in page
    assert "Overprovisioned 2 3 +1" in page


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_names_what_is_changed_and_to_what(name: str) -> None:
    resource_type, arn, to, words_of_command, terraform = CHANGES[name]
    change = change_to(resource_type, Subject(arn, "web-1"), to)

    assert change is not None
    told = shlex.split(change.commands.replace("\\\n", " "), comments=True)
    assert " ".join(words_of_command) in " ".join(told)
    assert told[told.index("--region") + 1] == "us-east-1"
    assert terraform in change.terraform
    assert 'web-1" {' in change.terraform


def test_names_cannot_end_a_command_or_a_block() -> None:
    evil = 'x"; rm -rf ~ #\n}'
    arn = "arn:aws:autoscaling:us-east-1:1:autoScalingGroup:u:autoScalingGroupName/a b'; rm -rf ~"
    change = change_to("AutoScalingGroup", Subject(arn, evil), option("m5.large", "type"))

    assert change is not None
    # The whole name is one word of the shell.
    assert "a b'; rm -rf ~" in shlex.split(change.commands)
    assert change.terraform.splitlines()[0] == 'resource "aws_launch_template" "x___rm_-rf______" {'


def test_a_license_has_no_command() -> None:
    subject = Subject("arn:aws:ec2:us-east-1:1:instance/i-1", "db")

    assert change_to("License", subject, option("Standard", "license")) is None


@pytest.mark.parametrize("kind", CHANGES)
def test_commands_and_their_options_are_those_of_the_service_models(kind: str) -> None:
    resource_type, arn, to, *_ = CHANGES[kind]
    change = change_to(resource_type, Subject(arn, "web-1"), to)
    assert change is not None

    lines = change.commands.replace("\\\n", " ").splitlines()
    commands = [shlex.split(line)[1:] for line in lines if line.startswith("aws ")]
    assert commands
    for command in commands:
        options = {word for word in command if word.startswith("--")}
        assert options <= known_to_the_cli(command), command
