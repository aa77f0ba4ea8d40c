"""Secrets in a line of a log, which is read by more people than may know them."""

from __future__ import annotations

import re
from collections.abc import Iterable

MASK = "***"
IN_ADDRESS = re.compile(r"(?<=://)([^\s/:@'\"]*):[^\s/@'\"]+@")
"""User and password before the host of a URL."""
IN_QUERY = re.compile(
    r"([?&](?:x-amz-(?:signature|credential|security-token)|signature|awsaccesskeyid"
    r"|[\w-]*(?:token|secret|password|api[-_]?key|access[-_]?key))=)[^&\s'\"]+",
    re.IGNORECASE,
)
"""What lets anybody open a presigned URL, and keys that callers put into a query."""
IN_HEADER = re.compile(r"\b((?:Bearer|Basic)\s+)[\w.~+/=-]{8,}", re.IGNORECASE)
SHORTEST = 6
"""Characters of a secret that is looked for by itself: a shorter one may be a part of a word."""


class Mask:
    """Hides the secrets of a process, and whatever looks like one."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = sorted({one for one in secrets if len(one) >= SHORTEST}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def __call__(self, text: str) -> str:
        """Return a line with `MASK` in place of each secret."""
        if self._known:
            text = self._known.sub(MASK, text)
        text = IN_ADDRESS.sub(rf"\1:{MASK}@", text)
        return IN_HEADER.sub(rf"\1{MASK}", IN_QUERY.sub(rf"\1{MASK}", text))
