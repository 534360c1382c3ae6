"""Pages of objects read over gRPC: vectors come as bytes, and ids come without their objects.

A page that gRPC does not give, or gives otherwise than REST would, is left to REST.
"""

from __future__ import annotations

import math
import struct
import sys
from array import array
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from provision.net.http import ANSWER_SECONDS

# Values of these come as REST gives them. Blobs are not listed, and places and telephone numbers have other members.
TYPES = frozenset(each + many for each in ("text", "int", "number", "boolean", "date", "uuid") for many in ("", "[]"))
# Fewer objects are not worth a second question.
FEW = 100
_NO_LIMIT = (("grpc.max_receive_message_length", -1),)


class _Otherwise(Exception):
    """Raised for a value that REST gives in another form."""


class GrpcPages:
    """One server's. `place` is its host:port. Safe to use from several threads."""

    def __init__(self, place: str, key: str, *, secure: bool) -> None:
        import grpc
        from weaviate.proto.v1 import weaviate_pb2_grpc

        login = grpc.ssl_channel_credentials() if secure else None
        self._channel = (
            grpc.secure_channel(place, login, _NO_LIMIT) if login else grpc.insecure_channel(place, _NO_LIMIT)
        )
        stub: Any = weaviate_pb2_grpc.WeaviateStub
        self._stub = stub(self._channel)
        self._login = (("authorization", f"Bearer {key}"),) if key else ()

    def close(self) -> None:
        self._channel.close()

    def page(
        self, name: str, tenant: str | None, after: str, size: int, vectors: Sequence[str] | None
    ) -> list[dict[str, Any]] | None:
        """At most so many objects behind id `after`, with the vectors of these names; without them, ids alone.

        None where REST is to be asked.
        """
        import grpc
        from weaviate.proto.v1 import search_get_pb2 as messages

        named = [each for each in vectors or () if each]
        asked = messages.SearchRequest(
            uses_123_api=True,
            uses_125_api=True,
            uses_127_api=True,
            collection=name,
            tenant=tenant or "",
            limit=size,
            after=after,
            metadata=messages.MetadataRequest(uuid=True, vector=vectors is not None, vectors=named),
            properties=messages.PropertiesRequest(return_all_nonref_properties=vectors is not None),
        )
        try:
            answer = self._stub.Search(asked, metadata=self._login, timeout=ANSWER_SECONDS)
            page = [_object(each) for each in answer.results]
        except (grpc.RpcError, _Otherwise):
            return None
        ids = [after, *(each["id"] for each in page)]
        return page if all(one < other for one, other in pairwise(ids)) else None


def _object(found: Any) -> dict[str, Any]:
    """As REST lists it, but for vectors, which are arrays. Raises _Otherwise."""
    meta = found.metadata
    made: dict[str, Any] = {"id": meta.id, "properties": _properties(found.properties.non_ref_props.fields)}
    if meta.vector_bytes:
        made["vector"] = _vector(meta.vector_bytes)
    if meta.vectors:
        made["vectors"] = {each.name: _named(each) for each in meta.vectors}
    return made


def _properties(fields: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, value in fields.items():
        kind = value.WhichOneof("kind")
        if kind == "list_value":
            made[name] = _list(value.list_value)
        elif kind in ("text_value", "int_value", "bool_value", "date_value", "uuid_value"):
            made[name] = getattr(value, kind)
        elif kind == "number_value":
            made[name] = _finite(value.number_value)
        elif kind != "null_value":
            raise _Otherwise
    return made


def _list(found: Any) -> list[Any]:
    kind = found.WhichOneof("kind")
    if kind == "number_values":
        return [_finite(each) for (each,) in struct.iter_unpack("<d", found.number_values.values)]
    if kind == "int_values":
        return [each for (each,) in struct.iter_unpack("<q", found.int_values.values)]
    if kind in ("text_values", "bool_values", "date_values", "uuid_values"):
        return list(getattr(found, kind).values)
    raise _Otherwise


def _named(found: Any) -> Any:
    """A vector with a name: numbers, or rows of them."""
    many = found.DESCRIPTOR.fields_by_name["type"].enum_type.values_by_name["VECTOR_TYPE_MULTI_FP32"].number
    if found.type != many:
        return _vector(found.vector_bytes)
    (width,) = struct.unpack_from("<H", found.vector_bytes)
    rows = found.vector_bytes[2:]
    if not width or len(rows) % (4 * width):
        raise _Otherwise
    return [_vector(rows[at : at + 4 * width]) for at in range(0, len(rows), 4 * width)]


def _vector(stored: bytes) -> array[float]:
    if sys.byteorder != "little":
        raise _Otherwise
    made = array("f", stored)
    _finite(sum(made))
    return made


def _finite(value: float) -> float:
    """The value; one that JSON has not is left to REST, which says so."""
    if not math.isfinite(value):
        raise _Otherwise
    return value
