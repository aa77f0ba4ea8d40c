"""The policy of an engine's worker in the bucket, as a server that knows policies applies it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import unquote

from proxy import Answer

FILE = Path(__file__).parents[1] / "deploy" / "engine-worker-policy.json"
ACTIONS = {
    "GET": "s3:GetObject",
    "HEAD": "s3:GetObject",
    "PUT": "s3:PutObject",
    "POST": "s3:PutObject",
    "DELETE": "s3:DeleteObject",
}


class Policy:
    """Answers requests below a prefix of a bucket, which stands for the bucket."""

    def __init__(self, engine: str, storage_url: str) -> None:
        self._root = storage_url.removeprefix("s3://")
        self._bucket = self._root.partition("/")[0]
        text = FILE.read_text().replace("BUCKET", self._root).replace("ENGINE", engine)
        self._statements = json.loads(text)["Statement"]
        self.refused: list[str] = []
        """Requests that it does not allow."""

    def __call__(self, method: str, path: str) -> Answer:
        """Return the answer to a request."""
        key = unquote(path.partition("?")[0]).strip("/")
        action = ACTIONS[method]
        if key == self._bucket:
            # Other requests than lists are removals of several objects, which the body names.
            action, key = ("s3:ListBucket" if method == "GET" else "s3:DeleteObject"), self._root
        if self._allows(action, key):
            return Answer.PASS
        self.refused.append(f"{action} {key.removeprefix(self._root)}")
        return Answer.FORBIDDEN

    def _allows(self, action: str, key: str) -> bool:
        return any(
            re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), f"arn:aws:s3:::{key}")
            for statement in self._statements
            if statement["Effect"] == "Allow" and statement["Action"] == action
            for pattern in _listed(statement["Resource"])
        )


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
