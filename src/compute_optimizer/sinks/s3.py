"""Exports into Amazon S3, or into any store that speaks its API.

A file is a multi-part upload that is completed at its end, so that no reader ever finds half of
one; a failure aborts it. What a store does not answer, such as the state of a policy, is not held
against the bucket.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from compute_optimizer.errors import InvalidInput, NotFound, StoreUnavailable
from compute_optimizer.sinks.bucket_policy import Attempt, denied_actions

log = logging.getLogger(__name__)

PART_BYTES = 8 * 1024 * 1024
"""Of one part, and so about the memory that a file takes; S3 accepts 5 MiB to 5 GiB, and 10,000
parts, so a file may have 78 GiB."""

OWNER_CONTROLS = "bucket-owner-full-control"
"""The access list that the documented bucket policy asks of every object (spec 9.2)."""

NO_PERMISSION = (
    "You don't have permissions to the Amazon S3 bucket specified. Confirm the permissions of your "
    "S3 bucket and try again."
)
PUBLIC = "The Amazon S3 bucket specified is public. Only private S3 buckets are supported."
"""The service's own texts (spec 9.2)."""

REQUESTER_PAYS = (
    "The Amazon S3 bucket specified is a Requester Pays bucket, which exports do not support."
)

FORBIDDEN, NOT_FOUND = 403, 404
UNANSWERED = frozenset({400, 404, 405, 501})
"""HTTP status where a store does not know a question, or has nothing set."""

EVERYBODY = (
    "http://acs.amazonaws.com/groups/global/AllUsers",
    "http://acs.amazonaws.com/groups/global/AuthenticatedUsers",
)
"""Groups of an access list that make a bucket public (Amazon S3 User Guide)."""

ATTEMPTS = 5
CONNECT_SECONDS = 10
READ_SECONDS = 60


class S3Sink:
    """Writes to buckets with the credentials that boto3 finds."""

    def __init__(
        self, endpoint: str = "", *, any_region: bool = False, check_policy: bool = False
    ) -> None:
        self.endpoint = endpoint
        """URL of the store; empty for Amazon S3."""
        self.any_region = any_region
        """Whether buckets may lie in another Region than the export's."""
        self.check_policy = check_policy
        """Whether a bucket needs the policy that AWS's own service asks for."""
        self._clients: dict[str, Any] = {}
        self._lock = Lock()

    def check_place(self, bucket: str, key: str, region: str) -> None:
        """Raise NotFound for no bucket, InvalidInput for one elsewhere."""
        try:
            headers = self._head(bucket, region)
        except InvalidInput:
            return  # That the caller may not look is told by the job, as the service does.
        place = headers.get("x-amz-bucket-region")
        if place and place != region and not self.any_region:
            raise InvalidInput(
                f"the bucket {bucket} is in {place}; expected one in the Region of the export, "
                f"{region}"
            )

    def check_access(self, bucket: str, key: str, region: str, account_id: str) -> None:
        """Raise InvalidInput for a bucket that is closed to us, public or paid by its readers.

        Where policies are checked, also for one whose policy AWS's own service could not use.
        """
        self._head(bucket, region)
        client = self._client(region)
        policy = _answer(client.get_bucket_policy_status, bucket)
        grants = _answer(client.get_bucket_acl, bucket).get("Grants", [])
        groups = {grant.get("Grantee", {}).get("URI") for grant in grants}
        if policy.get("PolicyStatus", {}).get("IsPublic") or groups.intersection(EVERYBODY):
            raise InvalidInput(PUBLIC)
        # Not among the permissions that the documents ask for, so it may well be closed.
        payment = _answer(client.get_bucket_request_payment, bucket, UNANSWERED | {FORBIDDEN})
        if payment.get("Payer") == "Requester":
            raise InvalidInput(REQUESTER_PAYS)
        if self.check_policy:
            document = _answer(client.get_bucket_policy, bucket).get("Policy", "")
            attempt = Attempt(bucket, key, region, account_id, OWNER_CONTROLS)
            if denied := denied_actions(document, attempt):
                log.warning("the policy of %s does not allow %s", bucket, ", ".join(denied))
                raise InvalidInput(NO_PERMISSION)

    @contextmanager
    def writing(
        self, bucket: str, key: str, region: str, content_type: str
    ) -> Iterator["MultiPartUpload"]:
        """Open an upload that is completed at the end of the block and aborted if it fails."""
        upload = MultiPartUpload(self._client(region), bucket, key, content_type)
        try:
            yield upload
            upload.complete()
        except BaseException:
            upload.abort()
            raise

    def discard(self, bucket: str, key: str, region: str) -> None:
        """Abort what a process that died has left of an upload."""
        client = self._client(region)
        try:
            found = client.list_multipart_uploads(Bucket=bucket, Prefix=key)
            for one in found.get("Uploads", []):
                client.abort_multipart_upload(
                    Bucket=bucket, Key=one["Key"], UploadId=one["UploadId"]
                )
        except (ClientError, BotoCoreError) as error:
            log.warning("an unfinished upload of s3://%s/%s may be left: %s", bucket, key, error)

    def _head(self, bucket: str, region: str) -> Mapping[str, str]:
        """Return the headers that describe a bucket.

        Raises NotFound for none and InvalidInput for one that may not be looked at.
        """
        try:
            answer = self._client(region).head_bucket(Bucket=bucket)
        except ClientError as error:
            status = _status(error)
            if status == NOT_FOUND:
                raise NotFound(f"there is no bucket {bucket!r}; make it first") from error
            if status == FORBIDDEN:
                raise InvalidInput(NO_PERMISSION) from error
            if status in (301, 307, 308):
                return _headers(error.response)
            raise StoreUnavailable(f"the bucket {bucket} cannot be looked at: {error}") from error
        except BotoCoreError as error:
            raise _unreachable(error) from error
        return _headers(answer)

    def _client(self, region: str) -> Any:
        # Making clients is not safe between threads, using them is.
        with self._lock:
            if region not in self._clients:
                self._clients[region] = _make_client(self.endpoint, region)
            return self._clients[region]


class MultiPartUpload:
    """A file on its way: small ones in one request, others part by part."""

    def __init__(self, client: Any, bucket: str, key: str, content_type: str) -> None:
        self._client = client
        self._target = {"Bucket": bucket, "Key": key}
        self._about = {"ContentType": content_type, "ACL": OWNER_CONTROLS}
        self._waiting = bytearray()
        self._id: str | None = None
        self._parts: list[dict[str, Any]] = []

    def write(self, data: bytes, /) -> int:
        """Take the next bytes; whole parts are sent."""
        self._waiting += data
        while len(self._waiting) >= PART_BYTES:
            part = bytes(self._waiting[:PART_BYTES])
            del self._waiting[:PART_BYTES]
            self._send(part)
        return len(data)

    def complete(self) -> None:
        """Let the file appear."""
        rest = bytes(self._waiting)
        if self._id is None:
            self._call("put_object", **self._about, Body=rest)
            return
        if rest:
            self._send(rest)
        parts = {"Parts": self._parts}
        self._call("complete_multipart_upload", UploadId=self._id, MultipartUpload=parts)

    def abort(self) -> None:
        """Remove what was sent."""
        if self._id is None:
            return
        try:
            self._client.abort_multipart_upload(**self._target, UploadId=self._id)
        except (ClientError, BotoCoreError) as error:
            log.warning("an unfinished upload of %s may be left: %s", self._target, error)

    def _send(self, part: bytes) -> None:
        if self._id is None:
            self._id = self._call("create_multipart_upload", **self._about)["UploadId"]
        number = len(self._parts) + 1
        sent = self._call("upload_part", UploadId=self._id, PartNumber=number, Body=part)
        self._parts.append({"PartNumber": number, "ETag": sent["ETag"]})

    def _call(self, name: str, **parameters: Any) -> Any:
        try:
            return getattr(self._client, name)(**self._target, **parameters)
        except ClientError as error:
            if _status(error) in (FORBIDDEN, NOT_FOUND):
                raise InvalidInput(NO_PERMISSION) from error
            raise StoreUnavailable(f"Amazon S3 refused the export: {error}") from error
        except BotoCoreError as error:
            raise _unreachable(error) from error


def _make_client(endpoint: str, region: str) -> Any:
    options: dict[str, Any] = {
        "retries": {"mode": "standard", "total_max_attempts": ATTEMPTS},
        "connect_timeout": CONNECT_SECONDS,
        "read_timeout": READ_SECONDS,
    }
    if endpoint:
        # Other stores often have no name per bucket, and do not know the newer checksums.
        options["s3"] = {"addressing_style": "path"}
        for name in ("request_checksum_calculation", "response_checksum_validation"):
            if name in Config.OPTION_DEFAULTS:
                options[name] = "when_required"
    session = _new_session()
    session.register_component("data_loader", _models())
    return session.create_client(
        "s3", region_name=region, endpoint_url=endpoint or None, config=Config(**options)
    )


@cache
def _models() -> Any:
    """Return what reads the model of S3, which is large: once, and not for each Region."""
    return _new_session().get_component("data_loader")


def _new_session() -> Any:
    from botocore.session import Session  # Slow to import, and most commands never export.

    return Session()


def _answer(ask: Any, bucket: str, unanswered: frozenset[int] = UNANSWERED) -> Mapping[str, Any]:
    """Return the answer to a question about a bucket, empty for an unanswered one."""
    try:
        found: Mapping[str, Any] = ask(Bucket=bucket)
    except ClientError as error:
        if _status(error) in unanswered:
            return {}
        if _status(error) == FORBIDDEN:
            raise InvalidInput(NO_PERMISSION) from error
        raise StoreUnavailable(f"the bucket {bucket} cannot be looked at: {error}") from error
    except BotoCoreError as error:
        raise _unreachable(error) from error
    return found


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _headers(answer: Mapping[str, Any]) -> Mapping[str, str]:
    found: Mapping[str, str] = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    return found


def _unreachable(error: BotoCoreError) -> StoreUnavailable:
    return StoreUnavailable(f"the store of exports cannot be used: {error}")
