"""Which account calls: twelve digits of the access key id name it, any other key means a default.

That is how other emulators of AWS take it, so that one set of credentials does for all of them.
"""

from datetime import datetime

from compute_optimizer.api import signature
from compute_optimizer.api.authentication import Authenticate, Caller
from compute_optimizer.api.messages import Request
from compute_optimizer.model.account import ACCOUNT_ID

DEFAULT_ACCOUNT_ID = "123456789012"
"""The account of callers whose key names none; moto's default, too."""


def callers(default_account_id: str) -> Authenticate:
    """Return what takes the account from the access key id and verifies nothing."""

    def caller_of(request: Request, _service: str, _now: datetime) -> Caller:
        authorization, _ = signature.read_authorization(request.headers)
        credential = authorization.credential
        key = credential.access_key_id
        account_id = key if ACCOUNT_ID.fullmatch(key) else default_account_id
        return Caller(
            account_id, credential.region, f"arn:aws:iam::{account_id}:root", key, policy=None
        )

    return caller_of
