"""Ctrl-C: at any time it ends a command with status 130 and without a traceback."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


def end_at_once() -> None:
    """Let Ctrl-C end the process on the spot: for as long as there is nothing to tidy up."""
    # Not where it is ignored, as under nohup.
    if callable(signal.getsignal(signal.SIGINT)):
        signal.signal(signal.SIGINT, lambda number, frame: os._exit(130))


@contextmanager
def noting_interrupts() -> Iterator[list[int]]:
    """Note every Ctrl-C besides raising `KeyboardInterrupt`.

    A compiled module that is being imported at that moment makes an `ImportError` of it.

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
        yield seen
    finally:
        signal.signal(signal.SIGINT, before)
