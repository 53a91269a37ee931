"""An index by which a page of an app's users is found without sorting all of them."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index."""
    op.create_index("ix_users_app_id_created_id", "users", ["app_id", "created", "id"])


def downgrade() -> None:
    """Remove the index."""
    op.drop_index("ix_users_app_id_created_id", "users")
