"""Content codings of requests and answers: gzip, deflate, lz4, zstd."""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Callable
from typing import Any, Protocol

from provision.embedded.clickhouse_server.faults import QueryFault

ZSTD = ("compression.zstd", "backports.zstd", "zstandard")  # of Python 3.14; of clickhouse-connect, new and old

Decode = Callable[[bytes], bytes]


class Encoder(Protocol):
    """Compresses a stream piece by piece."""

    def compress(self, piece: bytes) -> bytes:
        """Return what is ready of the compressed stream."""
        ...

    def flush(self) -> bytes:
        """Return the end of the compressed stream."""
        ...


def decoder(coding: str) -> Decode:
    """Return what decodes a request body piece by piece. Raises QueryFault for a coding that is not known."""
    if coding in ("", "identity"):
        return bytes
    if coding in ("gzip", "deflate"):
        return zlib.decompressobj(wbits=zlib.MAX_WBITS | 32).decompress
    if coding == "lz4":
        return _many_frames(lambda: _module("lz4.frame").LZ4FrameDecompressor())
    if coding == "zstd":
        return _many_frames(_zstd_decompressor)
    raise _unknown(coding)


def encoder(accepted: str) -> tuple[str, Encoder] | None:
    """Return the first coding of an Accept-Encoding header that is known here, with its encoder."""
    for part in accepted.split(","):
        coding = part.split(";")[0].strip().lower()
        if coding == "gzip":
            return coding, zlib.compressobj(3, zlib.DEFLATED, zlib.MAX_WBITS | 16)
        if coding == "deflate":
            return coding, zlib.compressobj(3)
        if coding == "lz4":
            return coding, _Lz4()
        if coding == "zstd":
            return coding, _zstd_compressor()
    return None


def _many_frames(make: Callable[[], Any]) -> Decode:
    """Clients send a frame per block: a decompressor ends with its frame, the next takes what is left."""
    current = make()

    def decode(piece: bytes) -> bytes:
        nonlocal current
        result = b""
        while piece:
            result += current.decompress(piece)
            if not current.eof:
                break
            piece, current = current.unused_data or b"", make()
        return result

    return decode


class _Lz4:
    def __init__(self) -> None:
        self._compressor = _module("lz4.frame").LZ4FrameCompressor()
        self._begun = False

    def compress(self, piece: bytes) -> bytes:
        start = b"" if self._begun else bytes(self._compressor.begin())
        self._begun = True
        return start + bytes(self._compressor.compress(piece))

    def flush(self) -> bytes:
        return self.compress(b"") + bytes(self._compressor.flush())


def _zstd_decompressor() -> Any:
    module = _module(*ZSTD)
    made = module.ZstdDecompressor()
    return made.decompressobj() if hasattr(made, "decompressobj") else made


def _zstd_compressor() -> Encoder:
    made = _module(*ZSTD).ZstdCompressor()
    compressor: Encoder = made.compressobj() if hasattr(made, "compressobj") else made
    return compressor


def _module(*names: str) -> Any:
    for name in names:
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    raise _unknown(names[-1].split(".")[0])


def _unknown(coding: str) -> QueryFault:
    return QueryFault(89, "UNKNOWN_COMPRESSION_METHOD", f"Unknown compression method: {coding}")
