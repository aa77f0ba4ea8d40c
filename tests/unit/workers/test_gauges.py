"""How busy a worker and its machine are."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from workers.gauges import Gauges

MIB = 1 << 20


def test_a_worker_and_its_machine_are_measured() -> None:
    gauges = Gauges("cpu")
    gauges.measure()
    # Nothing is known yet of the time since the last measurement.
    assert (gauges.vitals.cpu_percent, gauges.vitals.worker_cpu_percent) == (None, None)
    sum(range(2_000_000))
    gauges.measure()
    vitals = gauges.vitals
    assert vitals.cpu_percent is not None
    assert vitals.worker_cpu_percent
    assert vitals.worker_memory_mb
    assert vitals.memory_used_mb
    assert 10 < vitals.worker_memory_mb < vitals.memory_used_mb
    assert (vitals.gpu_percent, vitals.gpu_memory_used_mb) == (None, None)


class Driver(ModuleType):
    """NVIDIA's library, as far as it is called, on a machine of two cards.

    The second one is shared in parts, and tells no use of each.
    """

    class NVMLError(Exception):
        """As the library names it."""

    def nvmlInit(self) -> None:  # noqa: N802 - the library's own name
        pass

    def nvmlDeviceGetHandleByIndex(self, index: int) -> str:  # noqa: N802
        return f"card {index}"

    def nvmlDeviceGetHandleByUUID(self, name: str) -> str:  # noqa: N802
        return {"MIG-1": "card 1"}[name]

    def nvmlDeviceGetMemoryInfo(self, card: str) -> Any:  # noqa: N802
        return SimpleNamespace(used={"card 0": 1, "card 1": 3}[card] * 1024 * MIB, total=4096 * MIB)

    def nvmlDeviceGetUtilizationRates(self, card: str) -> Any:  # noqa: N802
        if card == "card 1":
            raise self.NVMLError
        return SimpleNamespace(gpu=97)


@pytest.mark.parametrize(
    ("device", "visible", "told"),
    [
        ("cuda", "", (97.0, 25.0, 1024.0)),
        ("cuda:1", "", (None, 75.0, 3072.0)),
        ("cuda:0", "MIG-1,0", (None, 75.0, 3072.0)),
        ("cuda:1", "MIG-1,0", (97.0, 25.0, 1024.0)),
        ("cpu", "", (None, None, None)),
    ],
)
def test_the_card_of_the_worker_is_measured(
    monkeypatch: pytest.MonkeyPatch,
    device: str,
    visible: str,
    told: tuple[float | None, ...],
) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", Driver("pynvml"))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    gauges = Gauges(device)
    gauges.measure()
    vitals = gauges.vitals
    assert (vitals.gpu_percent, vitals.gpu_memory_percent, vitals.gpu_memory_used_mb) == told
