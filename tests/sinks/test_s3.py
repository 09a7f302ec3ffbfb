"""Exports into a store that speaks S3's API: whole files, or none."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, ClassVar

import pytest

from compute_optimizer.errors import InvalidInput, NotFound, StoreUnavailable
from compute_optimizer.sinks import S3Sink
from compute_optimizer.sinks.s3 import NO_PERMISSION, PART_BYTES, PUBLIC, REQUESTER_PAYS
from tests.buckets import content, keys_in, unfinished_in

ACCOUNT = "111111111111"
REGION = "us-east-1"
KEY = "team-a/compute-optimizer/111111111111/file.csv"


@pytest.fixture
def sink(s3: Any, s3_url: str) -> S3Sink:
    """The sink on moto's server."""
    return S3Sink(s3_url)


def test_a_small_file_is_there_with_its_type_when_the_block_ends(
    sink: S3Sink, s3: Any, bucket: str
) -> None:
    with sink.writing(bucket, KEY, REGION, "text/csv; charset=utf-8") as file:
        file.write(b"a,b\n")
        file.write(b"1,2\n")
        assert keys_in(s3, bucket) == []

    assert content(s3, bucket, KEY) == b"a,b\n1,2\n"
    assert s3.head_object(Bucket=bucket, Key=KEY)["ContentType"] == "text/csv; charset=utf-8"


def test_the_owner_of_the_bucket_controls_the_file(sink: S3Sink, s3: Any, bucket: str) -> None:
    with sink.writing(bucket, KEY, REGION, "text/csv") as file:
        file.write(b"a")

    grants = s3.get_object_acl(Bucket=bucket, Key=KEY)["Grants"]

    assert [grant["Permission"] for grant in grants] == ["FULL_CONTROL"]


@pytest.mark.parametrize("beyond", [-1, 0, 1])
def test_a_large_file_appears_whole_from_its_parts(
    sink: S3Sink, s3: Any, bucket: str, beyond: int
) -> None:
    # Around the edge of a part: less is one request, from one part on it is several.
    data = bytes(range(256)) * (PART_BYTES // 256) + b"x"
    data = data[: PART_BYTES + beyond]

    with sink.writing(bucket, KEY, REGION, "text/csv") as file:
        for start in range(0, len(data), 1_000_000):
            file.write(data[start : start + 1_000_000])
        assert keys_in(s3, bucket) == []

    assert content(s3, bucket, KEY) == data
    assert unfinished_in(s3, bucket) == []


def test_a_failure_leaves_neither_a_file_nor_parts(sink: S3Sink, s3: Any, bucket: str) -> None:
    with pytest.raises(ZeroDivisionError), sink.writing(bucket, KEY, REGION, "text/csv") as file:
        file.write(b"x" * (PART_BYTES + 1))
        assert unfinished_in(s3, bucket) == [KEY]
        raise ZeroDivisionError

    assert (keys_in(s3, bucket), unfinished_in(s3, bucket)) == ([], [])


def test_what_a_dead_process_left_is_removed(sink: S3Sink, s3: Any, bucket: str) -> None:
    s3.create_multipart_upload(Bucket=bucket, Key=KEY)

    sink.discard(bucket, KEY, REGION)

    assert unfinished_in(s3, bucket) == []


def test_a_bucket_that_does_not_exist_is_told_by_its_name(sink: S3Sink) -> None:
    with pytest.raises(NotFound, match="no bucket 'no-such-bucket'"):
        sink.check_place("no-such-bucket", KEY, REGION)


def test_a_bucket_of_another_region_is_refused_unless_any_will_do(
    sink: S3Sink, s3: Any, s3_url: str, bucket: str
) -> None:
    sink.check_place(bucket, KEY, REGION)

    with pytest.raises(InvalidInput, match="is in us-east-1; expected one in the Region"):
        sink.check_place(bucket, KEY, "eu-west-1")
    S3Sink(s3_url, any_region=True).check_place(bucket, KEY, "eu-west-1")


def test_a_private_bucket_may_be_written_to(sink: S3Sink, bucket: str) -> None:
    sink.check_access(bucket, KEY, REGION, ACCOUNT)


def test_a_bucket_that_its_policy_makes_public_is_refused(
    sink: S3Sink, s3: Any, bucket: str
) -> None:
    everybody = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }
    policy = {"Version": "2012-10-17", "Statement": [everybody]}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))

    with pytest.raises(InvalidInput) as refused:
        sink.check_access(bucket, KEY, REGION, ACCOUNT)
    assert str(refused.value) == PUBLIC


def test_a_bucket_that_its_access_list_makes_public_is_refused(
    sink: S3Sink, s3: Any, bucket: str
) -> None:
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read")

    with pytest.raises(InvalidInput) as refused:
        sink.check_access(bucket, KEY, REGION, ACCOUNT)
    assert str(refused.value) == PUBLIC


class Terse(BaseHTTPRequestHandler):
    """A store that answers every question about a bucket with a status and a body."""

    answers: ClassVar[dict[str, tuple[int, str]]] = {}
    """By the question, such as requestPayment; all others are not known to the store."""

    def do_GET(self) -> None:
        question = self.path.partition("?")[2].partition("&")[0]
        self._send(*self.answers.get(question, (501, "")))

    def do_HEAD(self) -> None:
        self._send(*self.answers.get("head", (200, "")))

    def _send(self, status: int, body: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def terse(s3: Any) -> Iterator[S3Sink]:
    """The sink on such a store."""
    Terse.answers = {}
    with ThreadingHTTPServer(("127.0.0.1", 0), Terse) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield S3Sink(f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
        thread.join()


def test_what_a_store_does_not_answer_is_not_held_against_the_bucket(terse: S3Sink) -> None:
    terse.check_place("exports", KEY, REGION)
    terse.check_access("exports", KEY, REGION, ACCOUNT)


def test_who_pays_need_not_be_told(terse: S3Sink) -> None:
    Terse.answers = {"requestPayment": (403, "")}

    terse.check_access("exports", KEY, REGION, ACCOUNT)


def test_a_bucket_whose_readers_pay_is_refused(terse: S3Sink) -> None:
    payer = "<RequestPaymentConfiguration><Payer>Requester</Payer></RequestPaymentConfiguration>"
    Terse.answers = {"requestPayment": (200, payer)}

    with pytest.raises(InvalidInput) as refused:
        terse.check_access("exports", KEY, REGION, ACCOUNT)
    assert str(refused.value) == REQUESTER_PAYS


@pytest.mark.parametrize("question", ["head", "acl", "policyStatus"])
def test_a_bucket_that_is_closed_to_us_fails_the_job_and_not_the_request(
    terse: S3Sink, question: str
) -> None:
    Terse.answers = {question: (403, "")}

    terse.check_place("exports", KEY, REGION)
    with pytest.raises(InvalidInput) as refused:
        terse.check_access("exports", KEY, REGION, ACCOUNT)
    assert str(refused.value) == NO_PERMISSION


def test_where_policies_are_checked_a_bucket_needs_the_documented_one(
    s3: Any, s3_url: str, bucket: str
) -> None:
    sink = S3Sink(s3_url, check_policy=True)
    with pytest.raises(InvalidInput) as refused:
        sink.check_access(bucket, KEY, REGION, ACCOUNT)
    assert str(refused.value) == NO_PERMISSION

    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "compute-optimizer.amazonaws.com"},
        "Action": ["s3:GetBucketAcl", "s3:GetBucketPolicyStatus", "s3:PutObject"],
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
    }
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))

    sink.check_access(bucket, KEY, REGION, ACCOUNT)
    with pytest.raises(InvalidInput):
        sink.check_access(bucket, KEY, REGION, "222222222222")


def test_a_store_that_cannot_be_reached_is_no_fault_of_the_request(
    s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Port 9 discards: nothing listens there.
    monkeypatch.setattr("compute_optimizer.sinks.s3.ATTEMPTS", 1)
    sink = S3Sink("http://127.0.0.1:9")

    with pytest.raises(StoreUnavailable, match="cannot be used"):
        sink.check_place("exports", KEY, REGION)
