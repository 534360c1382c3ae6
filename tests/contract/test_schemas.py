"""The schema number of what is kept, on every store of the project."""

from provision.testing.contract.schemas import *  # noqa: F403
