"""The documents say what the code does."""

import re
import subprocess
from pathlib import Path

import pytest

from chatproxy import __version__, settings
from chatproxy.app import create_app
from chatproxy.formats import durations
from chatproxy.metrics.table import TABLE
from chatproxy.providers import SETTINGS
from chatproxy.settings.directory import DirectorySettings, KeySettings
from chatproxy.settings.fields import Duration
from chatproxy.settings.limits import LimiterSettings
from chatproxy.settings.variables import Variable, declared
from chatproxy.settings.webhooks import WebhookSettings
from sandbox import local_run
from tests.sidecar import bare_environ

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/*.md")])
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
SHARED = [settings.Settings, DirectorySettings, KeySettings, LimiterSettings, WebhookSettings]
SECTIONS = [*SHARED, *SETTINGS.values()]
VARIABLES = [one for section in SECTIONS for _, one in declared(section)]
#: Its endpoints are those of the sidecar's own page.
FIRST = next(iter(SETTINGS))
PASTED = re.compile("curl |KEY=")
PLACEHOLDER = re.compile(r"<anything:([^>]*)>")
MINIMUM = {
    "PROVIDERS": ",".join(SETTINGS),
    "CONSOLE": "true",
    "STREAM_API_KEY": "key",
    "STREAM_API_SECRET": "s" * 40,
    "CHATSDK_JWT_SECRET": "j" * 40,
    "CENTRIFUGO_TOKEN_SECRET": "c" * 40,
    "KEY_SIGNING_SECRET": "k" * 40,
    "PERFORMCHAT_JWT_SECRET": "p" * 40,
    "IMBACHAT_API_LOGIN": "login",
    "IMBACHAT_API_PASSWORD": "password",
    "IMBACHAT_SECRET_KEY": "i" * 40,
    "IMBACHAT_DEV_ID": "7",
}


def text_of(name: str) -> str:
    return (ROOT / name).read_text()


def row_of(one: Variable) -> str:
    """The row that the settings page has for a variable."""
    if one.required:
        default = "**required**"
    elif isinstance(one.field, Duration):
        hours, rest = divmod(one.default, 3600)
        default = f"`{durations.written(one.default)}`" if rest else f"`{hours}h`"
    elif isinstance(one.default, float):
        default = f"`{one.default:g}`"
    else:
        default = f"`{one.default}`" if one.default not in (None, "", ()) else ""

    note = " Secret, kept." if one.kept else " Secret." if one.secret else ""
    meaning = one.meaning.replace("|", r"\|")
    return f"| `{one.name}` | {default} | {meaning}{note} |"


def written(rule: str) -> str:
    """A route as the pages write it."""
    path = PLACEHOLDER.sub(r"<\1>", rule).rstrip("/")
    return path.replace("user_id", "userId").replace("client_id", "clientId")


@pytest.mark.parametrize("one", VARIABLES, ids=lambda one: one.name)
def test_every_setting_has_its_row(one: Variable) -> None:
    assert row_of(one) in text_of("docs/settings.md").splitlines()


def test_the_settings_page_has_no_other_row() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` ", text_of("docs/settings.md"), re.MULTILINE)

    assert sorted(rows) == sorted(one.name for one in VARIABLES)


def test_the_pages_list_what_is_reachable() -> None:
    app = create_app(settings.load(SETTINGS, MINIMUM))
    served = {
        (method, written(rule.rule))
        for rule in app.url_map.iter_rules()
        for method in rule.methods or ()
        if method != "HEAD" and not rule.endpoint.endswith(".refuse")
    }
    names = ["endpoints", *(name for name in SETTINGS if name != FIRST)]
    pages = "\n".join(text_of(f"docs/{name}.md") for name in names)
    rows = re.findall(r"^\| ([A-Z ]+) \| `([^`?]+)", pages, re.MULTILINE)
    listed = {(method, path) for methods, path in rows for method in methods.split()}

    assert served == listed


def test_every_metric_has_its_row() -> None:
    rows = re.findall(r"^\| `chatproxy_.*$", text_of("docs/metrics.md"), re.MULTILINE)

    assert rows == [
        f"| `{one.name}` | {one.kind} | {', '.join(f'`{label}`' for label in one.labels)} "
        f"| {one.meaning} |"
        for one in TABLE
    ]


def test_every_label_has_its_row() -> None:
    rows = re.findall(r"^\| `([a-z_]+)` \| [^|]*\|$", text_of("docs/metrics.md"), re.MULTILINE)
    labels = {label for one in TABLE for label in one.labels}

    assert set(rows) == labels - {"version", "python"}


def test_the_endpoints_page_lists_the_providers() -> None:
    listed = re.search(r"^Providers: ([a-z`, ]*)\.", text_of("docs/endpoints.md"), re.MULTILINE)

    assert listed is not None
    assert [name.strip("` ") for name in listed[1].split(",")] == list(SETTINGS)


def test_the_commands_are_the_same_everywhere() -> None:
    """The README's commands are those that the start prints."""
    in_readme = [line for line in text_of("README.md").splitlines() if PASTED.match(line)]
    printed = [
        line.strip()
        for line in local_run.greeting(3000, "", with_stand_in=True, knows_users=True).splitlines()
    ]

    assert len(in_readme) == 6
    assert [line for line in printed if PASTED.match(line)] == in_readme


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text())

    assert [link for link in links if not (document.parent / link).exists()] == []


def test_make_alone_lists_the_commands() -> None:
    listed = subprocess.run(
        ["make"], cwd=ROOT, env=bare_environ(), capture_output=True, text=True, check=True
    ).stdout

    assert {line.split()[1] for line in listed.splitlines()} == {
        "help", "install", "run", "demo", "test", "test-long", "lint", "types", "bench", "budget",
        "sdks", "clean", "dist", "smoke", "image", "lock", "sbom", "release-check", "openapi-check",
    }  # fmt: skip


def test_the_changelog_knows_the_version() -> None:
    assert f"## {__version__}" in text_of("CHANGELOG.md")


def test_the_steps_to_a_new_provider_name_files_that_exist() -> None:
    page = text_of("docs/adding-a-provider.md")
    named = re.findall(r"`((?:chatproxy|sandbox|tests|docs)/[^`]*|[A-Z]+\.md)`", page)
    files = [name.replace("NAME", "chatsdk") for name in named]

    assert len(files) > 10
    assert [name for name in files if not (ROOT / name).exists()] == []


def test_the_walks_name_files_that_exist() -> None:
    page = text_of("docs/architecture.md")
    named = re.findall(r"`([a-z_/]+\.py)`", page)
    homes = (ROOT, ROOT / "chatproxy")

    assert len(named) > 20
    assert [one for one in named if not any((home / one).exists() for home in homes)] == []


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda path: path.stem[:4])
def test_a_decision_has_date_and_status(decision: Path) -> None:
    title, _, line = decision.read_text().splitlines()[:3]

    assert title.startswith(f"# {decision.name[:4]}: ")
    assert re.match(
        r"Date: \d{4}-\d\d-\d\d\. Status: (accepted|(changed|superseded) by \[\d{4}\]\(.*\))\.",
        line,
    )


@pytest.mark.parametrize("name", SETTINGS)
def test_the_table_of_providers_names_every_secret(name: str) -> None:
    page = text_of("docs/providers.md")
    secrets = [one.name for _, one in declared(SETTINGS[name]) if one.secret]

    assert [one for one in secrets if f"`{one}`" not in page] == []


def test_the_table_of_providers_names_routes_that_exist() -> None:
    app = create_app(settings.load(SETTINGS, MINIMUM))
    rules = {written(rule.rule) for rule in app.url_map.iter_rules()}
    named = re.findall(r"`(?:GET|POST|PUT|DELETE) (/[^`]*)`", text_of("docs/providers.md"))

    assert len(named) > 10
    assert [path for path in named if path not in rules] == []


@pytest.mark.parametrize("name", SETTINGS)
def test_a_provider_has_all_that_the_steps_ask_for(name: str) -> None:
    """What it has in the contract is a matter of `tests/providers/test_contract.py`."""
    folder = ROOT / "chatproxy" / "providers" / name

    assert (folder / "settings.py").is_file()
    assert (folder / "provider.py").is_file()
    assert (ROOT / "sandbox" / name / "__init__.py").is_file()
    assert f"## {name}" in text_of("docs/settings.md")
    assert name == FIRST or (ROOT / "docs" / f"{name}.md").is_file()
