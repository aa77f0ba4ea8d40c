"""Piper by its own server, ``python -m piper.http_server``, of any version.

A server has all voices of its folders, and a voice may have several speakers: a stock voice is
``<voice>`` or ``<voice>/<speaker>``. A server that does not find a voice or speaker silently uses
another one, and its list of voices omits some last letters of names. So a name is sent only if the
server is certain to find it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import Field, ValidationError

from dubbing.engines.adapters._piper import Part, VoiceConfig, as_words
from dubbing.engines.adapters._shared import cannot_clone, no_such_voice
from dubbing.engines.engine import EngineSpec, Line, VoiceForm
from dubbing.engines.remote.engine import RemoteEngine
from dubbing.engines.remote.pool import Endpoint, Pool
from dubbing.errors import DubbingError, SpeechRejected

if TYPE_CHECKING:
    from dubbing.engines.remote.wire import Wire
    from dubbing.media.samples import Audio

VOICES, INFO = "voices", "info"
SPEECH, OLDER_SPEECH = "synthesize", ""
"""The route for speech, from version 1.5 on and before it; ``/info`` exists from version 1.5 on."""
LOST = ".onxjs"
"""Characters that a server's list strips from the end of a name."""
QUALITIES = ("low", "medium", "high")
"""Ends of the names of published voices, which the list does not shorten."""


class _Pace(Part):
    length_scale: float = Field(default=1.0, gt=0)


class _Config(VoiceConfig):
    inference: _Pace = _Pace()


class _Server(NamedTuple):
    """The voices of a server."""

    route: str
    """The route for speech."""
    voices: Mapping[str, _Config]
    """Voices by their listed names."""
    default: str
    """Listed name of the voice that the server was started with, which replaces missing voices;
    ``""`` if unknown."""

    def voice(self, name: str) -> _Config | None:
        """Return the voice of a stock voice; None unless the server is certain to find it."""
        voice, parted, speaker = name.partition("/")
        listed = voice.rstrip(LOST)
        # A name with characters that the list strips is the voice's file name, not a listed name.
        sure = listed != voice or voice.endswith(QUALITIES) or listed == self.default
        config = self.voices.get(listed) if sure else None
        return config if config and (not parted or speaker in config.speakers) else None

    def speakers(self, name: str) -> list[str]:
        """Return the stock voices of a name: all speakers of a voice, or the one that it names."""
        config = self.voice(name)
        if config is None or config.num_speakers == 1 or "/" in name:
            return [name]
        return [f"{name}/{speaker}" for speaker in config.speakers]

    def unsure(self, what: str) -> str:
        """Return a message that the server may not find ``what``, with the remedy."""
        listed = ", ".join([*self.voices][:5]) or "no voice"
        return (
            f"it may not find {what}: it lists {listed}; name a voice by its file without .onnx, "
            "with a file name that ends in -low, -medium or -high"
        )


class PiperHTTP(RemoteEngine):
    """An engine over Piper's servers. It supports speed, but no pitch or seed.

    The servers normalise each sentence to the same peak.
    """

    spec = EngineSpec(
        name="piper-http",
        summary="Piper on servers of its own, piper.http_server: fast on a CPU",
        languages=("*",),
        max_characters={"*": 1000},
        characters_per_second={"zh": 4.5, "ja": 7.5, "ko": 8.0, "*": 15.0},
        speed=(0.5, 2.0),
        # The rate of most voices; the actual rate is read from each answer.
        sample_rate=22_050,
        batch_lines=8,
        batch_seconds=600.0,
        seconds_per_call=300.0,
        device="remote",
        licence="GPL-3.0-or-later; each voice's own is in its MODEL_CARD",
    )

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._servers: dict[str, _Server] = {}
        """The voices of each server, by address; read before its first line."""

    def extract(self, reference: Audio, transcript: str) -> VoiceForm:
        """Raise SpeechRejected: Piper has only its own voices."""
        raise cannot_clone(self.spec)

    def refusal(self, line: Line) -> DubbingError | None:
        """Return why a line is not sent to any endpoint, or None."""
        if isinstance(line.voice, str) and line.voice in self.spec.voices:
            return None
        return no_such_voice(self.spec, line.voice)

    def probe(self, wire: Wire, endpoint: Endpoint, declared: Pool) -> Pool:
        """Return a pool with the voices that an endpoint has in one language."""
        from dubbing.engines.remote.wire import Unfit  # noqa: PLC0415 - commands send nothing

        server = _server(wire, endpoint)
        wanted = () if declared.languages == Pool().languages else declared.languages
        found = {
            name: config.languages
            for name in declared.voices or server.voices
            if (config := server.voice(name)) and (not wanted or {*wanted} & {*config.languages})
        }
        spoken = tuple(dict.fromkeys(tag for tags in found.values() for tag in tags))
        several = sorted({tag.partition("-")[0] for tag in spoken})
        if len(several) > 1 and not wanted:
            raise Unfit(
                f"it speaks {', '.join(several)}: name one with --language; another language is "
                f"another instance, such as {self.spec.name}-{several[-1]}"
            )
        if not (names := declared.voices or tuple(found)):
            raise Unfit(server.unsure(f"a voice in {', '.join(wanted) or 'any language'}"))
        voices = tuple(voice for name in names for voice in server.speakers(name))
        languages = wanted or spoken or declared.languages
        return declared.model_copy(update={"voices": voices, "languages": languages})

    def identify(self, wire: Wire, endpoint: Endpoint) -> None:
        """Raise Unfit unless an endpoint is certain to find every voice of the pool."""
        from dubbing.engines.remote.wire import Unfit  # noqa: PLC0415 - as in `probe`

        server = _server(wire, endpoint)
        if unsure := [name for name in self.pool.voices if not server.voice(name)]:
            raise Unfit(server.unsure(", ".join(unsure[:5])))
        self._servers[endpoint.url] = server

    def ask(self, wire: Wire, endpoint: Endpoint, line: Line, seconds: float) -> Audio:
        """Let an endpoint speak a line."""
        # Commands that list engines send nothing, and handle no sound.
        from dubbing.engines.remote.sound import sound_of  # noqa: PLC0415
        from dubbing.engines.remote.wire import Failed, Unfit  # noqa: PLC0415

        server, name = self._servers[endpoint.url], str(line.voice)
        config = server.voice(name)
        if config is None:
            raise Unfit(f"it may not find {name}")
        voice, _, speaker = name.partition("/")
        content: dict[str, Any] = {
            "text": as_words(line.text),
            "voice": voice,
            "length_scale": round(config.inference.length_scale / line.speed, 4),
            **({"speaker_id": config.speakers[speaker]} if speaker else {}),
            **self.pool.sent(line.language),
        }
        try:
            return sound_of(wire.post(endpoint, server.route, content, seconds))
        except Failed as exc:
            # A server also fails for a text without phonemes; then the line is at fault.
            if any(map(str.isalnum, line.text)):
                raise
            raise SpeechRejected(f"{self.spec.name} has no sound for {line.text[:40]!r}") from exc


def _server(wire: Wire, endpoint: Endpoint) -> _Server:
    """Return the voices of a server; raises Unfit for a server that is not Piper's."""
    from dubbing.engines.remote.wire import Unfit  # noqa: PLC0415 - as in `PiperHTTP.probe`

    listed, info = wire.get(endpoint, VOICES), wire.get(endpoint, INFO)
    try:
        voices = {name: _Config.model_validate(config) for name, config in listed.items()}
        started = str(info["voice"]["name"]) if info else ""
    except (AttributeError, KeyError, TypeError, ValidationError) as exc:
        raise Unfit(f"its /{VOICES} is not that of Piper's server") from exc
    if len(voices) == 1:
        (started,) = voices
    # /info strips fewer characters from the name than the list.
    return _Server(SPEECH if info else OLDER_SPEECH, voices, started.rstrip(LOST))
