"""Several engines in one process: which are loaded, and which are unloaded for them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dubbing.engines.adapters.tone import Tone
from dubbing.engines.catalogue import Catalogue
from dubbing.engines.engine import Voicing
from dubbing.engines.holding import Holding
from dubbing.engines.models.folders import ModelFolders, Weights
from dubbing.engines.residency import Residency
from dubbing.errors import BadInput, EngineAway, EngineFailed, EngineMissing

MIB = 1 << 20
BUDGET = 2.5 / 1024
"""In GiB: room for two of the models below."""


class Model(Tone):
    """An engine whose model is a file of one MiB; an empty one cannot be loaded."""

    weights = Weights(files=("model.bin",), home="nowhere")

    def __init__(self, name: str, folder: Path) -> None:
        super().__init__(name, folder)
        self._file = folder / "model.bin"

    def load(self, device: str) -> None:
        if not self._file.stat().st_size:
            raise EngineFailed("the model is damaged")
        if self._file.read_bytes() == b"too large":
            raise MemoryError("no room")
        super().load(device)


class Point:
    """As much of an entry point as the catalogue uses."""

    def load(self) -> type[Voicing]:
        return Model


class Process:
    """A process with models ``m-a`` to ``m-c``, and what it reported."""

    def __init__(self, root: Path, **options: object) -> None:
        for name in ("m-a", "m-b", "m-c"):
            (root / name).mkdir(parents=True)
            (root / name / "model.bin").write_bytes(bytes(MIB))
        self.root = root
        self.said: list[Holding] = []
        self.announced: list[str] = []
        self.residency = Residency(
            Catalogue(ModelFolders(root=root), points={"m": Point()}),
            loaded=lambda engine: self.announced.append(engine.spec.name),
            changed=self.said.append,
            **options,
        )

    @property
    def loaded(self) -> tuple[str, ...]:
        return self.residency.holding.loaded


def test_an_engine_is_loaded_once(tmp_path: Path) -> None:
    process = Process(tmp_path)
    first = process.residency.voicing("m-a")
    assert process.residency.voicing("m-a") is first
    assert process.announced == ["m-a"]


def test_the_engine_used_longest_ago_goes_for_one_that_does_not_fit(tmp_path: Path) -> None:
    process = Process(tmp_path, budget=BUDGET)
    for name in ("m-a", "m-b", "m-a", "m-c"):
        process.residency.voicing(name)
    assert process.loaded == ("m-a", "m-c")


def test_without_a_budget_all_stay(tmp_path: Path) -> None:
    process = Process(tmp_path)
    for name in ("m-a", "m-b", "m-c"):
        process.residency.voicing(name)
    assert process.loaded == ("m-a", "m-b", "m-c")


def test_a_converter_does_not_go_for_the_engine_below_it(tmp_path: Path) -> None:
    process = Process(tmp_path, budget=BUDGET)
    process.residency.voicing("m-a")
    process.residency.voicing("m-b")
    process.residency.voicing("m-c", beside="m-a")
    assert process.loaded == ("m-a", "m-c")


def test_a_model_above_the_budget_is_refused_and_nothing_goes_for_it(tmp_path: Path) -> None:
    process = Process(tmp_path, budget=BUDGET)
    process.residency.voicing("m-a")
    (tmp_path / "m-b" / "model.bin").write_bytes(bytes(3 * MIB))
    with pytest.raises(EngineAway, match="DUBBING_MODEL_MEMORY"):
        process.residency.voicing("m-b")
    assert process.loaded == ("m-a",)


def test_what_is_under_way_is_said(tmp_path: Path) -> None:
    process = Process(tmp_path)
    process.residency.voicing("m-a")
    assert [(said.loading, said.loaded) for said in process.said] == [
        ("m-a", ()),
        ("", ("m-a",)),
    ]


def test_a_resting_engine_is_not_loaded_for_a_batch(tmp_path: Path) -> None:
    process = Process(tmp_path, resting={"m-a": ""})
    with pytest.raises(EngineAway, match="rests"):
        process.residency.voicing("m-a")
    process.residency.wake("m-a")
    assert process.residency.voicing("m-a").spec.name == "m-a"
    assert process.residency.holding.resting == {}


def test_an_engine_that_cannot_be_loaded_rests_with_its_error_until_it_can(tmp_path: Path) -> None:
    process = Process(tmp_path)
    (tmp_path / "m-a" / "model.bin").write_bytes(b"")
    with pytest.raises(EngineAway, match="damaged"):
        process.residency.voicing("m-a")
    assert process.said[-1].resting == {"m-a": "m-a cannot be loaded: the model is damaged"}
    assert process.said[-1].loading == ""
    with pytest.raises(EngineAway, match="damaged"):
        process.residency.voicing("m-a")
    (tmp_path / "m-a" / "model.bin").write_bytes(bytes(MIB))
    process.residency.wake("m-a")
    assert process.said[-1] == Holding(loaded=("m-a",))


def test_a_base_that_cannot_be_loaded_does_not_rest(tmp_path: Path) -> None:
    process = Process(tmp_path)
    process.residency.voicing("m-a")
    (tmp_path / "m-b" / "model.bin").write_bytes(b"")
    with pytest.raises(EngineFailed, match="damaged"):
        process.residency.voicing("m-b", beside="m-a")
    with pytest.raises(EngineMissing, match="'m2'"):
        process.residency.voicing("m2", beside="m-a")
    assert process.residency.holding == Holding(loaded=("m-a",))
    (tmp_path / "m-b" / "model.bin").write_bytes(bytes(MIB))
    assert process.residency.voicing("m-b", beside="m-a").spec.name == "m-b"


def test_whatever_loading_raises_is_an_error_of_the_engine(tmp_path: Path) -> None:
    process = Process(tmp_path)
    (tmp_path / "m-a" / "model.bin").write_bytes(b"too large")
    with pytest.raises(EngineAway, match="m-a cannot be loaded: MemoryError: no room"):
        process.residency.voicing("m-a")
    assert process.said[-1].loading == ""


def test_a_base_that_rests_serves_its_converter(tmp_path: Path) -> None:
    process = Process(tmp_path, resting={"m-b": ""})
    process.residency.voicing("m-a")
    process.residency.voicing("m-b", beside="m-a")
    assert process.loaded == ("m-a", "m-b")


def test_a_base_that_would_kill_its_process_is_laid_to_its_converter(tmp_path: Path) -> None:
    process = Process(tmp_path)
    process.residency.voicing("m-a")
    process.residency.voicing("m-b", beside="m-a")
    assert [said.loading for said in process.said] == ["m-a", "", "m-a", ""]


def test_a_process_begins_with_what_fits_and_does_not_rest(tmp_path: Path) -> None:
    process = Process(tmp_path, budget=BUDGET, resting={"m-a": ""})
    process.residency.begin(["m-a", "m-b", "m-c"])
    assert process.said[-1] == Holding(loaded=("m-b", "m-c"), begun=True, resting={"m-a": ""})
    assert not any(said.begun for said in process.said[:-1])


def test_a_process_in_which_no_model_fits_says_so_at_once(tmp_path: Path) -> None:
    process = Process(tmp_path, budget=BUDGET / 4)
    with pytest.raises(BadInput, match="DUBBING_MODEL_MEMORY"):
        process.residency.begin(["m-a", "m-b"])


def test_a_process_begins_with_what_can_be_loaded(tmp_path: Path) -> None:
    process = Process(tmp_path)
    (tmp_path / "m-a" / "model.bin").write_bytes(b"")
    process.residency.begin(["m-a", "m-b"])
    why = "m-a cannot be loaded: the model is damaged"
    assert process.said[-1] == Holding(loaded=("m-b",), begun=True, resting={"m-a": why})


def test_a_process_that_can_load_nothing_has_not_begun(tmp_path: Path) -> None:
    process = Process(tmp_path)
    for name in ("m-a", "m-b"):
        (tmp_path / name / "model.bin").write_bytes(b"")
    with pytest.raises(EngineFailed, match="damaged"):
        process.residency.begin(["m-a", "m-b"])
    assert process.said[-1].resting.keys() == {"m-a", "m-b"}
    assert not process.said[-1].begun


def test_a_process_that_rests_all_it_has_begins(tmp_path: Path) -> None:
    process = Process(tmp_path, resting={"m-a": "a process died"})
    process.residency.begin(["m-a"])
    assert process.said[-1] == Holding(begun=True, resting={"m-a": "a process died"})


def test_each_engine_rests_for_its_own_reason(tmp_path: Path) -> None:
    process = Process(tmp_path)
    (tmp_path / "m-a" / "model.bin").write_bytes(b"")
    with pytest.raises(EngineFailed, match="damaged"):
        process.residency.wake("m-a")
    assert process.said[-1].loading == ""
    process.residency.rest("m-b")
    process.residency.wake("m-c")
    assert process.said[-1].errors == ["m-a cannot be loaded: the model is damaged"]
    with pytest.raises(EngineAway, match="it rests"):
        process.residency.voicing("m-b")


def test_what_fits_beside_the_others_is_told_without_loading(tmp_path: Path) -> None:
    process = Process(tmp_path, budget=BUDGET)
    process.residency.wake("m-a")
    assert process.residency.fits("m-b")
    process.residency.wake("m-b")
    assert not process.residency.fits("m-c")
    assert process.loaded == ("m-a", "m-b")


def test_an_instance_has_what_its_folder_says_of_it(tmp_path: Path) -> None:
    process = Process(tmp_path)
    (tmp_path / "m-b" / "dubbing.json").write_text(json.dumps({"languages": ["fr"]}))
    assert process.residency.voicing("m-b").spec.languages == ("fr",)
    assert process.residency.voicing("m-a").spec.languages == ("*",)
