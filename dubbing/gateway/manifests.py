"""Manifests from the fields of HTTP requests, with checks of the names that a caller may use.

A request names no file of the server. Its script, film and recordings are uploads of the caller's
tenant, ``upload:<id>``, or objects below a place that its key grants, ``s3://…``; films and
recordings may also be fetched from the web, ``https://…``. In place of a script it may hold the
segments themselves. Results are delivered to a place that the key grants.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from dubbing.documents import listed
from dubbing.errors import BadInput, NotFound
from dubbing.files import LARGEST
from dubbing.gateway.callers import Caller
from dubbing.gateway.fetching import HTTPS, Fetching, shown
from dubbing.gateway.refusals import Forbidden
from dubbing.job.output import plain_name
from dubbing.media.scratch import scratch
from dubbing.script.loader import manifest_of
from dubbing.script.manifest import SOURCE, Manifest
from dubbing.script.naming import language_of
from dubbing.script.subtitles import Script, read_script
from dubbing.storage import Storage
from dubbing.storage.s3 import lies_in
from dubbing.submission.uploads import Upload, Uploads
from dubbing.voices.names import is_digest

UPLOAD = "upload:"
"""Prefix of an upload's name, where a manifest has a path."""
REQUEST = "the request"
"""The place of a fault outside of uploaded files."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """Options of reading a script."""

    speaker_prefix: bool = False
    encoding: str | None = None


@dataclass(frozen=True)
class Asked:
    """A manifest, with the caller's names."""

    manifest: Manifest
    names: Mapping[str, str]
    """The caller's names of files and objects."""

    @contextmanager
    def named(self) -> Iterator[None]:
        """Raise BadInput with the caller's names in place of file names of this machine."""
        with _named(self.names):
            yield


class Manifests:
    """Makes manifests from requests."""

    def __init__(self, storage: Storage, uploads: Uploads, fetching: Fetching) -> None:
        self._storage = storage
        self._uploads = uploads
        self._fetching = fetching

    def of(self, caller: Caller, fields: Mapping[str, Any], reading: Reading) -> Asked:
        """Return the manifest of a caller's request.

        Raises BadInput, which names uploads as the caller does, and Forbidden for a tenant or place
        that the caller's key does not allow.
        """
        tenant = fields.get("tenant", caller.tenant)
        if tenant != caller.tenant and not caller.is_admin:
            raise Forbidden(f"your key is for the tenant {caller.tenant!r}: leave the tenant out")
        named: dict[str, str] = {}
        sources = _Sources(self._storage, self._uploads, self._fetching, caller, named)
        with scratch() as folder, _named(named):
            located = sources.located({**fields, "tenant": tenant})
            script = located.get("script")
            if isinstance(script, Upload):
                path = self._downloaded(script, folder, named)
                located["script"] = str(path)
                located["output"] = _output(located.get("output"), path)
            manifest = manifest_of(
                located, REQUEST, speaker_prefix=reading.speaker_prefix, encoding=reading.encoding
            )
        check_by_name(role.voice for role in manifest.cast.values())
        check_by_name(emotion.voice for _, emotion in manifest.emotions)
        check_by_name(segment.voice for segment in manifest.segments)
        return Asked(manifest, named)

    def script(self, caller: Caller, upload_id: str, reading: Reading) -> Script:
        """Return a caller's upload, read as a script.

        Raises NotFound for an upload that the caller does not have, and BadInput that names it.
        """
        found, named = self._uploads.finished(caller.tenant, upload_id), dict[str, str]()
        with scratch() as folder, _named(named):
            path = self._downloaded(found, folder, named)
            read = read_script(
                path, speaker_prefix=reading.speaker_prefix, encoding=reading.encoding
            )
            return replace(read, language=language_of(path) or read.language)

    def _downloaded(self, upload: Upload, folder: Path, named: dict[str, str]) -> Path:
        if (upload.bytes or 0) > LARGEST:
            # Perhaps a film, which would fill the disk before it is checked.
            raise BadInput(f"a script has up to {LARGEST // 10**6} MB", where=UPLOAD + upload.id)
        path = folder / (_file_name(upload.name) or "script")
        named[str(path)] = UPLOAD + upload.id
        self._storage.download(upload.key, path)
        return path


def check_by_name(voices: Iterable[str | None]) -> None:
    """Raise BadInput for a voice that a caller names by its digest: it may be another tenant's."""
    if digest := next((voice for voice in voices if voice and is_digest(voice)), None):
        raise BadInput(f"{digest[:12]}… is a digest: name the voice by its name", where=REQUEST)


class _Sources:
    """Replaces the names in one request by keys of stored media."""

    def __init__(
        self,
        storage: Storage,
        uploads: Uploads,
        fetching: Fetching,
        caller: Caller,
        named: dict[str, str],
    ) -> None:
        self._storage = storage
        self._uploads = uploads
        # A file that a request names twice is fetched once.
        self._fetch = cache(fetching.fetch)
        self._caller = caller
        self._named = named
        """The caller's names of stored objects."""

    def located(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields with keys in place of uploads; the script becomes an Upload."""
        faults: list[str] = []

        def place(value: object, where: str, find: Callable[[str], Any]) -> Any:
            try:
                return find(value) if isinstance(value, str) else value
            except (BadInput, NotFound) as exc:
                faults.append(f"{where}: {exc}")
                return value

        found = dict(fields)
        for name in ("cast", "pronunciations"):
            if isinstance(found.get(name), str):
                faults.append(f"{name}: write it out, as an object")
        found["script"] = place(found.get("script"), "script", self._script)
        found["media"] = place(found.get("media"), "media", self._key)
        if isinstance(background := found.get("background"), Mapping):
            track = place(background.get("track"), "background.track", self._key)
            found["background"] = {**background, **({"track": track} if track else {})}
        if isinstance(output := found.get("output"), Mapping):
            place(output.get("to"), "output.to", self._target)
        if isinstance(cast := found.get("cast"), Mapping):
            found["cast"] = {
                speaker: {
                    **role,
                    "reference": place(role["reference"], f"cast.{speaker}.reference", self._voice),
                }
                if isinstance(role, Mapping) and "reference" in role
                else role
                for speaker, role in cast.items()
            }
        if faults:
            raise BadInput(listed(faults), where=REQUEST)
        return {name: value for name, value in found.items() if value is not None}

    def _script(self, source: str) -> Upload:
        if not source.startswith(UPLOAD):
            raise BadInput("name an upload, as upload:<id>, or write the segments out")
        return self._upload(source)

    def _voice(self, source: str) -> str:
        return source if source == SOURCE else self._key(source)

    def _key(self, source: str) -> str:
        if source.startswith("s3://"):
            if not lies_in(source, self._caller.granted):
                raise BadInput(f"your key does not grant {source}: upload it, or ask for the grant")
            return source
        if source.startswith(HTTPS):
            return self._known_as(shown(source), self._fetch(source))
        if not source.startswith(UPLOAD):
            raise BadInput(
                f"{source[:60]!r} is no upload: send the file to /v1/uploads, and name it as "
                "upload:<id>, or name an https:// URL"
            )
        return self._known_as(source, self._upload(source).key)

    def _target(self, place: str) -> str:
        if not lies_in(place, self._caller.granted):
            raise BadInput(f"your key does not grant {place[:60]!r}: ask for the grant")
        return place

    def _known_as(self, name: str, key: str) -> str:
        """Return a key whose object has the caller's name in errors."""
        if path := self._storage.path(key):
            self._named[str(path)] = name
        # Errors about a file's content use only its last name.
        self._named |= {key: name, key.rpartition("/")[2]: name}
        return key

    def _upload(self, source: str) -> Upload:
        return self._uploads.finished(self._caller.tenant, source.removeprefix(UPLOAD))


def _file_name(name: str) -> str:
    """Return the last part of a name that a caller gave a file, fit for a file system."""
    return re.sub(r"[^\w. -]", "_", name.replace("\\", "/").rpartition("/")[2]).strip(". ")[:100]


def _output(given: object, script: Path) -> object:
    """Return the output's fields; files without a name are named after the script."""
    named = {"name": plain_name(script.stem)}
    return {**named, **given} if isinstance(given, Mapping) else given or named


@contextmanager
def _named(names: Mapping[str, str]) -> Iterator[None]:
    """Raise BadInput with the caller's names in place of file names of this machine."""
    try:
        yield
    except BadInput as exc:
        words, where = exc.message, exc.where
        for path, name in names.items():
            words = words.replace(path, name)
            where = where and where.replace(path, name)
        raise BadInput(words, where=where) from exc
