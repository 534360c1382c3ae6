"""Parquet files of rows that PostgreSQL writes and reads as CSV. The one place that knows pyarrow."""

from __future__ import annotations

import io
import os
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from provision.errors import ConfigError

BLOCK = 4 << 20  # bytes of CSV that become rows at once
_PREFIX = "provision."
_TYPES = {
    "boolean": "bool_",
    "smallint": "int16",
    "integer": "int32",
    "bigint": "int64",
    "real": "float32",
    "double precision": "float64",
    "date": "date32",
}


class Column(NamedTuple):
    """A column as the server has it: its name in statements and in the file, its type and that type's number."""

    quoted: str
    name: str
    type: str
    modifier: int


def written(
    path: Path, columns: Sequence[Column], rows: Generator[bytes], about: Mapping[str, str], *, typed: bool
) -> bool:
    """Write the rows, CSV without a header, and flush them to the disk; all of them as text unless `typed`.

    False where a value is beyond the types of Parquet: a date of infinity, a numeric of NaN. Raises OSError,
    ConfigError (missing-extra).
    """
    arrow = _arrow()
    types = [_type(arrow, each) if typed else arrow.string() for each in columns]
    try:
        _write(arrow, path, [each.name for each in columns], types, rows, about)
    except arrow.ArrowInvalid:
        if not typed:
            raise
        return False
    finally:
        rows.close()
    return True


def read_back(path: Path) -> Iterator[bytes]:
    """The rows of a file as CSV, in parts. Raises OSError."""
    _arrow()
    from pyarrow import csv, parquet

    plain = csv.WriteOptions(include_header=False)
    with parquet.ParquetFile(path) as file:
        for batch in file.iter_batches():
            sink = io.BytesIO()
            csv.write_csv(batch, sink, plain)
            yield sink.getvalue()


def about(path: Path) -> dict[str, str]:
    """What `written` was told of the rows; nothing of a file that is not ours. Raises OSError."""
    arrow = _arrow()
    from pyarrow import parquet

    try:
        found: Mapping[bytes, bytes] = parquet.read_schema(path).metadata or {}
    except arrow.ArrowInvalid:
        return {}
    named = {key.decode(errors="replace"): value.decode(errors="replace") for key, value in found.items()}
    return {key.removeprefix(_PREFIX): value for key, value in named.items() if key.startswith(_PREFIX)}


def _write(
    arrow: Any,
    path: Path,
    names: Sequence[str],
    types: Sequence[Any],
    rows: Iterator[bytes],
    about: Mapping[str, str],
) -> None:
    from pyarrow import csv, parquet

    noted = {f"{_PREFIX}{key}": value for key, value in about.items()}
    schema = arrow.schema(list(zip(names, types, strict=True)), metadata=noted)
    # Columns are found by their place: two names may differ in case alone.
    places = [str(number) for number in range(len(names))]
    convert = csv.ConvertOptions(
        column_types=dict(zip(places, types, strict=True)),
        null_values=[""], true_values=["t"], false_values=["f"],
        strings_can_be_null=True, quoted_strings_can_be_null=False,
    )  # fmt: skip
    parsing = csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False)
    with path.open("wb") as file, parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        for part in _blocks(rows):
            reading = csv.ReadOptions(column_names=places, block_size=len(part) + 1, use_threads=False)
            table = csv.read_csv(io.BytesIO(part), reading, parsing, convert)
            writer.write_table(table.rename_columns(list(names)).cast(schema))
        writer.close()
        file.flush()
        os.fsync(file.fileno())


def _blocks(rows: Iterator[bytes]) -> Iterator[bytes]:
    """Whole rows together. The server sends a row at a time, which a line break may be in the middle of."""
    block: list[bytes] = []
    size = 0
    for each in rows:
        block.append(each)
        size += len(each)
        if size >= BLOCK:
            yield b"".join(block)
            block, size = [], 0
    if block:
        yield b"".join(block)


def _type(arrow: Any, column: Column) -> Any:
    """Of a column; what Parquet has no type for is text as the server writes it."""
    if column.type in _TYPES:
        return getattr(arrow, _TYPES[column.type])()
    if column.type == "timestamp with time zone":
        return arrow.timestamp("us", "UTC")
    if column.type == "timestamp without time zone":
        return arrow.timestamp("us")
    if column.type == "numeric" and column.modifier >= 0:
        precision, scale = (column.modifier - 4) >> 16, (column.modifier - 4) & 0x7FF
        if precision <= 38 and scale <= precision:
            return arrow.decimal128(precision, scale)
    return arrow.string()


def _arrow() -> Any:
    try:
        import pyarrow
    except ImportError:
        fix = "pip install 'provision-toolkit[export]'"
        raise ConfigError("missing-extra", "exports need pyarrow, which is not installed", fix=fix) from None
    return pyarrow
