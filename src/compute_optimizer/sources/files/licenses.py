"""What the row of an instance says of the license of SQL Server on it."""

from compute_optimizer.model.license import (
    BRING_YOUR_OWN,
    ENTERPRISE,
    ENTERPRISE_FEATURES,
    FREE,
    LICENSE_INCLUDED,
    NO_EDITION,
    STANDARD,
    SqlServer,
)
from compute_optimizer.sources.files import cells
from compute_optimizer.sources.files.cells import Row, RowRefused
from compute_optimizer.sources.files.refusals import Reason

EDITIONS = {
    "enterprise": ENTERPRISE,
    "standard": STANDARD,
    "free": FREE,
    "developer": FREE,
    "express": FREE,
    NO_EDITION.casefold(): NO_EDITION,
    "unknown": NO_EDITION,
}
"""Editions by what inventories call them. The Web edition has no name in the service."""

MODELS = {
    LICENSE_INCLUDED.casefold(): LICENSE_INCLUDED,
    "license-included": LICENSE_INCLUDED,
    BRING_YOUR_OWN.casefold(): BRING_YOUR_OWN,
    "bring-your-own-license": BRING_YOUR_OWN,
    "byol": BRING_YOUR_OWN,
}
"""License models by the same."""

WEB = "web"
"""An edition that no license recommendation is about."""

NO_FEATURES = "none"

FIELDS = (
    "license_edition",
    "license_version",
    "license_model",
    "application_insights_arn",
    "enterprise_features",
)
"""What says that an instance has a license; `production` alone says nothing."""


def read_license(row: Row) -> SqlServer | None:
    """Return the license of an instance's row; None where there is none, or one of Web.

    Raises RowRefused.
    """
    sold_edition = cells.sold_edition(row)
    if not (sold_edition or any(cells.text(row, field) for field in FIELDS)):
        return None
    edition = cells.text(row, "license_edition").casefold() or sold_edition or "unknown"
    if sold_edition not in ("", edition) or edition not in (*EDITIONS, WEB):
        raise RowRefused(Reason.EDITION, edition)
    if edition == WEB:
        return None
    return SqlServer(
        edition=EDITIONS[edition],
        # EC2 names what it sells: an instance that it does not name so has a license of its owner.
        license_model=_model(row, LICENSE_INCLUDED if sold_edition else BRING_YOUR_OWN),
        version=cells.text(row, "license_version"),
        metrics_source_arn=cells.text(row, "application_insights_arn") or None,
        features=_features(row),
        production=cells.flag(row, "production") if cells.text(row, "production") else True,
    )


def _model(row: Row, default: str) -> str:
    word = cells.choice(
        row, "license_model", default.casefold(), tuple(MODELS), Reason.LICENSE_MODEL
    )
    return MODELS[word]


def _features(row: Row) -> tuple[str, ...] | None:
    """Return the features that a row lists; none where it says so, None where it says nothing."""
    words = [word.strip() for word in cells.text(row, "enterprise_features").split(";")]
    named = [word.casefold() for word in words if word]
    if not named:
        return None
    wanted = [word for word in named if word != NO_FEATURES]
    for word in wanted:
        if word not in ENTERPRISE_FEATURES:
            raise RowRefused(Reason.FEATURES, word)
    return tuple(dict.fromkeys(wanted))
