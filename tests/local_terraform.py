"""Terraform in a folder of a test, with the provider `hashicorp/aws` pointed at a local server.

The program is looked for on the path. The provider comes from a mirror on this machine and never
from a network: from what the file TF_CLI_CONFIG_FILE says, else from the folder TF_PLUGIN_MIRROR,
which `make` sets where it finds one. Without them tests are skipped, in CI as well: `.ci/run`
installs no Terraform.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.printed import first_printed

MIRROR = "TF_PLUGIN_MIRROR"
"""Names a folder of providers, laid out as `terraform providers mirror` does or unpacked."""

CONFIGURATION = "TF_CLI_CONFIG_FILE"
"""Terraform's own variable for the file that says where providers come from."""

PROVIDER = "*/hashicorp/aws"
"""Below a mirror: the host of a registry comes first."""

INSTALLED = ".terraform/providers/*/hashicorp/aws/*/*/terraform-provider-aws*"
"""Below a folder in which `terraform init` was run."""

REATTACH = "TF_REATTACH_PROVIDERS"
"""Terraform's own variable for providers that run already."""

GARBAGE = {"GOGC": "off", "GOMEMLIMIT": "1GiB"}
"""Go's variables (package runtime): its collector works only where a program would be larger. While
all schemas are read it would take a third of the provider's processor time."""

RUN_SECONDS = 240.0
"""Until a command must have ended; the provider alone takes seconds to start."""

EMPTY_PLAN, CHANGES = 0, 2
"""Exit codes of `terraform plan -detailed-exitcode`."""

MIRRORED = """\
provider_installation {{
  filesystem_mirror {{
    path    = {path}
    include = ["*/*"]
  }}
}}
"""

POINTED = """\
provider "aws" {{
  region                      = {region}
  access_key                  = {access_key}
  secret_key                  = {secret_key}
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_requesting_account_id  = {nameless}
  max_retries                 = 1
  endpoints {{
{endpoints}
  }}
}}
"""


@dataclass(frozen=True)
class Terraform:
    """Terraform in one folder."""

    program: str
    folder: Path
    environment: Mapping[str, str]

    def run(self, *arguments: str) -> str:
        """Run a command and return what it printed; the test fails where the command does."""
        return self._ended(arguments, codes=(0,)).stdout

    def _ended(
        self, arguments: Sequence[str], codes: Sequence[int]
    ) -> "subprocess.CompletedProcess[str]":
        ended = subprocess.run(
            [self.program, *arguments, "-no-color"],
            cwd=self.folder,
            env=dict(self.environment),
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
            check=False,
        )
        assert ended.returncode in codes, f"{arguments}: {ended.stdout}{ended.stderr}"
        return ended

    def has_changes(self, **variables: str) -> bool:
        """Return whether a plan wants to change anything."""
        plan = ["plan", "-input=false", "-detailed-exitcode", *_given(variables)]
        return self._ended(plan, codes=(EMPTY_PLAN, CHANGES)).returncode == CHANGES

    def apply(self, **variables: str) -> dict[str, Any]:
        """Apply without asking; return the outputs."""
        self.run("apply", "-input=false", "-auto-approve", *_given(variables))
        return self.outputs()

    def destroy(self, **variables: str) -> None:
        """Destroy without asking."""
        self.run("destroy", "-input=false", "-auto-approve", *_given(variables))

    def outputs(self) -> dict[str, Any]:
        """Return the outputs by name."""
        found = json.loads(self.run("output", "-json"))
        return {name: one["value"] for name, one in found.items()}


@contextmanager
def with_standing_provider(terraform: Terraform) -> Iterator[Terraform]:
    """Start the provider of an initialized folder once, for all commands until the block ends.

    Each command would start its 700 MB several times, which is nearly all that a command does. What
    is left is that each asks for all schemas: a plan that is applied later costs as much as two.
    """
    (program,) = terraform.folder.glob(INSTALLED)
    with subprocess.Popen(
        [program, "-debug"],
        env=dict(terraform.environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            place = first_printed(process, rf"\s*{REATTACH}='(.*)'$")
            yield replace(terraform, environment={**terraform.environment, REATTACH: place})
        finally:
            process.kill()


def terraform_in(folder: Path) -> Terraform:
    """Return Terraform for an existing folder of a test; skip the test where it is not there."""
    program = shutil.which("terraform")
    if program is None:
        pytest.skip("needs the program terraform on the path")
    scratch = folder / ".cli"
    scratch.mkdir(exist_ok=True)
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
    environment = {
        **kept,
        **GARBAGE,
        "HOME": str(scratch),
        "CHECKPOINT_DISABLE": "1",
        "TF_IN_AUTOMATION": "1",
        CONFIGURATION: str(_configuration(scratch)),
    }
    return Terraform(program, folder, environment)


def point_provider_at(
    url: str,
    folder: Path,
    services: Iterable[str],
    keys: tuple[str, str] = ("testing", "testing"),
    region: str = "us-east-1",
) -> None:
    """Write a file that configures the provider: each of the services is at the URL.

    Services are spelled as in the provider's block `endpoints`, such as `computeoptimizer`. With
    `sts` among them the provider asks whose account it is, else it knows none. Keys are an access
    key and its secret.
    """
    named = sorted(set(services))
    text = POINTED.format(
        region=json.dumps(region),
        access_key=json.dumps(keys[0]),
        secret_key=json.dumps(keys[1]),
        nameless=json.dumps("sts" not in named),
        endpoints="\n".join(f"    {name} = {json.dumps(url)}" for name in named),
    )
    (folder / "local_provider.tf").write_text(text)


def _configuration(scratch: Path) -> Path:
    """Return the file that tells Terraform where providers are; skip the test without one."""
    own = os.environ.get(CONFIGURATION, "")
    if own and Path(own).is_file():
        return Path(own).resolve()
    mirror = os.environ.get(MIRROR, "")
    if not mirror:
        pytest.skip(
            f"needs the Terraform provider hashicorp/aws without a network: set {MIRROR} to a "
            f"folder that has {PROVIDER}, or {CONFIGURATION} to a file that names one"
        )
    if not any(Path(mirror).glob(PROVIDER)):
        pytest.fail(f"{MIRROR}={mirror} has no {PROVIDER}; name the folder that holds it")
    written = scratch / "terraform.rc"
    written.write_text(MIRRORED.format(path=json.dumps(str(Path(mirror).resolve()))))
    return written


def _given(variables: Mapping[str, str]) -> list[str]:
    return [f"-var={name}={value}" for name, value in variables.items()]
