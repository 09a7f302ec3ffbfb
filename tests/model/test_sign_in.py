"""Who is who by STS's answer, and which rule lets them in."""

import pytest

from compute_optimizer.errors import InvalidInput
from compute_optimizer.model.sign_in import (
    AwsIdentity,
    SignInRule,
    check_principal,
    check_session_length,
    identity_of,
    open_accounts,
)

ACCOUNT = "111111111111"
OTHER = "222222222222"


def rule(principal: str, account: str = ACCOUNT) -> SignInRule:
    return SignInRule(principal, principal, account, "{}", 3600)


def identity(resource: str, service: str = "sts", partition: str = "aws") -> AwsIdentity:
    found = identity_of(f"arn:{partition}:{service}::{ACCOUNT}:{resource}", ACCOUNT)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("arn", "principal", "name"),
    [
        ("sts::{}:assumed-role/Operator/alice", "iam::{}:role/Operator", "alice"),
        ("sts::{}:assumed-role/Operator/a@example.com", "iam::{}:role/Operator", "a@example.com"),
        ("iam::{}:user/dana", "iam::{}:user/dana", "dana"),
        ("iam::{}:user/eng/tools/dana", "iam::{}:user/eng/tools/dana", "dana"),
        ("sts::{}:federated-user/dana", "sts::{}:federated-user/dana", "dana"),
        ("iam::{}:root", "iam::{}:root", "root"),
    ],
)
def test_a_session_stands_for_its_role_and_others_for_themselves(
    arn: str, principal: str, name: str
) -> None:
    told = f"arn:aws-cn:{arn.format(ACCOUNT)}"

    found = identity_of(told, ACCOUNT)

    expected = f"arn:aws-cn:{principal.format(ACCOUNT)}"
    assert found == AwsIdentity(told, "aws-cn", ACCOUNT, expected, name)


@pytest.mark.parametrize(
    "arn",
    [
        "",
        f"arn:aws:sts::{OTHER}:assumed-role/Operator/alice",
        f"arn:aws:iam::{ACCOUNT}:assumed-role/Operator/alice",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/Operator",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/Operator/",
        f"arn:aws:sts::{ACCOUNT}:assumed-role//alice",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/path/Operator/alice",
        f"arn:aws:iam::{ACCOUNT}:role/Operator",
        f"arn:aws:iam::{ACCOUNT}:user",
        f"arn:aws:iam::{ACCOUNT}:root/dana",
        f"arn:aws:sts::{ACCOUNT}:user/dana",
        f"arn:aws:iam::{ACCOUNT}:user/dana\n",
        f"arn:evil:iam::{ACCOUNT}:user/dana",
        f"arn:aws:iam:us-east-1:{ACCOUNT}:user/dana",
        "arn:aws:iam::" + 12 * "\N{ARABIC-INDIC DIGIT ONE}" + ":user/dana",
    ],
)
def test_an_odd_answer_is_nobody(arn: str) -> None:
    assert identity_of(arn, ACCOUNT) is None


@pytest.mark.parametrize(
    ("pattern", "covered"),
    [
        (f"arn:aws:iam::{ACCOUNT}:role/Operator", True),
        (f"arn:aws:iam::{ACCOUNT}:role/Oper*", True),
        (f"arn:aws:iam::{ACCOUNT}:role/Operat?r", True),
        (f"arn:aws:iam::{ACCOUNT}:role/*", True),
        (ACCOUNT, True),
        (f"arn:aws:iam::{ACCOUNT}:role/operator", False),
        (f"arn:aws:iam::{ACCOUNT}:role/Operator?", False),
        (f"arn:aws:iam::{ACCOUNT}:role/Op.*", False),
        (f"arn:aws:iam::{ACCOUNT}:user/*", False),
        (f"arn:aws:iam::{OTHER}:role/Operator", False),
        (f"arn:aws-cn:iam::{ACCOUNT}:role/Operator", False),
        (OTHER, False),
    ],
)
def test_a_rule_covers_what_its_pattern_says(pattern: str, covered: bool) -> None:
    assert rule(pattern).covers(identity("assumed-role/Operator/alice")) is covered


def test_an_account_by_its_number_is_of_the_partition_aws() -> None:
    abroad = identity("assumed-role/Operator/alice", partition="aws-us-gov")

    assert not rule(ACCOUNT).covers(abroad)


def test_without_rules_nothing_is_open() -> None:
    assert open_accounts([], identity("assumed-role/Operator/alice")) == {}


def test_of_several_rules_for_an_account_the_most_exact_one_decides() -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/"
    # Letters that stand for themselves decide: the whole name, then the longer beginning.
    rules = [rule(one) for one in (ACCOUNT, f"{role}*", f"{role}Op*", f"{role}Operator*")]
    exact = rule(f"{role}Operator")
    who = identity("assumed-role/Operator/alice")

    for number in range(len(rules)):
        among = rules[: number + 1]
        assert open_accounts(among, who) == open_accounts(among[::-1], who) == {ACCOUNT: among[-1]}
    assert open_accounts([exact, *rules], who) == {ACCOUNT: exact}


def test_each_account_has_a_rule_of_its_own() -> None:
    rules = [rule(ACCOUNT), rule(ACCOUNT, OTHER)]

    assert open_accounts(rules, identity("user/dana", "iam")) == {
        ACCOUNT: rules[0],
        OTHER: rules[1],
    }


@pytest.mark.parametrize(
    "principal",
    [
        ACCOUNT,
        f"arn:aws:iam::{ACCOUNT}:root",
        f"arn:aws:iam::{ACCOUNT}:role/AWSReservedSSO_ReadOnly_*",
        f"arn:aws-us-gov:iam::{ACCOUNT}:user/eng/*",
        f"arn:aws:sts::{ACCOUNT}:federated-user/dana",
    ],
)
def test_a_principal_belongs_to_one_account(principal: str) -> None:
    assert check_principal(principal) == ACCOUNT


@pytest.mark.parametrize(
    "principal",
    [
        "*",
        "arn:aws:iam::*:role/Operator",
        "arn:aws:iam::11111111111?:role/Operator",
        f"arn:*:iam::{ACCOUNT}:role/Operator",
        f"arn:aws:iam::{ACCOUNT}:*",
        f"arn:aws:iam::{ACCOUNT}:role/",
        f"arn:aws:iam::{ACCOUNT}:group/admins",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/Operator/alice",
        f"arn:aws:iam::{ACCOUNT}:role/{'a' * 2048}",
        "Operator",
        "",
    ],
)
def test_a_principal_of_no_single_account_is_refused(principal: str) -> None:
    with pytest.raises(InvalidInput, match="expected an account of 12 digits, or an ARN such as"):
        check_principal(principal)


def test_a_role_with_its_path_is_refused_with_what_to_write_instead() -> None:
    with pytest.raises(InvalidInput, match=f"leave it out: arn:aws:iam::{ACCOUNT}:role/Operator"):
        check_principal(f"arn:aws:iam::{ACCOUNT}:role/eng/Operator")


@pytest.mark.parametrize("seconds", [900, 43_200])
def test_a_session_lasts_from_15_minutes_to_12_hours(seconds: int) -> None:
    check_session_length(seconds)
    beyond = seconds - 1 if seconds == 900 else seconds + 1
    with pytest.raises(InvalidInput, match="expected 15 minutes to 12 hours"):
        check_session_length(beyond)
