"""The tables: how a database gets them, and what is said where it has not."""

from collections.abc import Callable
from multiprocessing.pool import Pool

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from chatproxy.errors import DirectoryUnavailable
from chatproxy.identity.directory import Directory
from chatproxy.identity.records import DEFAULT_APP
from chatproxy.identity.schema import upgrade
from chatproxy.identity.tables import metadata
from tests.databases import run_at
from tests.identity.elsewhere import upgrade_together


def downgrade(directory: Directory) -> None:
    config = Config()
    config.set_main_option("script_location", "chatproxy.identity:migrations")

    with directory.database.writing() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")


def tables(directory: Directory) -> set[str]:
    with directory.database.reading() as connection:
        return set(inspect(connection).get_table_names())


def test_an_upgraded_database_has_every_table_and_an_app(directory: Directory) -> None:
    assert tables(directory) == {*metadata.tables, "alembic_version"}
    assert [app.id for app in directory.apps.list()] == [DEFAULT_APP]


def test_upgrading_again_changes_nothing(directory: Directory) -> None:
    before = directory.apps.list()
    upgrade(directory.database)

    assert directory.apps.list() == before


def test_two_processes_at_once_upgrade_once(
    database_url: str, processes: Pool, opened: Callable[..., Directory]
) -> None:
    processes.starmap(upgrade_together, [(database_url,)] * 2)

    assert [app.id for app in opened().apps.list()] == [DEFAULT_APP]


def test_the_migrations_make_what_the_models_say(directory: Directory) -> None:
    exact = {"compare_type": True, "compare_server_default": True}

    with directory.database.reading() as connection:
        context = MigrationContext.configure(connection, opts=exact)
        assert compare_metadata(context, metadata) == []


def test_a_downgrade_removes_every_table(directory: Directory) -> None:
    downgrade(directory)

    assert tables(directory) == {"alembic_version"}


def test_after_a_downgrade_one_can_upgrade(directory: Directory) -> None:
    downgrade(directory)
    upgrade(directory.database)

    assert [app.id for app in directory.apps.list()] == [DEFAULT_APP]


def test_an_upgrade_that_fails_leaves_nothing(
    database_url: str, opened: Callable[..., Directory]
) -> None:
    directory = opened()
    run_at(database_url, "CREATE TABLE users (somebody_elses INTEGER)")

    with pytest.raises(DirectoryUnavailable, match="cannot be asked"):
        upgrade(directory.database)

    assert tables(directory) == {"users"}


def test_without_tables_the_log_names_the_command(opened: Callable[..., Directory]) -> None:
    with pytest.raises(DirectoryUnavailable) as caught:
        opened().database.ping()

    assert "run `chatproxy db upgrade`" in caught.value.detail
    assert "upgrade" not in caught.value.message


def test_an_older_schema_names_the_command_too(database_url: str, directory: Directory) -> None:
    run_at(database_url, "ALTER TABLE apps DROP COLUMN name")

    with pytest.raises(DirectoryUnavailable) as caught:
        directory.apps.list()

    assert "run `chatproxy db upgrade`" in caught.value.detail


def test_a_row_of_an_unknown_app_is_refused(directory: Directory) -> None:
    lost = "INSERT INTO revoked_tokens (app_id, token_id, expires) VALUES ('nowhere', 'a', 0)"

    with pytest.raises(Exception, match="(?i)foreign key"), directory.database.writing() as write:
        write.execute(text(lost))
