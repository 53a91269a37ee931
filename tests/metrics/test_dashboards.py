"""The dashboard, the alert rules and the documents' queries ask for metrics that there are."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from chatproxy.metrics.series import Histogram
from chatproxy.metrics.table import TABLE

ROOT = Path(__file__).parent.parent.parent
RULES = ROOT / "deploy" / "prometheus" / "alerts.yaml"
DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "chatproxy.json").read_text())
NAME = re.compile(r"\bchatproxy_[a-z_]+\b")
#: A metric in an expression, with what is asked of its labels.
SELECTOR = re.compile(r"(chatproxy_[a-z_]+)(?:\{([^}]*)\})?")
GROUPING = re.compile(r"\bby \(([^)]*)\)")
#: Labels that Prometheus adds.
ITS_OWN = {"instance", "job", "le"}

LABELS = {
    name: set(one.labels)
    for one in TABLE
    for name in (
        [one.name + suffix for suffix in ("_bucket", "_count", "_sum")]
        if isinstance(one, Histogram)
        else [one.name]
    )
}


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = DASHBOARD["panels"]
    return found


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(RULES.read_text())["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def expressions() -> Iterator[tuple[str, str]]:
    """Yield where each expression stands, and that."""
    for panel in panels():
        for target in panel.get("targets", ()):
            yield f"panel {panel['title']}", target["expr"]

    for rule in rules():
        yield f"alert {rule['alert']}", rule["expr"]

    for row in re.findall(r"^\| .* \| `(.*chatproxy_.*)` \|$", page("metrics"), re.MULTILINE):
        yield "docs/metrics.md", row


def page(name: str) -> str:
    return (ROOT / "docs" / f"{name}.md").read_text()


EXPRESSIONS = list(expressions())


@pytest.mark.parametrize(("place", "expr"), EXPRESSIONS)
def test_an_expression_asks_for_metrics_and_labels_that_there_are(place: str, expr: str) -> None:
    selected = SELECTOR.findall(expr)
    names = [name for name, _ in selected]
    assert names, place
    assert [name for name in names if name not in LABELS] == []

    known = set[str]().union(*(LABELS[name] for name in names)) | ITS_OWN

    for name, matchers in selected:
        asked = set(re.findall(r"([a-z_]+)\s*(?:=~|!~|!=|=)", matchers))
        assert asked <= LABELS[name] | ITS_OWN, (place, name)

    for labels in GROUPING.findall(expr):
        assert {one.strip() for one in labels.split(",")} <= known, place


def test_all_three_have_expressions() -> None:
    kinds = {place.partition(" ")[0] for place, _ in EXPRESSIONS}

    assert kinds == {"panel", "alert", "docs/metrics.md"}
    assert len(EXPRESSIONS) > 50


def test_every_metric_is_on_the_dashboard() -> None:
    shown = {name for place, expr in EXPRESSIONS for name in NAME.findall(expr) if place[0] == "p"}

    assert [one.name for one in TABLE if not any(name.startswith(one.name) for name in shown)] == []


def test_the_dashboard_can_be_imported() -> None:
    """What Grafana needs: no id of another instance, a source to choose, and no overlap."""
    assert DASHBOARD["id"] is None
    assert DASHBOARD["title"] == DASHBOARD["uid"] == "chatproxy"
    assert DASHBOARD["schemaVersion"] >= 36
    assert {one["name"] for one in DASHBOARD["templating"]["list"]} == {"datasource", "instance"}
    ids = [panel["id"] for panel in panels()]
    assert len(set(ids)) == len(ids)
    taken: set[tuple[int, int]] = set()

    for panel in panels():
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells

        if panel["type"] != "row":
            references = [target["refId"] for target in panel["targets"]]
            assert len(set(references)) == len(references) > 0
            sources = [panel["datasource"], *(one["datasource"] for one in panel["targets"])]
            assert {one["uid"] for one in sources} == {"${datasource}"}


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_an_alert_says_what_it_means_and_what_to_do(rule: dict[str, Any]) -> None:
    assert set(rule) - {"for"} == {"alert", "expr", "labels", "annotations"}
    assert rule["alert"].startswith("Chatproxy")
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert rule["annotations"]["summary"].endswith(".")
    assert len(rule["annotations"]["runbook"]) > 40
    labels = set[str]().union(*(LABELS[name] for name in NAME.findall(rule["expr"])))
    said = set(re.findall(r"\$labels\.([a-z_]+)", rule["annotations"]["summary"]))
    assert said <= labels | ITS_OWN

    if groupings := GROUPING.findall(rule["expr"]):
        assert said <= {one.strip() for labels in groupings for one in labels.split(",")}


@pytest.fixture(scope="module")
def promtool() -> str:
    found = shutil.which("promtool")

    if found is None:
        pytest.skip("promtool is not installed: Debian has it in the package prometheus")

    return found


@pytest.mark.parametrize(
    ("action", "file"), [("check", "alerts.yaml"), ("test", "alerts_test.yaml")]
)
def test_promtool_takes_the_rules_and_their_tests(promtool: str, action: str, file: str) -> None:
    succeeds([promtool, action, "rules", file], RULES.parent)


def test_promtool_reads_every_expression(promtool: str, tmp_path: Path) -> None:
    """As a recorded series each, with Grafana's variables filled in."""
    recorded = [
        {
            "record": f"read:{number}",
            "expr": expr.replace("$__rate_interval", "5m").replace("$instance", ".*"),
        }
        for number, (_, expr) in enumerate(EXPRESSIONS)
    ]
    path = tmp_path / "recorded.yaml"
    path.write_text(json.dumps({"groups": [{"name": "read", "rules": recorded}]}))
    succeeds([promtool, "check", "rules", str(path)], tmp_path)


def test_promtool_finds_no_fault_in_what_is_scraped(promtool: str) -> None:
    from chatproxy.metrics import exposition

    content, _ = exposition.render("", draining=False)
    succeeds([promtool, "check", "metrics"], ROOT, content)


def succeeds(command: list[str], folder: Path, given: bytes = b"") -> None:
    done = subprocess.run(command, cwd=folder, input=given, capture_output=True, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr).decode()
