"""What foreign code prints goes to standard error, and what others print does not."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

import pytest

from provision.text.quiet import quiet
from provision.threads import Waited


def in_thread(call: Callable[[], None]) -> None:
    thread = threading.Thread(target=call)
    thread.start()
    thread.join()


def test_this_thread_and_what_it_starts_print_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    before = sys.stdout
    with quiet():
        print("mine")
        in_thread(lambda: print("of a thread that I started"))
        with quiet():
            print("mine too")
        print("still mine")
    print("after")
    assert sys.stdout is before
    assert capsys.readouterr() == ("after\n", "mine\nof a thread that I started\nmine too\nstill mine\n")


def test_two_that_overlap_leave_the_stream_that_was_there(capsys: pytest.CaptureFixture[str]) -> None:
    before, entered, left = sys.stdout, threading.Event(), threading.Event()

    def second() -> None:
        with quiet():
            entered.set()
            assert left.wait(30)
            print("of the second")

    thread = threading.Thread(target=second)
    with quiet():
        thread.start()
        assert entered.wait(30)
    left.set()
    thread.join()
    assert sys.stdout is before
    assert capsys.readouterr() == ("", "of the second\n")


def test_a_thread_that_was_there_prints_where_it_did(capsys: pytest.CaptureFixture[str]) -> None:
    begun, printed = threading.Event(), threading.Event()

    def other() -> None:
        assert begun.wait(30)
        print("of the program")
        printed.set()

    thread = threading.Thread(target=other)
    thread.start()
    with quiet():
        begun.set()
        assert printed.wait(30)
        print("mine")
    thread.join()
    assert capsys.readouterr() == ("of the program\n", "mine\n")


def test_a_stream_that_was_kept_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    with quiet():
        kept = sys.stdout
        assert kept.encoding
    print("later", file=kept)
    assert capsys.readouterr() == ("later\n", "")


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_a_program_without_a_stream_is_not_ended(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, name, None)
    with quiet():
        print("nowhere")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_raises_is_done_all_the_same() -> None:
    def raises() -> None:
        raise ZeroDivisionError

    thread = Waited(raises, "x", daemon=True)
    assert not thread.done()
    thread.start()
    assert thread.done(30)
    thread.join()
