"""The files of the pages: where they come from, and that they fit together."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from dubbing.gateway.pages.addresses import PAGES
from dubbing.gateway.pages.shell import Shell
from dubbing.pages.assets import STATIC, Assets
from dubbing.pages.imports import imported
from dubbing.storage import S3Options, Storage

NOTICE = Path(__file__).parents[3] / "NOTICE"
VENDOR = STATIC / "vendor"
OURS = [path for path in sorted(STATIC.rglob("*.js")) if VENDOR not in path.parents]
SHEETS = [path for path in sorted(STATIC.rglob("*.css")) if VENDOR not in path.parents]
WORD = re.compile(r'^  "([^"]+)": "(.+)",$', re.MULTILINE)
SAID = re.compile(r"""\bt\(["'`]([\w.-]+)["'`][,)]""")


@pytest.fixture(scope="module")
def shell() -> Shell:
    return Shell(Assets())


def test_libraries_are_the_files_that_were_published() -> None:
    packages = json.loads((VENDOR / "vendor.json").read_text())
    wanted = {path: file["sha256"] for one in packages for path, file in one["files"].items()}
    found = {
        path.relative_to(VENDOR).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.rglob("*")
        if path.is_file() and path.name != "vendor.json"
    }
    assert found == wanted
    for package in packages:
        assert any("LICENSE" in path for path in package["files"])
        assert f"{package['name']}, {package['licence']}" in " ".join(NOTICE.read_text().split())


@pytest.mark.parametrize("module", OURS, ids=lambda path: path.relative_to(STATIC).as_posix())
def test_every_import_of_a_module_is_there(module: Path, shell: Shell) -> None:
    imported(shell.assets, module.relative_to(STATIC).as_posix())


@pytest.mark.parametrize("page", PAGES.values())
def test_a_page_tells_at_once_which_modules_it_leads_to(page: str, shell: Shell) -> None:
    needed = imported(shell.assets, f"pages/{page}.js")
    assert {"data/call.js", "vendor/preact/preact.mjs"} <= {*needed}
    assert {*map(shell.url, needed)} <= {*Document(shell.of(page)).links}


def test_every_text_of_a_page_is_there_in_each_language() -> None:
    files = sorted(path.name for path in (STATIC / "words" / "en").iterdir())
    assert files == sorted(path.name for path in (STATIC / "words" / "zh").iterdir())
    known: set[str] = set()
    for file in files:
        english, other = (words(STATIC / "words" / language / file) for language in ("en", "zh"))
        assert other.keys() == english.keys()
        assert not known & english.keys()
        known |= english.keys()
        for name, text in english.items():
            fields = re.findall(r"\{\w+\}", text)
            assert sorted(re.findall(r"\{\w+\}", other[name])) == sorted(fields), name
    said = {name for module in OURS for name in SAID.findall(module.read_text())}
    assert len(said) > 20
    assert said <= known


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda path: path.name)
def test_every_style_is_of_something_that_a_page_shows(sheet: Path) -> None:
    style = re.sub(r"/\*.*?\*/", "", sheet.read_text(), flags=re.DOTALL)
    depths = [*itertools.accumulate({"{": 1, "}": -1}.get(one, 0) for one in style)]
    assert (min(depths), depths[-1]) == (0, 0)
    selectors = re.sub(r"\{[^{}]*\}", "", style)
    classes = {*re.findall(r"\.([a-z][\w-]*)", selectors)}
    shown = {name for module in OURS for name in re.findall(r"[\w-]+", module.read_text())}
    # uPlot's own begin so.
    assert not {name for name in classes - shown if not name.startswith("u-")}


def words(file: Path) -> dict[str, str]:
    return dict(WORD.findall(file.read_text()))


class Document(HTMLParser):
    """What a document holds that a policy of content has to allow."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        assert tag != "style"
        assert not [name for name in found if name == "style" or name.startswith("on")]
        if tag == "script":
            self.scripts.append((found, ""))
        if link := found.get("href") or found.get("src"):
            self.links.append(link)

    def handle_data(self, data: str) -> None:
        if self.lasttag == "script" and data.strip():
            self.scripts[-1] = (self.scripts[-1][0], data)


def policy_of(shell: Shell) -> dict[str, str]:
    rules = shell.headers["Content-Security-Policy"].split("; ")
    return dict(rule.split(" ", 1) for rule in rules)


@pytest.mark.parametrize(
    ("url", "endpoint", "origin"),
    [
        ("s3://films/a", "https://user@s3.example:9000/at", " https://s3.example:9000"),
        ("s3://films", None, " https://s3.eu-west-1.amazonaws.com"),
        ("films", "https://s3.example:9000", ""),
    ],
)
def test_a_page_plays_films_of_the_bucket_and_takes_nothing_else_from_there(
    url: str, endpoint: str | None, origin: str, shell: Shell
) -> None:
    storage = Storage.at(url, S3Options(endpoint=endpoint, region="eu-west-1"))
    policy = policy_of(Shell(shell.assets, storage.origin))
    assert policy == {**policy_of(shell), "media-src": f"'self' blob:{origin}"}


def test_a_page_runs_its_import_map_and_files_of_its_own_and_nothing_else(shell: Shell) -> None:
    document = Document(shell.of("status"))
    policy = policy_of(shell)
    (_, imports), (module, inline) = document.scripts
    digest = base64.b64encode(hashlib.sha256(imports.encode()).digest()).decode()
    assert policy["script-src"] == f"'self' 'sha256-{digest}'"
    assert (module["type"], inline) == ("module", "")
    assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
    assert not [rule for rule in policy.values() if "unsafe" in rule or "://" in rule]
    for url in [*document.links, *json.loads(imports)["imports"].values()]:
        assert url == shell.url(url.partition(f"/{shell.assets.digest}/")[2])
