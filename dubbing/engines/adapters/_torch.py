"""Importing libraries that run on torch, and turning the errors of models and of torch into ours.

coqui-tts imports torchaudio for pure Python functions alone, and transformers imports it where it
is installed. The wheel of torchaudio is built for CUDA; beside a torch without CUDA its native part
cannot load, and it is imported without that part.
"""

from __future__ import annotations

import gc
import pickle
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from safetensors import SafetensorError

from dubbing.engines.threads import threads
from dubbing.errors import EngineFailed, EngineMissing


@cache
def prepare() -> None:
    """Make `TTS` and `transformers` importable; to be called before their first import."""
    warnings.filterwarnings("ignore", module=r"(TTS|torch|torchaudio|transformers|librosa)\b.*")
    try:
        import torchaudio
    except ImportError:
        # Only coqui-tts needs it, and says so.
        pass
    except OSError:
        for name in [name for name in sys.modules if name.split(".")[0] == "torchaudio"]:
            del sys.modules[name]
        sys.modules["torchaudio._extension"] = _without_native_part()
        import torchaudio  # noqa: F401
    import torch

    torch.set_num_threads(threads())


def _without_native_part() -> ModuleType:
    """Return a stand-in for the module that loads the native part; it says that there is none."""
    extension: Any = ModuleType("torchaudio._extension")
    extension._IS_TORCHAUDIO_EXT_AVAILABLE = False
    extension._IS_ALIGN_AVAILABLE = False
    extension.fail_if_no_align = lambda function: function
    extension._check_cuda_version = lambda: None
    return extension  # type: ignore[no-any-return]


@contextmanager
def loading(name: str, folder: Path) -> Iterator[None]:
    """Turn errors of loading a model into EngineFailed, naming the engine and its folder.

    A missing library becomes EngineMissing.
    """
    try:
        yield
    except pickle.UnpicklingError as exc:
        raise EngineFailed(
            f"the model of {name!r} in {folder} holds more than weights, or is damaged, and is "
            f"not loaded: {_first_line(exc)}"
        ) from exc
    except ImportError as exc:
        raise EngineMissing(f"the model of {name!r} in {folder} needs {_first_line(exc)}") from exc
    except (
        ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, OSError,
        RuntimeError, SafetensorError, TypeError, ValueError,
    ) as exc:  # fmt: skip
        raise EngineFailed(
            f"the model of {name!r} in {folder} cannot be loaded: {_first_line(exc)}"
        ) from exc


def _first_line(exc: Exception) -> str:
    return (str(exc).strip() or type(exc).__name__).splitlines()[0]


@contextmanager
def torch_errors(what: str) -> Iterator[None]:
    """Turn torch's errors in the block into EngineFailed; out of memory, free the card's cache."""
    import torch

    try:
        yield
    except torch.OutOfMemoryError as exc:
        torch.cuda.empty_cache()
        raise EngineFailed(f"{what}: the card is out of memory") from exc
    except RuntimeError as exc:
        raise EngineFailed(f"{what}: {exc}") from exc


def fix_weights(model: Any) -> None:
    """Compute the normalised weights of a torch module once, instead of at every call."""
    from torch.nn.utils import parametrize

    for module in model.modules():
        if parametrize.is_parametrized(module, "weight"):
            parametrize.remove_parametrizations(module, "weight")


def release() -> None:
    """Free the card's memory of unloaded models."""
    gc.collect()
    if (torch := sys.modules.get("torch")) and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
