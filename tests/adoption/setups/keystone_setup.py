"""What `keystone-manage db_sync` does first: its settings, and that env.py takes no logging from the ini."""

import keystone.conf
from alembic.config import Config

keystone.conf.configure()


def prepare(config: Config) -> None:
    config.attributes["configure_logger"] = False
