"""People who sign in on a page with an API key: from then on, their browser sends a session's id.

The entry of a session in Redis carries a seal by the stored key, so Redis alone is not enough to
make sessions.
"""

from __future__ import annotations

import hmac
import secrets

from dubbing.gateway.refusals import Unauthorized
from dubbing.keyring import ApiKey, Keyring
from dubbing.ledger.sessions import Sessions
from dubbing.serving.requests import same


class People:
    """Knows people by their sessions. Safe to use from several threads."""

    def __init__(self, keyring: Keyring, sessions: Sessions) -> None:
        self._keyring = keyring
        self._sessions = sessions

    def sign_in(self, text: str) -> str:
        """Begin a session of a key's holder; return its id, a secret. Raises Unauthorized."""
        key = self._keyring.find(text)
        if key is None:
            raise Unauthorized("this API key is unknown or was revoked")
        session = secrets.token_urlsafe(32)
        self._sessions.begin(session, f"{key.id}:{_seal(key, session)}")
        return session

    def key_of(self, session: str) -> ApiKey | None:
        """Return the key of a session, unless either has ended."""
        id_, _, seal = self._sessions.get(session).partition(":")
        key = self._keyring.get(id_) if id_ else None
        return key if key and same(seal, _seal(key, session)) else None

    def sign_out(self, session: str) -> None:
        """End a session, if there is one."""
        self._sessions.end(session)


def _seal(key: ApiKey, session: str) -> str:
    return hmac.new(key.digest.encode(), session.encode(), "sha256").hexdigest()
