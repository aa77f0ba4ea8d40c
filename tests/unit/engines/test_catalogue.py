"""Which engines and instances exist, and which licences are refused."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from dubbing.engines.adapters.tone import Tone
from dubbing.engines.catalogue import GROUP, Catalogue, specs_in
from dubbing.engines.models.folders import ModelFolders
from dubbing.errors import BadInput, EngineMissing
from dubbing.script.manifest import Manifest
from dubbing.settings import Settings
from dubbing.system import System

POINTS = {
    name: EntryPoint(name, "dubbing.engines.adapters.tone:Tone", GROUP)
    for name in ("hum", "hum-onnx", "x")
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("hum-de", "hum-onnx-de", "hummer", "other"):
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.fixture
def catalogue(root: Path) -> Catalogue:
    return Catalogue(ModelFolders(root=root), POINTS)


def test_engines_are_there_and_instances_that_have_a_folder(catalogue: Catalogue) -> None:
    assert catalogue.names() == ["hum", "hum-de", "hum-onnx", "hum-onnx-de", "x"]
    assert catalogue.create("hum-de").spec.name == "hum-de"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("hum", "hum"),
        ("hum-de", "hum"),
        ("hum-onnx", "hum-onnx"),
        ("hum-onnx-de", "hum-onnx"),
        ("hum-onnxx", "hum"),
        ("hummer", None),
        ("", None),
    ],
)
def test_an_instance_belongs_to_the_engine_with_the_longest_name(
    catalogue: Catalogue, name: str, kind: str | None
) -> None:
    assert catalogue.kind(name) == kind


@pytest.mark.parametrize("name", ["hum-fr", "hummer", "nobody", "../hum", "hum-../de"])
def test_what_is_not_there_is_told_with_what_is(catalogue: Catalogue, name: str) -> None:
    with pytest.raises(EngineMissing, match="hum-onnx-de"):
        catalogue.create(name)


def test_an_instance_without_a_model_is_what_its_engine_is(catalogue: Catalogue) -> None:
    assert catalogue.generic("hum-fr").spec == Tone.spec.model_copy(update={"name": "hum-fr"})
    with pytest.raises(EngineMissing, match="hum-onnx"):
        catalogue.generic("nobody")


def test_a_model_tells_what_it_has_otherwise(catalogue: Catalogue, root: Path) -> None:
    (root / "hum-de" / "dubbing.json").write_text('{"languages": ["de"], "name": "x"}')
    spec = catalogue.create("hum-de").spec
    assert (spec.name, spec.languages) == ("hum-de", ("de",))
    assert catalogue.specs()["hum"].languages == ("*",)


@pytest.mark.parametrize("field", ["sample_rate", "recipe", "base", "clones", "says_words"])
def test_what_a_model_cannot_have_otherwise_is_refused(
    catalogue: Catalogue, root: Path, field: str
) -> None:
    (root / "hum-de" / "dubbing.json").write_text(json.dumps({field: 1}))
    with pytest.raises(BadInput, match=field):
        catalogue.create("hum-de")


def test_an_engine_whose_configuration_nobody_foresaw_is_refused_with_its_folder(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unforeseen(*_: object) -> None:
        raise AttributeError("'list' object has no attribute 'get'")

    catalogue = Catalogue(ModelFolders(root=root), POINTS)
    monkeypatch.setattr(Tone, "__init__", unforeseen)
    with pytest.raises(BadInput, match=r"hum-de.*AttributeError"):
        catalogue.create("hum-de")
    assert catalogue.specs() == {}


def test_a_damaged_model_does_not_hide_the_others(catalogue: Catalogue, root: Path) -> None:
    (root / "hum-de" / "dubbing.json").write_text('{"languages": 7}')
    with pytest.raises(BadInput, match="languages"):
        catalogue.create("hum-de")
    assert set(catalogue.specs()) == {"hum", "hum-onnx", "hum-onnx-de", "x"}


@pytest.mark.parametrize(
    ("patterns", "refused"),
    [
        ((), False),
        (("*non-commercial*",), True),
        (("*NON-commercial*",), True),
        (("non-commercial",), False),
        (("gpl*", "cpml*"), True),
        (("gpl*",), False),
    ],
)
def test_licences_are_refused_by_pattern(patterns: tuple[str, ...], refused: bool) -> None:
    catalogue = Catalogue(points=POINTS, refused=patterns)
    spec = Tone.spec.model_copy(update={"licence": "CPML (Non-Commercial)"})
    assert catalogue.refuses(spec) is refused


def test_every_engine_that_is_refused_is_named_with_its_licence(catalogue: Catalogue) -> None:
    strict = replace(catalogue, refused=("apache*",))
    free = Tone.spec.model_copy(update={"licence": "MIT"})
    strict.permit([free])
    with pytest.raises(BadInput, match=r"(?s)'hum'.*Apache-2\.0.*'hum-de'.*REFUSE_LICENCES"):
        strict.permit([free, catalogue.create("hum").spec, catalogue.create("hum-de").spec])


@pytest.mark.parametrize(
    ("role", "named"),
    [
        ({"engine": "plain"}, None),
        ({"engine": "plain", "fallback": ["strict"]}, "strict"),
        ({"engine": "over", "reference": "a"}, "strict"),
        ({"engine": "over", "reference": "a", "base": "plain"}, None),
        ({"engine": "over", "reference": "a", "base": "strict"}, "strict"),
        ({"engine": "plain", "fallback": ["over"]}, "strict"),
        ({"engine": "unknown"}, None),
    ],
)
def test_a_job_may_name_no_engine_that_is_refused_nor_have_one_speak_below(
    role: dict[str, object], named: str | None
) -> None:
    specs = {
        name: Tone.spec.model_copy(update={"name": name, "licence": licence, "base": base})
        for name, licence, base in (
            ("plain", "MIT", None), ("strict", "NC", None), ("over", "MIT", "strict")
        )
    }  # fmt: skip
    line = {"id": "1", "start": 0, "end": 1, "text": "Yes.", "speaker": "Ann"}
    job = Manifest.model_validate({"language": "en", "segments": [line], "cast": {"Ann": role}})
    catalogue = Catalogue(points=POINTS, refused=("nc",))
    if named is None:
        catalogue.permit(specs_in(job, specs))
    else:
        with pytest.raises(BadInput, match=f"^engine '{named}' is not used here"):
            catalogue.permit(specs_in(job, specs))


def test_the_policy_comes_from_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUBBING_REFUSE_LICENCES", '["a*", "b*"]')
    assert System().catalogue.refused == ("a*", "b*")
    monkeypatch.setenv("DUBBING_REFUSE_LICENCES", "a*")
    with pytest.raises(BadInput, match=r"(?s)REFUSE_LICENCES is not JSON"):
        Settings()
