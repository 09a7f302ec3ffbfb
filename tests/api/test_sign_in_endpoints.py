"""Which endpoints of STS are asked, and by which names a server goes."""

import pytest
from botocore.loaders import create_loader
from botocore.regions import EndpointResolver

from compute_optimizer.api.sign_in.endpoints import StsEndpoint, aws_endpoints, known_endpoints
from compute_optimizer.api.sign_in.names import name_of, server_names
from compute_optimizer.errors import InvalidInput


def test_the_endpoint_of_every_region_is_known() -> None:
    resolver = EndpointResolver(create_loader().load_data("endpoints"))
    for partition in resolver.get_available_partitions():
        for region in resolver.get_available_endpoints("sts", partition):
            host = resolver.construct_endpoint("sts", region, partition)["hostname"]

            assert aws_endpoints()[f"https://{host}"].partition == partition


@pytest.mark.parametrize(
    ("url", "partition"),
    [
        ("https://sts.amazonaws.com", "aws"),
        ("https://sts.eu-central-1.amazonaws.com", "aws"),
        ("https://sts-fips.us-east-1.amazonaws.com", "aws"),
        ("https://sts.cn-north-1.amazonaws.com.cn", "aws-cn"),
        ("https://sts.us-gov-west-1.amazonaws.com", "aws-us-gov"),
        ("https://sts.us-iso-east-1.c2s.ic.gov", "aws-iso"),
        ("https://sts.eusc-de-east-1.amazonaws.eu", "aws-eusc"),
    ],
)
def test_global_and_fips_endpoints_are_known_with_their_partition(url: str, partition: str) -> None:
    assert known_endpoints()[url] == StsEndpoint(url, partition)


def test_every_known_endpoint_is_https_and_of_sts() -> None:
    for url in aws_endpoints():
        assert url.startswith(("https://sts.", "https://sts-fips."))


def test_an_operator_may_name_more() -> None:
    mine = "https://vpce-0abc.sts.us-east-1.vpce.amazonaws.com"

    found = known_endpoints(f"{mine}/, http://127.0.0.1:4566 http://localhost:80")

    assert found[mine] == StsEndpoint(mine, None)
    assert set(found) - set(aws_endpoints()) == {
        mine,
        "http://127.0.0.1:4566",
        "http://localhost:80",
    }


@pytest.mark.parametrize(
    "text",
    [
        "http://sts.example.com",
        "sts.example.com",
        "https://a@b",
        "https://a/b",
        "https://A",
        "https://a:44\u0663",
        "file:",
    ],
)
def test_what_is_no_endpoint_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"sign_in_sts_endpoints: .* expected https://HOST"):
        known_endpoints(text)


def test_names_of_a_server_are_listed_by_commas() -> None:
    names = server_names("Optimizer.example.com, 127.0.0.1:8080,[::1]:8080")

    assert names == {"optimizer.example.com", "127.0.0.1:8080", "[::1]:8080"}
    assert server_names("") == frozenset()


@pytest.mark.parametrize("text", ["https://a.example", "a/b", "a:b", "-a", "a\u00e4", "a" * 254])
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"sign_in_names: .* is no name of a server"):
        server_names(text)


@pytest.mark.parametrize(
    ("endpoint", "name"),
    [
        ("https://Optimizer.example.com", "optimizer.example.com"),
        ("https://optimizer.example.com/co/", "optimizer.example.com"),
        ("http://127.0.0.1:8080", "127.0.0.1:8080"),
        ("http://[::1]:8080/", "[::1]:8080"),
    ],
)
def test_the_name_of_a_server_is_that_of_its_url(endpoint: str, name: str) -> None:
    assert name_of(endpoint) == name
