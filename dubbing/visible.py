"""Foreign text, escaped so that no terminal and no log collector interprets it.

File names, consents, errors of workers and texts of scripts may hold anything. An escape sequence
could set a terminal's title or its clipboard, a newline could forge a line of a log, and a
bidirectional override could show a name backwards.
"""

from __future__ import annotations

import re

OBEYED = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters (C0, DEL, C1), line and paragraph separators, bidirectional embeddings,
overrides and isolates, and lone surrogates, which no encoding can write."""
BYTES = range(0xDC80, 0xDD00)
"""Surrogates by which Python stands for the bytes of a file name that are not UTF-8."""
LONGEST_LINE = 500
"""Characters in one line of a message; a longer one holds a value, not words."""


def visible(text: str, *, kept: str = "") -> str:
    r"""Return ``text`` with escapes, such as ``\x1b``, for the characters that control a terminal.

    kept: characters that stay unchanged, such as a newline.
    """
    return OBEYED.sub(lambda found: found[0] if found[0] in kept else _escape(found[0]), text)


def readable(message: str) -> str:
    """Return a message with each of its lines as `readable_line` returns it."""
    return "\n".join(map(readable_line, message.split("\n")))


def readable_line(line: str) -> str:
    """Return a line of a message as `visible` does, without the middle if it is overlong.

    The line may hold the whole of a damaged file as a value. Its end stays: it says what to do.
    """
    if len(line) > LONGEST_LINE:
        half = LONGEST_LINE // 2
        line = f"{line[:half]} … {line[-half:]}"
    return visible(line)


def _escape(character: str) -> str:
    code = ord(character)
    if code in BYTES:
        return f"\\x{code - 0xDC00:02x}"
    return character.encode("unicode_escape").decode()
