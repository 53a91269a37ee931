"""What the manifests say is true of the sidecar: variables, ports, probes, documents, secrets."""

import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from chatproxy import __version__, settings
from chatproxy.app import create_app
from chatproxy.metrics.table import IN_FLIGHT
from chatproxy.providers import SETTINGS
from release.dockerfile import lineage, stages
from tests.deploy.kubernetes import (
    KUBERNETES,
    OVERLAYS,
    all_of_ours,
    below,
    built,
    environ,
    mount,
    named,
    needs_kubectl,
    ours,
    pods,
)
from tests.sidecar import ROOT

pytestmark = needs_kubectl

WORKLOADS = [("sidecar", "your-service"), ("shared", "chatproxy"), ("shared", "chatproxy-schema")]
SERVERS = WORKLOADS[:2]
TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount"
PROBES = ("startupProbe", "livenessProbe", "readinessProbe")
#: The oldest in which a native sidecar is on by default, and the newest that there is.
VERSIONS = ("1.29", kubernetes_validate.latest_version())


def loaded(overlay: str, workload: str, root: Path) -> settings.Settings:
    container, pod = ours(overlay)[workload]
    mount(overlay, container, pod, root)
    return settings.load(SETTINGS, below(root, environ(overlay, container)))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_each_resource_fits_kubernetes_own_schema(overlay: str, version: str) -> None:
    resources = built(overlay)

    assert resources
    for one in resources:
        kubernetes_validate.validate(one, version, strict=True)


def test_a_misspelt_field_would_be_found() -> None:
    misspelt = {**named("shared", "PodDisruptionBudget"), "spce": {}}

    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(misspelt, VERSIONS[-1], strict=True)


@pytest.mark.parametrize(("overlay", "workload"), SERVERS)
def test_the_sidecar_starts_with_what_is_set_and_mounted(
    overlay: str, workload: str, tmp_path: Path
) -> None:
    found = loaded(overlay, workload, tmp_path)

    assert list(found.warnings()) == []
    assert found.kept is None
    assert found.access is not None
    assert create_app(found)


def test_the_job_reads_what_is_mounted(tmp_path: Path) -> None:
    container, pod = ours("shared")["chatproxy-schema"]
    mount("shared", container, pod, tmp_path)
    found = settings.load_for_commands(below(tmp_path, environ("shared", container)))

    assert container["command"] == ["chatproxy", "db", "upgrade"]
    assert found.directory is not None
    assert found.directory.sqlite_path is None


@pytest.mark.parametrize(("overlay", "workload"), WORKLOADS)
def test_every_variable_is_a_setting(overlay: str, workload: str) -> None:
    """One that nobody reads would be a slip that nobody notices."""
    documented = set(re.findall(r"^\| `([A-Z_]+)`", (ROOT / "docs/settings.md").read_text(), re.M))
    container, _ = ours(overlay)[workload]

    assert {name.removesuffix("_FILE") for name in environ(overlay, container)} <= documented


@pytest.mark.parametrize(("overlay", "workload"), SERVERS)
def test_every_secret_that_is_mounted_is_read(overlay: str, workload: str) -> None:
    container, pod = ours(overlay)[workload]
    read = {
        text.removeprefix("/secrets/")
        for name, text in environ(overlay, container).items()
        if name.endswith("_FILE")
    }
    items = [item for one in pod["volumes"] for item in one.get("secret", {}).get("items", ())]

    assert {item["path"] for item in items} == read
    assert all(item["path"] == item["key"] for item in items)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_no_secret_is_a_variable(overlay: str) -> None:
    for container, _ in ours(overlay).values():
        values = environ(overlay, container)
        assert not any(
            variable.name in values
            for section in (*SETTINGS.values(), settings.DirectorySettings, settings.KeySettings)
            for _, variable in settings.declared(section)
            if variable.secret
        )


@pytest.mark.parametrize(("overlay", "workload"), SERVERS)
def test_ports_and_probes_are_those_that_it_listens_on(
    overlay: str, workload: str, tmp_path: Path
) -> None:
    container, _ = ours(overlay)[workload]
    listeners = {one.port: one for one in loaded(overlay, workload, tmp_path).listeners()}
    ports = {one["name"]: one["containerPort"] for one in container["ports"]}
    beyond = {one.port for one in listeners.values() if not one.is_local}

    assert set(ports.values()) == beyond
    assert all(listeners[port].door == name for name, port in ports.items())

    app = create_app(loaded(overlay, workload, tmp_path / "again"))
    paths = {rule.rule.rstrip("/") for rule in app.url_map.iter_rules()}

    for probe in PROBES:
        asked = container[probe]["httpGet"]
        assert asked["port"] == "status"
        assert asked["path"] in paths


@pytest.mark.parametrize(("overlay", "workload"), SERVERS)
def test_prometheus_is_told_where_to_scrape(overlay: str, workload: str, tmp_path: Path) -> None:
    template = named(overlay, "Deployment", workload)["spec"]["template"]
    annotations = template["metadata"]["annotations"]
    found = loaded(overlay, workload, tmp_path)

    assert annotations["prometheus.io/port"] == str(found.status_port)
    paths = {rule.rule.rstrip("/") for rule in create_app(found).url_map.iter_rules()}
    assert annotations["prometheus.io/path"] in paths


@pytest.mark.parametrize(("overlay", "workload"), SERVERS)
def test_a_pod_waits_longer_for_the_stop_than_it_can_take(
    overlay: str, workload: str, tmp_path: Path
) -> None:
    _, pod = ours(overlay)[workload]
    found = loaded(overlay, workload, tmp_path)
    takes = found.drain_seconds + found.graceful_timeout

    assert pod["terminationGracePeriodSeconds"] >= takes + 5
    assert found.drain_seconds == (5 if overlay == "shared" else 0)


def effective(container: dict[str, Any], pod: dict[str, Any], name: str) -> Any:
    own = container["securityContext"]
    return own.get(name, pod.get("securityContext", {}).get(name))


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_each_container_has_no_more_rights_than_it_needs(overlay: str) -> None:
    user = [
        step.text
        for stage in lineage(stages(ROOT / "Dockerfile"), "sidecar")
        for step in stage.all("USER")
    ][-1]

    for _, container, pod in all_of_ours(overlay):
        own = container["securityContext"]
        mounts = container.get("volumeMounts", [])
        number = (
            f"{effective(container, pod, 'runAsUser')}:{effective(container, pod, 'runAsGroup')}"
        )

        assert number == user
        assert effective(container, pod, "runAsNonRoot") is True
        assert effective(container, pod, "seccompProfile") == {"type": "RuntimeDefault"}
        assert own["readOnlyRootFilesystem"] is True
        assert own["allowPrivilegeEscalation"] is False
        assert own["capabilities"] == {"drop": ["ALL"]}
        assert pod.get("automountServiceAccountToken") is False or any(
            one["mountPath"] == TOKEN for one in mounts
        )
        assert "memory" in container["resources"]["limits"]
        assert all(one.get("readOnly") or one["mountPath"] == "/tmp" for one in mounts)
        assert not any("subPath" in one for one in mounts)


def test_the_sidecar_is_a_native_one() -> None:
    container, pod = ours("sidecar")["your-service"]

    assert container in pod["initContainers"]
    assert container["restartPolicy"] == "Always"
    assert [one["name"] for one in pod["containers"]] == ["your-service"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_image_of_ours_has_the_version(overlay: str) -> None:
    images = [
        container["image"]
        for _, pod in pods(overlay)
        for container in [*pod.get("initContainers", ()), *pod["containers"]]
    ]

    assert f"chatproxy:{__version__}" in images
    assert all(one in (f"chatproxy:{__version__}", "your-service:1.0.0") for one in images)


def test_selectors_find_the_servers_and_not_the_job() -> None:
    labels = named("shared", "Deployment")["spec"]["template"]["metadata"]["labels"]
    of_the_job = named("shared", "Job")["spec"]["template"]["metadata"]["labels"]
    selectors = [
        one["spec"]["selector"].get("matchLabels", one["spec"]["selector"])
        for one in built("shared")
        if one["kind"] in ("Service", "PodDisruptionBudget", "Deployment")
    ]

    assert len(selectors) == 5
    for selector in selectors:
        assert selector.items() <= labels.items()
        assert not selector.items() <= of_the_job.items()


def test_each_door_is_open_to_its_own_callers_only() -> None:
    policy = named("shared", "NetworkPolicy")["spec"]
    container, _ = ours("shared")["chatproxy"]
    doors = [port["port"] for rule in policy["ingress"] for port in rule["ports"]]

    assert sorted(doors) == sorted(one["name"] for one in container["ports"])
    assert all(rule["from"] for rule in policy["ingress"])
    assert sorted(policy["policyTypes"]) == ["Egress", "Ingress"]


def test_services_lead_to_the_door_that_they_are_for() -> None:
    targets = {
        one["metadata"]["name"]: [port["targetPort"] for port in one["spec"]["ports"]]
        for one in built("shared")
        if one["kind"] == "Service"
    }

    assert targets == {
        "chatproxy": ["service"],
        "chatproxy-clients": ["client"],
        "chatproxy-starting": ["status"],
    }


def test_the_schema_is_upgraded_once_new_pods_run() -> None:
    """Before, the old ones would not be ready any more, and no new one would be there."""
    service = named("shared", "Service", "chatproxy-starting")["spec"]
    deployment = named("shared", "Deployment")["spec"]
    (waiting,) = named("shared", "Job")["spec"]["template"]["spec"]["initContainers"]
    *_, url = waiting["command"]

    assert waiting["command"][:3] == ["chatproxy", "health", "--url"]
    assert url == f"http://chatproxy-starting:{service['ports'][0]['port']}"
    assert service["publishNotReadyAddresses"] is True
    assert service["selector"]["app.kubernetes.io/version"] == __version__
    assert deployment["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": "100%"}
    # A selector cannot be changed: the version is in the pods' labels alone.
    assert "app.kubernetes.io/version" not in deployment["selector"]["matchLabels"]


def test_it_can_be_called_by_its_services_names(tmp_path: Path) -> None:
    found = loaded("shared", "chatproxy", tmp_path)
    namespace = named("shared", "Service", "chatproxy")["metadata"]["namespace"]

    for suffix in ("", f".{namespace}", f".{namespace}.svc", f".{namespace}.svc.cluster.local"):
        assert f"chatproxy{suffix}" in found.allowed_hosts


def test_it_scales_by_a_metric_that_there_is_and_that_the_adapter_exposes() -> None:
    (metric,) = named("shared", "HorizontalPodAutoscaler")["spec"]["metrics"]
    name = metric["pods"]["metric"]["name"]
    (rule,) = yaml.safe_load((KUBERNETES / "shared/prometheus-adapter.yaml").read_text())["rules"]

    assert name == IN_FLIGHT.name
    assert rule["seriesQuery"].startswith(f"{name}{{")
    assert re.match(rule["name"]["matches"], name)


def test_three_replicas_and_one_may_be_away() -> None:
    assert named("shared", "Deployment")["spec"]["replicas"] == 3
    assert named("shared", "HorizontalPodAutoscaler")["spec"]["minReplicas"] == 3
    assert named("shared", "PodDisruptionBudget")["spec"]["maxUnavailable"] == 1
