"""What an import did not take: counted by file and reason, with the first places of each."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

EXAMPLES = 5
"""Places remembered for each file and reason; all are counted."""


class Reason(StrEnum):
    """Why something was refused, in words for the user."""

    FIELDS = "the row has more or fewer fields than the header"
    NOT_JSON = "the line is no JSON object"
    MISSING = "a required value is missing"
    ACCOUNT = "the account is not 12 digits"
    REGION = "the Region is malformed"
    ARN = "the ARN is malformed"
    ARN_DIFFERS = "the ARN names another account, Region or id than the row"
    RESOURCE_TYPE = "the resource type is not supported"
    RESOURCE_ID = "the resource id is malformed"
    STATE = "the state is unknown"
    PLATFORM = "the platform is unknown"
    LAUNCH_TYPE = "the launch type is neither Fargate nor EC2"
    AUTO_SCALING = "the auto scaling policy is unknown"
    CONTAINERS = "the containers are no JSON list of objects with a name and whole numbers"
    ARCHITECTURE = "the architecture is neither x86_64 nor arm64"
    TAGS = "the tags are neither a JSON object nor key=value;key=value"
    CAPACITY = "the capacity is not a positive number"
    TOO_LARGE = "the number is over 2,147,483,647"
    GROUP_SIZE = "the sizes of the group are not whole numbers, min_size <= desired <= max_size"
    SCALING = "the scaling of the group is unknown"
    STRATEGY = "the allocation strategy is unknown"
    TIER = "the promotion tier is not 0 to 15"
    EDITION = "the edition of SQL Server is unknown, or not that of the platform"
    LICENSE_MODEL = "the license model is neither LicenseIncluded nor BringYourOwnLicense"
    FEATURES = "the Enterprise feature is unknown"
    FLAG = "the cell is neither true nor false"
    CONNECTIVITY = "the connectivity type is unknown"
    MODE = "the mode is unknown"
    MOMENT = "the moment is malformed"
    TOO_LONG = "the value is too long"
    DUPLICATE_RESOURCE = "the resource came before; the first row stands"
    NOT_OPTED_IN = "the account has not opted in"
    UNKNOWN_RESOURCE = "the resource is not in the inventory"
    AMBIGUOUS_RESOURCE = "several resources have this id; the ARN is needed"
    UNKNOWN_METRIC = "the metric is unknown"
    UNKNOWN_STATISTIC = "the statistic is missing or unknown"
    WRONG_STATISTIC = "the metric is not kept in this statistic"
    NO_TIMESTAMP = "the timestamp is missing"
    BAD_TIMESTAMP = "the timestamp is neither ISO 8601 nor epoch seconds or milliseconds"
    TOO_OLD = "the timestamp is before 2000"
    FUTURE = "the timestamp is more than a day in the future"
    NO_VALUE = "the value is missing"
    NOT_A_NUMBER = "the value is not a number"
    NAN = "the value is NaN"
    INFINITE = "the value is infinite or too large"
    NEGATIVE = "the value is negative"
    OVER_100 = "the percentage is over 100"
    NO_WHOLE = "the column that percent_of names is zero or missing"
    DUPLICATE_SAMPLE = "the same sample comes again later; the last one stands"


@dataclass(frozen=True, slots=True)
class Refusal:
    """One place that was refused."""

    file: Path
    row: int
    """Counted from 1, the header not counted."""
    reason: Reason
    found: str
    """What stood there."""


class Refusals:
    """Collects refusals: all counted, the first few of each kind kept."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[Path, Reason]] = Counter()
        self._examples: dict[tuple[Path, Reason], list[Refusal]] = defaultdict(list)

    def add(self, file: Path, row: int, reason: Reason, found: str = "") -> None:
        """Count one refusal."""
        self.count(file, reason, 1)
        self.show(file, row, reason, found)

    def count(self, file: Path, reason: Reason, number: int) -> None:
        """Count refusals whose places are shown separately."""
        self.counts[file, reason] += number

    def room(self, file: Path, reason: Reason) -> int:
        """Return how many more places of this kind are kept."""
        return EXAMPLES - len(self._examples[file, reason])

    def show(self, file: Path, row: int, reason: Reason, found: str) -> None:
        """Keep a place, if there is room."""
        if self.room(file, reason) > 0:
            self._examples[file, reason].append(Refusal(file, row, reason, found))

    @property
    def total(self) -> int:
        """How much was refused."""
        return self.counts.total()

    def examples_of(self, file: Path, reason: Reason) -> list[Refusal]:
        """The first places of one file and reason, by row."""
        return sorted(self._examples[file, reason], key=lambda refusal: refusal.row)

    @property
    def examples(self) -> list[Refusal]:
        """The first places of each file and reason, by file and row."""
        found = (refusal for kept in self._examples.values() for refusal in kept)
        return sorted(found, key=lambda refusal: (str(refusal.file), refusal.row, refusal.reason))
