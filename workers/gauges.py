"""Measures how busy a worker and its machine are: processors, memory, and the worker's card.

The driver of a card may hang, so a loop of its own measures, and the heartbeat publishes.
"""

from __future__ import annotations

import os
import shutil
import time
from contextlib import suppress
from tempfile import gettempdir
from typing import Any

import psutil

from dubbing.ledger.vitals import Vitals

MEASURE_SECONDS = 10.0
"""Seconds between two measurements."""
MIB = 1 << 20


class Gauges:
    """Measures one worker, whose parent process this is."""

    def __init__(self, device: str) -> None:
        """device: device of the worker's models, such as ``cuda:0``."""
        self.vitals = Vitals()
        """The last measurement."""
        self._device = device
        self._worker = psutil.Process()
        self._before: tuple[float, float] | None = None
        """Time of the last measurement, and the CPU seconds that the worker had used by then."""
        self._card: Any = None

    def measure(self) -> None:
        """Measure; CPU use is the mean since the last measurement."""
        (used, held), now, cpu = self._of_worker(), time.monotonic(), psutil.cpu_percent()
        memory = psutil.virtual_memory()
        vitals = Vitals(
            memory_percent=memory.percent,
            memory_used_mb=round(memory.used / MIB, 1),
            worker_memory_mb=round(held / MIB, 1),
            scratch_free_mb=round(shutil.disk_usage(gettempdir()).free / MIB, 1),
            **self._of_card(),
        )
        if self._before:
            then, used_then = self._before
            # The CPU seconds of processes that have ended are lost.
            share = max(0.0, used - used_then) / (now - then)
            shares = {"cpu_percent": cpu, "worker_cpu_percent": round(100 * share, 1)}
            vitals = vitals.model_copy(update=shares)
        self._before = now, used
        self.vitals = vitals

    def _of_worker(self) -> tuple[float, int]:
        """Return the CPU seconds that the worker has used, and its bytes of memory."""
        seconds, held = 0.0, 0
        for process in (self._worker, *self._worker.children(recursive=True)):
            with suppress(psutil.Error), process.oneshot():
                times = process.cpu_times()
                seconds += times.user + times.system
                held += process.memory_info().rss
        return seconds, held

    def _of_card(self) -> dict[str, float]:
        """Return the driver's figures of the worker's card; empty without a card."""
        if not self._device.startswith("cuda"):
            return {}
        # Engines that use a card install it.
        try:
            import pynvml
        except ImportError:
            return {}
        try:
            if self._card is None:
                pynvml.nvmlInit()
                self._card = _card_of(pynvml, self._device)
            memory = pynvml.nvmlDeviceGetMemoryInfo(self._card)
            found = {
                "gpu_memory_percent": round(100 * memory.used / memory.total, 1),
                "gpu_memory_used_mb": round(memory.used / MIB, 1),
            }
            # A part of a card reports no use.
            with suppress(pynvml.NVMLError):
                found["gpu_percent"] = pynvml.nvmlDeviceGetUtilizationRates(self._card).gpu
        except pynvml.NVMLError:
            return {}
        return found


def _card_of(pynvml: Any, device: str) -> Any:
    """Return the driver's handle of a device, by CUDA's number among the visible devices."""
    number = int(device.partition(":")[2] or 0)
    visible = [name for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name]
    name = visible[number].strip() if number < len(visible) else str(number)
    if name.isdecimal():
        return pynvml.nvmlDeviceGetHandleByIndex(int(name))
    return pynvml.nvmlDeviceGetHandleByUUID(name)
