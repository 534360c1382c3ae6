"""Whether a text is one expression: what the server reads between two parentheses of ours, and nothing beyond."""

from __future__ import annotations

from provision.stores.postgres.migrate.sql_tokens import tokens

_CLOSES = {")": "(", "]": "["}


def flaw(text: str) -> str:
    """What in the text would leave the parentheses around it, for people; empty where nothing does.

    That it is an expression says the server. Strings and comments are read as it reads them; one that is not closed
    goes on to the end of the text, where the server refuses it.
    """
    opened: list[str] = []
    found = tokens(text)
    if not found:
        return "it is empty"
    for token in found:
        if token.kind != "symbol":
            continue
        if token.value == ";":
            return "a ; ends it before its end"
        if token.value in _CLOSES.values():
            opened.append(token.value)
        elif token.value in _CLOSES and (not opened or opened.pop() != _CLOSES[token.value]):
            return f"a {token.value} closes what it did not open"
    return f"a {opened[-1]} is not closed" if opened else ""
