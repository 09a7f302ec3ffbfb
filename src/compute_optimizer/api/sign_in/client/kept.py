"""Credentials kept between commands, readable by their owner only."""

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from compute_optimizer.api.sign_in.client.request import Wanted
from compute_optimizer.errors import ComputeOptimizerError

OTHERS_MAY = 0o077
"""Bits of a file's mode that let others read or write it."""

MARGIN = timedelta(minutes=15)
"""Kept credentials are given out until so long before they expire: from then on SDKs ask for new
ones (botocore, RefreshableCredentials)."""

MARGIN_SHARE = 4
"""Of short sessions, at most one part in so many is left unused."""


def cache_file(wanted: Wanted, environment: Mapping[str, str]) -> Path:
    """Return the file of what is wanted; other credentials in the environment have another one."""
    base = environment.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    key_id = None if wanted.profile else environment.get("AWS_ACCESS_KEY_ID")
    profile = wanted.profile or environment.get("AWS_PROFILE")
    identity = [*astuple(wanted), profile, key_id]
    name = sha256(json.dumps(identity).encode()).hexdigest()
    return Path(base) / "compute-optimizer" / "credentials" / f"{name}.json"


def kept(path: Path, now: datetime) -> dict[str, Any] | None:
    """Return the credentials of a file; None where there are none, they are old, or others may
    read the file."""
    try:
        if path.stat().st_mode & OTHERS_MAY:
            return None
        found = json.loads(path.read_text())
        since, until = (datetime.fromisoformat(found[one]) for one in ("Since", "Expiration"))
        credentials: dict[str, Any] = found["Credentials"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    margin = min(MARGIN, (until - since) / MARGIN_SHARE)
    return credentials if since <= now < until - margin else None


def keep(path: Path, credentials: Mapping[str, Any], now: datetime) -> None:
    """Write credentials to a file; it appears whole, and is its owner's from the beginning."""
    until = datetime.fromisoformat(credentials["Expiration"]).astimezone(UTC)
    content = {
        "Since": now.isoformat(),
        "Expiration": until.isoformat(),
        "Credentials": dict(credentials),
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, draft = tempfile.mkstemp(dir=path.parent)  # mode 0600
        with os.fdopen(descriptor, "w") as file:
            json.dump(content, file)
        Path(draft).replace(path)
    except OSError as error:
        raise ComputeOptimizerError(
            f"credentials cannot be kept in {path.parent}: {error.strerror}; use --no-cache"
        ) from error
