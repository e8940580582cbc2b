"""Ctrl-C: at any time it ends a command with status 130 and without a traceback."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_PATIENCE = 0.8  # seconds until a command has to have ended by itself


def end_at_once() -> None:
    """Let Ctrl-C end the process on the spot: for as long as there is nothing to tidy up."""
    # Not where it is ignored, as under nohup.
    if callable(signal.getsignal(signal.SIGINT)):
        signal.signal(signal.SIGINT, lambda number, frame: os._exit(130))


@contextmanager
def noting_interrupts(last_words: Callable[[], object] | None = None) -> Iterator[list[int]]:
    """Note every Ctrl-C besides raising `KeyboardInterrupt`.

    A compiled module that is being imported at that moment makes an `ImportError` of it.

    Parameters
    ----------
    last_words : callable, optional
        Python hears of a signal between two of its steps, and a decomposition is one step, minutes
        long; and what hears may first tidy up. With this, the process calls it and ends with status
        130 if it has not ended by itself within a second. A library that keeps Python's lock all
        that time cannot be helped.

    Yields
    ------
    list of int
        Empty as long as nobody has pressed it.
    """
    seen: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        seen.append(number)
        raise KeyboardInterrupt

    before = signal.getsignal(signal.SIGINT)
    # Only the main thread may change it.
    if not callable(before) or threading.current_thread() is not threading.main_thread():
        yield seen
        return
    signal.signal(signal.SIGINT, note)
    try:
        if last_words is None:
            yield seen
        else:
            with _watching(last_words):
                yield seen
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _watching(last_words: Callable[[], object]) -> Iterator[None]:
    # The C part of Python's handler writes a byte at once, and a thread waits for it.
    read, write = os.pipe()
    os.set_blocking(write, False)
    ended = threading.Event()

    def watch() -> None:
        while signals := os.read(read, 1):
            if signals[0] == signal.SIGINT and not ended.wait(_PATIENCE):
                last_words()
                os._exit(130)
        os.close(read)

    threading.Thread(target=watch, daemon=True).start()
    before = signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    try:
        yield
    finally:
        ended.set()
        signal.set_wakeup_fd(before)
        os.close(write)
