"""Urls and refusals in our words; no server is asked."""

from __future__ import annotations

import pytest

from provision.errors import ConfigError, ProvisionError, UnreachableError
from provision.stores.postgres.server import connect, place, plain


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg", "postgresql+asyncpg"])
def test_plain_url_has_no_driver_name(scheme: str) -> None:
    assert plain(f"{scheme}://u:p@h/d") == "postgresql://u:p@h/d"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://u:s3cret@db:5433/vfr", "db:5433/vfr"),
        ("postgresql:///vfr?host=/run/pg", "/run/pg/vfr"),
        ("postgresql:///vfr", "localhost/vfr"),
        ("postgresql://u:s3cret@h:port/%zz", "a url that libpq cannot read"),
    ],
)
def test_place_of_a_url_never_shows_the_password(url: str, shown: str) -> None:
    assert place(url) == shown


def test_connect_nothing_listens_is_unreachable() -> None:
    with pytest.raises(UnreachableError) as caught:
        connect("postgresql://u:s3cret@127.0.0.1:1/vfr", "orders")

    error = caught.value
    assert (error.code, error.where) == ("unreachable", "127.0.0.1:1/vfr")
    assert error.what.startswith("orders does not answer: ")
    assert error.fix != ""
    assert "s3cret" not in f"{error.what}{error.where}{error.fix}"


def test_connect_unreadable_url_is_a_configuration_error() -> None:
    with pytest.raises(ProvisionError) as caught:
        connect("postgresql://u:s3cret@h/%zz", "orders")

    assert isinstance(caught.value, ConfigError)
    assert caught.value.code == "bad-url"
