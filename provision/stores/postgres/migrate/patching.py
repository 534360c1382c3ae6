"""Tells, without running it, whether env.py may replace parts of Python itself, as eventlet and gevent do.

In a process so changed, threads, locks and sockets are not what the other threads of a run hold: it would never end.
"""

from __future__ import annotations

import re
from importlib.util import find_spec

from provision.model import StoreOptions

_LIBRARIES = ("eventlet", "gevent")
_PATCHES = re.compile(rb"\b(?:eventlet|gevent|monkey_?patch\w*|patch_all|signal)\b")


def possible(options: StoreOptions) -> bool:
    """True when provision.toml says `own_process`, such a library is installed, or env.py names what patches.

    Handlers of signals can be set in the main thread alone, which a lane has in a process of its own.

    Whoever imports an application runs whatever it does when imported, so that an installed library is enough.
    """
    if str(options.extra.get("own_process", "")).lower() == "true":
        return True
    if any(find_spec(library) is not None for library in _LIBRARIES):
        return True
    env = options.path / "env.py"
    return env.is_file() and _PATCHES.search(env.read_bytes()) is not None
