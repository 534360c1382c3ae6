"""The Docker engine: the one that runs, or, where PROVISION_TEST_DOCKERD=start, one of our own while the tests run.

With PROVISION_TEST_IMAGES=local the images are the stand-ins of local_images.sh, which is run first. With `official`
they are the vendors', and one that cannot be had is a failure.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.containers.boxes import LABEL, Box

ANSWERS_WITHIN_SECONDS = 30.0
SOCKET = "/var/run/docker.sock"
SCRIPT = Path(__file__).with_name("local_images.sh")
STAND_INS = {
    "POSTGRES": "local/postgres:15",
    "REDIS": "local/redis:7",
    "INFLUX1": "local/influxdb:1.6",
    "INFLUX2": "local/influxdb:2.7",
    "WEAVIATE": "local/weaviate:1.39",
}
# Outlives a killed test run: removes its containers, and ends the engine that it had started.
_SWEEPER = """
import os, signal, subprocess, sys
label, engine = sys.argv[1:]
if sys.stdin.read() != "done":
    listed = subprocess.run(["docker", "ps", "-aq", "--filter", "label=" + label], capture_output=True, text=True)
    if listed.stdout.split():
        subprocess.run(["docker", "rm", "-fv", *listed.stdout.split()], stdout=subprocess.DEVNULL)
    if engine:
        os.kill(int(engine), signal.SIGTERM)
"""


class Absent(Exception):
    """Raised when no Docker engine answers, or an image cannot be had; the text is the reason."""


@contextmanager
def engine() -> Iterator[Any]:
    """A client of the engine. Raises Absent."""
    import docker

    with _started() as pid, _swept(pid):
        if reason := _silent():
            raise Absent(f"no Docker engine answers: {reason}")
        try:
            client = docker.from_env()
        except docker.errors.DockerException as error:
            raise Absent(f"no Docker engine answers: {error}") from None
        try:
            _build()
            yield client
        finally:
            client.close()


def _silent() -> str:
    """Why no engine answers at the usual place; empty when one does, or when DOCKER_HOST names another place."""
    if "DOCKER_HOST" in os.environ:
        return ""
    with socket.socket(socket.AF_UNIX) as asked:
        try:
            asked.connect(SOCKET)
        except OSError as error:
            return f"{SOCKET}: {(error.strerror or str(error)).lower()}"
    return ""


@contextmanager
def _started() -> Iterator[str]:
    """The pid of the dockerd that was started; empty when there was no need or no right to."""
    program = shutil.which("dockerd")
    # Never a second one beside one that runs: they would share a bridge.
    if os.environ.get("PROVISION_TEST_DOCKERD") != "start" or program is None or not _silent():
        yield ""
        return
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen([program], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        try:
            deadline = time.monotonic() + ANSWERS_WITHIN_SECONDS
            while _silent():
                if process.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    said = log.read().decode(errors="replace").strip().rpartition("\n")[2]
                    raise Absent(f"dockerd cannot be started: {said[-300:]}")
                time.sleep(0.1)
            yield str(process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


@contextmanager
def _swept(engine_pid: str) -> Iterator[None]:
    sweeper = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _SWEEPER, f"{LABEL}={os.getpid()}", engine_pid],
        stdin=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield
    finally:
        sweeper.communicate("done")


def _local() -> bool:
    return os.environ.get("PROVISION_TEST_IMAGES") == "local"


def official() -> bool:
    """Whether every image must be had."""
    return os.environ.get("PROVISION_TEST_IMAGES") == "official"


def _build() -> None:
    """Build the stand-ins that are not here yet. Raises Absent with the script's own words."""
    if _local():
        done = subprocess.run(["bash", SCRIPT], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Absent(f"{SCRIPT.name}: {(done.stdout + done.stderr).strip()[-500:]}")


def image_of(client: Any, box: Box) -> str:
    """The tag of a box's image, here or pulled. Raises Absent."""
    import docker

    usual = STAND_INS.get(box.name, box.image) if _local() else box.image
    tag = os.environ.get(f"PROVISION_TEST_IMAGE_{box.name}", usual)
    try:
        client.images.get(tag)
    except docker.errors.ImageNotFound:
        try:
            client.images.pull(tag)
        except docker.errors.APIError as error:
            reason = str(error.explanation or error).strip().partition(": ")[0][:120]
            raise Absent(f"image {tag} is neither here nor to be pulled: {reason}") from None
    return tag


def state(client: Any) -> dict[str, set[str]]:
    """Every container, network and volume that there is."""
    return {
        "containers": {each.name for each in client.containers.list(all=True)},
        "networks": {each.name for each in client.networks.list()},
        "volumes": {each.name for each in client.volumes.list()},
    }
