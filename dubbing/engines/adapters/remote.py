"""Any engine that `dubbing engine-server` serves: the same interface, over HTTP.

The server publishes the spec and the model digest of each engine, and its clips are byte for byte
those of the engine in process. A voice's form is sent once, and again if the server has lost it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import ValidationError

from dubbing.engines.adapters._shared import no_such_voice
from dubbing.engines.engine import EngineSpec, Line, VoiceForm
from dubbing.engines.remote.engine import RemoteEngine
from dubbing.engines.remote.pool import Endpoint, Pool, Pools
from dubbing.errors import BadInput, DubbingError, EngineAway, SpeechRejected

if TYPE_CHECKING:
    from dubbing.engines.remote.wire import Wire
    from dubbing.media.samples import Audio

INFO, SYNTHESIZE, EXTRACT = "info", "v1/synthesize", "v1/extract"
UNKNOWN_FORM = "unknown_form"
LINES_FAULTS = frozenset({SpeechRejected.code, BadInput.code})
"""Codes of errors of the line, which other servers would return, too."""
EXTRACT_SECONDS = 120.0


class _Served(NamedTuple):
    """An engine of a server."""

    model: str
    """Hex digest."""
    spec: EngineSpec


class Remote(RemoteEngine):
    """An engine over its servers. The address of an endpoint is the server's root."""

    spec = EngineSpec(
        name="remote",
        summary="An engine that `dubbing engine-server` serves on another machine",
        languages=("*",),
        clones=True,
        max_characters={"*": 1000},
        sample_rate=24_000,
        batch_lines=8,
        batch_seconds=600.0,
        seconds_per_call=600.0,
        device="remote",
        licence="that of the engine",
    )

    def __init__(self, name: str, folder: Path, pools: Pools | None = None) -> None:
        """Read the pool, and take over its servers' description of their engine."""
        super().__init__(name, folder, pools)
        if served := self.pool.spec:
            own = ("name", "batch_lines", "batch_seconds", "seconds_per_call", "device")
            kept = {field: getattr(self.spec, field) for field in own}
            # A converter's base is on the server. Requests to servers carry no emotion.
            self.spec = served.model_copy(update={**kept, "base": None, "emotions": ()})
        self._sent: set[tuple[str, str]] = set()
        """The forms that endpoints have: pairs of address and digest."""

    def extract(self, reference: Audio, transcript: str) -> VoiceForm:
        """Derive a voice at an endpoint; raises as the engine itself does, and EngineAway."""
        import safetensors.numpy  # noqa: PLC0415 - commands derive nothing

        from dubbing.engines.remote.wire import Failed  # noqa: PLC0415 - as above
        from dubbing.media.samples import encode_exact  # noqa: PLC0415 - as above

        dispatch = self._refresh()
        wav = encode_exact(reference)
        fields = {"engine": self.pool.model, "transcript": transcript, "as_is": "true"}

        def ask(wire: Wire, endpoint: Endpoint) -> VoiceForm:
            told = wire.upload(endpoint, EXTRACT, "reference.wav", wav, EXTRACT_SECONDS, fields)
            try:
                form: VoiceForm = safetensors.numpy.load(base64.b64decode(told["data"]))
            except (TypeError, KeyError, ValueError, safetensors.SafetensorError) as exc:
                raise Failed("its answer holds no form of a voice") from exc
            return form

        with dispatch.expecting(1, EXTRACT_SECONDS):
            return self.by_some_endpoint(ask, self.end_of_call(), EXTRACT_SECONDS)

    def refusal(self, line: Line) -> DubbingError | None:
        """Return why a line is not sent to any endpoint, or None."""
        if isinstance(line.voice, str) and line.voice not in self.spec.voices:
            return no_such_voice(self.spec, line.voice)
        return None

    def probe(self, wire: Wire, endpoint: Endpoint, declared: Pool) -> Pool:
        """Return a pool with the engine that a server serves, or the declared one of several."""
        from dubbing.engines.remote.wire import Unfit  # noqa: PLC0415 - commands send nothing

        served = _served(wire, endpoint)
        # An instance such as remote-xtts contains the name of its engine.
        wanted = self.spec.name.removeprefix(f"{type(self).spec.name}-")
        only = next(iter(served)) if len(served) == 1 else ""
        name = declared.model or only or (wanted if wanted in served else "")
        if not name:
            raise Unfit(f"it serves {', '.join(served)}: name one with --model")
        if name not in served:
            raise Unfit(f"it does not serve {name!r}, but {', '.join(served)}")
        model, spec = served[name]
        told = {
            "model": name,
            "revision": model,
            "spec": spec,
            "voices": spec.voices,
            "languages": spec.languages,
        }
        return declared.model_copy(update=told)

    def identify(self, wire: Wire, endpoint: Endpoint) -> None:
        """Raise Unfit unless an endpoint serves the pool's engine, with its model."""
        from dubbing.engines.remote.wire import Unfit  # noqa: PLC0415 - commands send nothing

        served = _served(wire, endpoint).get(self.pool.model)
        if served is None:
            raise Unfit(f"it does not serve {self.pool.model!r}")
        recipe = self.pool.spec.recipe if self.pool.spec else 1
        if (served.model, served.spec.recipe) != (self.pool.revision, recipe):
            raise Unfit(f"it serves {self.pool.model!r} with another model, or as another release")

    def ask(self, wire: Wire, endpoint: Endpoint, line: Line, seconds: float) -> Audio:
        """Let an endpoint speak a line."""
        from dubbing.engines.remote.wire import Failed, Unfit, Unreachable  # noqa: PLC0415

        told = self._asked(wire, endpoint, line, seconds)
        try:
            model, (result,) = told["model"], told["results"]
            error, audio = result["error"], result["audio"]
        except (TypeError, KeyError, ValueError) as exc:
            raise Failed("its answer holds no line") from exc
        if model != self.pool.revision:
            raise Unfit(f"it serves {self.pool.model!r} with another model now")
        if error:
            words = str(error.get("message"))
            if error.get("code") in LINES_FAULTS:
                raise SpeechRejected(words)
            raise Unreachable(words) if error.get("code") == EngineAway.code else Failed(words)
        return _audio_of(audio)

    def _asked(self, wire: Wire, endpoint: Endpoint, line: Line, seconds: float) -> Any:
        """Return the answer to a line; send the form of its voice if the server lacks it."""
        from dubbing.engines.remote.wire import Failed  # noqa: PLC0415 - as in `probe`

        if isinstance(line.voice, str):
            return wire.exchange(endpoint, SYNTHESIZE, self._body(line, voice=line.voice), seconds)
        data = _packed(line.voice)
        digest = hashlib.sha256(data).hexdigest()
        body = self._body(line, form=digest)
        known = endpoint.url, digest
        if known in self._sent:
            try:
                return wire.exchange(endpoint, SYNTHESIZE, body, seconds)
            except Failed as exc:
                if exc.code != UNKNOWN_FORM:
                    raise
        body["forms"] = {digest: base64.b64encode(data).decode()}
        told = wire.exchange(endpoint, SYNTHESIZE, body, seconds)
        self._sent.add(known)
        return told

    def _body(self, line: Line, **voice: str) -> dict[str, Any]:
        content = {
            "text": line.text,
            "language": line.language,
            "base_voice": line.base_voice,
            "speed": line.speed,
            "pitch": line.pitch,
            "style": line.style,
            "seed": line.seed,
            **voice,
        }
        return {"engine": self.pool.model, "lines": [content]}


def _served(wire: Wire, endpoint: Endpoint) -> dict[str, _Served]:
    """Return the engines that a server has loaded, by name.

    Raises Unfit for a server of another kind, and Unreachable while one still loads.
    """
    from dubbing.engines.remote.wire import Unfit, Unreachable  # noqa: PLC0415 - as in `probe`

    told = wire.get(endpoint, INFO)
    try:
        engines = told["engines"]
        if any(engine["state"] == "loading" for engine in engines):
            raise Unreachable("it still loads its engines", retry_after=5.0)
        return {
            engine["name"]: _Served(
                str(engine["model"]), EngineSpec.model_validate(engine["spec"], extra="ignore")
            )
            for engine in engines
        }
    except (TypeError, KeyError, ValidationError) as exc:
        raise Unfit(f"it has no /{INFO} as `dubbing engine-server` of this release has") from exc


def _packed(form: VoiceForm) -> bytes:
    import safetensors.numpy  # noqa: PLC0415 - commands send nothing

    return safetensors.numpy.save(dict(form))


def _audio_of(data: object) -> Audio:
    """Return the sound of a line without loss of precision; raises Failed."""
    from dubbing.engines.remote.wire import Failed  # noqa: PLC0415 - as in `probe`
    from dubbing.media.samples import decode_exact  # noqa: PLC0415 - commands send nothing

    try:
        return decode_exact(base64.b64decode(str(data), validate=True))
    except (binascii.Error, BadInput) as exc:
        raise Failed("its answer holds no sound") from exc
