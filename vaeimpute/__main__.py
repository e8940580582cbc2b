"""The command ``vaeimpute``, also as ``python -m vaeimpute``."""

from __future__ import annotations

import atexit
import logging
import os

from vaeimpute.interrupts import end_at_once


def main() -> None:
    """Run the command."""
    end_at_once()  # before anything that takes time to import
    from vaeimpute.cli import app

    logging.raiseExceptions = False  # as where a pipe is closed, to `head` for one
    try:
        app()
    except SystemExit as error:
        if error.code == 130:  # who interrupts is not to wait until Python has taken torch down
            atexit._run_exitfuncs()
            os._exit(130)
        raise


if __name__ == "__main__":
    main()
