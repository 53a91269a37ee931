"""The directory's tables. Times are epoch seconds.

A change here needs a migration beside it; a test compares the two.
"""

from sqlalchemy import (
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

#: Names by which a later migration can find what it has to change.
NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

metadata = MetaData(naming_convention=NAMES)

apps = Table(
    "apps",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", String(255), nullable=False),
    # Goes up with each revocation of all its tokens; see `revocation`.
    Column("token_version", Integer, nullable=False),
    Column("tokens_valid_after", Double),
    Column("created", Double, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("app_id", String(64), ForeignKey("apps.id"), nullable=False),
    Column("name", String(255), nullable=False),
    Column("kind", String(16), nullable=False),
    # SHA-256 of the whole key, in hexadecimal. The key itself is kept nowhere.
    Column("digest", String(64), nullable=False),
    # True where the key was made elsewhere, so that its digest is all there is to find it by.
    Column("imported", Boolean, nullable=False),
    Column("created", Double, nullable=False),
    # Seconds for which it was made, so that a successor gets as many.
    Column("life", Double),
    Column("expires", Double),
    Column("revoked", Double),
    Column("last_used", Double),
    UniqueConstraint("digest"),
)

users = Table(
    "users",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("app_id", String(64), ForeignKey("apps.id"), nullable=False),
    Column("external_id", String(255), nullable=False),
    Column("name", Text),
    Column("image", Text),
    Column("email", Text),
    # A JSON object as text: the two databases differ in what their own JSON types take.
    Column("custom", Text, nullable=False),
    # False for a deleted user, whose row keeps the tokens ended.
    Column("active", Boolean, nullable=False),
    Column("token_version", Integer, nullable=False),
    # The last revocation, for tokens whose ids hold no version.
    Column("tokens_valid_after", Double),
    Column("created", Double, nullable=False),
    Column("updated", Double, nullable=False),
    # Up to a minute behind; see `last_seen`.
    Column("last_seen", Double),
    UniqueConstraint("app_id", "external_id"),
)

# For pages of them, oldest first. With a million users sorting them takes PostgreSQL longer than a
# statement may. Without `active`, or SQLite would read all users to find some by their ids.
Index(None, users.c.app_id, users.c.created, users.c.id)

agents = Table(
    "agents",
    metadata,
    Column("app_id", String(64), ForeignKey("apps.id"), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("name", String(255), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("created", Double, nullable=False),
    Column("updated", Double, nullable=False),
)

revoked_tokens = Table(
    "revoked_tokens",
    metadata,
    Column("app_id", String(64), ForeignKey("apps.id"), primary_key=True),
    Column("token_id", String(255), primary_key=True),
    # When the token would have ended anyway, and the row may go.
    Column("expires", Double, nullable=False),
)

Index(None, revoked_tokens.c.expires)

bound_tokens = Table(
    "bound_tokens",
    metadata,
    Column("app_id", String(64), ForeignKey("apps.id"), primary_key=True),
    # SHA-256 of the whole token, in hexadecimal.
    Column("digest", String(64), primary_key=True),
    Column("user_id", String(64), ForeignKey("users.id"), nullable=False, index=True),
    # The id in a token that was made here, from which its text can be made again.
    Column("name", String(64)),
    # The user's version when it was bound; a revocation raises the user's. See `revocation`.
    Column("version", Integer, nullable=False),
    Column("created", Double, nullable=False),
    Column("expires", Double, nullable=False),
)

devices = Table(
    "devices",
    metadata,
    Column("user_id", String(64), ForeignKey("users.id"), primary_key=True),
    Column("device_id", String(255), primary_key=True),
    Column("last_seen", Double, nullable=False),
)

signed_in_sessions = Table(
    "signed_in_sessions",
    metadata,
    Column("app_id", String(64), ForeignKey("apps.id"), primary_key=True),
    # SHA-256 of the session's id, and of the token, in hexadecimal.
    Column("session", String(64), primary_key=True),
    Column("token", String(64), nullable=False, index=True),
    Column("noted", Double, nullable=False),
    # The token's end, at which the row may go.
    Column("expires", Double, nullable=False, index=True),
)

badges = Table(
    "badges",
    metadata,
    Column("app_id", String(64), ForeignKey("apps.id"), primary_key=True),
    # A user's id, or one that the directory knows nothing else of.
    Column("client_id", String(255), primary_key=True),
    Column("source", String(64), primary_key=True),
    Column("count", Integer, nullable=False),
)
