"""The overlays of `deploy/kubernetes` as `kubectl kustomize` builds them."""

import functools
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.sidecar import ROOT

KUBERNETES = ROOT / "deploy" / "kubernetes"
OVERLAYS = ("sidecar", "shared")
SECRET = "a-secret-of-ones-own-0123456789abcdef"
VALUES = {
    "database-url": "postgresql://chatproxy:secret@postgres/chatproxy",
    "redis-url": "redis://redis:6379/0",
}

needs_kubectl = pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not here")


@functools.cache
def built(overlay: str) -> tuple[dict[str, Any], ...]:
    """Every resource of an overlay."""
    command = ["kubectl", "kustomize", str(KUBERNETES / overlay)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return tuple(yaml.safe_load_all(done.stdout))


def named(overlay: str, kind: str, name: str = "") -> dict[str, Any]:
    """The one resource of a kind, or of a kind and a name."""
    found = [
        one
        for one in built(overlay)
        if one["kind"] == kind and name in ("", one["metadata"]["name"])
    ]
    assert len(found) == 1, [one["metadata"]["name"] for one in found]
    return found[0]


def pods(overlay: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The name of each workload, and its pod."""
    for one in built(overlay):
        if one["kind"] in ("Deployment", "Job"):
            yield one["metadata"]["name"], one["spec"]["template"]["spec"]


def ours(overlay: str) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """Our container of each workload that does its work, and its pod."""
    return {name: (container, pod) for name, container, pod in all_of_ours(overlay)}


def all_of_ours(overlay: str) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Each container of our image: its workload's name, itself, its pod."""
    for name, pod in pods(overlay):
        for container in [*pod.get("initContainers", ()), *pod["containers"]]:
            if container["image"].startswith("chatproxy:"):
                yield name, container, pod


def environ(overlay: str, container: Mapping[str, Any]) -> dict[str, str]:
    """The variables that a container gets."""
    found: dict[str, str] = {}

    for source in container.get("envFrom", ()):
        found |= named(overlay, "ConfigMap", source["configMapRef"]["name"])["data"]

    return found | {one["name"]: one["value"] for one in container.get("env", ())}


def mount(overlay: str, container: Mapping[str, Any], pod: Mapping[str, Any], root: Path) -> None:
    """Write the files that a container finds, below a folder: documents, and secrets made up."""
    volumes = {one["name"]: one for one in pod["volumes"]}

    for one in container["volumeMounts"]:
        folder = root / one["mountPath"].lstrip("/")
        folder.mkdir(parents=True)
        volume = volumes[one["name"]]

        for item in volume.get("secret", {}).get("items", ()):
            text = VALUES.get(item["key"], f"{SECRET}-of-{item['key']}")
            (folder / item["path"]).write_text(text)

        if "configMap" in volume:
            for name, text in named(overlay, "ConfigMap", volume["configMap"]["name"])[
                "data"
            ].items():
                (folder / name).write_text(text)


def below(root: Path, variables: Mapping[str, str]) -> dict[str, str]:
    """The variables, with each path of a mounted file below a folder."""
    mounted = ("/config/", "/secrets/")
    return {
        name: f"{root}{text}" if text.startswith(mounted) else text
        for name, text in variables.items()
    }
