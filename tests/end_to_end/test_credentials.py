"""`compute-optimizer credentials`: what SDKs run to sign in, against a real server and STS."""

import json
import shlex
import stat
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner

from compute_optimizer.api.sign_in.client.request import IN_PROGRESS
from compute_optimizer.cli import app
from compute_optimizer.errors import ComputeOptimizerError, InvalidInput
from tests.end_to_end.conftest import ACCOUNT, SERVER_NAME, Served
from tests.end_to_end.signing_in import ROLE, allow
from tests.ports import free_port
from tests.sts import Sts

PROGRAM = "compute_optimizer.api.sign_in.client.command"
"""What `compute-optimizer-credentials` runs."""

VARIABLES = ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


@dataclass(frozen=True)
class Home:
    """Somebody's own machine, with an AWS profile `operator`."""

    endpoint: str
    config: Path
    cache: Path

    def words(self, *more: str) -> list[str]:
        """Return the command that signs in at the server of the test."""
        named = ("--server-name", SERVER_NAME, "--profile", "operator")
        return ["credentials", "--endpoint", self.endpoint, *named, *more]

    def sign_in(self, *more: str) -> dict[str, Any]:
        """Run the command and return what it prints; raise the error meant for people."""
        return run(*self.words(*more))

    @property
    def kept(self) -> list[Path]:
        """Files with credentials."""
        return [path for path in self.cache.rglob("*") if path.is_file()]


def run(*words: str) -> dict[str, Any]:
    result = CliRunner().invoke(app, list(words))
    if isinstance(result.exception, ComputeOptimizerError):
        raise result.exception
    assert result.exit_code == 0, result.output
    printed: dict[str, Any] = json.loads(result.output)
    return printed


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for AWS's files and what is kept; nothing of the user's own set-up counts."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    given = {
        "AWS_CONFIG_FILE": tmp_path / "config",
        "AWS_SHARED_CREDENTIALS_FILE": tmp_path / "none",
        "AWS_EC2_METADATA_DISABLED": "true",
        "XDG_CACHE_HOME": tmp_path / "cache",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, str(value))
    return tmp_path


@pytest.fixture
def home(host: Served, sts: Sts, alone: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A machine from which operators may sign in."""
    allow(host)
    own = sts.session_of(ROLE)
    config, cache = alone / "config", alone / "cache"
    config.write_text(
        f"[profile operator]\nregion = eu-west-1\naws_access_key_id = {own.access_key}\n"
        f"aws_secret_access_key = {own.secret_key}\naws_session_token = {own.token}\n"
    )
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", sts.url)
    return Home(host.url, config, cache)


def test_boto3_calls_through_a_credential_process(home: Home, sts: Sts) -> None:
    command = shlex.join([sys.executable, "-m", PROGRAM, *home.words()[1:]])
    with home.config.open("a") as config:
        config.write(f"[profile optimizer]\nregion = us-east-1\ncredential_process = {command}\n")

    session = boto3.session.Session(profile_name="optimizer")
    client = session.client("compute-optimizer", endpoint_url=home.endpoint)

    assert client.get_enrollment_status()["status"] == "Inactive"
    assert home.sign_in()["AccessKeyId"] == session.get_credentials().access_key
    assert len(sts.asked) == 1, "the second time, what was kept is used"


def test_the_script_of_its_own_is_what_these_tests_run(repository: Path) -> None:
    scripts = tomllib.loads((repository / "pyproject.toml").read_text())["project"]["scripts"]

    assert scripts["compute-optimizer-credentials"] == f"{PROGRAM}:main"


def test_what_is_printed_has_the_form_of_a_credential_process(home: Home) -> None:
    printed = home.sign_in()

    # docs.aws.amazon.com/sdkref: Version is 1, and Expiration in ISO 8601.
    assert set(printed) == {
        "Version",
        "AccessKeyId",
        "SecretAccessKey",
        "SessionToken",
        "Expiration",
        "AccountId",
    }
    assert (printed["Version"], printed["AccountId"]) == (1, ACCOUNT)
    assert printed["AccessKeyId"].startswith("ASIA")


def test_credentials_are_kept_for_their_owner_only(home: Home, sts: Sts) -> None:
    first = home.sign_in()

    (file,) = home.kept
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert home.sign_in() == first
    assert len(sts.asked) == 1


def test_kept_credentials_that_others_may_read_are_not_used(home: Home) -> None:
    first = home.sign_in()
    home.kept[0].chmod(0o640)

    assert home.sign_in() != first
    assert stat.S_IMODE(home.kept[0].stat().st_mode) == 0o600


def test_somebody_may_sign_in_anew_and_keep_nothing(home: Home) -> None:
    home.sign_in("--no-cache")
    assert home.kept == []
    first = home.sign_in()

    assert home.sign_in("--fresh") != first


def test_credentials_of_other_keys_in_the_environment_are_kept_apart(
    home: Home, sts: Sts, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [word for word in home.words() if word not in ("--profile", "operator")]
    seen = []
    for name in ("alice", "bob"):
        own = sts.session_of(ROLE, name)
        for variable, value in zip(
            VARIABLES[1:], (own.access_key, own.secret_key, own.token), strict=True
        ):
            monkeypatch.setenv(variable, str(value))
        seen.append(run(*words)["AccessKeyId"])

    assert seen[0] != seen[1]


def test_the_name_of_the_server_is_the_host_and_port_of_its_url(
    home: Home, serve: Callable[..., Served], sts: Sts
) -> None:
    port = free_port()
    named = {"sign_in_names": f"127.0.0.1:{port}", "sign_in_sts_endpoints": sts.url}
    served = serve(auth="on", port=port, **named)
    allow(served)

    assert run("credentials", "--endpoint", f"{served.url}/", "--profile", "operator")


# Refusals


def test_a_refusal_says_why(home: Home) -> None:
    with pytest.raises(ComputeOptimizerError, match=f"did not let you in: No rule lets {ROLE}"):
        home.sign_in("--account", "222222222222")
    assert home.kept == []


def test_a_server_under_another_name_is_told_apart(home: Home) -> None:
    with pytest.raises(ComputeOptimizerError, match=f"this one is {SERVER_NAME}"):
        run("credentials", "--endpoint", home.endpoint, "--profile", "operator")


def test_a_server_that_is_not_there_is_named(home: Home) -> None:
    words = home.words()
    words[2] = f"http://127.0.0.1:{free_port()}"

    with pytest.raises(ComputeOptimizerError, match=f"cannot sign in at {words[2]}/sign-in"):
        run(*words)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--endpoint", "http://optimizer.example.com"], "--i-know-this-network-is-private"),
        (["--endpoint", "ftp://127.0.0.1"], "expected a URL such as"),
        (["--endpoint", "https://me:secret@optimizer.example.com"], "expected a URL such as"),
        (["--endpoint", "https://[::1"], "expected a URL such as"),
        (["--endpoint", "https://opt imizer"], "no name of a server"),
        (["--account", "12"], "--account '12': expected 12 digits"),
        (["--duration", "soon"], "--duration 'soon': expected a time"),
        (["--profile", "nobody"], "your AWS credentials cannot be used to sign in"),
        ([], "your AWS credentials cannot be used to sign in"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
@pytest.mark.usefixtures("alone")
def test_what_cannot_be_done_is_explained(words: list[str], text: str) -> None:
    with pytest.raises(InvalidInput, match=text):
        run("credentials", "--endpoint", "https://optimizer.example.com", *words)


@pytest.mark.usefixtures("alone")
def test_a_profile_that_would_ask_this_command_for_its_credentials_ends_the_circle(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(IN_PROGRESS, "true")

    with pytest.raises(InvalidInput, match="from this command itself; name another one"):
        run("credentials", "--endpoint", "https://optimizer.example.com")
