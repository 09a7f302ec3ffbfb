"""Run one call per line of standard input through boto3 or aiobotocore; answer each with one line.

`python driver.py boto3|aiobotocore` runs in an environment that holds that client alone,
configured by the usual AWS_ variables (AWS_ENDPOINT_URL also where the client is too old to know
it). A line is {"operation": "get_enrollment_status", "arguments": {...}}.
"""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

Answer = dict[str, Any]
SERVICE = "compute-optimizer"


async def serve_boto3() -> None:
    """Answer with boto3 until standard input ends."""
    import boto3

    client = boto3.client(SERVICE, endpoint_url=os.environ["AWS_ENDPOINT_URL"])

    async def call(operation: str, arguments: Answer) -> Answer:
        answer: Answer = getattr(client, operation)(**arguments)
        return answer

    await _answer_lines(client, call)


async def serve_aiobotocore() -> None:
    """Answer with aiobotocore until standard input ends."""
    from aiobotocore.session import get_session

    endpoint = os.environ["AWS_ENDPOINT_URL"]
    async with get_session().create_client(SERVICE, endpoint_url=endpoint) as client:

        async def call(operation: str, arguments: Answer) -> Answer:
            answer: Answer = await getattr(client, operation)(**arguments)
            return answer

        await _answer_lines(client, call)


async def _answer_lines(client: Any, call: Callable[[str, Answer], Awaitable[Answer]]) -> None:
    sent: list[Any] = []
    client.meta.events.register(
        f"before-send.{SERVICE}", lambda request, **_: sent.append(request.headers)
    )
    for line in sys.stdin:
        asked = json.loads(line, object_hook=_understood)
        try:
            answer: Answer = {"response": await call(asked["operation"], asked["arguments"])}
        except ClientError as error:
            answer = _refused(client, error)
        answer["protocol"] = _text(sent[-1].get("smithy-protocol", "json"))
        print(json.dumps(answer, default=_plain), flush=True)


def _refused(client: Any, error: ClientError) -> Answer:
    code = error.response["Error"]["Code"]
    modelled = getattr(client.exceptions, code, None)
    return {
        "response": error.response,
        "error": code,
        "caught_by_name": modelled is not None and isinstance(error, modelled),
    }


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _understood(value: Answer) -> Any:
    """Return what a request spells as `_plain` does."""
    moment = value.get("$datetime")
    return value if moment is None else datetime.fromtimestamp(moment, UTC)


def _plain(value: object) -> object:
    """Spell a moment so that it can be told from text and numbers."""
    if isinstance(value, datetime):
        return {"$datetime": value.timestamp()}
    raise TypeError(type(value))


if __name__ == "__main__":
    asyncio.run({"boto3": serve_boto3, "aiobotocore": serve_aiobotocore}[sys.argv[1]]())
