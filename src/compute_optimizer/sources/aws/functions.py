"""Lambda functions: the version that an unqualified name means, and others that are called."""

from collections import defaultdict
from collections.abc import Iterable

from compute_optimizer.model.lambda_function import (
    ARCHITECTURES,
    LATEST,
    LambdaFunction,
    qualified,
    short_id,
    version_of,
)
from compute_optimizer.model.resource import LAMBDA_FUNCTION, Resource
from compute_optimizer.sources.aws.calls import FUNCTION_TAGS, FUNCTIONS, INVOKED, Record
from compute_optimizer.sources.aws.records import Answers, Located, tags_of


def read_functions(at: Located, answers: Answers) -> list[Resource]:
    """Return $LATEST of every function, and its versions that were called in the last two weeks.

    Functions that are published often keep hundreds of versions that nobody calls any more.
    """
    tags = {one["ResourceARN"]: tags_of(one["Tags"]) for one in answers[FUNCTION_TAGS]}
    called = _called_versions(answers[INVOKED])
    found: list[Resource] = []
    for one in answers[FUNCTIONS]:
        name, arn = one["FunctionName"], qualified(one["FunctionArn"])
        version = version_of(arn)
        if version != LATEST and version not in called[name]:
            continue
        members = at.shared(
            LAMBDA_FUNCTION,
            arn=arn,
            resource_id=short_id(f"{name}:{version}"),
            instance_type=one.get("Architectures", ARCHITECTURES)[0],
            name=name,
            tags=tags.get(arn.removesuffix(f":{version}"), {}),
        )
        found.append(
            LambdaFunction(
                **members,
                memory_size=one["MemorySize"],
                timeout_seconds=one["Timeout"],
                has_versions=bool(called[name]),
            )
        )
    return found


def _called_versions(metrics: Iterable[Record]) -> defaultdict[str, set[str]]:
    """Return the numbers of the versions of each function that metrics tell of.

    A version is called by its number, which is the dimension Resource, or through an alias, which
    tells it by the dimension ExecutedVersion (AWS Lambda Developer Guide).
    """
    found: defaultdict[str, set[str]] = defaultdict(set)
    for metric in metrics:
        told = {one["Name"]: one["Value"] for one in metric["Dimensions"]}
        version = told.get("ExecutedVersion", told.get("Resource", "").partition(":")[2])
        if version.isdecimal():
            found[told["FunctionName"]].add(version)
    return found
