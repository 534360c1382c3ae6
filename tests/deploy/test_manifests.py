"""Every manifest for Kubernetes that is shipped, shown on a page or printed: held to Kubernetes' own JSON Schema."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from typer.core import TyperGroup

from provision.cli.main import cli
from provision.maintain import schedule, timers
from provision.model.maintain import Job

ROOT = Path(__file__).resolve().parents[2]
# Of 1.37; CronJob's timeZone, the youngest key that is used, is in every release since 1.27.
RELEASE = "1.37"
# A name in a cluster: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
SCHEDULES = [("minute", None, None), ("6 hours", "01:30", None), ("week", "04:00", "saturday"), ("month", None, None)]


def texts() -> Iterator[tuple[str, str]]:
    """Where each is → its YAML."""
    for path in sorted((ROOT / "deploy").glob("*.yaml")):
        yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))):
        blocks = re.findall(r"^```yaml\n(.*?)^```$", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
        yield from ((str(path.relative_to(ROOT)), each) for each in blocks if re.search("^apiVersion:", each, re.M))
    jobs = [
        Job(name, "postgres", "analyze", "all", schedule.read(*when, number), "")
        for number, (name, when) in enumerate(zip(("a", "views_1", "x" * 70, "b"), SCHEDULES, strict=True))
    ]
    caller = timers.Caller('Über "Shop"_', Path("/srv/a b"), 'prod "x"', ["provision"], "registry:5000/shop@sha256:00")
    printed = timers.files(timers.Form.KUBERNETES, caller, jobs)
    yield from ((f"maintain install: {name}", text) for name, text in printed.items())


MANIFESTS = [
    pytest.param(each, id=f"{where}-{each['kind']}") for where, text in texts() for each in yaml.safe_load_all(text)
]


def pods(node: Any) -> Iterator[dict[str, Any]]:
    """What is under every `template` of a manifest."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from [value["spec"]] if key == "template" else pods(value)


def keys(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every key of a manifest, but of what is named by its author: labels and data."""
    for key, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        if isinstance(key, str):
            yield (*path, key)
        if key not in ("matchLabels", "labels", "annotations", "requests", "limits"):
            yield from keys(value, (*path, key))


def test_all_that_people_paste_is_here() -> None:
    kinds = sorted((each.id or "").rsplit("-", 1)[1] for each in MANIFESTS)
    assert kinds == ["CronJob"] * 4 + ["Deployment", "Job", "Job"]


@pytest.mark.parametrize("manifest", MANIFESTS)
def test_kubernetes_takes_it(manifest: dict[str, Any]) -> None:
    assert kubernetes_validate.validate(manifest, RELEASE, strict=True) == RELEASE
    assert NAME.fullmatch(manifest["metadata"]["name"])
    if manifest["kind"] == "Deployment":
        labels = manifest["spec"]["template"]["metadata"]["labels"]
        assert manifest["spec"]["selector"]["matchLabels"].items() <= labels.items()
    else:
        assert [each["restartPolicy"] for each in pods(manifest["spec"])] == ["Never"]


@pytest.mark.parametrize("manifest", MANIFESTS)
def test_a_misspelt_key_is_found_wherever_it_is(manifest: dict[str, Any]) -> None:
    whole = yaml.safe_dump(manifest)
    for *path, last in keys(manifest):
        broken = place = yaml.safe_load(whole)
        for key in path:
            place = place[key]
        place[f"{last}x"] = place.pop(last)
        try:
            kubernetes_validate.validate(broken, RELEASE, strict=True)
        except (kubernetes_validate.ValidationError, KeyError):  # KeyError: it has no apiVersion, or no kind
            continue
        pytest.fail(f"{'.'.join(map(str, [*path, last]))}x is not found")


@pytest.mark.parametrize("manifest", MANIFESTS)
def test_what_a_pod_runs_is_a_right_command_line(manifest: dict[str, Any]) -> None:
    root = cli.make_context("provision", [], resilient_parsing=True)
    ours = [
        each
        for pod in pods(manifest["spec"])
        for each in (*pod.get("initContainers", ()), *pod["containers"])
        if each["name"] != "shop"
    ]
    assert len(ours) == 1
    words = [*ours[0].get("command", ["provision"]), *ours[0].get("args", [])]
    assert words[0] == "provision"
    found, rest = cli, words[1:]
    while isinstance(found, TyperGroup):
        _, found, rest = found.resolve_command(root, rest)
    assert found is not None
    assert found.make_context("", rest).args == []  # it raises what is wrong with them


def test_job_of_the_page_is_the_shipped_one() -> None:
    job = (ROOT / "deploy" / "job.yaml").read_text(encoding="utf-8")

    assert f"```yaml\n{job}```\n" in (ROOT / "docs" / "deploying.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["job.yaml", "deployment.yaml"])
def test_shipped_pod_is_nobodys_and_bounded(name: str) -> None:
    spec = yaml.safe_load((ROOT / "deploy" / name).read_text(encoding="utf-8"))["spec"]["template"]["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    [ours] = [each for each in (*spec.get("initContainers", ()), *spec["containers"]) if "migrations" in each["image"]]
    guarded = ours["securityContext"]
    assert (guarded["allowPrivilegeEscalation"], guarded["readOnlyRootFilesystem"]) == (False, True)
    assert guarded["capabilities"] == {"drop": ["ALL"]}
    assert {"requests", "limits"} <= set(ours["resources"])
