"""The program gannet, in this process: `python -m gannet train points.csv`."""

from __future__ import annotations

import signal
import sys

from gannet._gannet import run_program


def main() -> int:
    """Runs the program on the arguments of the process; returns its exit code."""
    # The program listens to Ctrl-C itself; Python's own handler would only tell of it once the program has ended.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return run_program(["gannet", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
