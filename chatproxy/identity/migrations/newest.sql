-- What the migrations make of a new SQLite file, in one go: tests/identity/test_new_database.py
-- compares both. A statement ends with a semicolon at the end of a line.

CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

CREATE TABLE apps (
    id VARCHAR(64) NOT NULL,
    name VARCHAR(255) NOT NULL,
    token_version INTEGER NOT NULL,
    tokens_valid_after DOUBLE,
    created DOUBLE NOT NULL,
    CONSTRAINT pk_apps PRIMARY KEY (id)
);

CREATE TABLE api_keys (
    id VARCHAR(64) NOT NULL,
    app_id VARCHAR(64) NOT NULL,
    name VARCHAR(255) NOT NULL,
    kind VARCHAR(16) NOT NULL,
    digest VARCHAR(64) NOT NULL,
    imported BOOLEAN NOT NULL,
    created DOUBLE NOT NULL,
    life DOUBLE,
    expires DOUBLE,
    revoked DOUBLE,
    last_used DOUBLE,
    CONSTRAINT pk_api_keys PRIMARY KEY (id),
    CONSTRAINT fk_api_keys_app_id FOREIGN KEY(app_id) REFERENCES apps (id),
    CONSTRAINT uq_api_keys_digest UNIQUE (digest)
);

CREATE TABLE users (
    id VARCHAR(64) NOT NULL,
    app_id VARCHAR(64) NOT NULL,
    external_id VARCHAR(255) NOT NULL,
    name TEXT,
    image TEXT,
    email TEXT,
    custom TEXT NOT NULL,
    active BOOLEAN NOT NULL,
    token_version INTEGER NOT NULL,
    tokens_valid_after DOUBLE,
    created DOUBLE NOT NULL,
    updated DOUBLE NOT NULL,
    last_seen DOUBLE,
    CONSTRAINT pk_users PRIMARY KEY (id),
    CONSTRAINT fk_users_app_id FOREIGN KEY(app_id) REFERENCES apps (id),
    CONSTRAINT uq_users_app_id_external_id UNIQUE (app_id, external_id)
);

CREATE TABLE revoked_tokens (
    app_id VARCHAR(64) NOT NULL,
    token_id VARCHAR(255) NOT NULL,
    expires DOUBLE NOT NULL,
    CONSTRAINT pk_revoked_tokens PRIMARY KEY (app_id, token_id),
    CONSTRAINT fk_revoked_tokens_app_id FOREIGN KEY(app_id) REFERENCES apps (id)
);

CREATE INDEX ix_revoked_tokens_expires ON revoked_tokens (expires);

CREATE TABLE agents (
    app_id VARCHAR(64) NOT NULL,
    id VARCHAR(64) NOT NULL,
    name VARCHAR(255) NOT NULL,
    active BOOLEAN NOT NULL,
    created DOUBLE NOT NULL,
    updated DOUBLE NOT NULL,
    CONSTRAINT pk_agents PRIMARY KEY (app_id, id),
    CONSTRAINT fk_agents_app_id FOREIGN KEY(app_id) REFERENCES apps (id)
);

CREATE TABLE bound_tokens (
    app_id VARCHAR(64) NOT NULL,
    digest VARCHAR(64) NOT NULL,
    user_id VARCHAR(64) NOT NULL,
    name VARCHAR(64),
    version INTEGER NOT NULL,
    created DOUBLE NOT NULL,
    expires DOUBLE NOT NULL,
    CONSTRAINT pk_bound_tokens PRIMARY KEY (app_id, digest),
    CONSTRAINT fk_bound_tokens_app_id FOREIGN KEY(app_id) REFERENCES apps (id),
    CONSTRAINT fk_bound_tokens_user_id FOREIGN KEY(user_id) REFERENCES users (id)
);

CREATE INDEX ix_bound_tokens_user_id ON bound_tokens (user_id);

CREATE TABLE devices (
    user_id VARCHAR(64) NOT NULL,
    device_id VARCHAR(255) NOT NULL,
    last_seen DOUBLE NOT NULL,
    CONSTRAINT pk_devices PRIMARY KEY (user_id, device_id),
    CONSTRAINT fk_devices_user_id FOREIGN KEY(user_id) REFERENCES users (id)
);

CREATE TABLE badges (
    app_id VARCHAR(64) NOT NULL,
    client_id VARCHAR(255) NOT NULL,
    source VARCHAR(64) NOT NULL,
    count INTEGER NOT NULL,
    CONSTRAINT pk_badges PRIMARY KEY (app_id, client_id, source),
    CONSTRAINT fk_badges_app_id FOREIGN KEY(app_id) REFERENCES apps (id)
);

CREATE TABLE signed_in_sessions (
    app_id VARCHAR(64) NOT NULL,
    session VARCHAR(64) NOT NULL,
    token VARCHAR(64) NOT NULL,
    noted DOUBLE NOT NULL,
    expires DOUBLE NOT NULL,
    CONSTRAINT pk_signed_in_sessions PRIMARY KEY (app_id, session),
    CONSTRAINT fk_signed_in_sessions_app_id FOREIGN KEY(app_id) REFERENCES apps (id)
);

CREATE INDEX ix_signed_in_sessions_token ON signed_in_sessions (token);

CREATE INDEX ix_signed_in_sessions_expires ON signed_in_sessions (expires);

CREATE INDEX ix_users_app_id_created_id ON users (app_id, created, id);

INSERT INTO alembic_version (version_num) VALUES ('0005');

INSERT INTO apps (id, name, token_version, created) VALUES ('default', 'default', 0, 0.0);
