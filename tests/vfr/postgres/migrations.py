"""The shipped revisions through Alembic's own commands."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

ROOT = Path(__file__).parents[3]
VERSIONS = ROOT / "alembic" / "versions"


def configuration(url: str = "", transaction_per_migration: bool = True) -> Config:
    """A configuration that reads the shipped revisions with the env.py of these tests."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "script"))
    config.set_main_option("version_locations", str(VERSIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["url"] = url.replace("postgresql:", "postgresql+psycopg:", 1)
    config.attributes["transaction_per_migration"] = transaction_per_migration
    return config


def revision_ids() -> list[str]:
    """Ids of all shipped revisions, first to last."""
    script = ScriptDirectory.from_config(configuration())
    return [revision.revision for revision in script.walk_revisions()][::-1]


def upgrade(url: str, target: str = "head") -> None:
    """Upgrade to `target`, each revision in a transaction of its own."""
    command.upgrade(configuration(url), target)


def upgrade_in_one_transaction(url: str) -> None:
    """Upgrade to the head the way an untouched env.py of `alembic init` does."""
    command.upgrade(configuration(url, transaction_per_migration=False), "head")


def downgrade(url: str, target: str = "base") -> None:
    """Downgrade to `target`, each revision in a transaction of its own."""
    command.downgrade(configuration(url), target)
