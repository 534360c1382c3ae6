"""Asks a function in a Python process of its own, which whatever it imports or runs cannot change ours from."""

from __future__ import annotations

import pickle
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from provision.errors import FailedError

CHILD = Path(__file__).with_name("apart_child.py")


def ask(function: str, *arguments: object) -> Any:
    """What `module:function` returns there for the arguments.

    Raises the ProvisionError that it raises, and FailedError (process-ended) when the process ended without an answer.
    """
    question = pickle.dumps((list(sys.path), function, arguments))
    done = subprocess.run([sys.executable, "-P", str(CHILD)], input=question, stdout=subprocess.PIPE, check=False)
    if not done.stdout:
        raise _ended(function, done.returncode)
    raised, answer = pickle.loads(done.stdout)
    if raised:
        raise answer
    return answer


def _ended(function: str, code: int) -> FailedError:
    how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
    return FailedError(
        "process-ended",
        f"the process that reads the Alembic files ended {how}",
        where=function.partition(":")[2],
        fix="look what env.py and the revision files do when they are imported; `alembic history` imports them too",
    )
