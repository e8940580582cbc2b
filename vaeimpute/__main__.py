"""The command ``vaeimpute``, also as ``python -m vaeimpute``."""

from __future__ import annotations


def main() -> None:
    """Run the command; a Ctrl-C ends it without a traceback even while it is being imported."""
    try:
        from vaeimpute.cli import app

        app()
    except KeyboardInterrupt:
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
