"""Lambda functions: the version that an unqualified name means."""

from compute_optimizer.model.lambda_function import ARCHITECTURES, LambdaFunction, qualified
from compute_optimizer.model.resource import LAMBDA_FUNCTION, Resource
from compute_optimizer.sources.aws.calls import FUNCTION_TAGS, FUNCTIONS
from compute_optimizer.sources.aws.records import Answers, Located, tags_of


def read_functions(at: Located, answers: Answers) -> list[Resource]:
    """Return the functions."""
    tags = {one["ResourceARN"]: tags_of(one["Tags"]) for one in answers[FUNCTION_TAGS]}
    return [
        LambdaFunction(
            **at.shared(
                LAMBDA_FUNCTION,
                arn=qualified(one["FunctionArn"]),
                resource_id=one["FunctionName"],
                instance_type=one.get("Architectures", ARCHITECTURES)[0],
                name=one["FunctionName"],
                tags=tags.get(one["FunctionArn"], {}),
            ),
            memory_size=one["MemorySize"],
            timeout_seconds=one["Timeout"],
        )
        for one in answers[FUNCTIONS]
    ]
