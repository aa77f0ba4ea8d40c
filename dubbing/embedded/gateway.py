"""The gateway of a stack: a `dubbing serve` process; the workers do not depend on it."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

ADDRESS = re.compile(r"^gateway: (https?://\S+)$", re.MULTILINE)
"""The line that a gateway prints once it listens."""


@dataclass(frozen=True)
class Gateway:
    """The process of a gateway."""

    process: subprocess.Popen[bytes]
    log: Path
    begins: int
    """Bytes of earlier gateways in the log, where this gateway's lines begin."""

    @property
    def address(self) -> str:
        """Its URL; ``""`` until it listens."""
        found = ADDRESS.search(self.log.read_bytes()[self.begins :].decode(errors="replace"))
        return found[1] if found else ""

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self.process.poll() is not None
