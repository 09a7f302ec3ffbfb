"""What the tests share: which of the two modules is tried, and a client."""

import importlib

import boto3
import pytest


def pytest_addoption(parser):
    """Let the same tests try the module with the bugs."""
    parser.addoption("--as-found", action="store_true", help="try the scripts as they are found")


@pytest.fixture
def tool(request):
    """The module that answers the three questions."""
    name = "as_found" if request.config.getoption("--as-found") else "mended"
    return importlib.import_module(f"fleet_savings.{name}")


@pytest.fixture
def client(compute_optimizer_url):
    """A client of this test's own Compute Optimizer.

    From boto3 1.28 on, the environment leads there by itself and `endpoint_url` can be left out.
    """
    return boto3.client("compute-optimizer", endpoint_url=compute_optimizer_url)
