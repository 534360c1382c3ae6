"""The small project of tests/cli, the one with a table to fill of tests/backfill, and several stores."""

from tests.backfill.conftest import database, shop, url
from tests.cli.conftest import files, provision, small
from tests.several.conftest import several

__all__ = ["database", "files", "provision", "several", "shop", "small", "url"]
