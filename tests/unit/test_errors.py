"""Codes, exit codes, and several errors as one."""

from __future__ import annotations

import pytest

from provision import errors
from provision.errors import (
    CapabilityMissing,
    ConfigError,
    FailedError,
    Interrupted,
    LeaseHeld,
    LeaseLost,
    ProvisionError,
    RefusedError,
    Several,
    StatementFailed,
    UnreachableError,
    raise_all,
)

CONFIG, REFUSED, UNREACHABLE = ConfigError("c", "c"), RefusedError("r", "r"), UnreachableError("u", "u")
FAILED, HELD = FailedError("f", "f"), LeaseHeld("h", "h")


@pytest.mark.parametrize(
    ("error", "code"), [(CONFIG, 2), (REFUSED, 3), (UNREACHABLE, 4), (FAILED, 5), (HELD, 6), (LeaseLost("x"), 5)]
)
def test_error_of_each_branch_has_its_exit_code(error: ProvisionError, code: int) -> None:
    assert error.exit_code == code


def test_error_text_is_code_and_what() -> None:
    error = ConfigError("unknown-key", "no key is called 'x'", where="provision.toml:3", fix="did you mean 'y'?")

    assert str(error) == "unknown-key: no key is called 'x'"
    assert (error.code, error.what, error.where, error.fix) == (
        "unknown-key",
        "no key is called 'x'",
        "provision.toml:3",
        "did you mean 'y'?",
    )


def test_special_errors_word_themselves() -> None:
    failed = StatementFailed("no room", number=3, statement="insert", where="w", fix="f")

    assert (failed.code, failed.number, failed.statement, failed.where, failed.fix) == (
        "statement-failed",
        3,
        "insert",
        "w",
        "f",
    )
    assert str(Interrupted("SIGTERM")) == "interrupted: stopped by SIGTERM"
    assert Interrupted("SIGTERM").fix == "run the same command again: it goes on where this one stopped"
    assert str(LeaseLost("anna")) == "lease-lost: the run lock was taken over by anna"
    missing = CapabilityMissing("redis", "lane", "it has statements", "use those")
    assert (str(missing), missing.where, missing.fix, missing.exit_code) == (
        "capability-missing: redis has no lane: it has statements",
        "redis",
        "use those",
        2,
    )
    assert (
        CapabilityMissing.of_kind("shop", "redis", "lane", "").what
        == "shop has no lane: stores of kind redis have none"
    )


@pytest.mark.parametrize(
    ("parts", "first"),
    [
        ((CONFIG, UNREACHABLE), UNREACHABLE),
        ((UNREACHABLE, REFUSED), REFUSED),
        ((REFUSED, HELD), HELD),
        ((HELD, FAILED), FAILED),
        ((CONFIG, UNREACHABLE, REFUSED, HELD, FAILED), FAILED),
    ],
)
def test_several_most_telling_exit_code_wins(parts: tuple[ProvisionError, ...], first: ProvisionError) -> None:
    several = Several(parts)

    assert (several.exit_code, several.code, several.errors) == (first.exit_code, first.code, parts)


def test_raise_all_nothing_is_silent() -> None:
    raise_all([])


def test_raise_all_one_is_itself() -> None:
    with pytest.raises(ConfigError) as caught:
        raise_all([CONFIG])

    assert caught.value is CONFIG


def test_raise_all_more_come_together() -> None:
    with pytest.raises(Several) as caught:
        raise_all([CONFIG, REFUSED])

    assert caught.value.errors == (CONFIG, REFUSED)


def test_every_error_class_says_when_it_is_raised() -> None:
    classes = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, ProvisionError)]

    assert [each.__name__ for each in classes if not (each.__doc__ or "").strip()] == []
    assert all(each.__doc__.startswith("Raised ") for each in classes if each is not ProvisionError)
