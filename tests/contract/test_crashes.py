"""A run that is killed anywhere, on every store of the project."""

from provision.testing.contract.crashes import *  # noqa: F403
