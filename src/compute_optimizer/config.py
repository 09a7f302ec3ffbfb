"""Every setting: name, default and help in one tuple; values come from arguments, then the
environment (COMPUTE_OPTIMIZER_<NAME>), then the default."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from compute_optimizer.errors import InvalidInput
from compute_optimizer.model.preferences import AUTO, PROFILES
from compute_optimizer.model.recommendation import LARGEST_PAGE
from compute_optimizer.model.spans import CENTURY_DAYS, CENTURY_HOURS

PRICE_LIST_URL = "https://pricing.us-east-1.amazonaws.com"
"""Where AWS publishes its price list; anybody may read it (AWS Billing User Guide)."""

ENVIRONMENT_PREFIX = "COMPUTE_OPTIMIZER_"

VARIABLES_OF_OTHERS = frozenset({"COMPUTE_OPTIMIZER_IMAGE", "COMPUTE_OPTIMIZER_SIGNING_IN"})
"""Variables with the prefix that are no setting: of deploy/compose, and what `credentials` tells
a command that it starts."""

NEAR = 0.7
"""From which ratio of difflib on, of 0 to 1, a name that is none is told of another: two letters
swapped in a name of four leave 0.75."""

LARGEST = 1_000_000_000
"""Of a setting that is a number and names no smaller bound: as seconds, 31 years."""

MOST_PROCESSES = 1_024
"""Of one server; more on one port is a slip of the finger."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting; the type of its default is its type."""

    name: str
    default: str | int | float | bool
    help: str
    choices: tuple[str, ...] = ()
    minimum: float = 0
    maximum: float = LARGEST


SETTINGS = (
    Setting("data_dir", ".compute-optimizer", "Folder of the embedded state, tiles and key file."),
    Setting("state_url", "", "State database URL; empty means SQLite inside data_dir."),
    Setting("tiles_url", "", "Bucket of the tiles, s3://BUCKET/PREFIX; empty: inside data_dir."),
    Setting("key_file", "", "File that seals stored secrets; empty means one inside data_dir."),
    Setting("host", "127.0.0.1", "Address that `serve` binds."),
    Setting("port", 8080, "Port that `serve` binds.", maximum=65_535),
    Setting(
        "processes",
        1,
        "Processes of `serve` that answer on the one port.",
        minimum=1,
        maximum=MOST_PROCESSES,
    ),
    Setting("auth", "on", "Verify SigV4 signatures, or trust the access key id.", ("on", "off")),
    Setting(
        "i_know_this_port_is_private",
        False,
        "Let `auth off` bind beyond loopback: only where the port is already private.",
    ),
    Setting("enum_style", "wire", "Spelling of EC2 enums in answers.", ("wire", "model")),
    Setting(
        "page_size",
        LARGEST_PAGE,
        "Recommendations on a page where the request does not say how many.",
        minimum=1,
        maximum=LARGEST_PAGE,
    ),
    Setting("idle_limits", "", "YAML file of other limits of idleness; empty means the published."),
    Setting("newer_idle_types", True, "Tell of idle types that older SDKs do not know."),
    Setting("max_body_bytes", 4 * 1024 * 1024, "Largest request body accepted.", minimum=1024),
    Setting("clock_skew_seconds", 300, "Largest age or lead of a signed request.", minimum=1),
    Setting("throttle_requests_per_second", 0.0, "Per account and Region; 0 is off."),
    Setting("throttle_burst", 5.0, "Requests that may come at once when throttled.", minimum=1),
    Setting("failed_signatures_per_minute", 60.0, "Per source, then throttled; 0 is off."),
    Setting("sign_in_names", "", "Names that clients sign for, by commas; empty lets nobody in."),
    Setting("sign_in_sts_endpoints", "", "URLs of STS to ask beside AWS's own, by commas."),
    Setting("sign_ins_per_minute", 60.0, "Per source, then throttled; 0 is off."),
    Setting("audit_file", "", "JSON lines of who did what; empty means one inside data_dir."),
    Setting("log_format", "text", "What `serve` and `worker` log: text or json.", ("text", "json")),
    Setting("console", True, "Serve the web console under /console."),
    Setting("console_url", "", "URL at which browsers reach this server, such as https://HOST."),
    Setting("oidc_issuer", "", "OpenID Connect provider of the console; empty means none."),
    Setting("oidc_client_id", "", "What the provider calls this console."),
    Setting("oidc_client_secret", "", "Its secret; empty, without a file, for a public client."),
    Setting("oidc_client_secret_file", "", "File that holds the secret in its place."),
    Setting("oidc_scopes", "openid profile email", "What the provider is asked to tell."),
    Setting("oidc_access_file", "", "YAML file of which claims open which accounts."),
    Setting("oidc_title", "single sign-on", "What the console calls the provider."),
    Setting(
        "oidc_session_hours", 8.0, "Longest session by the provider.", minimum=0.25, maximum=24
    ),
    Setting(
        "oidc_recheck_minutes",
        15.0,
        "After which the provider is asked whether somebody is still signed in there; 0 for never.",
        maximum=1_440,
    ),
    Setting(
        "metrics",
        "loopback",
        "Who may read /metrics of `serve`: callers on this machine, all, or nobody.",
        ("loopback", "open", "off"),
    ),
    Setting("worker_port", 9465, "Port of `worker` on loopback.", maximum=65_535),
    Setting(
        "opt_out_grace_days",
        7.0,
        "Days until an opted-out account is purged.",
        maximum=CENTURY_DAYS,
    ),
    Setting(
        "profile",
        AUTO,
        "What decides: the published rule, the predicted risk, or the latter once fitted.",
        (AUTO, *PROFILES),
    ),
    Setting("export_sink", "folder", "Where exports are written to.", ("folder", "s3")),
    Setting("export_dir", "", "Folder of `export_sink` folder; empty means one inside data_dir."),
    Setting("export_s3_endpoint", "", "URL of an S3-compatible store; empty means Amazon S3."),
    Setting("export_check_policy", False, "Want the bucket policy that AWS's service wants."),
    Setting("export_any_region", False, "Accept buckets of another Region than the export's."),
    Setting("export_parquet", False, "Write a Parquet file beside each CSV file."),
    Setting("price_list_url", PRICE_LIST_URL, "Where `prices load` finds the AWS Price List."),
    Setting("price_max_mb", 2_000, "Largest price list that is read from the web.", minimum=1),
    Setting(
        "price_max_age_days",
        365,
        "Age of prices from which on an analysis warns.",
        minimum=1,
        maximum=CENTURY_DAYS,
    ),
    Setting("collect_requests_per_second", 20.0, "To AWS, by account and Region."),
    Setting(
        "collect_overlap_hours",
        3.0,
        "Read again before the newest sample.",
        maximum=CENTURY_HOURS,
    ),
    Setting("collect_agent_namespace", "CWAgent", "Where the CloudWatch agent writes to."),
    Setting("schedule_enrollment", "5s", "When the worker looks at Pending accounts."),
    Setting("schedule_analysis", "0 4 * * *", "When the worker analyzes all accounts; UTC."),
    Setting("schedule_exports", "5s", "When the worker looks for queued exports."),
    Setting("schedule_purge", "1m", "When the worker looks for accounts that opted out."),
    Setting("schedule_collection", "1h", "When the worker collects from the configured sources."),
    Setting("schedule_scores", "15m", "When the worker scores what was predicted 14 days ago."),
    Setting("schedule_outcomes", "6h", "When the worker looks what came of changes."),
    Setting("schedule_backtests", "0 5 * * 0", "When the worker tests the advice; UTC."),
    Setting("schedule_backtest_requests", "10s", "When it looks who wants that at once."),
    Setting("schedule_retention", "30 3 * * *", "When the worker removes old metrics; UTC."),
    Setting("schedule_webhooks", "10s", "When the worker tells webhooks what happened."),
    Setting("webhooks_file", "", "YAML file of the webhooks that are told of decisions."),
    Setting("owner_tags", "Owner,owner,Team", "Tags that name a resource's owner, by commas."),
    Setting("sources_file", "", "YAML file of the sources that the worker collects from."),
    Setting(
        "retention_days", 400, "Days of metrics that are kept; 0 keeps all.", maximum=CENTURY_DAYS
    ),
    Setting("retention_accounts", "", "The same by account, such as 111111111111=120."),
    Setting("retention_below_look_back", False, "Allow to keep fewer days than the look-back."),
    Setting("lease_seconds", 60.0, "A worker that is silent for so long is given up.", minimum=2),
    Setting("workers", 0, "Processes that analyze; 0 means one per core."),
    Setting("traceback", False, "Show where an unexpected error of a command came from."),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one process, each attribute named as in SETTINGS."""

    data_dir: Path
    state_url: str
    tiles_url: str
    key_file: Path
    host: str
    port: int
    processes: int
    auth: str
    i_know_this_port_is_private: bool
    enum_style: str
    page_size: int
    idle_limits: str
    newer_idle_types: bool
    max_body_bytes: int
    clock_skew_seconds: int
    throttle_requests_per_second: float
    throttle_burst: float
    failed_signatures_per_minute: float
    sign_in_names: str
    sign_in_sts_endpoints: str
    sign_ins_per_minute: float
    audit_file: Path
    log_format: str
    console: bool
    console_url: str
    oidc_issuer: str
    oidc_client_id: str
    oidc_client_secret: str = field(repr=False)
    oidc_client_secret_file: str
    oidc_scopes: str
    oidc_access_file: str
    oidc_title: str
    oidc_session_hours: float
    oidc_recheck_minutes: float
    metrics: str
    worker_port: int
    opt_out_grace_days: float
    profile: str
    export_sink: str
    export_dir: Path
    export_s3_endpoint: str
    export_check_policy: bool
    export_any_region: bool
    export_parquet: bool
    price_list_url: str
    price_max_mb: int
    price_max_age_days: int
    collect_requests_per_second: float
    collect_overlap_hours: float
    collect_agent_namespace: str
    schedule_enrollment: str
    schedule_analysis: str
    schedule_exports: str
    schedule_purge: str
    schedule_collection: str
    schedule_scores: str
    schedule_outcomes: str
    schedule_backtests: str
    schedule_backtest_requests: str
    schedule_retention: str
    schedule_webhooks: str
    webhooks_file: str
    owner_tags: str
    sources_file: str
    retention_days: int
    retention_accounts: str
    retention_below_look_back: bool
    lease_seconds: float
    workers: int
    traceback: bool

    @property
    def tiles_dir(self) -> Path:
        """Where the metric store keeps its tiles, or what of them is only of this machine."""
        return self.data_dir / "tiles"

    @property
    def owner_tag_names(self) -> tuple[str, ...]:
        """Tags that name a resource's owner, the first that is there counts."""
        return tuple(name.strip() for name in self.owner_tags.split(",") if name.strip())

    @property
    def price_cache_dir(self) -> Path:
        """Where what was read today of price lists is kept."""
        return self.data_dir / "price-lists"

    @property
    def opt_out_grace(self) -> timedelta:
        """How long what an opted-out account left behind is kept."""
        return timedelta(days=self.opt_out_grace_days)


def load_settings(
    overrides: Mapping[str, Any] | None = None, environment: Mapping[str, str] | None = None
) -> Settings:
    """Return the settings from overrides (None entries ignored), environment and defaults.

    Raises InvalidInput that names the setting, its value and what was expected.
    """
    environment = os.environ if environment is None else environment
    given = {name: value for name, value in (overrides or {}).items() if value is not None}
    values: dict[str, Any] = {}
    for setting in SETTINGS:
        raw = given.get(setting.name, environment.get(_variable(setting), setting.default))
        values[setting.name] = _checked(setting, raw)
    data_dir = Path(values["data_dir"]).expanduser()
    values["data_dir"] = data_dir
    values["state_url"] = values["state_url"] or f"sqlite:///{data_dir / 'state.db'}"
    values["key_file"] = Path(values["key_file"] or data_dir / "secrets.key")
    values["export_dir"] = Path(values["export_dir"] or data_dir / "exports")
    values["audit_file"] = Path(values["audit_file"] or data_dir / "audit.jsonl")
    return Settings(**values)


def misspelt_variables(environment: Mapping[str, str] | None = None) -> list[str]:
    """Return a sentence for each variable with our prefix that no setting has."""
    environment = os.environ if environment is None else environment
    known = VARIABLES_OF_OTHERS.union(map(_variable, SETTINGS))
    unknown = sorted(
        name for name in environment if name.startswith(ENVIRONMENT_PREFIX) and name not in known
    )
    return [
        f"{name} is the variable of no setting and is ignored; {_meant(name)}" for name in unknown
    ]


def _meant(name: str) -> str:
    """Tell which variable is meant by a name that is none."""
    # Imported here: hardly any command needs it.
    from difflib import get_close_matches

    # Without what all begin with, which makes any two of them alike.
    own = name.removeprefix(ENVIRONMENT_PREFIX)
    near = get_close_matches(own, (one.name.upper() for one in SETTINGS), 1, cutoff=NEAR)
    return f"is {ENVIRONMENT_PREFIX}{near[0]} meant?" if near else "docs/settings.md lists all"


def _variable(setting: Setting) -> str:
    return ENVIRONMENT_PREFIX + setting.name.upper()


def _checked(setting: Setting, raw: Any) -> Any:
    expected = type(setting.default)
    try:
        value = _parse(expected, raw)
    except ValueError:
        raise InvalidInput(
            f"setting {setting.name}: {raw!r} is not a valid {expected.__name__}"
        ) from None
    if setting.choices and value not in setting.choices:
        raise InvalidInput(
            f"setting {setting.name}: {value!r} is not one of {', '.join(setting.choices)}"
        )
    if not isinstance(value, str) and not setting.minimum <= value <= setting.maximum:
        raise InvalidInput(
            f"setting {setting.name}: {value} is not between "
            f"{setting.minimum:.10g} and {setting.maximum:.10g}"
        )
    return value


def _parse(expected: type, raw: Any) -> Any:
    if expected is bool and isinstance(raw, str):
        words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
        if raw.lower() not in words:
            raise ValueError(raw)
        return words[raw.lower()]
    return expected(raw)
