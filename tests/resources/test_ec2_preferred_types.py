"""Include and exclude lists of instance types."""

import pytest

from compute_optimizer.catalog import load_instance_types
from compute_optimizer.errors import InvalidInput
from compute_optimizer.resources.ec2.preferred_types import preferred_types

TYPES = load_instance_types()


def names(include: tuple[str, ...] = (), exclude: tuple[str, ...] = ()) -> set[str]:
    preferred = preferred_types(TYPES, include, exclude)
    return {name for name, left in zip(TYPES.names, preferred, strict=True) if left}


def test_without_lists_every_type_is_preferred() -> None:
    assert names() == set(TYPES.names)


@pytest.mark.parametrize("entry", ["m5", "m5.*", "M5", " m5 "])
def test_a_family_means_its_types_and_no_other_family(entry: str) -> None:
    assert names((entry,)) == {name for name in TYPES.names if name.startswith("m5.")}


def test_an_exact_type_means_itself() -> None:
    assert names(("m5.large",)) == {"m5.large"}


def test_wildcards_stand_anywhere() -> None:
    assert {"m5.large", "r6i.large", "c7g.large"} <= names(("*.large",))
    assert {"r5.large", "r7.large"} & names(("r?.large",)) == {"r5.large"}
    assert "m5.2xlarge" not in names(("*.large",))


def test_what_is_excluded_stays_out_of_what_is_included() -> None:
    assert names(("m5.large", "m5.xlarge"), ("*.xlarge",)) == {"m5.large"}


def test_a_bracket_is_no_wildcard() -> None:
    with pytest.raises(InvalidInput, match=r"no instance type matches 'm\[56\]\.\*'"):
        names(("m[56].*",))


@pytest.mark.parametrize("lists", [(("m5x",), ()), ((), ("m5x",))])
def test_an_entry_without_a_match_is_explained(lists: tuple[tuple[str, ...], ...]) -> None:
    with pytest.raises(InvalidInput, match="no instance type matches 'm5x'"):
        names(*lists)


def test_lists_that_leave_nothing_are_explained() -> None:
    with pytest.raises(InvalidInput, match="leaves no instance type"):
        names(("m5.large",), ("m5",))
