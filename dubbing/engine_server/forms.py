"""The forms of voices that callers sent or had derived, kept by their digest.

A caller sends a form once and names it from then on. The least recently used forms are forgotten;
the caller then gets an error, and sends the form again.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Mapping

import numpy as np
import safetensors.numpy
from safetensors import SafetensorError

from dubbing.engines.engine import VoiceForm
from dubbing.errors import BadInput, NotFound

KEPT_BYTES = 256 << 20
"""Bytes of all forms together, as they were sent."""


class UnknownForm(NotFound):
    """The form was never sent to this server, or it was forgotten: send it again."""

    code = "unknown_form"


class Forms:
    """Forms by digest. Safe to use from several threads."""

    def __init__(self, most: int = KEPT_BYTES) -> None:
        """Keep none yet. most: bytes of all forms together."""
        self._most = most
        self._kept: OrderedDict[str, tuple[VoiceForm, int]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def keep(self, data: bytes) -> str:
        """Keep a form in safetensors; return its digest. Raises BadInput for other data."""
        digest = hashlib.sha256(data).hexdigest()
        form = None if digest in self._kept else _loaded(data)
        with self._lock:
            if form is not None and digest not in self._kept:
                self._kept[digest] = form, len(data)
                self._bytes += len(data)
                while self._bytes > self._most and len(self._kept) > 1:
                    _, (_, size) = self._kept.popitem(last=False)
                    self._bytes -= size
        return digest

    def get(self, digest: str) -> VoiceForm:
        """Return a form; raises UnknownForm."""
        with self._lock:
            if digest not in self._kept:
                raise UnknownForm(f"form {digest[:12]} is not known here: send it with the request")
            self._kept.move_to_end(digest)
            return self._kept[digest][0]


def packed(form: VoiceForm) -> bytes:
    """Return a form in safetensors."""
    return safetensors.numpy.save(dict(form))


def as_text(data: bytes) -> str:
    """Return bytes in Base64, for JSON."""
    return base64.b64encode(data).decode()


def from_text(text: str, where: str) -> bytes:
    """Return the bytes of a Base64 text; raises BadInput."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise BadInput("it is not Base64", where=where) from exc


def _loaded(data: bytes) -> VoiceForm:
    try:
        form: Mapping[str, np.ndarray] = safetensors.numpy.load(data)
    except (SafetensorError, KeyError, ValueError) as exc:
        raise BadInput(f"it is not in safetensors: {exc}", where="forms") from exc
    if not form or not all(np.isfinite(array).all() for array in form.values()):
        raise BadInput("a form holds arrays of finite numbers", where="forms")
    return form
