"""The command ``vaeimpute``, also as ``python -m vaeimpute``."""

from __future__ import annotations

from vaeimpute.interrupts import end_at_once


def main() -> None:
    """Run the command."""
    end_at_once()  # before anything that takes time to import
    from vaeimpute.cli import app

    app()


if __name__ == "__main__":
    main()
