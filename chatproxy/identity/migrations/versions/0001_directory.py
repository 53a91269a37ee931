"""Apps, API keys, users, revoked tokens; and the app that is there from the start."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    apps = op.create_table(
        "apps",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("token_version", sa.Integer, nullable=False),
        sa.Column("tokens_valid_after", sa.Double),
        sa.Column("created", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_apps"),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("app_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("imported", sa.Boolean, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("life", sa.Double),
        sa.Column("expires", sa.Double),
        sa.Column("revoked", sa.Double),
        sa.Column("last_used", sa.Double),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_api_keys_app_id"),
        sa.UniqueConstraint("digest", name="uq_api_keys_digest"),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("app_id", sa.String(64), nullable=False),
        sa.Column("external_id", sa.String(255), nullable=False),
        sa.Column("name", sa.Text),
        sa.Column("image", sa.Text),
        sa.Column("email", sa.Text),
        sa.Column("custom", sa.Text, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("token_version", sa.Integer, nullable=False),
        sa.Column("tokens_valid_after", sa.Double),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("updated", sa.Double, nullable=False),
        sa.Column("last_seen", sa.Double),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_users_app_id"),
        sa.UniqueConstraint("app_id", "external_id", name="uq_users_app_id_external_id"),
    )
    op.create_table(
        "revoked_tokens",
        sa.Column("app_id", sa.String(64), nullable=False),
        sa.Column("token_id", sa.String(255), nullable=False),
        sa.Column("expires", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("app_id", "token_id", name="pk_revoked_tokens"),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_revoked_tokens_app_id"),
    )
    op.create_index("ix_revoked_tokens_expires", "revoked_tokens", ["expires"])
    # There from the start: it is older than anything that has a time.
    first = {"id": "default", "name": "default", "token_version": 0, "created": 0.0}
    op.bulk_insert(apps, [first])


def downgrade() -> None:
    """Remove the tables."""
    for table in ("revoked_tokens", "users", "api_keys", "apps"):
        op.drop_table(table)
