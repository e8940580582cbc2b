"""Say in one line what stands in the way of a build, before the build says it in a hundred.

``preflight.py --goal book``
    Check the Python that runs this file, its ``venv`` module and the room on the disk.
``preflight.py --watch COMMAND ...``
    Run a command; if it fails because a disk is full, say so in a last line.

Any Python must be able to run this file, 2.7 included: an old one would answer newer syntax with a
traceback instead of the line.
"""

from __future__ import division, print_function

import os
import re
import subprocess
import sys

OLDEST = (3, 11)
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# In GB. With the CPU build of torch the environment takes 2.1 (measured), and pip keeps what it
# downloads in the temporary folder until everything is installed. On Linux, where pip finds no CPU
# build, torch brings CUDA along: then it's 5.9 and 3.3 (measured). Which of them pip will find
# can't be known beforehand; if the disk runs full on the way, --watch says so.
INSTALL = 3.0
DOWNLOAD = 1.0
# A book of twelve chapters executed and rendered, and the cache of the cohorts.
BUILD = 0.3
OVERRIDE = "VAEIMPUTE_MIN_FREE_GB"

NO_SPACE = re.compile(b"No space left on device|Errno 28|Disk quota exceeded")


def free_gb(folder):
    """Return the free space in GB of the disk that holds, or will hold, a folder."""
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize / 1e9


def temporary_folder():
    """Return where pip unpacks; unlike ``tempfile``, without writing there, as it may be full."""
    return os.environ.get("TMPDIR") or "/tmp"


def python_problem(goal):
    """Return the line about a Python that is too old or lacks ``venv``, or None."""
    if sys.version_info[:2] < OLDEST:
        return (
            "Python %d.%d or newer is needed, found %d.%d.%d (%s); choose another with: "
            "make %s PYTHON=python3.12"
            % (OLDEST + tuple(sys.version_info[:3]) + (sys.executable, goal))
        )
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError as error:
        return (
            "Python's module %s is missing (%s); install it (on Debian and Ubuntu: "
            "apt install python3-venv) or choose another Python with: make %s PYTHON=python3.12"
            % (error.name, sys.executable, goal)
        )
    return None


def disk_problem(installed):
    """Return the line about a disk that is too full, or None.

    ``installed`` says whether the environment is complete.
    """
    needs = [(ROOT, BUILD if installed else INSTALL)]
    if not installed:
        needs.append((temporary_folder(), DOWNLOAD))
    for folder, need in needs:
        need = float(os.environ.get(OVERRIDE) or need)
        free = free_gb(folder)
        if free < need:
            return (
                "Too little room on the disk: %.2f GB free in %s, %.2f GB needed; free some space "
                "or set %s to a smaller number" % (free, folder, need, OVERRIDE)
            )
    return None


def watch(command):
    """Run a command, passing on what it prints; return its exit status.

    Standard error is read on the way because afterwards it's too late to look at the disk: pip, for
    one, deletes its temporary files before it gives up.
    """
    child = subprocess.Popen(command, stderr=subprocess.PIPE)
    terminal = getattr(sys.stderr, "buffer", sys.stderr)
    recent = b""
    full = False
    while True:
        try:
            piece = os.read(child.stderr.fileno(), 65536)
            if not piece:
                break
            terminal.write(piece)
            terminal.flush()
            recent = (recent + piece)[-100000:]
            full = full or NO_SPACE.search(recent) is not None
        except KeyboardInterrupt:
            pass  # The command got the same signal: let it end in its own way.
    status = child.wait()
    if status:
        room = [(free_gb(folder), folder) for folder in (ROOT, temporary_folder())]
        if full or min(room)[0] < 0.02:
            print(
                "The disk is full (%.2f GB free in %s now): free some space and run make again"
                % min(room),
                file=sys.stderr,
            )
    return status if status >= 0 else 128 - status


def main(arguments):
    """Return the exit status for the command line."""
    if arguments[:1] == ["--watch"]:
        return watch(arguments[1:])
    goal = arguments[1] if len(arguments) > 1 and arguments[1] else "book"
    installed = os.path.exists(os.path.join(ROOT, ".venv", ".installed"))
    problem = python_problem(goal) or disk_problem(installed)
    if problem:
        print(problem, file=sys.stderr)
    return 1 if problem else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
