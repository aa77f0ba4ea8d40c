"""HTTP to an endpoint: the client, and the only module that interprets its errors.

::

    Unreachable   it does not answer, or is too busy: another endpoint may speak the line
    Unfit         it cannot serve the pool: wrong key, wrong route, another model, or a certificate
                  that is not trusted
    Failed        its answer is not the line: the line is tried again, a limited number of times
    SpeechRejected  it refused the line itself: no other endpoint would accept it
"""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx2

from dubbing.engines.remote.pool import Endpoint
from dubbing.errors import SpeechRejected
from dubbing.visible import readable_line

CONNECT_SECONDS = 5.0
LONGEST_WORDS = 200
"""Most characters of a server's message that an error quotes."""
LARGEST = 50_000_000
"""Most bytes of an answer; a line of two minutes takes 23 MB at 96 kHz in 16 bits."""
BUSY = frozenset({408, 425, 429, 502, 503, 504, 522, 524})
UNFIT = frozenset({401, 403, 404, 405, 407, 410})
NOTHING: Mapping[str, str] = MappingProxyType({})
LINES_FAULT = frozenset({400, 413, 414, 422})
NO_AUTHORITY = frozenset({2, 18, 19, 20, 21})
"""OpenSSL's codes for certificates of an unknown authority."""


class WireError(Exception):
    """Base of the errors of an endpoint; the message is for people."""


class Unreachable(WireError):
    """The endpoint does not answer, or is too busy."""

    def __init__(self, why: str, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        """Seconds until a retry, from the header ``Retry-After``; None without it."""
        super().__init__(why)


class Unfit(WireError):
    """The endpoint cannot serve its pool."""


class Failed(WireError):
    """The answer is not the line."""

    def __init__(self, why: str, code: str = "") -> None:
        self.code = code
        """The server's own error code; ``""`` without one."""
        super().__init__(why)


class Wire:
    """An HTTP client for all endpoints. Safe to use from several threads."""

    def __init__(self, key: Callable[[str], str], ca_file: Path | None = None) -> None:
        """Open no connection yet.

        key: returns the API key that a variable holds, or ``""``. ca_file: PEM file of certificate
        authorities that are trusted beside the public ones.
        """
        self._key = key
        trusted = httpx2.create_ssl_context(trust_env=False)
        if ca_file:
            trusted.load_verify_locations(ca_file)
        # Ignores the machine's proxies and .netrc, so that requests go directly to the endpoint.
        self._client = httpx2.Client(
            verify=trusted,
            follow_redirects=False,
            trust_env=False,
            limits=httpx2.Limits(max_connections=None, keepalive_expiry=30.0),
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def get(self, endpoint: Endpoint, route: str, seconds: float = 10.0) -> Any:
        """Return the JSON at a route; None when the endpoint has no such route.

        Raises Unreachable and Unfit.
        """
        answer, body = self._asked(endpoint, "GET", route, seconds)
        if answer.status_code in {404, 405, 501}:
            return None
        try:
            _check(answer, body)
        except (Failed, SpeechRejected) as exc:
            raise Unreachable(str(exc)) from exc
        return _json(body)

    def post(
        self, endpoint: Endpoint, route: str, content: Mapping[str, Any], seconds: float
    ) -> bytes:
        """Send JSON to a route; return the body of the answer.

        seconds: longest time of the whole call. Raises Unreachable, Unfit, Failed, and
        SpeechRejected for a line that is refused.
        """
        answer, body = self._asked(endpoint, "POST", route, seconds, json=content)
        _check(answer, body)
        if "json" in answer.headers.get("content-type", ""):
            raise Failed(f"it answered {_words(body)}")
        return body

    def exchange(
        self, endpoint: Endpoint, route: str, content: Mapping[str, Any], seconds: float
    ) -> Any:
        """Send JSON to a route; return the JSON of the answer. Raises as `post` does."""
        answer, body = self._asked(endpoint, "POST", route, seconds, json=content)
        _check(answer, body)
        return _json(body)

    def has(self, endpoint: Endpoint, route: str, seconds: float = 10.0) -> bool:
        """Whether an endpoint has a route, of any method.

        Raises Unreachable and Unfit.
        """
        answer, body = self._asked(endpoint, "GET", route, seconds)
        if answer.status_code in {404, 410, 501}:
            return False
        if answer.status_code in UNFIT - {405} or answer.status_code in BUSY:
            _check(answer, body)
        return True

    def upload(
        self,
        endpoint: Endpoint,
        route: str,
        name: str,
        content: bytes,
        seconds: float,
        fields: Mapping[str, str] = NOTHING,
    ) -> Any:
        """Send a file to a route as a form's field ``file``; return the JSON of the answer.

        fields: further fields of the form. Raises as `post` does.
        """
        files = {"file": (name, content, "audio/wav")}
        answer, body = self._asked(endpoint, "POST", route, seconds, files=files, data=dict(fields))
        _check(answer, body)
        return _json(body)

    def _asked(
        self, endpoint: Endpoint, method: str, route: str, seconds: float, **options: Any
    ) -> tuple[httpx2.Response, bytes]:
        """Return an answer and its body. seconds: longest time of both together."""
        end = time.monotonic() + seconds
        timeout = httpx2.Timeout(seconds, connect=min(seconds, CONNECT_SECONDS))
        try:
            with self._client.stream(
                method,
                f"{endpoint.url}/{route}",
                headers=self._credentials(endpoint),
                timeout=timeout,
                **options,
            ) as answer:
                return answer, _body(answer, end)
        except httpx2.TimeoutException as exc:
            raise Unreachable(f"it did not answer within {seconds:.0f} s") from exc
        except (httpx2.HTTPError, httpx2.InvalidURL) as exc:
            if untrusted := _untrusted(exc):
                raise Unfit(untrusted) from exc
            raise Unreachable(readable_line(str(exc)) or type(exc).__name__) from exc

    def _credentials(self, endpoint: Endpoint) -> dict[str, str]:
        """Return the endpoint's key in two headers, because servers read one or the other."""
        if not endpoint.key_from:
            return {}
        key = self._key(endpoint.key_from)
        if not key:
            raise Unfit(f"the variable {endpoint.key_from}, which holds its key, is empty here")
        if not (key.isascii() and key.isprintable()):
            raise Unfit(f"the key in {endpoint.key_from} has an invalid character")
        return {"Authorization": f"Bearer {key}", "X-Api-Key": key}


def _untrusted(exc: Exception) -> str:
    """Return why the certificate of an endpoint is not trusted; ``""`` for another error."""
    cause: BaseException | None = exc
    while cause:
        if isinstance(cause, ssl.SSLCertVerificationError):
            code, why = cause.verify_code, cause.verify_message.rstrip(".")
            remedy = ": name its authority in DUBBING_CA_FILE" if code in NO_AUTHORITY else ""
            return f"its certificate is not trusted: {why}{remedy}"
        cause = cause.__cause__ or cause.__context__
    return ""


def _body(answer: httpx2.Response, end: float) -> bytes:
    """Return the body; raises Failed if it is too large, and Unreachable if it is late.

    end: a time of `time.monotonic`.
    """
    body = bytearray()
    for part in answer.iter_bytes():
        body += part
        if len(body) > LARGEST:
            raise Failed("its answer is larger than any line")
        if time.monotonic() > end:
            raise Unreachable("it did not finish its answer in time")
    return bytes(body)


def _check(answer: httpx2.Response, body: bytes) -> None:
    """Raise the error of an answer whose status is not a success."""
    status = answer.status_code
    if answer.is_success:
        return
    said = f"HTTP {status}: {_words(body)}"
    if status in BUSY:
        raise Unreachable(said, _retry_after(answer))
    if answer.has_redirect_location:
        raise Unfit(f"HTTP {status}: it redirects to another address: use that address")
    if status == HTTPStatus.UNAUTHORIZED:
        raise Unfit(f"{said}: --key-from names the variable that holds its key")
    if status in UNFIT:
        raise Unfit(said)
    if status in LINES_FAULT:
        raise SpeechRejected(f"the server refused the line: {_words(body)}")
    found = _json(body)
    raise Failed(said, str(found.get("code", "")) if isinstance(found, dict) else "")


def _words(body: bytes) -> str:
    """Return a server's error message as one line, without a traceback."""
    found = _json(body)
    # From the outside in: {"error": {"message": …}}, {"detail": [{"msg": …}]} and similar forms.
    for name in ("error", "detail", "Exception", "message", "msg"):
        if isinstance(found, list) and found:
            found = found[0]
        if isinstance(found, dict) and name in found:
            found = found[name]
    text = body.decode(errors="replace") if found is None else str(found)
    if "Traceback (most recent call last)" in text:
        # The last line is the error; the other lines are internals of the server.
        text = text.strip().splitlines()[-1]
    if text.lstrip().startswith("<"):
        text = "a page in HTML"
    return readable_line(text.strip())[:LONGEST_WORDS] or "nothing"


def _json(body: bytes) -> Any:
    """Return the JSON of a body; None for a body that is not JSON."""
    try:
        return json.loads(body)
    except ValueError:
        return None


def _retry_after(answer: httpx2.Response) -> float | None:
    """Return the seconds of a ``Retry-After``, which may be a number or a date; None without it."""
    given = answer.headers.get("retry-after", "")
    if given.isdecimal():
        return float(given[:9])
    try:
        return max(0.0, parsedate_to_datetime(given).timestamp() - time.time())
    except ValueError:
        return None
