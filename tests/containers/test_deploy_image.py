"""deploy/Dockerfile, built for a project of Redis: it says its version and applies what is pending, as nobody."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis

from tests.containers.engine import official

ROOT = Path(__file__).resolve().parents[2]
BASE = os.environ.get("PROVISION_TEST_IMAGE_PYTHON", "python:3.11-slim" if official() else "local/python:bookworm")
TOML = """[project]
name = "shop"
home = "redis"
[stores.redis]
[environments.production]
redis.url = "${REDIS_URL}"
"""
# What redis asks for below Python 3.11.3, which this Python need not be.
OLD_PYTHON = "async-timeout>=4.0.3"
STREAM = "up:\n  - create_stream: {name: events, maxlen: 10, description: all}\ndown: auto\n"


def docker(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["docker", *words], stdin=-3, capture_output=True, text=True, check=False, timeout=600)


@pytest.fixture(scope="module")
def image(docker_engine: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The project's image; what pip installs comes from the context, so that no index has to be reached from within."""
    project = tmp_path_factory.mktemp("shop")
    (project / "redis").mkdir()
    (project / "provision.toml").write_text(TOML)
    (project / "redis" / "0001_events.yaml").write_text(STREAM)
    pip = [sys.executable, "-m", "pip", "wheel", "-q", "--disable-pip-version-check", "-w", str(project / "wheels")]
    subprocess.run([*pip, "-c", str(pinned(project)), f"{ROOT}[redis]", OLD_PYTHON], check=True)
    if not docker_engine.images.list(BASE) and not official():
        pytest.skip(f"not run: no image {BASE} (tests/containers/local_images.sh python)")
    tag = f"provision-test/shop:{os.getpid()}"
    given = [f"--build-arg={each}" for each in (f"BASE={BASE}", "EXTRAS=redis", "WHEELS=wheels")]
    built = docker("build", "-q", "-t", tag, "-f", str(ROOT / "deploy" / "Dockerfile"), *given, str(project))
    assert built.returncode == 0, built.stdout + built.stderr
    yield tag
    docker_engine.images.remove(tag, force=True)


def pinned(place: Path) -> Path:
    """The versions that are pinned, without their hashes, which a wheel that was just built has none of."""
    from tests.walks.__main__ import pinned as pins

    return pins(place)


def run(image: str, *words: str, url: str = "") -> subprocess.CompletedProcess[str]:
    """As a Job of deploy/job.yaml runs it: no right, nothing to write to."""
    hardened = ["--rm", "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--network=host"]
    variables = ["-e", f"REDIS_URL={url}", "-e", "PROVISION_ENV=production"]
    return docker("run", *hardened, *variables, image, *words)


def test_image_says_its_version_and_whose_it_is(image: str, docker_engine: Any) -> None:
    ran = run(image, "--version")
    assert (ran.returncode, ran.stdout.split()[0]) == (0, "provision"), ran.stderr
    config = docker_engine.images.get(image).attrs["Config"]
    assert config["User"] == "10001:10001"
    assert config["Healthcheck"]["Test"][:2] == ["CMD", "provision"]


def test_image_applies_what_is_pending_and_waits_for_it_in_another(image: str, redis_7: str) -> None:
    url = urlsplit(redis_7)._replace(path="/3").geturl()
    pending = run(image, "status", "--check", url=url)
    assert pending.returncode == 1, pending.stderr
    ran = run(image, "up", "--wait-for", "60s", url=url)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    with redis.Redis.from_url(url) as client:
        assert client.exists("provision:shop:ledger:redis") == 1
    assert run(image, "status", "--check", url=url).returncode == 0
