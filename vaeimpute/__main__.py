"""The command ``vaeimpute``, also as ``python -m vaeimpute``."""

from __future__ import annotations

from vaeimpute.interrupts import noting_interrupts


def main() -> None:
    """Run the command; a Ctrl-C ends it without a traceback even while it is being imported."""
    with noting_interrupts() as interrupts:
        try:
            from vaeimpute.cli import app

            app()
        except (KeyboardInterrupt, ImportError):
            if not interrupts:
                raise
            raise SystemExit(130) from None


if __name__ == "__main__":
    main()
