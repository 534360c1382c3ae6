"""A container that cannot be had is skipped with its reason, and a failure where PROVISION_TEST_IMAGES=official."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(("images", "code", "said"), [("", 0, "1 skipped"), ("official", 1, "1 error")])
def test_missing_docker_engine_is_skipped_or_fails(images: str, code: int, said: str) -> None:
    nowhere = {"DOCKER_HOST": "tcp://127.0.0.1:1", "PROVISION_TEST_IMAGES": images}
    command = [sys.executable, "-m", "pytest", "-n", "0", "-rs", "tests/containers/test_arango_answers.py"]
    environment = {**os.environ, **nowhere}
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == code, ran.stdout + ran.stderr
    assert said in ran.stdout
    assert "not run: POSTGRES, CLICKHOUSE, REDIS, INFLUX1, INFLUX2, WEAVIATE, ARANGO: no Docker engine" in ran.stdout
