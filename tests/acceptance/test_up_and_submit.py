"""A stack that stays up in one terminal, and every other command in others.

The example goes its way through the console script, as do the commands that are interrupted. The
others run in this process.
"""

from __future__ import annotations

import base64
import json
import select
import signal
import socket
import subprocess
import urllib.error
import urllib.parse
import urllib.request
import wave
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import pytest
from console import SCENE, Console, Inside, wait_until
from redis_server import free_port
from services import PLAIN

from dubbing.settings import Settings

LINES = 24


@dataclass(frozen=True)
class Stack:
    """A shell whose stack is up."""

    console: Inside
    log: Path
    """What the engine ``faulty`` was asked to speak."""
    gateway: str
    """Its URL."""

    def clips(self) -> set[str]:
        """The names of all stored clips."""
        return {path.name for path in (self.console.storage / "clips").rglob("*.flac")}

    def spoken(self, word: str) -> Counter[str]:
        """How often each text with ``word`` in it was spoken."""
        entries = self.log.read_text().splitlines() if self.log.exists() else []
        return Counter(text for text in (e.split("\t")[1] for e in entries) if word in text)

    def submitted(self, *arguments: object) -> dict[str, Any]:
        """The status of a job that was submitted and waited for."""
        [status] = self.console.json("submit", *arguments, "--wait")
        return {key: told for key, told in status.items() if key != "cautions"}

    def report(self, job: str) -> dict[str, Any]:
        folder = self.console.home / "fetched" / job
        self.console("fetch", job, "--out", folder, "--name", "")
        return dict(json.loads((folder / "report.json").read_text()))


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("up")
    log = folder / "spoken"
    console = Inside(folder / "home", FAULTY_LOG=str(log), DUBBING_SLOTS="1")
    with console.started("up", "tone", "espeak", "faulty", "--port", "0") as process:
        assert process.stdout
        assert process.stdout.readline().startswith("up: tone, espeak, faulty;")
        told, url = process.stdout.readline().split()
        assert told == "gateway:"
        yield Stack(console, log, url)
        assert process.poll() is None
    assert process.returncode == 130
    assert console.processes() == []


@pytest.fixture(scope="module")
def terminal(stack: Stack) -> Console:
    """The console script itself."""
    return Console(stack.console.home)


@pytest.fixture(scope="module")
def scene(terminal: Console) -> dict[str, Any]:
    """The example's status, submitted and waited for."""
    [status] = terminal.json("submit", SCENE, "--id", "scene", "--wait")
    return {key: told for key, told in status.items() if key != "cautions"}


def test_the_example_is_submitted_watched_and_fetched(
    stack: Stack, terminal: Console, scene: dict[str, Any]
) -> None:
    console = stack.console
    assert (scene["state"], scene["done"], scene["failed"]) == ("completed", LINES, 0)
    told = console.json("status", "scene")
    assert told == scene
    assert json.loads(terminal("watch", "scene", "--json").stdout.splitlines()[-1]) == scene
    assert told in console.json("jobs")

    paths = [Path(path) for path in terminal.json("fetch", "scene", "--out", "film")]
    endings = ("dub.mp4", "dub.flac", "dub.srt", "report.html", "report.json")
    assert {path.name for path in paths} == {f"scene.{ending}" for ending in endings}
    with av.open(console.home / "film" / "scene.dub.mp4") as film:
        assert film.duration == pytest.approx(75e6, abs=0.1e6)

    paces = [json.loads(path.read_text()) for path in console.storage.glob("paces/*/*.json")]
    assert paces, "measured of the voices, for the hints of later jobs"
    assert all(8 < pace["characters_per_second"] < 40 for pace in paces)


def test_people_read_lines_where_machines_read_json(stack: Stack, scene: dict[str, Any]) -> None:
    console = stack.console
    words = f"scene: completed, {LINES} of {LINES} lines"
    assert console("status", "scene").stdout.strip() == words
    assert console("watch", "scene").stderr.strip() == words
    assert f"scene\tscene\tcompleted\t{LINES}/{LINES}\t0\t1\t20" in console("jobs").stdout


def test_submitting_it_again_speaks_nothing(stack: Stack, scene: dict[str, Any]) -> None:
    before = stack.clips()
    [again] = stack.console.json("submit", SCENE, "--id", "scene")
    assert (again["id"], again["created"]) == ("scene", False)
    assert stack.submitted(SCENE, "--id", "twin", "--format", "flac")["state"] == "completed"
    assert {line["attempts"] for line in stack.report("twin")["lines"]} == {0}
    assert stack.clips() == before


def test_a_line_that_was_edited_is_the_only_one_spoken(
    stack: Stack, scene: dict[str, Any], tmp_path: Path
) -> None:
    edited = json.loads(SCENE.read_text()) | {"media": str(SCENE.with_name("scene.mp4"))}
    edited["segments"][8]["text"] = "How far from the shore?"
    script = write(tmp_path / "edited.json", edited)

    [preview] = stack.console.json("submit", script, "--id", "edited", "--dry-run")
    assert (preview["lines"], preview["clips_there"]) == (LINES, LINES - 1)
    before = stack.clips()
    assert stack.submitted(script, "--id", "edited", "--format", "flac")["state"] == "completed"
    spoken = [line["id"] for line in stack.report("edited")["lines"] if line["attempts"]]
    assert spoken == ["9"]
    assert len(stack.clips() - before) == 1


def test_a_dry_run_queues_nothing(stack: Stack, tmp_path: Path) -> None:
    console = stack.console
    manifest = slow("dry", lines=10)
    manifest["segments"][9]["start"] -= 1.0
    jobs = console.json("jobs")
    script = write(tmp_path / "dry.json", manifest)
    [preview] = console.json("submit", script, "--id", "dry", "--dry-run")
    assert (preview["lines"], preview["batches"], preview["clips_there"]) == (10, 3, 0)
    assert preview["seconds"] > 5
    assert [caution["segment"] for caution in preview["cautions"]] == ["10"]
    assert console.json("jobs") == jobs
    assert stack.spoken("dry").total() == 0


def test_a_folder_and_a_list_are_one_collection(stack: Stack, tmp_path: Path) -> None:
    console, folder = stack.console, tmp_path / "season"
    folder.mkdir()
    for episode in ("one", "two"):
        cue = f"1\n00:00:01,000 --> 00:00:03,000\nEpisode {episode}.\n"
        (folder / f"{episode}.srt").write_text(cue)
    rows = ["script,language,id", "season/one.srt,de,one.de", "season/two.srt,fr,two.fr"]
    (tmp_path / "list.csv").write_text("\n".join(rows))

    common = ("--engine", "tone", "--collection", "season-1", "--wait")
    of_folder = console.json("submit", folder, "--language", "en", *common)
    of_list = console.json("submit", tmp_path / "list.csv", *common)
    assert [status["id"] for status in of_list] == ["one.de", "two.fr"]

    # The option's older name.
    season = console.json("status", "--batch-name", "season-1")
    assert season["states"] == {"completed": 4}
    assert {job["id"] for job in season["jobs"]} == {s["id"] for s in of_folder + of_list}
    last = console("status", "--collection", "season-1").stdout.splitlines()[-1]
    assert last == "season-1: 4 jobs: 4 completed"

    paths = [Path(p) for p in console.json("fetch", "--collection", "season-1", "--out", "all")]
    names = ["one.en", "two.en", "one.de", "two.fr"]
    endings = ("dub.flac", "dub.srt", "report.html", "report.json")
    assert {path.name for path in paths} == {f"{n}.{end}" for n in names for end in endings}
    assert len(list((console.home / "all").iterdir())) == 16


def test_workers_and_engines_are_listed(stack: Stack) -> None:
    console = stack.console
    wait_until(lambda: states(stack) == {"ready"}, seconds=60, what="4 workers ready")
    found = console.json("workers")
    queues = {worker["engines"][0]: worker["queues"] for worker in found["workers"]}
    assert queues["espeak"] == ["synthesis.espeak", "extraction.espeak"]
    assert queues["assembly"] == ["assembly"]
    assert set(found["queues"]) >= {"assembly", "synthesis.tone", "extraction.faulty"}
    engines = {engine["name"]: engine for engine in console.json("engines")}
    assert engines["espeak"]["missing"] == []
    assert "Annie" in engines["espeak"]["voices"]


def states(stack: Stack) -> set[str]:
    """The states of the four workers, once they are all there."""
    with urllib.request.urlopen(f"{stack.gateway}/api/nodes", timeout=30) as answer:
        workers = json.load(answer)["nodes"]
    return {worker["status"] for worker in workers} if len(workers) == 4 else set()


def test_a_worker_is_told_to_stand_by_and_to_load_again(stack: Stack) -> None:
    console = stack.console
    wait_until(lambda: states(stack) == {"ready"}, seconds=60, what="4 workers ready")
    assert console("workers", "standby", "tone").stdout == "nothing\n"
    wait_until(lambda: "standby" in states(stack), seconds=60, what="on standby")
    row = next(row for row in console("workers").stdout.splitlines() if row.startswith("tone."))
    assert row.split("\t")[1] == "standby"
    assert console("workers", "load", "tone").stdout == "tone\n"
    wait_until(lambda: states(stack) == {"ready"}, seconds=60, what="ready again")
    assert "no worker 'nobody'" in console("workers", "drain", "nobody", code=2).stderr


def test_the_gateway_is_up_too_and_needs_no_key_here(stack: Stack) -> None:
    wait_until(lambda: states(stack) == {"ready"}, seconds=60, what="4 workers ready")
    asked = {"text": "The lamp is lit.", "voice_id": "Annie", "engine": "espeak", "language": "en"}
    request = urllib.request.Request(
        f"{stack.gateway}/api/synthesize",
        json.dumps(asked).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer, wave.open(answer) as sound:
        assert answer.headers["X-Engine"] == "espeak"
        assert 0.5 < sound.getnframes() / sound.getframerate() < 3


def test_a_line_is_said_at_once(stack: Stack) -> None:
    said = stack.console.json("say", "The lamp is lit.", "--voice", "Annie", "--out", "line.wav")
    with wave.open(str(stack.console.home / "line.wav")) as file:
        assert file.getnframes() / file.getframerate() == pytest.approx(said["seconds"], abs=0.01)
    assert 0.5 < said["seconds"] < 3
    stack.console("say", "The lamp is lit.", "--engine", "tone", "--out", "line.mp3")
    with av.open(stack.console.home / "line.mp3") as file:
        assert file.streams.audio[0].codec.canonical_name.startswith("mp3")


def test_a_cancelled_job_is_retried_where_it_stopped(stack: Stack, tmp_path: Path) -> None:
    console = stack.console
    script = write(tmp_path / "slow.json", slow("cancel", lines=60))
    console("submit", script, "--id", "slow")
    wait_until(lambda: stack.spoken("cancel"), seconds=60, what="the first line")
    assert console.json("cancel", "slow")["state"] == "cancelled"
    console("watch", "slow", code=1)
    console("fetch", "slow", code=2)
    assert stack.spoken("cancel").total() < 60

    assert console.json("retry", "slow")["round"] == 2
    console("watch", "slow")
    # The batch that was cancelled in the middle may have been spoken for nothing.
    assert set(stack.spoken("cancel")) == {s["text"] for s in slow("cancel", lines=60)["segments"]}
    assert stack.spoken("cancel").total() <= 60 + 4
    console("retry", "slow", code=2)


def test_a_job_with_a_line_that_cannot_be_spoken_fails_and_names_it(
    stack: Stack, tmp_path: Path
) -> None:
    console = stack.console
    manifest = slow("broken", lines=3)
    manifest["segments"][1]["text"] = "Not a sound of this one <silence>"
    script = write(tmp_path / "broken.json", manifest)
    [status] = console.json("submit", script, "--id", "broken", "--wait", code=1)
    assert (status["state"], status["done"], status["failed"]) == ("failed", 3, 1)
    assert console("watch", "broken", code=1).stderr.startswith("broken: failed, 3 of 3 lines, 1")
    retried = console.json("retry", "broken")
    assert (retried["round"], retried["lines"]) == (2, 3)
    console("watch", "broken", code=1)
    assert max(stack.spoken("broken").values()) == 1


@pytest.mark.parametrize("command", [("watch", "long"), ("submit", "{script}", "--wait")])
def test_ctrl_c_leaves_a_watcher_quietly_and_the_job_at_work(
    stack: Stack, tmp_path: Path, command: tuple[str, ...]
) -> None:
    script = write(tmp_path / "long.json", slow("long", lines=600) | {"id": "long"})
    stack.console("submit", script)
    with stack.console.started(*(word.format(script=script) for word in command)) as process:
        assert process.stderr
        assert process.stderr.readline().startswith("long: ")
        process.send_signal(signal.SIGINT)
        words, complaints = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "rror" not in words + complaints
    assert "the work continues: `dubbing watch long` shows it" in complaints
    assert "Traceback" not in complaints
    at_work = {"queued", "synthesizing", "assembling"}
    assert stack.console.json("status", "long")["state"] in at_work
    if "--wait" in command:
        stack.console("cancel", "long")


def test_flower_shows_workers_queues_and_each_batch_by_job(stack: Stack, tmp_path: Path) -> None:
    with flower(stack.console) as site:
        expected = {"tone", "espeak", "faulty", "assembly"}

        def workers() -> set[str]:
            found = json.loads(site.get("/workers?json=1"))["data"]
            return {w["hostname"].split(".")[0] for w in found if w["status"]}

        wait_until(lambda: workers() == expected, seconds=60, what="all workers in Flower")
        # What it can do to workers and tasks is shut without a password.
        assert site.code("/api/workers") == 401

        script = write(tmp_path / "seen.json", slow("seen", lines=3))
        status = stack.submitted(script, "--engine", "tone", "--id", "seen")
        assert status["state"] == "completed"

        def done() -> bool:
            tasks = {task["uuid"]: task["state"] for task in site.tasks("seen/1/")}
            batches = {uuid.removeprefix("seen/1/").split("-")[0] for uuid in tasks}
            return batches == {"0", "assembly"} and set(tasks.values()) == {"SUCCESS"}

        wait_until(done, seconds=60, what="the job's batches in Flower, all done")

        def queued() -> bool:
            # Flower asks the workers for their queues as it starts, and a busy one answers late.
            site.get("/workers?refresh=True")
            return "synthesis.espeak" in site.get("/broker")

        wait_until(queued, seconds=60, what="the queues of the workers in Flower")


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "example.org"])
def test_flower_is_open_to_nobody_else_without_a_password(stack: Stack, address: str) -> None:
    done = stack.console("flower", "--address", address, "--port", free_port(), code=2)
    assert "DUBBING_FLOWER_BASIC_AUTH" in done.stderr


def test_a_watcher_notices_that_the_stack_died_and_flower_with_a_password_can_be_stopped(
    tmp_path: Path,
) -> None:
    console = Console(tmp_path / "home", DUBBING_SLOTS="1", DUBBING_FLOWER_BASIC_AUTH="anna:secret")
    script = write(tmp_path / "slow.json", slow("dead", lines=60))
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        console.started("up", "faulty", "--port", taken.getsockname()[1]) as up,
    ):
        assert up.stdout
        assert up.stdout.readline().startswith("up:")
        # The stack works without a gateway.
        assert up.stderr
        assert "the gateway has ended: 127.0.0.1:" in up.stderr.readline()
        with flower(console) as site, console.started("submit", script, "--wait") as watcher:
            assert watcher.stderr
            assert select.select([watcher.stderr], [], [], 60)[0]
            assert site.code("/workers") == 401
            assert site.code("/workers", "anna:wrong") == 401
            assert site.code("/workers", "anna:secret") == 200
            up.kill()
            complaints = next(line for line in watcher.stderr if "waiting for Redis" in line)
            watcher.send_signal(signal.SIGINT)
            _, last = watcher.communicate(timeout=40)
            # From now on one of Flower's threads waits for Redis.
            site.code("/workers?refresh=1", "anna:secret")
    assert watcher.returncode == 130
    assert "Traceback" not in last
    assert "Redis does not answer" in complaints
    wait_until(lambda: not console.processes(), seconds=60, what="all processes gone")
    # Nobody was left to remove the folder of the socket, which Redis did remove.
    Settings(home=console.home).socket.parent.rmdir()


@dataclass(frozen=True)
class Site:
    """A Flower that answers."""

    url: str

    def get(
        self, path: str, password: str | None = None, form: dict[str, str] | None = None
    ) -> str:
        request = urllib.request.Request(self.url + path)
        if password:
            token = base64.b64encode(password.encode()).decode()
            request.add_header("Authorization", f"Basic {token}")
        data = urllib.parse.urlencode(form).encode() if form else None
        with urllib.request.urlopen(request, data, timeout=10) as answer:
            return str(answer.read().decode())

    def code(self, path: str, password: str | None = None) -> int:
        try:
            self.get(path, password)
        except urllib.error.HTTPError as exc:
            with exc:
                return exc.code
        return 200

    def tasks(self, search: str) -> list[dict[str, Any]]:
        """Return the rows of its page of tasks."""
        form = {"draw": "1", "start": "0", "length": "50", "search[value]": search}
        form |= {"order[0][column]": "0", "order[0][dir]": "asc", "columns[0][data]": "name"}
        return list(json.loads(self.get("/tasks/datatable", form=form))["data"])


class flower:  # noqa: N801 - used as a function
    """A Flower beside the stack, on the loopback address."""

    def __init__(self, console: Console) -> None:
        self._port = free_port()
        self._context = console.started("flower", "--port", self._port)

    def __enter__(self) -> Site:
        process = self._context.__enter__()
        site = Site(f"http://127.0.0.1:{self._port}")
        wait_until(lambda: answers(site, process), seconds=60, what="Flower answers")
        return site

    def __exit__(self, *exc: Any) -> None:
        self._context.__exit__(*exc)


def answers(site: Site, process: subprocess.Popen[str]) -> bool:
    assert process.poll() is None, process.communicate()
    try:
        return site.code("/healthcheck") == 200
    except urllib.error.URLError:
        return False


def slow(word: str, *, lines: int) -> dict[str, Any]:
    """A manifest whose lines take their time."""
    segments = [
        {"id": str(n), "start": 3.0 * n, "end": 3.0 * n + 2.5, "text": f"{word} {n} <slow:0.1>"}
        for n in range(1, lines + 1)
    ]
    return {"language": PLAIN, "engine": "faulty", "segments": segments}


def write(path: Path, manifest: dict[str, Any]) -> Path:
    path.write_text(json.dumps(manifest))
    return path
