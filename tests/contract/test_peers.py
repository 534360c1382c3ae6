"""Other tools' tables, on every store of the project that has such a tool."""

from provision.testing.contract.peers import *  # noqa: F403
