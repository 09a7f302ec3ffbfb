"""Bodies of recommendations may be packed: what is stored stays, who cannot read them must not try.

A run is there for some days; those that are written from here on are packed.
"""

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision: nothing is changed."""
