"""Entry of the Makefile: ``python3 -m dev run``, ``test``, ``lint`` and the others."""

import importlib
import sys

# Before the imports: an older Python cannot even read them.
if sys.version_info < (3, 10):  # noqa: UP036
    sys.exit("[harness] error: Python is too old: use 3.10 to 3.13 (make PYTHON=…)")

from dev import console
from dev.console import HarnessError

COMMANDS = (
    *("run", "test", "lint", "conformance", "bench"),
    *("soak", "screenshots", "translations"),
)


def main() -> int:
    """Run one command; a known failure is one line, an interruption none."""
    if len(sys.argv) != 2 or sys.argv[1] not in COMMANDS:
        print(f"usage: python3 -m dev {'|'.join(COMMANDS)}", file=sys.stderr)
        return 2
    try:
        status: int = importlib.import_module(f"dev.{sys.argv[1]}").main()
    except HarnessError as error:
        return console.fail(error)
    except KeyboardInterrupt:
        return 130
    return status


sys.exit(main())
