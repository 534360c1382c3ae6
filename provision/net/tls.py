"""The TLS keys of an environment as parameters of a url, in each driver's own names."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit

from provision.model import StoreOptions

FILES = ("ca_cert", "client_cert", "client_key")


def with_tls(url: str, options: StoreOptions, names: Mapping[str, str], verify: Mapping[bool, tuple[str, str]]) -> str:
    """The url with the store's TLS keys added, as `names` calls them; paths are taken from the project's folder.

    `verify` gives the parameter and its value for a verified and for an unverified connection; without the key
    `verify`, naming a `ca_cert` asks for a verified one. What the url says itself is kept.
    """
    given = {names[key]: str(options.root / str(options.extra[key])) for key in FILES if options.extra.get(key)}
    asked = options.extra.get("verify", True if options.extra.get("ca_cert") else None)
    if asked is not None:
        name, value = verify[asked in (True, "true")]
        given[name] = value
    if not given:
        return url
    parts = urlsplit(url)
    return parts._replace(query=urlencode({**given, **dict(parse_qsl(parts.query))})).geturl()
