"""The only reader of provision.toml and of the environment's variables."""

from provision.settings.environments import choose, embedded_environment, leaves_to_engine, resolve
from provision.settings.load import FILE, find, load, outline, seconds
from provision.settings.model import Environment, ProjectFile, StorePlace
from provision.settings.secrets import Secret, passwords

__all__ = [
    "FILE",
    "Environment",
    "ProjectFile",
    "Secret",
    "StorePlace",
    "choose",
    "embedded_environment",
    "find",
    "leaves_to_engine",
    "load",
    "outline",
    "passwords",
    "resolve",
    "seconds",
]
