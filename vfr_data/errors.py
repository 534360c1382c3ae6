"""What the data path raises. Each message says what happened, where, and what to do."""


class DataPathError(Exception):
    """Any error of the data path."""


class BadInput(DataPathError, ValueError):
    """What was asked cannot be right, whatever the databases hold; nothing was read or written."""


class NotFound(DataPathError, LookupError):
    """There is no row of that id and time."""


class PoolExhausted(DataPathError, TimeoutError):
    """No connection came free in time; nothing was read or written."""


class StorageError(DataPathError):
    """PostgreSQL refused or went away; the transaction was rolled back, nothing of it is stored."""


class OutcomeUnknown(StorageError):
    """PostgreSQL went away while it was committing: all of the transaction is stored, or nothing."""
