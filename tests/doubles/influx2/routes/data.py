"""Points: /api/v2/write, /api/v2/query, /api/v2/delete, and /write of 1.x."""

from __future__ import annotations

import re

from tests.doubles.influx2.errors import Refused
from tests.doubles.influx2.flux.csv import encoded
from tests.doubles.influx2.flux.run import Script
from tests.doubles.influx2.points import PRECISIONS, parsed
from tests.doubles.influx2.routes.dbrps import virtual
from tests.doubles.influx2.routing import Call, route
from tests.doubles.influx2.state import Bucket, now
from tests.doubles.influx2.times import time
from tests.doubles.served.messages import Answer

_TERM = re.compile(r'\s*"?(\w+)"?\s*=\s*"((?:\\.|[^"\\])*)"\s*')


@route("POST /api/v2/write")
def write(call: Call) -> Answer:
    org = call.org()
    return _write(call, call.state.bucket(org, call.query("bucket") or ""))


@route("POST /write")
def write_by_mapping(call: Call) -> Answer:
    """Raises Refused (not found) where no mapping leads from the database to a bucket."""
    database, policy = call.query("db"), call.query("rp")
    known = [*call.state.mappings.values(), *(virtual(each, True) for each in call.state.buckets.values())]
    for each in known:
        fits = each["default"] if policy is None else each["retention_policy"] == policy
        if each["database"] == database and fits:
            return _write(call, call.state.buckets[each["bucketID"]])
    raise Refused("not found", f"unable to find DBRP: {database}")


def _write(call: Call, bucket: Bucket) -> Answer:
    call.may_use("write", bucket)
    precision = call.query("precision") or "ns"
    if precision not in PRECISIONS:
        raise Refused("invalid", "invalid precision; valid precision units are ns, us, ms, and s")
    try:
        points = parsed(call.request.body.decode(), precision, now())
    except ValueError as error:
        raise Refused("invalid", str(error)) from None
    if not points:
        raise Refused("invalid", "writing requires points")
    bucket.write(points)
    return Answer(204, kind="")


@route("POST /api/v2/query")
def query(call: Call) -> Answer:
    plain = call.request.kind.startswith("application/vnd.flux")
    script = call.request.body.decode() if plain else str(call.fields.get("query", ""))
    if call.fields.get("type", "flux") != "flux":
        raise Refused("invalid", "unknown query type")
    at = time(call.fields["now"]) if call.fields.get("now") else now()
    results = Script(call.state, call.org(), at, call.may_use).run(script)
    if not results:
        raise Refused("invalid", "error calling function: this Flux script returns no streaming data")
    text = encoded(results, call.fields.get("dialect") or {})
    return Answer(200, text=text, kind="application/csv")


@route("POST /api/v2/delete")
def delete(call: Call) -> Answer:
    named = call.query("bucketID", "bucket") or ""
    bucket = call.state.bucket(call.org(), named)
    call.may_use("write", bucket)
    low, high = time(call.fields["start"]), time(call.fields["stop"])
    wanted = _predicate(call.fields.get("predicate") or "")
    for (measurement, tags), fields in bucket.series.items():
        known = {"_measurement": measurement, **dict(tags)}
        for values in fields.values() if all(known.get(name) == value for name, value in wanted.items()) else ():
            for at in [at for at in values if low <= at <= high]:
                del values[at]
    return Answer(204, kind="")


def _predicate(text: str) -> dict[str, str]:
    """`a="b" AND c="d"`. Raises Refused (invalid)."""
    found = {}
    for term in re.split(r"\s+AND\s+", text, flags=re.IGNORECASE) if text.strip() else ():
        match = _TERM.fullmatch(term)
        if match is None or match[1] == "_field":
            raise Refused("invalid", f"bad logical expression, at position 0: {term}")
        found[match[1]] = re.sub(r"\\(.)", r"\1", match[2])
    return found
