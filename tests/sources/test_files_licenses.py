"""Instances with SQL Server in inventory files."""

from typing import Any

import pytest

from compute_optimizer.model.license import LicensedInstance, SqlServer
from compute_optimizer.model.resource import Resource
from compute_optimizer.sources.files.cells import RowRefused
from compute_optimizer.sources.files.inventory import resource_of
from compute_optimizer.sources.files.refusals import Reason
from tests.licenses import INSIGHTS
from tests.records import arn


def read(**cells: Any) -> Resource:
    return resource_of({"arn": arn(1), "type": "m5.xlarge", **cells})


def license_in(**cells: Any) -> SqlServer:
    found = read(**cells)
    assert isinstance(found, LicensedInstance)
    assert found.sql_server is not None
    return found.sql_server


def test_a_row_without_a_license_is_an_instance_and_nothing_else() -> None:
    assert type(read()) is Resource
    # Production alone says nothing of SQL Server.
    assert type(read(production="false")) is Resource


def test_every_column_of_a_license() -> None:
    found = license_in(
        license_edition="Enterprise",
        license_version="2022",
        license_model="BringYourOwnLicense",
        application_insights_arn=INSIGHTS,
        enterprise_features="resource-governor; read-only-replicas",
        production="no",
    )

    features = ("resource-governor", "read-only-replicas")
    assert found == SqlServer(
        "Enterprise", "BringYourOwnLicense", "2022", INSIGHTS, features, production=False
    )


def test_the_instance_around_it_is_read_as_any_other() -> None:
    found = read(license_edition="standard", platform="windows", vcpus=4, state="stopped")

    assert (found.resource_type, found.platform) == ("Ec2Instance", "windows")
    assert (found.vcpus, found.state) == (4.0, "stopped")


@pytest.mark.parametrize(
    ("platform", "system", "edition"),
    [
        ("Windows with SQL Server Enterprise", "windows", "Enterprise"),
        ("Windows with SQL Server Standard", "windows", "Standard"),
        ("SQL Server Enterprise", "linux", "Enterprise"),
        ("Red Hat Enterprise Linux with SQL Server Standard", "rhel", "Standard"),
    ],
)
def test_what_ec2_sells_with_an_instance_is_told_by_its_platform(
    platform: str, system: str, edition: str
) -> None:
    found = read(platform=platform)

    assert found.platform == system
    assert license_in(platform=platform) == SqlServer(edition, "LicenseIncluded")


@pytest.mark.parametrize(
    ("word", "edition"),
    [
        ("enterprise", "Enterprise"),
        ("Developer", "Free"),
        ("EXPRESS", "Free"),
        ("unknown", "NoLicenseEditionFound"),
    ],
)
def test_editions_by_what_people_call_them(word: str, edition: str) -> None:
    assert license_in(license_edition=word).edition == edition


def test_a_license_of_unknown_edition_is_one_without_edition() -> None:
    assert license_in(license_version="2019").edition == "NoLicenseEditionFound"


def test_an_instance_that_ec2_sells_without_a_license_has_its_owners() -> None:
    found = license_in(platform="windows", license_edition="enterprise")

    assert found.license_model == "BringYourOwnLicense"


def test_the_web_edition_is_none_that_is_recommended_about() -> None:
    found = read(platform="Windows with SQL Server Web")

    assert (type(found), found.platform) == (Resource, "windows")
    assert type(read(license_edition="Web")) is Resource


@pytest.mark.parametrize(("word", "features"), [("none", ()), ("", None), (" ; ", None)])
def test_no_feature_is_something_else_than_nobody_knows(
    word: str, features: tuple[str, ...] | None
) -> None:
    assert license_in(license_edition="enterprise", enterprise_features=word).features == features


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"license_edition": "professional"}, Reason.EDITION),
        (
            {"license_edition": "Enterprise", "platform": "Windows with SQL Server Standard"},
            Reason.EDITION,
        ),
        ({"license_edition": "Standard", "license_model": "rented"}, Reason.LICENSE_MODEL),
        ({"license_edition": "Standard", "enterprise_features": "speed"}, Reason.FEATURES),
        ({"license_edition": "Standard", "production": "perhaps"}, Reason.FLAG),
        ({"platform": "Windows with Oracle"}, Reason.PLATFORM),
        ({"platform": "BeOS with SQL Server Standard"}, Reason.PLATFORM),
    ],
)
def test_cells_that_do_not_fit_are_refused(cells: dict[str, str], reason: Reason) -> None:
    with pytest.raises(RowRefused) as refused:
        read(**cells)

    assert refused.value.reason is reason
