"""The environment variables that lead an AWS SDK to an emulator, and keep it from anything else."""

from collections.abc import Mapping

DEFAULT_REGION = "us-east-1"

SECRET = "emulator"
"""Any does: nothing is verified."""

VARIABLES_THAT_LEAD_ELSEWHERE = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
)
"""Unset beside an emulator (botocore's configuration variables)."""


def environment_of(url: str, account_id: str, region: str = DEFAULT_REGION) -> Mapping[str, str]:
    """Return the variables under which any SDK that knows AWS_ENDPOINT_URL_* calls the emulator."""
    return {
        "AWS_ENDPOINT_URL_COMPUTE_OPTIMIZER": url,
        "AWS_ACCESS_KEY_ID": account_id,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,
    }
