"""Opening a server: keys, rights, versions, urls; each refusal with its whole message."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from provision.errors import ConfigError, ProvisionError, StatementFailed, UnreachableError
from provision.kinds import build
from provision.model import StoreOptions
from tests.servers.databases import Weaviate
from tests.servers.running import free_ports
from tests.stores.weaviate.conftest import READER, WRITER, up
from tests.stores.weaviate.raw import Mover, Raw

Written = Callable[..., StoreOptions]
ALIAS = "create_alias: {alias: Art, class: Article}"


def refused(options: StoreOptions, url: str) -> ProvisionError:
    with pytest.raises(ProvisionError) as caught:
        build(options).open(url)
    return caught.value


def said(error: ProvisionError) -> tuple[str, str, str, str]:
    return error.code, error.what, error.where, error.fix


@contextmanager
def pretending(version: str, ready: int = 200) -> Iterator[str]:
    """The url of a server that says it is that Weaviate, and no more."""

    class Pretender(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status = ready if self.path.endswith("/ready") else 200
            body = json.dumps({"version": version, "hostname": "x"} if version else {"name": "else"}).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pretender)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def test_open_says_version_and_engine(written: Written, raw: Raw) -> None:
    store = build(written())
    contact = store.open(raw.url)
    assert (contact.version, contact.engine) == ("1.39.0", "weaviate")
    store.close()


def test_wrong_key_is_refused(written: Written, locked: Weaviate) -> None:
    error = refused(written(token="wrong-key-3"), locked.url)

    assert isinstance(error, ConfigError)
    assert said(error) == (
        "wrong-password",
        "the server refused the login: unauthorized: invalid api key",
        f"weaviate: {locked.url}",
        "correct the API key, `token` in provision.toml",
    )


def test_no_key_is_refused(written: Written, locked: Weaviate) -> None:
    assert said(refused(written(), locked.url)) == (
        "wrong-password",
        "the server refused the login: anonymous access not enabled. Please authenticate through one of the available"
        " methods: [API-keys]",
        f"weaviate: {locked.url}",
        "correct the API key, `token` in provision.toml",
    )


def test_reading_key_may_look_and_not_make_a_ledger(written: Written, locked: Weaviate) -> None:
    store = build(written(up("create_collection: {class: Article}"), token=READER))
    store.open(locked.url)
    assert store.ledger.read() == []

    with pytest.raises(ConfigError) as caught:
        store.ledger.create()
    assert said(caught.value) == (
        "not-allowed",
        "the server refused to make Provision_vfr_weaviate_ledger: adminlist: authorization, forbidden action:"
        " user 'reader' has insufficient permissions to"
        " C [schema/collections/Provision_vfr_weaviate_ledger/shards/#]",
        locked.url,
        "give the API key that right",
    )
    store.close()


def test_reading_key_may_not_carry_out_an_operation(written: Written, locked: Weaviate) -> None:
    options = written(up("create_collection: {class: Article}"), token=READER)
    store = build(options)
    store.open(locked.url)

    with pytest.raises(StatementFailed) as caught:
        Mover(store).move()
    assert said(caught.value) == (
        "statement-failed",
        "collection Article: adminlist: authorization, forbidden action: user 'reader' has insufficient permissions to"
        " C [schema/collections/Article/shards/#]",
        "weaviate/0001_case.yaml:2",
        "give the API key that right",
    )
    assert Raw(locked.url, WRITER).classes() == []
    store.close()


@pytest.mark.parametrize("place", ["token", "url"])
def test_key_of_the_environment_or_the_url_is_sent_and_never_said(
    written: Written, locked: Weaviate, place: str
) -> None:
    options = written(up("create_collection: {class: Article}"), **({"token": WRITER} if place == "token" else {}))
    store = build(options)
    store.open(locked.url if place == "token" else f"{locked.url}?token={WRITER}")
    store.ledger.create()
    Mover(store).move()

    raw = Raw(locked.url, WRITER)
    assert raw.classes() == ["Article"]
    assert WRITER not in raw.everything() + json.dumps(raw.get("/objects?limit=100"))
    raw.wipe()
    store.close()


def test_server_before_1_27_is_refused(written: Written) -> None:
    with pretending("1.26.18") as url:
        assert said(refused(written(), url)) == (
            "server-too-old",
            "Weaviate 1.27.0 or later is needed, the server is 1.26.18",
            f"weaviate: {url}",
            "upgrade the server",
        )


def test_server_without_aliases_is_refused_where_documents_use_them(written: Written) -> None:
    with pretending("1.31.22") as url:
        error = refused(written(up("create_collection: {class: Article}", ALIAS)), url)
        assert said(error) == (
            "server-too-old",
            "aliases need Weaviate 1.32.0 or later, the server is 1.31.22",
            "weaviate/0001_case.yaml:3",
            "upgrade the server, or take them out of the file",
        )
        store = build(written(up("create_collection: {class: Article}")))
        assert store.open(url).version == "1.31.22"
        store.close()


@pytest.mark.parametrize("version", ["1.40.0-dev", "dev"])
def test_release_to_come_and_one_built_from_source_are_taken(written: Written, version: str) -> None:
    with pretending(version) as url:
        store = build(written(up(ALIAS)))
        assert store.open(url).version == version
        store.close()


def test_other_service_is_refused(written: Written) -> None:
    with pretending("") as url:
        assert said(refused(written(), url)) == (
            "server-refused",
            "what answers there is no Weaviate",
            f"weaviate: {url}",
            "see that the url is that of a Weaviate server",
        )


def test_server_that_is_not_ready_is_unreachable(written: Written) -> None:
    with pretending("1.39.0", ready=503) as url:
        error = refused(written(), url)
        assert isinstance(error, UnreachableError)
        assert said(error) == (
            "unreachable",
            "the server is not ready yet",
            f"weaviate: {url}",
            "wait until it is; `--wait-for 60s` does",
        )


def test_nobody_listening_is_unreachable(written: Written) -> None:
    url = f"http://127.0.0.1:{free_ports(1)[0]}"
    assert said(refused(written(), url)) == (
        "unreachable",
        "no answer: nothing listens there",
        f"weaviate: {url}",
        "see that the server runs and the url is right",
    )


@pytest.mark.parametrize(
    ("url", "what", "fix"),
    [
        (
            "weaviate://host:8080",
            "not an http or https url",
            "write http://host:8080, special characters percent-encoded (@ as %40)",
        ),
        (
            "http://me:secret@host:8080",
            "the url holds a user or password, which Weaviate does not take",
            "write http://host:8080, and the API key as `token`",
        ),
        (
            "http://host:8080?tokn=x",
            "the url has an option tokn, which Weaviate does not take",
            "write http://host:8080, and the API key as `token`",
        ),
    ],
)
def test_url_that_is_none_of_weaviates_is_refused(written: Written, url: str, what: str, fix: str) -> None:
    assert said(refused(written(), url)) == ("bad-url", what, "weaviate", fix)


def test_store_that_was_not_opened_says_so(written: Written) -> None:
    with pytest.raises(UnreachableError) as caught:
        build(written()).ledger.read()
    assert said(caught.value)[:3] == ("not-open", "weaviate was not opened", "weaviate")
