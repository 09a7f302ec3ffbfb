"""A local AWS that answers at once: accounts of instances with a volume each, and their samples.

    python -m benchmarks.cloudwatch_server --instances 5000 --accounts 10

It prints its port, and serves until it is ended. What it has is an organization, EC2 and
CloudWatch. GetMetricData keeps the documented limits, and refuses as CloudWatch does what goes
beyond them; samples are slices of some generated series, so that answering costs next to nothing.
`GET /` tells what was asked.
"""

import argparse
import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from time import monotonic, time
from typing import Any
from urllib.parse import parse_qs

import msgspec
import numpy as np
import uvicorn

REGION = "us-east-1"
ZONE = f"{REGION}a"

CALL_QUERIES = 500
CALL_SAMPLES = 100_800
"""Of one GetMetricData, the latter on one page (Amazon CloudWatch API Reference)."""

CALLS_PER_SECOND = 50.0
"""Of GetMetricData, by account and Region (AWS re:Post, "cloudwatch getmetricdata api", read
2026-11-26)."""

RECENT_SECONDS = 3 * 3600
RECENT_SAMPLES_PER_SECOND, OLDER_SAMPLES_PER_SECOND = 180_000.0, 396_000.0
"""Of GetMetricData, by account and Region, where the time asked for begins within the last three
hours or earlier (the same)."""

SLOT = 300
DAYS = 80
"""Of samples: more than CloudWatch keeps of five minutes."""

SEED = 2026
SERIES = 48
"""Generated; each series of a resource is one of them."""

TYPES = ("m5.xlarge", "c5.2xlarge", "r5.large", "t3.large", "m6g.2xlarge", "c4.xlarge")

Send = Callable[[dict[str, Any]], Awaitable[None]]


class Metric(msgspec.Struct, rename="pascal"):
    """Which series is asked for."""

    namespace: str
    metric_name: str
    dimensions: list[dict[str, str]]


class MetricStat(msgspec.Struct, rename="pascal"):
    """How it is asked for."""

    metric: Metric
    period: int
    stat: str


class Query(msgspec.Struct, rename="pascal"):
    """One of a call."""

    id: str
    metric_stat: MetricStat


class GetMetricData(msgspec.Struct, rename="pascal"):
    """One call."""

    metric_data_queries: list[Query]
    start_time: float
    end_time: float


class Refused(Exception):
    """What CloudWatch does not do: error code and message."""


@dataclass
class Bucket:
    """What may be taken in a second, and is left of it."""

    rate: float
    left: float
    at: float

    def take(self, amount: float) -> bool:
        """Take something; return whether so much was left."""
        now = monotonic()
        self.left = min(self.left + (now - self.at) * self.rate, self.rate)
        self.at = now
        if amount > self.left:
            return False
        self.left -= amount
        return True


def bucket(rate: float) -> Bucket:
    """Return a full one."""
    return Bucket(rate, rate, monotonic())


@dataclass
class Quota:
    """What is left to one account."""

    calls: Bucket = field(default_factory=lambda: bucket(CALLS_PER_SECOND))
    recent: Bucket = field(default_factory=lambda: bucket(RECENT_SAMPLES_PER_SECOND))
    older: Bucket = field(default_factory=lambda: bucket(OLDER_SAMPLES_PER_SECOND))


class Samples:
    """Generated series as the texts of their samples, from a fixed moment on."""

    def __init__(self) -> None:
        self.first = int(time()) // 86_400 * 86_400 - (DAYS - 2) * 86_400
        slots = DAYS * 86_400 // SLOT
        generator = np.random.default_rng(SEED)
        day = np.sin(np.arange(slots) * 2 * np.pi * SLOT / 86_400)
        percent = np.clip(
            generator.uniform(3, 40, (SERIES, 1)) * (1 + day / 2)
            + generator.gamma(1.0, 3.0, (SERIES, slots)),
            0,
            100,
        )
        self.percent = [[f"{value:.4f}" for value in row] for row in percent]
        counts = (percent * generator.integers(100, 10_000, (SERIES, 1))).astype(int)
        self.counts = [[f"{value}.0" for value in row] for row in counts]

    @lru_cache(maxsize=4096)  # noqa: B019  # one object, which lives as long as the process
    def values(self, of_counts: bool, series: int, start: int, end: int) -> str:
        """Return the values of slots between two numbers of them, with commas between."""
        return ",".join((self.counts if of_counts else self.percent)[series][start:end])

    @lru_cache(maxsize=1024)  # noqa: B019
    def moments(self, start: int, end: int) -> str:
        """Return the starts of slots."""
        return ",".join(str(self.first + slot * SLOT) for slot in range(start, end))

    def slot(self, moment: float) -> int:
        """Return the number of a slot."""
        return (int(moment) - self.first) // SLOT


@dataclass
class Cloud:
    """What there is, and what was asked of it."""

    instances: int
    accounts: Sequence[str]
    latency: float
    samples: Samples = field(default_factory=Samples)
    quotas: dict[str, Quota] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)

    def numbers(self, account_id: str) -> range:
        """Return the numbers of the instances of an account."""
        place = self.accounts.index(account_id)
        every = len(self.accounts)
        return range(place, self.instances, every)


def element(name: str, *parts: str) -> str:
    return f"<{name}>{''.join(parts)}</{name}>"


def words(**texts: object) -> str:
    return "".join(element(name, str(text)) for name, text in texts.items())


def instance(number: int) -> str:
    return element(
        "item",
        words(instanceId=instance_id(number), instanceType=TYPES[number % len(TYPES)]),
        words(rootDeviceName="/dev/xvda", platformDetails="Linux/UNIX"),
        element("instanceState", words(code=16, name="running")),
        element("tagSet", element("item", words(key="Name", value=f"machine-{number}"))),
    )


def volume(number: int) -> str:
    attached = words(
        instanceId=instance_id(number), volumeId=volume_id(number), device="/dev/xvda"
    ) + words(status="attached", attachTime="2026-01-01T00:00:00.000Z")
    return element(
        "item",
        words(volumeId=volume_id(number), volumeType="gp2", size=200, iops=600, status="in-use"),
        words(createTime="2026-01-01T00:00:00.000Z", availabilityZone=ZONE),
        element("attachmentSet", element("item", attached)),
    )


def instance_id(number: int) -> str:
    return f"i-{number:017x}"


def volume_id(number: int) -> str:
    return f"vol-{number:017x}"


def describe_instances(cloud: Cloud, account_id: str, form: Mapping[str, str]) -> str:
    some = "".join(instance(number) for number in cloud.numbers(account_id))
    return element("reservationSet", element("item", element("instancesSet", some)))


def describe_volumes(cloud: Cloud, account_id: str, form: Mapping[str, str]) -> str:
    return element("volumeSet", *(volume(number) for number in cloud.numbers(account_id)))


def describe_regions(cloud: Cloud, account_id: str, form: Mapping[str, str]) -> str:
    return element("regionInfo", element("item", words(regionName=REGION)))


def describe_groups(cloud: Cloud, account_id: str, form: Mapping[str, str]) -> str:
    return element("DescribeAutoScalingGroupsResult", element("AutoScalingGroups"))


def get_caller_identity(cloud: Cloud, account_id: str, form: Mapping[str, str]) -> str:
    arn = f"arn:aws:iam::{account_id}:user/collector"
    return element("GetCallerIdentityResult", words(UserId="A", Account=account_id, Arn=arn))


def assume_role(cloud: Cloud, account_id: str, form: Mapping[str, str]) -> str:
    other = form["RoleArn"].split(":")[4]
    given = words(
        AccessKeyId=f"ASIA{other}",
        SecretAccessKey="secret",
        SessionToken="token",
        Expiration="2099-01-01T00:00:00Z",
    )
    return element("AssumeRoleResult", element("Credentials", given))


QUERIES: Mapping[str, Callable[[Cloud, str, Mapping[str, str]], str]] = {
    "AssumeRole": assume_role,
    "DescribeAutoScalingGroups": describe_groups,
    "DescribeInstances": describe_instances,
    "DescribeRegions": describe_regions,
    "DescribeVolumes": describe_volumes,
    "GetCallerIdentity": get_caller_identity,
}
"""Operations that are answered in XML."""


def list_accounts(cloud: Cloud, account_id: str, body: bytes) -> bytes:
    return msgspec.json.encode(
        {"Accounts": [{"Id": one, "Status": "ACTIVE"} for one in cloud.accounts]}
    )


def list_metrics(cloud: Cloud, account_id: str, body: bytes) -> bytes:
    """Answer what the agent of every instance, and Nitro for every volume, send."""
    asked = msgspec.json.decode(body)
    name, namespace = asked["MetricName"], asked["Namespace"]
    known: dict[str, tuple[str, Callable[[int], str]]] = {
        "mem_used_percent": ("InstanceId", instance_id),
        "VolumeIOPSExceededCheck": ("VolumeId", volume_id),
        "VolumeThroughputExceededCheck": ("VolumeId", volume_id),
    }
    numbers = cloud.numbers(account_id) if name in known else range(0)
    dimension, identify = known.get(name, ("", str))
    found = [
        {
            "Namespace": namespace,
            "MetricName": name,
            "Dimensions": [{"Name": dimension, "Value": identify(number)}],
        }
        for number in numbers
    ]
    return msgspec.json.encode({"Metrics": found})


def get_metric_data(cloud: Cloud, account_id: str, body: bytes) -> bytes:
    """Answer one call whole, or refuse it."""
    call = msgspec.json.decode(body, type=GetMetricData)
    queries = call.metric_data_queries
    first, last = cloud.samples.slot(call.start_time), cloud.samples.slot(call.end_time)
    samples = (last - first) * len(queries)
    if len(queries) > CALL_QUERIES or samples > CALL_SAMPLES:
        raise Refused("ValidationError", f"{len(queries)} series, {samples} samples")
    quota = cloud.quotas.setdefault(account_id, Quota())
    recent = call.start_time > time() - RECENT_SECONDS
    if not quota.calls.take(1) or not (quota.recent if recent else quota.older).take(samples):
        cloud.asked["throttled"] += 1
        raise Refused("ThrottlingException", "Rate exceeded")
    cloud.asked["metrics"] += len(queries)
    cloud.asked["samples"] += samples
    moments = cloud.samples.moments(first, last)
    results = ",".join(_result(cloud.samples, query, moments, first, last) for query in queries)
    return f'{{"MetricDataResults":[{results}],"Messages":[]}}'.encode()


def _result(samples: Samples, query: Query, moments: str, first: int, last: int) -> str:
    asked = query.metric_stat
    number = int(asked.metric.dimensions[0]["Value"].rpartition("-")[2], 16)
    values = samples.values(asked.stat == "Sum", number % SERIES, first, last)
    return (
        f'{{"Id":"{query.id}","Label":"{asked.metric.metric_name}","StatusCode":"Complete",'
        f'"Timestamps":[{moments}],"Values":[{values}]}}'
    )


TARGETS: Mapping[str, Callable[[Cloud, str, bytes], bytes]] = {
    "GetMetricData": get_metric_data,
    "ListAccounts": list_accounts,
    "ListMetrics": list_metrics,
}
"""Operations that are answered in JSON."""

KEY = re.compile(r"Credential=(?:ASIA(\d{12})|[^/]+)/")


def answer(cloud: Cloud, headers: Mapping[str, str], body: bytes) -> tuple[int, str, bytes]:
    """Return status, content type and body."""
    signed = KEY.search(headers.get("authorization", ""))
    if signed is None:
        return 200, "application/json", msgspec.json.encode(cloud.asked)
    account_id = signed[1] or cloud.accounts[0]
    if target := headers.get("x-amz-target", "").rpartition(".")[2]:
        cloud.asked[target] += 1
        try:
            return 200, "application/x-amz-json-1.0", TARGETS[target](cloud, account_id, body)
        except Refused as error:
            refusal = dict(zip(("__type", "message"), error.args, strict=True))
            return 400, "application/x-amz-json-1.0", msgspec.json.encode(refusal)
    form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
    action = form["Action"]
    cloud.asked[action] += 1
    found = element(f"{action}Response", QUERIES[action](cloud, account_id, form))
    return 200, "text/xml", found.encode()


def application(cloud: Cloud) -> Any:
    """Return the ASGI application."""

    async def app(scope: dict[str, Any], receive: Callable[..., Any], send: Send) -> None:
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        if cloud.latency:
            await asyncio.sleep(cloud.latency)
        status, kind, found = answer(cloud, headers, body)
        head = [(b"content-type", kind.encode()), (b"x-amzn-requestid", b"1")]
        start = {"type": "http.response.start", "status": status, "headers": _sized(head, found)}
        await send(start)
        await send({"type": "http.response.body", "body": found})

    return app


def _sized(headers: Iterable[tuple[bytes, bytes]], body: bytes) -> list[tuple[bytes, bytes]]:
    return [*headers, (b"content-length", str(len(body)).encode())]


def main() -> None:
    """Serve until ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instances", type=int, default=5000)
    parser.add_argument("--accounts", type=int, default=10)
    parser.add_argument("--latency", type=float, default=0.0, help="Seconds before each answer.")
    given = parser.parse_args()
    accounts = [f"{number:012}" for number in range(1, given.accounts + 1)]
    app = application(Cloud(given.instances, accounts, given.latency))
    config = uvicorn.Config(app, port=0, log_level="warning", access_log=False, lifespan="off")
    listening = config.bind_socket()
    print(listening.getsockname()[1], flush=True)
    asyncio.run(uvicorn.Server(config).serve([listening]))


if __name__ == "__main__":
    main()
