"""The command line: plain lines for people, and JSON for machines with ``--json``.

`dubbing.cli.exit_codes` holds the exit codes.
"""

from __future__ import annotations

import gc


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit; by default with the arguments of this process."""
    # Nothing of an import is garbage, and to look for some takes a tenth of a command's start.
    # It is looked for again once the module of the command is there.
    gc.disable()
    try:
        from dubbing.cli.commands import run  # noqa: PLC0415 - see above

        run(arguments)
    finally:
        gc.enable()
