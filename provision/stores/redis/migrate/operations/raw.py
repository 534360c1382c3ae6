"""`redis`: commands as they are, for what no operation covers; the file says how to tell and how to undo them."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from typing import Any

from provision.documents.operation import Body, Earlier, Problem, Stopped, mapping
from provision.model import Event
from provision.model.statements import Fate, Outcome
from provision.stores.redis.fence import Command, CommandRefused
from provision.stores.redis.migrate.operations.base import TEXT, Live, RedisOperation, canonical
from provision.stores.redis.names import OWN, Keys
from provision.text.files import checksum

_COMMAND = {
    "anyOf": [
        TEXT,
        {"type": "array", "minItems": 1, "items": {"type": ["string", "integer", "number"]}},
    ],
    "description": "a command as text, or as a list of its words",
}
_COMMANDS = {"type": "array", "minItems": 1, "items": _COMMAND, "description": "a list of commands"}
_ANSWER = {
    "type": ["string", "integer", "null", "array"],
    "description": "an answer: text, a whole number, null, a list",
}

# Why a command may not stand here.
_NEVER = {
    "KEYS": "it stops every other client while it reads the whole keyspace",
    "FLUSHALL": "it deletes the ledger too",
    "FLUSHDB": "it deletes the ledger too",
    "SWAPDB": "it takes the ledger away",
    "SHUTDOWN": "it stops the server",
    "CONFIG": "set_config does it and can undo it",
    "FUNCTION": "the operation `function` does it and can compare it",
    "ACL": "it would write secrets into a file",
    "AUTH": "it would write a secret into a file",
}
# What Redis refuses inside a script, where the event could not be written with it.
_UNSCRIPTED = """
    MULTI EXEC DISCARD WATCH UNWATCH SELECT EVAL EVALSHA EVAL_RO EVALSHA_RO FCALL FCALL_RO SCRIPT SUBSCRIBE PSUBSCRIBE
    SSUBSCRIBE UNSUBSCRIBE PUNSUBSCRIBE SUNSUBSCRIBE MONITOR CLIENT HELLO QUIT RESET SAVE BGSAVE BGREWRITEAOF DEBUG
    REPLICAOF SLAVEOF SYNC PSYNC FAILOVER CLUSTER MODULE MIGRATE LATENCY SLOWLOG WAIT
"""
_LOSING = """
    DEL UNLINK GETDEL EXPIRE PEXPIRE EXPIREAT PEXPIREAT HDEL SREM ZREM ZREMRANGEBYRANK ZREMRANGEBYSCORE ZREMRANGEBYLEX
    LREM LTRIM LPOP RPOP SPOP ZPOPMIN ZPOPMAX XDEL XTRIM RENAME SET SETEX PSETEX GETSET MSET RESTORE COPY
"""


class Raw(RedisOperation):
    """All commands and the event are one script. When one is refused, a later run goes on with that one."""

    name = "redis"
    schema = mapping(
        ["commands", "probe", "down"],
        commands=_COMMANDS,
        probe={
            **mapping(["command"], command=_COMMAND, equals=_ANSWER, differs=_ANSWER),
            "anyOf": [{"required": ["equals"]}, {"required": ["differs"]}],
            "description": "a reading `command` and what it `equals` once the commands took effect (or `differs` from)",
        },
        down={**_COMMANDS, "description": "the commands that undo it"},
    )

    def summary(self, body: Body) -> str:
        return "; ".join(" ".join(words(each)) for each in body["commands"])

    def commands(self, body: Body, _keys: Keys) -> Sequence[Command]:
        return [words(each) for each in body["commands"]]

    def run(self, body: Body, live: Live, event: Event) -> None:
        if self.probe(body, live).outcome is Outcome.DONE:
            live.fence.apply((), event)
            return
        done = _begun(body, live)
        try:
            live.fence.apply(self.commands(body, live.keys)[done:], event, _digest(body))
        except CommandRefused as refused:
            raise CommandRefused(done + refused.number, refused.reason) from None

    def probe(self, body: Body, live: Live) -> Fate:
        done = _begun(body, live)
        if done:
            return Fate(
                Outcome.NOT_DONE, f"{done} of {len(body['commands'])} commands took effect, the next was refused"
            )
        asked = words(body["probe"]["command"])
        if not _reads(live, asked[0]):
            raise Stopped(f"the probe {' '.join(asked)} is no reading command")
        answer = live.server.script("return redis.call(unpack(ARGV))", (), *asked)
        wanted = body["probe"].get("equals", body["probe"].get("differs"))
        done = (_plain(answer) == _plain(wanted)) == ("equals" in body["probe"])
        return Fate(Outcome.DONE if done else Outcome.NOT_DONE, f"{' '.join(asked)} answers {answer}")

    def destructive(self, body: Body, _earlier: Earlier = ()) -> str | None:
        losing = [words(each) for each in body["commands"] if words(each)[0].upper() in _LOSING.split()]
        return f"{' '.join(losing[0])} can lose what is there" if losing else None

    def inverse(self, body: Body) -> tuple[str, Body]:
        turned = {"equals": "differs", "differs": "equals"}
        probe = {turned.get(key, key): value for key, value in body["probe"].items()}
        return self.name, {"commands": body["down"], "probe": probe, "down": body["commands"]}

    def problems(self, body: Body) -> Iterable[Problem]:
        listed = [("commands", each) for each in body["commands"]] + [("down", each) for each in body["down"]]
        for key, each in [*listed, ("probe", body["probe"]["command"])]:
            try:
                split = words(each)
            except ValueError as error:
                yield Problem(key, f"{each} cannot be read: {str(error).lower()}", "close the quotation")
                continue
            if not split:
                yield Problem(key, "a command is empty", "remove it")
                continue
            reason = _refusal(split)
            if reason:
                yield Problem(key, f"{split[0].upper()} may not stand here: {reason}", "leave it out")


def _digest(body: Body) -> str:
    return checksum(canonical({"commands": body["commands"]}))


def _begun(body: Body, live: Live) -> int:
    """How many of the commands took effect before one was refused; 0 when none was."""
    return int(live.server.call("HGET", live.keys.begun, _digest(body)) or 0)


def words(command: str | Sequence[Any]) -> list[str]:
    """The words of a command; quotation as in a shell. Raises ValueError for an open quotation."""
    return shlex.split(command) if isinstance(command, str) else [str(each) for each in command]


def _refusal(split: Sequence[str]) -> str:
    name = split[0].upper()
    if name in _UNSCRIPTED.split():
        return "Redis does not take it together with a ledger entry"
    if any(word.startswith(OWN) for word in split[1:]):
        return f"keys that begin with {OWN} are provision's own"
    return _NEVER.get(name, "")


def _reads(live: Live, name: str) -> bool:
    answer = live.server.script("return redis.call('COMMAND', 'INFO', ARGV[1])", (), name)
    return bool(answer and answer[0] and "readonly" in answer[0][2])


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return None if value is None else str(value)
