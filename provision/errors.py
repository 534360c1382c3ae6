"""What can go wrong: one class per situation, each with a stable code, an exit code, and what / where / fix.

ProvisionError
├── ConfigError (2)       usage or configuration: no project file, unknown key, missing extra, wrong password
├── RefusedError (3)      refused: changed, unknown, dirty; a statement that would lose data and was not sent
├── UnreachableError (4)  a store does not answer
├── FailedError (5)       failed or stopped after the run began
│   ├── StatementFailed   the server refused a statement
│   ├── RolledBackInside  a revision rolled back what it had done, and went on
│   ├── Interrupted       Ctrl-C, SIGTERM, or `Stop` of the library
│   ├── RowsSkipped (7)   all rows of a backfill are filled but those that were passed over
│   ├── BatchFailed       rows of a backfill that the server refuses for what is in them
│   ├── BatchInTheWay     a batch of a backfill that gave way to others
│   │   └── BatchTooLong   one that was ended because others would have waited longer for it than they should
│   ├── LeaseLost         the run lock was asked back, taken over or deleted
│   └── FellSilent        a server took what was sent, and gives no answer any more
├── LeaseHeld (6)         another run holds the lease and did not end in time
└── Several               more than one of the above at once
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from traceback import extract_tb
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

EXIT_DONE, EXIT_FINDINGS, EXIT_CONFIG, EXIT_REFUSED, EXIT_UNREACHABLE, EXIT_FAILED, EXIT_LEASE = range(7)
EXIT_INCOMPLETE = 7

# With several errors, the one that says most about the state of the databases decides.
EXIT_PRECEDENCE = (EXIT_FAILED, EXIT_INCOMPLETE, EXIT_LEASE, EXIT_REFUSED, EXIT_UNREACHABLE, EXIT_CONFIG)


class ProvisionError(Exception):
    """An error with a stable code that says what happened, where, and what to do.

    `done` and `remaining` are the ids of what a move of the library did before it failed, and of what it did not come
    to; empty where nothing had begun.
    """

    exit_code = EXIT_CONFIG
    done: tuple[str, ...] = ()
    remaining: tuple[str, ...] = ()

    def __init__(self, code: str, what: str, *, where: str = "", fix: str = "") -> None:
        super().__init__(what)
        self.code = code
        self.what = what
        self.where = where
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.code}: {self.what}"

    def __reduce__(self) -> tuple[object, ...]:
        """Carried whole from one process to another, whatever a subclass asks for when it is made."""
        return (_carried, (type(self), self.args), self.__dict__)


class ConfigError(ProvisionError):
    """Raised when the command line, the project file, a migration file or the set-up is wrong."""


class CapabilityMissing(ConfigError):
    """Raised when a store has no such part."""

    def __init__(self, store: str, part: str, reason: str, fix: str) -> None:
        super().__init__("capability-missing", f"{store} has no {part}: {reason}", where=store, fix=fix)

    @classmethod
    def of_kind(cls, store: str, kind: str, part: str, fix: str) -> CapabilityMissing:
        """No store of that kind has one."""
        return cls(store, part, f"stores of kind {kind} have none", fix)


class RefusedError(ProvisionError):
    """Raised when a plan is refused before its first statement runs, or a statement before it is sent."""

    exit_code = EXIT_REFUSED


class UnreachableError(ProvisionError):
    """Raised when a store does not answer."""

    exit_code = EXIT_UNREACHABLE


class FailedError(ProvisionError):
    """Raised when a run that had begun could not go on."""

    exit_code = EXIT_FAILED


class StatementFailed(FailedError):
    """Raised when the server refused statement `number` (1-based) of a revision.

    `certain`: it is known that nothing of the statement took effect, or the store can look.
    """

    certain = True

    def __init__(self, what: str, *, number: int, statement: str, where: str = "", fix: str = "") -> None:
        super().__init__("statement-failed", what, where=where, fix=fix)
        self.number = number
        self.statement = statement


class RolledBackInside(FailedError):
    """Raised when a revision rolls back its own transaction, which would be recorded as applied all the same."""

    def __init__(self) -> None:
        super().__init__(
            "rolled-back-inside",
            "the revision rolls its own transaction back: what it did before would be lost, and recorded as applied",
            fix="use a savepoint (`with op.get_bind().begin_nested()`), or take the rollback out",
        )


class Interrupted(FailedError):
    """Raised between two statements after Ctrl-C or SIGTERM, or when the program that runs it asks; `by` says which."""

    def __init__(self, by: str) -> None:
        super().__init__(
            "interrupted",
            f"stopped by {by}",
            fix="run the same command again: it goes on where this one stopped",
        )
        self.by = by


class LeaseLost(FailedError):
    """Raised before a statement, or before its end is written down, when the run lock is no longer ours.

    `holder` has it now; `asked_by` asked for it back, and we give it up.
    """

    def __init__(self, holder: str = "", *, asked_by: str = "") -> None:
        what = (
            f"the run lock was taken over by {holder}" if holder else "the run lock was released, or its record deleted"
        )
        super().__init__(
            "lease-lost",
            f"{asked_by} asked for the run lock back" if asked_by else what,
            # Of the statement in hand nobody can know here: so nothing is said of what was sent.
            fix="this run sends nothing more; a statement that it had sent before may still take effect, and the next"
            " run waits for it and looks; `provision status` shows what is half applied",
        )


class FellSilent(FailedError):
    """Raised when a server that a run depends on gives no answer for as long as the run lock lives: `seconds`."""

    @staticmethod
    def home(seconds: float, where: str = "") -> FellSilent:
        """The home store, so that the run lock can neither be kept nor given back: it runs out by itself."""
        what = f"the home store fell silent: no answer for {seconds:.0f} s, and without it the run lock is lost"
        return FellSilent("home-silent", what, where=where, fix=_HEARD_AGAIN)

    @staticmethod
    def other(store: str, seconds: float, where: str = "") -> FellSilent:
        """A store that a statement was sent to, and that answers nobody else either."""
        what = f"{store} fell silent: no answer for {seconds:.0f} s"
        return FellSilent("server-lost", what, where=where, fix=_HEARD_AGAIN)


_HEARD_AGAIN = (
    "see that the server runs and that the network lets its answers through, then run the same command again: it waits"
    " for what may still be at work, and asks what became of it"
)


class BatchFailed(FailedError):
    """Raised when the server refused the rows of a batch for what they hold; nothing of the batch is left.

    `rows` is how many there were; with 1, `what` names the row. `passing`: it was code of the author's that failed,
    which may go well another time.
    """

    def __init__(self, what: str, *, rows: int, where: str = "", fix: str = "", passing: bool = False) -> None:
        super().__init__("batch-failed", what, where=where, fix=fix)
        self.rows, self.passing = rows, passing


class RowsSkipped(FailedError):
    """Raised at the end of a backfill that passed over `rows` rows: it is not complete."""

    exit_code = EXIT_INCOMPLETE

    def __init__(self, rows: int, *, where: str, fix: str) -> None:
        what = f"{rows:,} rows could not be filled and were passed over; the rest is filled"
        super().__init__("rows-skipped", what, where=where, fix=fix)


class BatchInTheWay(FailedError):
    """Raised when a batch gave way to others: its rows are locked, or it was chosen to end a deadlock."""

    def __init__(self, what: str) -> None:
        super().__init__("batch-in-the-way", what, fix="look at who holds the locks")


class BatchTooLong(BatchInTheWay):
    """Raised when a batch was ended, and undone, at the time that it may hold what it locked: `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"a batch took longer than its target of {seconds * 1000:.0f} ms")
        self.seconds = seconds


class LeaseHeld(ProvisionError):
    """Raised when another run holds the lease longer than this one may wait."""

    exit_code = EXIT_LEASE


class Several(ProvisionError):
    """Raised when more than one thing is wrong; each is printed, the most telling exit code wins."""

    def __init__(self, errors: Sequence[ProvisionError]) -> None:
        first = min(errors, key=lambda error: EXIT_PRECEDENCE.index(error.exit_code))
        super().__init__(first.code, first.what, where=first.where, fix=first.fix)
        self.errors = tuple(errors)
        self.exit_code = first.exit_code


def _carried(kind: type[ProvisionError], args: tuple[object, ...]) -> ProvisionError:
    made = kind.__new__(kind)
    made.args = args
    return made


def unexpected(error: Exception, mask: Callable[[str], str]) -> FailedError:
    """What nobody foresaw, without its traceback: that may hold what must not be shown."""
    frames = extract_tb(error.__traceback__)
    where = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    what = " ".join(mask(f"{type(error).__name__}: {error}").split())
    return FailedError("unexpected", what, where=where, fix="this is a defect of provision: report these three lines")


def joined(errors: Sequence[ProvisionError]) -> ProvisionError | None:
    """The one error, or all of them together, each once; None when there is none."""
    distinct = list({(error.code, error.what, error.where): error for error in errors}.values())
    if len(distinct) > 1:
        return Several(distinct)
    return distinct[0] if distinct else None


def parts(error: ProvisionError) -> tuple[ProvisionError, ...]:
    """Each error that it is made of; the one itself where it is no Several."""
    return error.errors if isinstance(error, Several) else (error,)


def for_each(items: Iterable[T], work: Callable[[T], R]) -> list[R]:
    """What `work` gives for each item, in order. Raises every ProvisionError of all of them together."""
    results: list[R] = []
    errors: list[ProvisionError] = []
    for item in items:
        try:
            results.append(work(item))
        except Several as several:
            errors.extend(several.errors)
        except ProvisionError as error:
            errors.append(error)
    raise_all(errors)
    return results


def raise_all(errors: Sequence[ProvisionError]) -> None:
    """Raise the one error, or all of them together, each once; return when there is none."""
    if (error := joined(errors)) is not None:
        raise error
