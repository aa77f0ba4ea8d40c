"""Masking of secrets in log lines, because more people may read logs than know the secrets."""

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
"""The secret parts of a presigned URL, and keys in a query."""
IN_HEADER = re.compile(r"\b((?:Bearer|Basic)\s+)[\w.~+/=-]{8,}", re.IGNORECASE)
SHORTEST = 6
"""Fewest characters of a secret to search for: a shorter one may be part of a word."""


class Mask:
    """Masks the secrets of a process, and text that looks like a secret."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = sorted({one for one in secrets if len(one) >= SHORTEST}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def __call__(self, text: str) -> str:
        """Return a line with `MASK` in place of each secret."""
        if self._known:
            text = self._known.sub(MASK, text)
        text = IN_ADDRESS.sub(rf"\1:{MASK}@", text)
        return IN_HEADER.sub(rf"\1{MASK}", IN_QUERY.sub(rf"\1{MASK}", text))
