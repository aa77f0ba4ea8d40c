"""OpenAI's own client against `dubbing engine-server`."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

import engine_servers
import pytest
import soundfile
from speech import pitch

from dubbing.engines.adapters.tone import VOICES
from dubbing.engines.remote.sound import sound_of
from dubbing.media.samples import Audio

if TYPE_CHECKING:
    from openai import OpenAI


@pytest.fixture
def client() -> Iterator[OpenAI]:
    from openai import OpenAI

    url = f"{engine_servers.shared().url}/v1"
    with OpenAI(base_url=url, api_key="any", max_retries=0) as client:
        yield client


@pytest.mark.parametrize("format_", ["mp3", "opus", "flac", "wav"])
def test_speech_comes_in_the_voice_and_format_that_were_asked(client: OpenAI, format_: str) -> None:
    answer = client.audio.speech.create(
        model="tone",
        voice="high",
        input="The train leaves at nine, and it does not wait. " * 3,
        response_format=format_,
        extra_body={"language": "en"},
    )
    assert pitch(sound_of(answer.read())) == pytest.approx(VOICES["high"], rel=0.15)


def test_raw_samples_are_24_khz_in_16_bits(client: OpenAI) -> None:
    answer = client.audio.speech.create(
        model="tone", voice="low", input="x" * 300, response_format="pcm",
        extra_body={"language": "en"},
    )  # fmt: skip
    samples, rate = soundfile.read(
        io.BytesIO(answer.read()), samplerate=24_000, channels=1, format="RAW", subtype="PCM_16",
        dtype="float32",
    )  # fmt: skip
    assert pitch(Audio(samples=samples, rate=rate)) == pytest.approx(VOICES["low"], rel=0.15)


def test_a_text_longer_than_a_line_is_spoken_in_parts(client: OpenAI) -> None:
    def seconds(text: str) -> float:
        answer = client.audio.speech.create(
            model="tone", voice="low", input=text, response_format="wav",
            extra_body={"language": "en"},
        )  # fmt: skip
        return sound_of(answer.read()).seconds

    assert seconds("A sentence of a text. " * 100) > 2 * seconds("A sentence of a text. " * 40)


def test_engines_are_listed_as_models(client: OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["tone"]


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"model": "tts-1"}, 404, "engine 'tts-1' is not served here"),
        ({"voice": "alloy"}, 422, "tone has no voice 'alloy'"),
        ({"extra_body": {}}, 422, "tone speaks several languages"),
        ({"input": "…"}, 422, "it holds nothing to speak"),
        ({"response_format": "aac"}, 422, "response_format"),
    ],
    ids=str,
)
def test_what_cannot_be_spoken_is_refused(
    client: OpenAI, fields: dict[str, object], status: int, words: str
) -> None:
    from openai import APIStatusError

    plain = {"model": "tone", "voice": "low", "input": "x", "extra_body": {"language": "en"}}
    with pytest.raises(APIStatusError) as refused:
        client.audio.speech.create(**(plain | fields))
    assert refused.value.status_code == status
    assert words in refused.value.response.json()["message"]
