"""On which sessions of a relayed socket a client has signed in."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "signed_in_sessions",
        sa.Column("app_id", sa.String(64), nullable=False),
        sa.Column("session", sa.String(64), nullable=False),
        sa.Column("token", sa.String(64), nullable=False),
        sa.Column("noted", sa.Double, nullable=False),
        sa.Column("expires", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("app_id", "session", name="pk_signed_in_sessions"),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_signed_in_sessions_app_id"),
    )
    op.create_index("ix_signed_in_sessions_token", "signed_in_sessions", ["token"])
    op.create_index("ix_signed_in_sessions_expires", "signed_in_sessions", ["expires"])


def downgrade() -> None:
    """Remove the table."""
    op.drop_table("signed_in_sessions")
