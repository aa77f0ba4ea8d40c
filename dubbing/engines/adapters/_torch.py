"""Importing libraries that need torch, and converting the errors of models and of torch to ours.

coqui-tts imports torchaudio only for pure Python functions, and transformers imports it if it is
installed. torchaudio's wheel is built for CUDA; with a torch without CUDA, its native part cannot
be loaded, so torchaudio is imported without that part.
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
        # Only coqui-tts needs torchaudio, and raises its own error without it.
        pass
    except OSError:
        for name in [name for name in sys.modules if name.split(".")[0] == "torchaudio"]:
            del sys.modules[name]
        sys.modules["torchaudio._extension"] = _without_native_part()
        import torchaudio  # noqa: F401
    import torch

    torch.set_num_threads(threads())


def _without_native_part() -> ModuleType:
    """Return a stand-in for torchaudio's loader module that reports no native part."""
    extension: Any = ModuleType("torchaudio._extension")
    extension._IS_TORCHAUDIO_EXT_AVAILABLE = False
    extension._IS_ALIGN_AVAILABLE = False
    extension.fail_if_no_align = lambda function: function
    extension._check_cuda_version = lambda: None
    return extension  # type: ignore[no-any-return]


@contextmanager
def loading(name: str, folder: Path) -> Iterator[None]:
    """Convert errors of loading a model to EngineFailed, naming the engine and its folder.

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
    """Convert torch's errors in the block to EngineFailed; if out of memory, free torch's cache."""
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
    """Free the memory of unloaded models on the card."""
    gc.collect()
    if (torch := sys.modules.get("torch")) and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
