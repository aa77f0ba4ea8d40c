"""What the command line says of models, what it loads and fetches, and which it refuses."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import redis
import tiny
from console import Console
from hub import Hub, serving
from services import unavailable

from dubbing import cli

SINGER = Path(__file__).parents[1] / "singer"
"""On a process's path, this folder brings the engine ``singer``, which has a model."""
NON_COMMERCIAL = '["*non-commercial*"]'
SRT = "1\n00:00:01,000 --> 00:00:03,000\nGood day.\n"


class Shell:
    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.models = folder / "models"
        self._capsys = capsys

    def __call__(self, *arguments: object, code: int = 0) -> tuple[str, str]:
        """Run a command to its end, which is ``code``; return its output and its complaints."""
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main([*map(str, arguments)])
        out, err = self._capsys.readouterr()
        assert (ended.value.code or 0) == code, out + err
        return out, err

    def json(self, *arguments: object, code: int = 0) -> Any:
        return json.loads(self(*arguments, "--json", code=code)[0])

    def standing(self, name: str = "singer", command: str = "models") -> dict[str, Any]:
        (found,) = [each for each in self.json(command) if each["name"] == name]
        return found


@pytest.fixture
def shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Shell]:
    """The command line with the engine ``singer``, and no model."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("DUBBING_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DUBBING_HOME", str(tmp_path))
    monkeypatch.syspath_prepend(SINGER)
    yield Shell(tmp_path, capsys)
    sys.modules.pop("singer", None)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    files = {"weights/config.json": b"{}", "weights/model.bin": b"good" * 1000}
    with serving({"authors/singer": files}) as hub:
        monkeypatch.setenv("DUBBING_HUB_ENDPOINT", f"{hub.url}/")
        yield hub


def model(shell: Shell, what: str = "good", name: str = "singer", config: str = "{}") -> Path:
    folder = shell.models / name
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(config)
    (folder / "model.bin").write_text(what)
    return folder


def test_what_is_missing_is_told_with_its_licence_and_where_to_get_it(shell: Shell) -> None:
    standing = shell.standing()
    assert standing["state"] == "no_model"
    assert standing["licence"] == "CC-BY-NC-4.0 (non-commercial)"
    assert standing["home"] == "https://example.org/singer"
    assert standing["folder"] == str(shell.models / "singer")
    (problem,) = standing["problems"].values()
    assert "lacks config.json, model.bin" in problem
    assert "`dubbing models fetch singer`" in problem
    out, err = shell("models")
    assert "singer\tneeds a model\t-\tCC-BY-NC" in out
    assert problem in err
    assert shell.standing(command="engines")["state"] == "no_model"


def test_only_engines_that_need_a_model_are_listed(shell: Shell) -> None:
    assert not {"tone", "espeak"} & {standing["name"] for standing in shell.json("models")}


def test_what_is_there_is_ready_and_so_is_each_instance(shell: Shell) -> None:
    folder = model(shell, name="singer-b")
    (folder / "dubbing.json").write_text('{"licence": "MIT"}')
    model(shell)
    assert shell.standing()["state"] == "ready"
    assert shell.standing()["size"] == len("{}good")
    instance = shell.standing("singer-b")
    assert (instance["state"], instance["licence"]) == ("ready", "MIT")
    assert shell.standing("singer-b", "engines")["voices"]


def test_a_model_elsewhere_is_found_by_the_setting(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model(shell).rename(tmp_path / "weights")
    monkeypatch.setenv("DUBBING_MODEL_FOLDERS", json.dumps({"singer-b": str(tmp_path / "weights")}))
    assert shell.standing("singer-b")["state"] == "ready"
    assert shell.standing("singer")["state"] == "no_model"


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("config.json", '{"vocoder": "https://example.org/x"}', "is an address"),
        ("config.json", "[]", "JSON object"),
        ("dubbing.json", '{"batch_lines": "many"}', "batch_lines"),
    ],
)
def test_a_damaged_model_is_told_and_hides_no_other(
    shell: Shell, file: str, content: str, words: str
) -> None:
    (model(shell) / file).write_text(content)
    model(shell, name="singer-b")
    standing = shell.standing()
    assert standing["state"] == "damaged"
    assert words in standing["problems"]["damaged"]
    assert shell.standing("singer-b")["state"] == "ready"
    assert shell.standing(command="engines")["state"] == "damaged"
    findings = {finding["what"]: finding for finding in shell.json("doctor")}
    assert words in findings["engine singer"]["message"]
    assert not findings["engine singer"]["needed"]


def test_a_link_out_of_the_models_folder_is_damage(shell: Shell, tmp_path: Path) -> None:
    folder = model(shell)
    (folder / "model.bin").rename(tmp_path / "model.bin")
    (folder / "model.bin").symlink_to(tmp_path / "model.bin")
    assert "outside the model's folder" in shell.standing()["problems"]["damaged"]


def test_a_library_that_is_missing_is_told_with_its_extra(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    import singer

    monkeypatch.setattr(singer.Singer, "libraries", ("voice_that_nobody_has",))
    monkeypatch.setattr(singer.Singer, "extra", "song")
    model(shell)
    assert "pip install 'dubbing[song]'" in shell.standing()["problems"]["no_library"]
    assert "needs dubbing[song]" in shell("models")[0]


def test_the_doctor_wants_a_model_for_the_engine_by_default_alone(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "note     engine singer: engine 'singer' lacks" in shell("doctor")[0]
    monkeypatch.setenv("DUBBING_ENGINE", "singer")
    assert "missing  engine singer: engine 'singer' lacks" in shell("doctor", code=1)[0]
    model(shell)
    assert "ok       engine singer: ready" in shell("doctor")[0]


def test_models_are_checked_by_loading_them(shell: Shell) -> None:
    assert "there is no model in" in shell("models", "check")[0]
    model(shell)
    model(shell, "other", name="singer-b")
    first, second = shell.json("models", "check")
    assert (first["name"], first["error"]) == ("singer", "")
    assert (second["name"], second["error"]) == ("singer-b", "")
    assert 0 < first["seconds"] < 20
    assert first["model"] != second["model"]
    out, _ = shell("models", "check", "singer")
    assert re.fullmatch(r"singer: ok, [\d.]+ s, [0-9a-f]{12}\n", out)


@pytest.mark.parametrize(
    ("what", "words"),
    [("odd", "ZeroDivisionError: no engine should raise this"), ("die", "was killed")],
)
def test_a_model_that_cannot_be_loaded_fails_the_check_alone(
    shell: Shell, what: str, words: str
) -> None:
    model(shell, what)
    model(shell, name="singer-b")
    bad, good = shell.json("models", "check", code=1)
    assert words in bad["error"]
    assert good["error"] == ""


def test_a_check_of_what_is_not_there_fails(shell: Shell) -> None:
    out, _ = shell("models", "check", "singer", code=1)
    assert "lacks config.json" in out
    assert "not an engine's instance" in shell("models", "check", "nobody", code=2)[1]


def test_what_a_library_writes_stays_out_of_the_answer(tmp_path: Path) -> None:
    console = Console(tmp_path / "home", PYTHONPATH=str(SINGER))
    model(Shell(console.home, capsys=None), "loud")  # type: ignore[arg-type]  # it runs nothing
    (checked,) = console.json("models", "check")
    assert checked["error"] == ""
    assert "loading ..." in console("models", "check").stderr


def test_a_model_is_fetched_and_can_be_loaded_then(shell: Shell, hub: Hub) -> None:
    out, err = shell("models", "fetch", "singer")
    assert "licence CC-BY-NC-4.0 (non-commercial), see https://example.org/singer" in err
    assert f"commit {hub.commit}" in out
    assert shell.standing()["state"] == "ready"
    assert shell.json("models", "check", "singer")[0]["error"] == ""
    assert "exists and is not empty" in shell("models", "fetch", "singer", code=2)[1]


def test_an_instance_is_made_by_fetching_it(shell: Shell, hub: Hub) -> None:
    fetched = shell.json("models", "fetch", "singer-b", "--revision", hub.commit)
    assert fetched["folder"] == str(shell.models / "singer-b")
    assert fetched["files"] == ["config.json", "model.bin"]
    assert shell.standing("singer-b")["state"] == "ready"


@pytest.mark.parametrize(
    ("name", "words"),
    [("tone", "needs no model"), ("nobody", "not an engine's instance"),
     ("singer/../x", "not an engine's instance"),
     ("singer-../x", "not an engine name"), ("piper", "huggingface.co/rhasspy/piper-voices")],
)  # fmt: skip
def test_what_cannot_be_fetched_is_told(shell: Shell, hub: Hub, name: str, words: str) -> None:
    assert words in shell("models", "fetch", name, code=2)[1]
    assert not shell.models.exists()
    assert not hub.asked


def test_a_hub_that_is_away_is_told(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUBBING_HUB_ENDPOINT", "http://127.0.0.1:9")
    error = shell.json("models", "fetch", "singer", code=1)["error"]
    assert error["code"] == "transient"
    assert "http://127.0.0.1:9 does not give authors/singer" in error["message"]
    monkeypatch.setenv("DUBBING_HUB_ENDPOINT", "mirror.example")
    assert "DUBBING_HUB_ENDPOINT: " in shell("models", "fetch", "singer", code=2)[1]


def test_the_hubs_own_setting_names_a_mirror_too(tmp_path: Path, hub: Hub) -> None:
    settings = {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path)}
    console = Console(tmp_path / "home", PYTHONPATH=str(SINGER), **settings)
    assert console.json("models", "fetch", "singer")["commit"] == hub.commit
    # Nor is anything else asked there, or told.
    assert not [path for path in hub.asked if "singer" not in path]


def test_an_engine_of_the_house_is_fetched_and_loaded(shell: Shell, hub: Hub, models: Path) -> None:
    if find_spec("TTS") is None:
        unavailable("coqui-tts")
    tiny.make("openvoice", models / "openvoice")
    published = {path.name: path.read_bytes() for path in (models / "openvoice").iterdir()}
    hub.repositories["myshell-ai/OpenVoiceV2"] = {
        f"converter/{name}": data for name, data in published.items()
    } | {"base_speakers/ses/en-us.pth": b"not asked for"}
    shell("models", "fetch", "openvoice")
    (checked,) = shell.json("models", "check", "openvoice")
    assert checked["error"] == ""


def test_a_licence_that_is_refused_keeps_an_engine_from_every_use(
    shell: Shell, hub: Hub, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model(shell)
    monkeypatch.setenv("DUBBING_REDIS_URL", redis_url)
    monkeypatch.setenv("DUBBING_REFUSE_LICENCES", NON_COMMERCIAL)
    (tmp_path / "good.srt").write_text(SRT)
    submit = ("submit", "good.srt", "--language", "en")
    for command in (
        ("models", "fetch", "singer"),
        ("models", "check", "singer"),
        ("worker", "singer"),
        (*submit, "--engine", "singer"),
        (*submit, "--engine", "tone", "--fallback", "singer"),
        ("say", "Hello.", "--engine", "singer"),
        ("retry", "job", "--engine", "singer"),
    ):
        _, err = shell(*command, code=2)
        assert "engine 'singer' is not used here" in err, command
        assert "CC-BY-NC-4.0 (non-commercial)" in err
    assert not hub.asked
    assert not (tmp_path / "storage" / "jobs").exists()
    with redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
    assert shell.standing()["state"] == "refused"
    assert shell.standing(command="engines")["state"] == "refused"
    assert "there is no model in" in shell("models", "check")[0]
    shell(*submit, "--engine", "tone", "--dry-run")
