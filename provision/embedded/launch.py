"""Run as a script: start an engine in a session of its own, and a watcher that ends it when its folder has gone.

    python -I -S launch.py FOLDER DATA CWD UID:GID|"" SIGNAL LOCK PROGRAM ARGUMENT…

LOCK is the inherited descriptor of the engine's lock: a starter that is killed now must not let another one begin
before the pid is written. Ends with 0 when the engine was executed; its pid is then in FOLDER/pid. Imports nothing of
the project and little else: it is read by a bare interpreter, because that starts in a third of the time.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time

POLL_S = 1.0
GRACE_S = 5.0


def main(folder: str, data: str, cwd: str, user: str, number: str, lock: str, *argv: str) -> int:
    """Start the engine, then the watcher, then let the engine go on."""
    os.set_inheritable(int(lock), False)
    go_read, go_write = os.pipe()
    fault_read, fault_write = os.pipe()  # closed by a successful exec, which is how the launcher learns of it
    engine = os.fork()
    if engine == 0:
        os.close(go_write)
        os.close(fault_read)
        become_engine(folder, cwd, user, argv, go_read, fault_write)
    os.close(fault_write)
    if os.fork() == 0:
        for descriptor in (go_read, go_write, fault_read, int(lock)):
            os.close(descriptor)
        watch(engine, (folder, data), int(number))
    os.write(go_write, b"g")
    fault = os.read(fault_read, 4096)
    if fault:
        sys.stderr.write(fault.decode(errors="replace") + "\n")
    return 1 if fault else 0


def become_engine(folder: str, cwd: str, user: str, argv: tuple[str, ...], go: int, fault: int) -> None:
    """Wait until the watcher exists (an engine without one would outlive its folder), write the pid, execute."""
    try:
        os.setsid()
        if os.read(go, 1) != b"g":
            os._exit(1)
        write_pid(folder)
        os.chdir(cwd)
        if user:
            uid, gid = map(int, user.split(":"))
            os.setgroups([])
            os.setgid(gid)
            os.setuid(uid)
        os.execv(argv[0], argv)
    except OSError as error:
        os.write(fault, f"{argv[0]}: {error}".encode())
    os._exit(1)


def write_pid(folder: str) -> None:
    """Write pid, start time and the identity of the folder, as provision.embedded.process reads them."""
    draft = os.path.join(folder, "pid.new")
    with open(draft, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        file.write(f"{os.getpid()} {own_mark()} {identity(folder)}")
    os.replace(draft, os.path.join(folder, "pid"))


def own_mark() -> str:
    """Return when this process started; an exec keeps it."""
    try:
        with open("/proc/self/stat", "rb") as file:
            stat = file.read()
        return stat[stat.rindex(b")") + 2 :].split()[19].decode()
    except FileNotFoundError:
        with os.popen(f"ps -o lstart= -p {os.getpid()}") as answer:
            return "-".join(answer.read().split())


def watch(engine: int, paths: tuple[str, ...], number: int) -> None:
    """Live as long as the engine; end it when one of the paths has gone or is another file."""
    os.setsid()
    os.chdir("/")
    try:
        descriptor = os.pidfd_open(engine)
    except (AttributeError, OSError):
        descriptor = -1
    seen = [identity(path) for path in paths]
    while not ended(engine, descriptor, POLL_S):
        if any(identity(path) not in (was, None) for path, was in zip(paths, seen, strict=True)):
            send(engine, number)
            if not ended(engine, descriptor, GRACE_S):
                send(engine, signal.SIGKILL)
            break
    os._exit(0)


def ended(engine: int, descriptor: int, patience_s: float) -> bool:
    """Wait for the end of the engine, at most `patience_s` seconds."""
    if descriptor >= 0:
        return bool(select.select([descriptor], [], [], patience_s)[0])
    time.sleep(patience_s)
    try:
        os.kill(engine, 0)
    except OSError:
        return True
    return False


def send(engine: int, number: int) -> None:
    """Signal the engine; one that has just ended needs none."""
    try:
        os.kill(engine, number)
    except OSError as error:
        sys.stderr.write(f"watcher: cannot end {engine}: {error}\n")


def identity(path: str) -> str | None:
    """Return which file is at `path`, "" when none is, None when it cannot be looked at (it has not gone then)."""
    try:
        stat = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError:
        return None
    return f"{stat.st_dev}:{stat.st_ino}"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
