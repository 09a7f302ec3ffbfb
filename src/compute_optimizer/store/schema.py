"""The tables of the state database, as SQLAlchemy Core objects; migrations create them.

Those of decisions and webhooks are in `decision_tables`, what lists search in `search_tables`, and
what was measured on the fleet in `quality_tables`.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    text,
)
from sqlalchemy.engine import Dialect

from compute_optimizer.store.packed_bodies import PackedBody

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC: aware outside the database, also where the database keeps no zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive moments and store the rest in UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value!r}: every moment needs a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """Return moments that are aware in UTC."""
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


Arn = String(512).with_variant(String(512, collation="C"), "postgresql")
"""The ARN of a resource. All are ordered by their bytes, as SQLite and Python order texts: what is
merged outside the database is in the order of its pages."""


def _resource_scope() -> list[Column[Any]]:
    return [
        Column("account_id", String(12), primary_key=True),
        Column("region", String(32), primary_key=True),
        Column("resource_type", String(32), primary_key=True),
    ]


def _advice_index(table: str) -> Index:
    """Return the index by which a scope of a run is asked for advice.

    Ids are in no order: among those of a whole run, each would fall on a page of its own.
    """
    advised = text("recommendation_id IS NOT NULL")
    return Index(
        f"ix_{table}_advice",
        "run_id",
        *(column.name for column in _resource_scope()),
        "recommendation_id",
        sqlite_where=advised,
        postgresql_where=advised,
    )


organizations = Table(
    "organizations",
    metadata,
    Column("organization_id", String(64), primary_key=True),
    Column("management_account_id", String(12), nullable=False, unique=True),
    Column("all_features", Boolean, nullable=False),
    Column("trusted_access", Boolean, nullable=False),
    Column("trusted_access_refused", Boolean, nullable=False),
    Column("delegated_administrator_id", String(12)),
)

accounts = Table(
    "accounts",
    metadata,
    Column("account_id", String(12), primary_key=True),
    Column("name", String(256), nullable=False),
    Column("organization_id", String(64), ForeignKey("organizations.organization_id"), index=True),
    Column("suspended", Boolean, nullable=False),
    Column("metrics_unreadable", Boolean, nullable=False),
)

enrollments = Table(
    "enrollments",
    metadata,
    Column("account_id", String(12), primary_key=True),
    Column("status", String(16), nullable=False, index=True),
    Column("status_reason", Text),
    Column("includes_members", Boolean, nullable=False),
    Column("last_updated", UtcDateTime),
    # Whether the opt-in came from an administrator's, not from the account itself.
    Column("by_organization", Boolean, nullable=False),
    # When the account opted out; its files are purged after the grace period.
    Column("opted_out_at", UtcDateTime),
)

access_keys = Table(
    "access_keys",
    metadata,
    Column("access_key_id", String(128), primary_key=True),
    Column("account_id", String(12), nullable=False, index=True),
    Column("name", String(256), nullable=False),
    Column("sealed_secret", LargeBinary, nullable=False),
    Column("session_token_digest", LargeBinary),
    Column("policy", JSON, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("last_used_at", UtcDateTime),
    # Of a session: the ARN that STS told, and the rule that let it in; null for stored keys.
    Column("signed_in_as", String(2048)),
    Column("sign_in_rule", String(36), index=True),
    # Of a session of the console: who it is, as a provider of OpenID Connect told, sealed.
    Column("sealed_person", LargeBinary),
    # SHA-256 of that provider's names for its own session and for the person: what it ends by.
    Column("provider_session", LargeBinary, index=True),
    Column("provider_subject", LargeBinary, index=True),
    # When the provider said last that the person is signed in there.
    Column("checked_at", UtcDateTime),
)

ended_provider_sessions = Table(
    "ended_provider_sessions",
    metadata,
    # SHA-256 of what a provider of OpenID Connect has ended, by one of its names.
    Column("name", LargeBinary, primary_key=True),
    Column("ended_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
)

sign_in_rules = Table(
    "sign_in_rules",
    metadata,
    # As model.sign_in.SignInRule.
    Column("rule_id", String(36), primary_key=True),
    Column("principal", String(2048), nullable=False),
    Column("account_id", String(12), nullable=False),
    Column("policy", JSON, nullable=False),
    Column("longest_session_seconds", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index(None, "account_id", "principal", unique=True),
)

sign_in_signatures = Table(
    "sign_in_signatures",
    metadata,
    # Of a presigned request that was used: kept while it could be used again.
    Column("digest", LargeBinary, primary_key=True),
    Column("good_until", UtcDateTime, nullable=False, index=True),
)

resources = Table(
    "resources",
    metadata,
    Column("arn", Arn, primary_key=True),
    Column("account_id", String(12), nullable=False),
    Column("region", String(32), nullable=False),
    Column("resource_type", String(32), nullable=False),
    Column("resource_id", String(256), nullable=False, index=True),
    Column("shard", Integer, nullable=False),
    # The whole model.resource.Resource as JSON (msgspec).
    Column("body", LargeBinary, nullable=False),
    Index("ix_resources_shard", "account_id", "region", "resource_type", "shard", "arn"),
)

tiles = Table(
    "tiles",
    metadata,
    *_resource_scope(),
    Column("shard", Integer, primary_key=True),
    Column("day", Date, primary_key=True),
    # Relative to the root of the metric store.
    Column("path", String(1024), nullable=False, unique=True),
    Column("format_version", Integer, nullable=False),
    Column("last_sample_at", UtcDateTime, nullable=False),
)

runs = Table(
    "runs",
    metadata,
    Column("run_id", String(36), primary_key=True),
    Column("as_of", UtcDateTime, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    # Moved by every write of the run: one that stands still for long was given up.
    Column("heartbeat_at", UtcDateTime, nullable=False),
    # Null while the run is being written: readers see completed runs only.
    Column("completed_at", UtcDateTime, index=True),
)

run_scopes = Table(
    "run_scopes",
    metadata,
    *_resource_scope(),
    Column("run_id", String(36), ForeignKey("runs.run_id"), primary_key=True),
    Column("recommendations", Integer, nullable=False),
    Column("errors", Integer, nullable=False),
    # Set when a newer run took over; after a day the rows may be removed.
    Column("superseded_at", UtcDateTime),
)

recommendations = Table(
    "recommendations",
    metadata,
    Column("run_id", String(36), primary_key=True),
    *_resource_scope(),
    Column("resource_arn", Arn, primary_key=True),
    Column("finding", String(32), nullable=False),
    # What filters look at, as JSON, so that scanning needs no body: see store.recommendations.
    Column("facets", Text, nullable=False),
    Column("monthly_savings_usd", Double, nullable=False),
    # The whole recommendation as JSON (msgspec).
    Column("body", PackedBody, nullable=False),
    # Of what it advises (model.decision); null where it advises nothing.
    Column("recommendation_id", String(32)),
    _advice_index("recommendations"),
    Index(
        "ix_recommendations_finding",
        "run_id",
        "account_id",
        "region",
        "resource_type",
        "finding",
        "resource_arn",
    ),
    # The finding last, so that those of one can be told without reading rows.
    Index(
        "ix_recommendations_savings",
        "run_id",
        "account_id",
        "region",
        "resource_type",
        "monthly_savings_usd",
        "resource_arn",
        "finding",
    ),
)

idle_recommendations = Table(
    "idle_recommendations",
    metadata,
    Column("run_id", String(36), primary_key=True),
    Column("account_id", String(12), primary_key=True),
    Column("region", String(32), primary_key=True),
    # No part of the key: pages go over all types at once.
    Column("resource_type", String(32), nullable=False),
    Column("resource_arn", Arn, primary_key=True),
    Column("resource_id", String(256), nullable=False),
    Column("finding", String(32), nullable=False),
    Column("facets", Text, nullable=False),
    Column("monthly_savings_usd", Double, nullable=False),
    # The whole model.recommendation.IdleRecommendation as JSON (msgspec).
    Column("body", PackedBody, nullable=False),
    # At effective rates; as at list prices where these are not known.
    Column("monthly_savings_after_discounts_usd", Double),
    Column("recommendation_id", String(32)),
    _advice_index("idle_recommendations"),
    Index(
        "ix_idle_recommendations_savings",
        "run_id",
        "account_id",
        "region",
        "monthly_savings_usd",
        "resource_arn",
    ),
)

run_summaries = Table(
    "run_summaries",
    metadata,
    Column("run_id", String(36), primary_key=True),
    *_resource_scope(),
    # One for each write: a shard's.
    Column("part", String(36), primary_key=True),
    # As model.tally.Tally.
    Column("topic", String(16), primary_key=True),
    Column("name", String(256), primary_key=True),
    Column("resources", Integer, nullable=False),
    Column("monthly_savings_usd", Double, nullable=False),
    Column("monthly_usd", Double, nullable=False),
)

recommendation_errors = Table(
    "recommendation_errors",
    metadata,
    Column("run_id", String(36), primary_key=True),
    *_resource_scope(),
    Column("resource_arn", Arn, primary_key=True),
    Column("code", String(64), nullable=False),
    Column("message", Text, nullable=False),
)

recommendation_preferences = Table(
    "recommendation_preferences",
    metadata,
    # The organization, or the account whose scope it is or that owns the resource.
    Column("owner_id", String(64), primary_key=True),
    Column("region", String(32), primary_key=True),
    Column("resource_type", String(32), primary_key=True),
    Column("scope_name", String(16), primary_key=True),
    # ALL_ACCOUNTS, an account id or an ARN.
    Column("scope_value", String(512), primary_key=True),
    # The whole model.stated_preferences.StatedPreferences as JSON (msgspec).
    Column("body", LargeBinary, nullable=False),
)

risk_models = Table(
    "risk_models",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("fitted_at", UtcDateTime, nullable=False),
    # The whole model.risk.RiskModel as JSON (msgspec).
    Column("body", LargeBinary, nullable=False),
)

risk_rules = Table(
    "risk_rules",
    metadata,
    # As model.risk_rules.RiskRule; null leaves a field to wider scopes.
    Column("scope", String(16), primary_key=True),
    Column("value", String(512), primary_key=True),
    Column("cap", Double),
    Column("incident_usd", Double),
    Column("profile", String(16)),
)

export_jobs = Table(
    "export_jobs",
    metadata,
    Column("job_id", String(36), primary_key=True),
    Column("account_id", String(12), nullable=False),
    Column("region", String(32), nullable=False),
    Column("resource_type", String(32), nullable=False),
    Column("status", String(16), nullable=False),
    # Account, Region and type while the job is Queued or InProgress, else null: the index allows
    # one such job of each.
    Column("unfinished", String(128), index=True, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    # Drawn by the process that writes the files.
    Column("claim", String(36)),
    # Moved while the files are being written: one that stands still was given up.
    Column("heartbeat_at", UtcDateTime),
    Column("failure_reason", Text),
    # The whole model.export.ExportRequest as JSON (msgspec).
    Column("body", LargeBinary, nullable=False),
    # How often a process has begun to write the files.
    Column("attempts", Integer, nullable=False, server_default="0"),
    Index(None, "account_id", "region", "created_at", "job_id"),
)

sealing_keys = Table(
    "sealing_keys",
    metadata,
    # What the key seals, such as page tokens; the first revision draws the keys at random.
    Column("purpose", String(64), primary_key=True),
    Column("key", LargeBinary, nullable=False),
)

dated_prices = Table(
    "dated_prices",
    metadata,
    # A list that was loaded, or a sheet of the user's on top of it.
    Column("layer", String(8), primary_key=True),
    Column("product", String(16), primary_key=True),
    Column("region", String(32), primary_key=True),
    Column("platform", String(32), primary_key=True),
    # From which all of the layer's prices of the market hold.
    Column("date", Date, primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("usd", Double, nullable=False),
    Column("source", String(256), nullable=False),
)

described_types = Table(
    "described_types",
    metadata,
    # Of an instance type that the package does not ship.
    Column("name", String(64), primary_key=True),
    # In which it was described, and so is offered.
    Column("region", String(32), primary_key=True),
    Column("date", Date, nullable=False),
    # The figures of catalog.described_types.DescribedType as JSON.
    Column("body", LargeBinary, nullable=False),
)

job_runs = Table(
    "job_runs",
    metadata,
    # Name of the kind of job, as in jobs.job_kinds.
    Column("job", String(32), primary_key=True),
    # Counts the runs of the kind: whoever inserts the next number has claimed the job.
    Column("generation", Integer, primary_key=True),
    Column("due_at", UtcDateTime, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("holder", String(256), nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    # Moved while the job runs; a run that is not finished by then has lost its process.
    Column("lease_until", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Column("outcome", String(16)),
    # What it did, as JSON, or why it failed, as {"error": ...}.
    Column("detail", Text),
)

source_files = Table(
    "source_files",
    metadata,
    # Name of the source in the file of sources.
    Column("source", String(64), primary_key=True),
    Column("path", String(1024), primary_key=True),
    # What told the file from later ones of the same name when it was brought in.
    Column("bytes", BigInteger, nullable=False),
    Column("modified_ns", BigInteger, nullable=False),
    Column("imported_at", UtcDateTime, nullable=False),
)

forecasts = Table(
    "forecasts",
    metadata,
    Column("run_id", String(36), primary_key=True),
    *_resource_scope(),
    # Pages of one scope, from 0.
    Column("part", Integer, primary_key=True),
    Column("as_of", UtcDateTime, nullable=False, index=True),
    # Compressed JSON of model.forecast.ForecastOf, one for each resource.
    Column("body", LargeBinary, nullable=False),
)

scores = Table(
    "scores",
    metadata,
    Column("run_id", String(36), primary_key=True),
    # Of the run whose predictions were held against what came.
    Column("as_of", UtcDateTime, nullable=False, index=True),
    Column("scored_at", UtcDateTime, nullable=False),
    # The whole model.forecast.Score as JSON (msgspec).
    Column("body", LargeBinary, nullable=False),
)

billed_usage = Table(
    "billed_usage",
    metadata,
    # As catalog.effective_rates.BilledUsage; the name is empty where a product has no types.
    Column("account_id", String(12), primary_key=True),
    Column("product", String(8), primary_key=True),
    Column("region", String(32), primary_key=True),
    Column("platform", String(32), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("hours", Double, nullable=False),
    Column("list_usd", Double, nullable=False),
    Column("effective_usd", Double, nullable=False),
    Column("reserved_hours", Double, nullable=False),
    Column("reserved_list_usd", Double, nullable=False),
    Column("reserved_effective_usd", Double, nullable=False),
    Column("planned_hours", Double, nullable=False),
    Column("first_day", Date, nullable=False),
    Column("last_day", Date, nullable=False),
)
