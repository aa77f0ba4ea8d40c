"""Detection of truncated files: the size that a header claims, against the file's real size.

Readers take a truncated file for a shorter one without an error. Formats without a header, such as
MPEG-TS, AAC and AMR, claim nothing: their recordings may begin and end anywhere.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from dubbing.errors import BadInput

_UNKNOWN_32 = 0xFFFFFFFF
_MOST_CHUNKS = 100_000
"""Most chunks that are read, so that no file takes long to check."""
_HEAD = 64
_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_ASF_SEARCHED = 1 << 16
_ASF_LIVE = 1
_W64 = bytes.fromhex("726966662e91cf11a5d628db04c10000")
_BOXES = {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"styp", b"moof"}
_SEGMENT = 0x18538067
_OGG_PAGE = 27 + 255 + 255 * 255
"""Bytes of the largest page."""
_MP3_FRAME = 2881
"""Bytes of the largest frame."""


def check_whole(path: Path) -> None:
    """Raise BadInput, with both sizes, for a file that is smaller than its header claims."""
    with path.open("rb") as file:
        reader = _reader(file.read(_HEAD))
        file.seek(0)
        claimed = reader(file, path.stat().st_size) if reader else None
    check_claim(path, claimed or 0)


def check_claim(path: Path, claimed: int) -> None:
    """Raise BadInput for a file of fewer than ``claimed`` bytes."""
    if claimed > (size := path.stat().st_size):
        raise BadInput(
            f"the file is cut short, or claims more than it holds: {_bytes(size)} of at least "
            f"{_bytes(claimed)} are there: copy or create it again",
            where=path.name,
        )


_Reader = Callable[[BinaryIO, int], int | None]
"""Returns the bytes that a file of the given size claims to have, or None without a claim."""


def _reader(head: bytes) -> _Reader | None:
    """Return the reader for the claim of a file that begins with ``head``."""
    if head[:4] in {b"RIFF", b"RF64", b"BW64"} and head[8:12] in {b"WAVE", b"AVI "}:
        return _wave if head[8:12] == b"WAVE" else _avi
    if head[4:8] in _BOXES:
        return _boxes
    if head[:3] == b"ID3" or (head[:1] == b"\xff" and head[1:2] >= b"\xe0"):
        return _mp3
    begins = {
        b"\x1a\x45\xdf\xa3": _matroska,
        b"OggS": _ogg,
        b"caff": _caf,
        _ASF: _asf,
        _W64: _w64,
    }
    return next((reader for start, reader in begins.items() if head.startswith(start)), None)


def _chunks(
    file: BinaryIO, size: int, header: str, align: int = 1
) -> Iterator[tuple[bytes, int, int]]:
    """Yield each chunk's name, content offset and length, from the current position on.

    header: struct format of name and length. align: the multiple that lengths are rounded up to.
    """
    for _ in range(_MOST_CHUNKS):
        if len(packed := file.read(struct.calcsize(header))) < struct.calcsize(header):
            return
        name, length = struct.unpack(header, packed)
        begin = file.tell()
        yield name, begin, length
        if not begin <= (end := begin + length + -length % align) <= size:
            return
        file.seek(end)


def _wave(file: BinaryIO, size: int) -> int:
    """Return where the sound's chunk ends; a WAV without that chunk is cut off before it."""
    whole: int = 8 + struct.unpack("<4xI4x", file.read(12))[0]
    large: int | None = None
    for name, begin, length in _chunks(file, size, "<4sI", 2):
        if name == b"ds64":
            large = struct.unpack("<8xQ", file.read(16).ljust(16, b"\0"))[0]
        if name == b"data":
            return begin + (large if large and length == _UNKNOWN_32 else length)
    return max(whole, size + 1)


def _avi(file: BinaryIO, size: int) -> int:
    """Return where the last RIFF chunk ends; an unfinished recording states no length."""
    end = 0
    for name, begin, length in _chunks(file, size, "<4sI", 2):
        if name != b"RIFF" or length in {0, _UNKNOWN_32}:
            break
        end = begin + length
    return end


def _boxes(file: BinaryIO, size: int) -> int | None:
    """Return the end of a box that reaches beyond the end of an MP4 or MOV, or None.

    Raises BadInput when the index is missing.
    """
    end, name, names = 0, b"", set()
    for _ in range(_MOST_CHUNKS):
        if len(header := file.read(16)) < 8:
            break
        length, name = struct.unpack(">I4s", header[:8])
        if length == 1 and len(header) == 16:
            length = struct.unpack(">8xQ", header)[0]
        names.add(name)
        end += length
        if length < 8 or end > size:
            break
        file.seek(end)
    if end > size and name in {b"moov", b"mdat", b"moof"}:
        return end
    if b"mdat" in names and b"moov" not in names:
        raise BadInput(
            f"{_bytes(size)} are there, but not the index (moov) that describes them: the "
            "file is cut short, or its recording was not finished: copy or record it again",
            where=Path(file.name).name,
        )
    return None


def _matroska(file: BinaryIO, size: int) -> int | None:
    """Return where the segment ends; a live recording does not state it."""
    for _ in range(_MOST_CHUNKS):
        element, length = _vint(file, keep_marker=True), _vint(file)
        if element is None or length is None:
            break
        if element == _SEGMENT:
            return file.tell() + length
        if file.tell() + length > size:
            break
        file.seek(length, 1)
    return None


def _vint(file: BinaryIO, *, keep_marker: bool = False) -> int | None:
    """Return the next EBML number; None when it is unknown or missing."""
    first = file.read(1)
    if not first or not first[0]:
        return None
    more = 8 - first[0].bit_length()
    value = int.from_bytes(first + file.read(more), "big")
    if keep_marker:
        return value
    bits = 7 * (more + 1)
    value &= (1 << bits) - 1
    return None if value == (1 << bits) - 1 else value


def _ogg(file: BinaryIO, size: int) -> int | None:
    """Return where the last page ends."""
    file.seek(max(0, size - _OGG_PAGE))
    base, tail = file.tell(), file.read()
    if (begin := tail.rfind(b"OggS")) < 0:
        return None
    page = tail[begin:]
    segments = page[26] if len(page) > 26 else 0
    return base + begin + 27 + segments + sum(page[27 : 27 + segments])


def _caf(file: BinaryIO, size: int) -> int | None:
    """Return where the sound's chunk ends; an unfinished recording may leave its length open."""
    file.seek(8)
    sounds = (
        begin + length for name, begin, length in _chunks(file, size, ">4sq") if name == b"data"
    )
    return next(sounds, None)


def _w64(file: BinaryIO, size: int) -> int | None:
    claimed: int = struct.unpack("<16xQ", file.read(24).ljust(24, b"\0"))[0]
    return claimed


def _asf(file: BinaryIO, size: int) -> int | None:
    """Return the size in the header; a live recording states none."""
    head = file.read(_ASF_SEARCHED)
    properties = head[head.find(_ASF_PROPERTIES) :][:92]
    if not properties.startswith(_ASF_PROPERTIES) or len(properties) < 92:
        return None
    claimed, flags = struct.unpack("<40xQ40xI", properties)
    return None if flags & _ASF_LIVE else claimed


def _mp3(file: BinaryIO, size: int) -> int | None:
    """Return the end of the frames that a Xing or Info header counts."""
    begin = 0
    if (tag := file.read(10))[:3] == b"ID3" and len(tag) == 10:
        begin = 10 + sum(byte << shift for byte, shift in zip(tag[6:], (21, 14, 7, 0), strict=True))
    file.seek(begin)
    frame = file.read(200)
    at = max(frame.find(b"Xing"), frame.find(b"Info"))
    if at < 0 or len(frame) < at + 16:
        return None
    flags = struct.unpack(">I", frame[at + 4 : at + 8])[0]
    if not flags & 2:
        return None
    counted = at + 8 + (4 if flags & 1 else 0)
    claimed = struct.unpack(">I", frame[counted : counted + 4])[0]
    # Encoders differ in whether they count the header's own frame.
    return int(begin + claimed - _MP3_FRAME)


def _bytes(count: int) -> str:
    return f"{count:,} bytes" if count < 1e7 else f"{count / 1e6:,.1f} MB"
