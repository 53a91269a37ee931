"""Tokens found by look-up, devices, and badges."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "bound_tokens",
        sa.Column("app_id", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(64)),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("expires", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("app_id", "digest", name="pk_bound_tokens"),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_bound_tokens_app_id"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_bound_tokens_user_id"),
    )
    op.create_index("ix_bound_tokens_user_id", "bound_tokens", ["user_id"])
    op.create_table(
        "devices",
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("device_id", sa.String(255), nullable=False),
        sa.Column("last_seen", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "device_id", name="pk_devices"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_devices_user_id"),
    )
    op.create_table(
        "badges",
        sa.Column("app_id", sa.String(64), nullable=False),
        sa.Column("client_id", sa.String(255), nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("app_id", "client_id", "source", name="pk_badges"),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_badges_app_id"),
    )


def downgrade() -> None:
    """Remove the tables."""
    op.drop_table("badges")
    op.drop_table("devices")
    op.drop_table("bound_tokens")
