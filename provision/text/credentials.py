"""Finds the secrets that are written into statements, and puts dots in their place.

A text is read as the tokens of SQL, which JSON and the commands of Redis are near enough to: what makes a literal a
secret is the word before it, or the function that it is given to. What is shown and kept of a statement goes through
here; what is sent, and what is hashed, does not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache

DOTS = "•••"
_EXAMPLES = ("password", "secret", "token")  # what pages and messages write in the place of one
DEEPEST = 8  # statements within statements
# A text with none of these holds no secret that is known here, and is not looked through.
TELLING = (
    *("pass", "pwd", "identified", "secret", "token", "credential", "connection", "setuser", "auth", "salt"),
    *("api_key", "apikey", "access_key", "accesskey", "account_key", "accountkey", "private_key", "sharedaccess"),
    *("@", "dblink", "s3", "gcs", "oss", "cos", "azure", "mysql", "postgresql", "remote", "mongodb", "redis", "jdbc"),
    *("odbc", "iceberg", "delta", "hudi", "paimon", "url(", "bearer"),
)
_KEY = (
    r"[\w.$-]*(?:passw|passphrase|passwd|pwd|secret|token(?!i[sz])|credential|api_?key|access_?key|account_?key|private_?key"
    r"|requirepass|masterauth|connection_string)[\w.$-]*"
)


@cache
def _functions() -> re.Pattern[str]:
    """Table functions and engines that are given keys behind an address."""
    return re.compile(
        r"(?:s3|gcs|oss|cos|cosn|azureblobstorage|azurequeue|s3queue|mysql|postgresql|materializedpostgresql|materializedmysql"
        r"|mongodb|redis|remote|remotesecure|jdbc|odbc|iceberg\w*|deltalake\w*|hudi\w*|paimon\w*)(?:cluster)?"
    )


@cache
def _tokens() -> re.Pattern[str]:
    return re.compile(
        r"""(?P<literal>\b[EeNnBb]?'(?:[^'\\]|''|\\.)*(?:'|\Z)|'(?:[^'\\]|''|\\.)*(?:'|\Z))
        | (?P<dollar>\$(?P<tag>[A-Za-z_]\w*|)\$.*?(?:\$(?P=tag)\$|\Z))
        | (?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))
        | (?P<quoted>"(?:[^"\\]|""|\\.)*(?:"|\Z)|`[^`]*(?:`|\Z))
        | (?P<word>[\w$.-]+)
        | (?P<space>\s+)
        | (?P<sign>.)""",
        re.VERBOSE | re.DOTALL,
    )


@cache
def _pairs() -> re.Pattern[str]:
    """`password=x` of a connection string, `"password": "x"` of JSON within a text."""
    return re.compile(
        rf"""(?P<key>\b{_KEY}\\?["']?\s*[:=]\s*)"""
        r"""(?P<value>\\?"(?:[^"\\]|\\(?!"))*|\\?'[^']*|[^\s;&"',)}\]]+)""",
        re.IGNORECASE,
    )


@cache
def _urls() -> re.Pattern[str]:
    return re.compile(r"(?P<key>://[^\s:/?#@'\"]*:)(?P<value>[^\s'\"]+)(?=@)")


@cache
def _commands() -> re.Pattern[str]:
    """Commands of Redis, and headers of HTTP."""
    return re.compile(
        r"(?P<key>\bCONFIG\s+SET\s+(?:requirepass|masterauth)\s+"
        r"|^\s*AUTH\s+(?:\S+\s+(?=\S))?|\sAUTH2?\s+(?:\S+\s+(?=\S))?(?=\S+\s*$)|\bBearer\s+)(?P<value>[^\s\"',)]+)",
        re.IGNORECASE | re.MULTILINE,
    )


@cache
def _acl() -> re.Pattern[str]:
    return re.compile(r"(?P<key>\bACL\s+SETUSER\s)(?P<rest>[^\n]*)", re.IGNORECASE)


@cache
def _rules() -> re.Pattern[str]:
    """Passwords among the rules of a user of Redis, and their hashes."""
    return re.compile(r"(?P<key>(?:^|[\s\"'])[><#!])(?P<value>[^\s\"']+)")


def is_suspect(text: str) -> bool:
    """Whether the text may hold a secret: cheap, and true of many that hold none."""
    low = text.lower()
    return any(each in low for each in TELLING)


def hidden(text: str, statement: str = "") -> str:
    """The text with every secret that is written into it replaced; what `statement` holds as one, is hidden too.

    The text of a statement that was hidden comes back as it is.
    """
    if is_suspect(text):
        text = _Reader().read(text)
    for secret in sorted(_secrets(statement), key=len, reverse=True):
        text = text.replace(secret, DOTS)
    return text


def _secrets(statement: str) -> Iterable[str]:
    """The values that are secret in a statement; short ones are ordinary words."""
    if not is_suspect(statement):
        return ()
    reader = _Reader()
    reader.read(statement)
    return {each for each in reader.found if len(each) > 3 and each != DOTS}


class _Reader:
    """Reads one text; `found` are the secrets in it."""

    def __init__(self) -> None:
        self.found: set[str] = set()
        self._depth = 0

    def read(self, text: str) -> str:
        return self._commands("".join(_Statement(self).tokens(text)))

    def inner(self, text: str) -> str:
        """What a literal holds: a connection string, a url, or another statement."""
        if not is_suspect(text):
            return text
        self._depth += 1
        told = self.read(text) if self._depth <= DEEPEST else text
        self._depth -= 1
        return self._within(_urls(), self._within(_pairs(), told))

    def hide(self, value: str) -> str:
        self.found.add(value)
        return DOTS

    def _commands(self, text: str) -> str:
        rules = _acl().sub(lambda match: f"{match['key']}{self._within(_rules(), match['rest'])}", text)
        return self._within(_urls(), self._within(_commands(), rules))

    def _within(self, pattern: re.Pattern[str], text: str) -> str:
        def replaced(match: re.Match[str]) -> str:
            value = match["value"]
            bare = value.lstrip("\\\"'")
            if not bare or bare.startswith((DOTS, "$", "…")) or bare.lower() in _EXAMPLES:
                return match[0]
            return f"{match['key']}{value[: len(value) - len(bare)]}{self.hide(bare)}"

        return pattern.sub(replaced, text)


class _Statement:
    """One pass over the tokens of a text: the words so far, and the calls that are open."""

    def __init__(self, reader: _Reader) -> None:
        self._reader = reader
        self._words: list[str] = []
        self._calls: list[list[object]] = []  # name, which argument

    def tokens(self, text: str) -> Iterable[str]:
        for match in _tokens().finditer(text):
            kind, token = match.lastgroup if match.lastgroup != "tag" else "dollar", match[0]
            yield self._token(str(kind), token)

    def _token(self, kind: str, token: str) -> str:
        if kind == "space":
            return token
        if kind == "comment":
            return f"{token[:2]}{self._reader.inner(token[2:])}"
        if kind == "literal":
            return self._literal(token, token.index("'"))
        if kind == "dollar":
            return self._dollar(token)
        if kind == "quoted" and self._is_value():
            return self._quoted(token, '"')
        shown = self._nested(token, 1, '\\"') if kind == "quoted" else token
        self._follow(token.strip('"`').lower(), sign=kind == "sign")
        return shown

    def _follow(self, word: str, *, sign: bool) -> None:
        if sign and word == "(":
            self._calls.append([self._words[-1] if self._words else "", 0])
        elif sign and word == ")" and self._calls:
            self._calls.pop()
        elif sign and word == "," and self._calls:
            self._calls[-1][1] = int(str(self._calls[-1][1])) + 1
        self._words = [*self._words[-7:], word]

    def _literal(self, token: str, at: int) -> str:
        shown = self._quoted(token, "'", at) if self._is_secret() else self._nested(token, at + 1, "''")
        self._words = [*self._words[-7:], "'"]
        return shown

    def _nested(self, token: str, at: int, written: str) -> str:
        """What is quoted, in which a quote is `written`; the body begins `at`."""
        quote = written[-1]
        body = token[at:].removesuffix(quote)
        plain = body.replace(written, quote)
        told = self._reader.inner(plain)
        return token if told == plain else f"{token[:at]}{told.replace(quote, written)}{token[at + len(body) :]}"

    def _quoted(self, token: str, quote: str, at: int = 0) -> str:
        body = token[at + 1 :].removesuffix(quote)
        if body in ("", DOTS):
            return token
        self._reader.hide(body)
        self._reader.hide(body.replace(quote * 2, quote))
        return f"{quote}{DOTS}{quote}"

    def _dollar(self, token: str) -> str:
        tag = token[: token.index("$", 1) + 1]
        body = token[len(tag) :].removesuffix(tag)
        if self._is_secret() and body != DOTS:
            self._reader.hide(body)
            return f"{tag}{DOTS}{tag}"
        return f"{tag}{self._reader.inner(body)}{token[len(tag) + len(body) :]}"

    def _is_value(self) -> bool:
        """Whether what follows is the value of a key of JSON."""
        return self._words[-1:] == [":"] and _is_key(self._words[-2:-1])

    def _is_secret(self) -> bool:
        words = self._words
        joins = ("=", ">", ":", *(("to",) if "set" in words else ()))
        while words and words[-1] in joins:
            words = words[:-1]
        if _is_key(words[-1:]) or (words[-2:-1] == ["for"] and _is_key(words[-3:-2])):
            return True
        if words[-1:] and words[-1] in ("by", "salt") and "identified" in words:
            return True
        return any(int(str(number)) > 0 and _functions().fullmatch(str(name)) for name, number in self._calls)


@cache
def _keys() -> Callable[[str], object]:
    return re.compile(_KEY, re.IGNORECASE).fullmatch


def _is_key(words: list[str]) -> bool:
    return bool(words) and _keys()(words[0]) is not None
