"""Models from the Hugging Face hub, or a mirror of it: fetched on request, whole or not at all.

Files are downloaded into a hidden folder beside the model's folder. When all files have arrived and
match the hub's digests, the hidden folder becomes the model's folder. An interrupted download never
counts as a model, and the next download resumes it.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from dubbing.engines.models.folders import Weights
from dubbing.errors import BadInput, Conflict, EngineMissing, NotFound, Transient

if TYPE_CHECKING:
    from huggingface_hub import HfApi, RepoFile

COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """A model that was fetched."""

    repository: str
    commit: str
    folder: Path
    files: tuple[str, ...]
    size: int
    """Bytes."""


def fetch(
    weights: Weights,
    folder: Path,
    *,
    endpoint: str = "",
    revision: str = "",
    progress: bool = False,
) -> Fetched:
    """Fetch a model into its folder, which must be missing or empty.

    endpoint: address of the hub; without it, HF_ENDPOINT or Hugging Face's own.
    revision: a branch, tag or commit; by default the revision in ``weights``, whose files have to
    match the known digests. progress: whether to show progress bars on standard error.

    Raises BadInput when the model has no repository, its folder cannot be made or a file differs
    from its known digest, Conflict when the folder is not empty, NotFound when the hub does not
    have the model, EngineMissing without the extra, and Transient when the hub does not answer or
    sends damaged files.
    """
    if not weights.repository:
        raise BadInput(
            f"it cannot be fetched: get {', '.join(weights.files)} from {weights.home} and put "
            "them there",
            where=str(folder),
        )
    folder = folder.resolve()
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise Conflict(f"{folder} exists and is not empty: move it away first")
    api = _api(endpoint, progress)
    commit, files = _listing(api, weights, revision or weights.revision)
    known = {} if revision else weights.sha256
    staging = folder.with_name(f".{folder.name}.part")
    _make(staging)
    paths = [_download(api, weights.repository, commit, file, staging / commit) for file in files]
    for file, path in zip(files, paths, strict=True):
        _check_known(path, known.get(file.path))
    _put_in_place(paths, staging, folder)
    return Fetched(
        repository=weights.repository,
        commit=commit,
        folder=folder,
        files=tuple(path.name for path in paths),
        size=sum(file.size for file in files),
    )


def _api(endpoint: str, progress: bool) -> HfApi:
    try:
        from huggingface_hub import HfApi, constants
        from huggingface_hub.utils.tqdm import disable_progress_bars
    except ImportError as exc:
        raise EngineMissing(
            "fetching a model needs a library that is not installed: pip install 'dubbing[fetch]'"
        ) from exc
    # Telemetry would call Hugging Face even when a mirror is used.
    constants.HF_HUB_DISABLE_TELEMETRY = True
    if not progress:
        disable_progress_bars()
    return HfApi(endpoint=endpoint or None, library_name="dubbing")


def _listing(api: HfApi, weights: Weights, revision: str) -> tuple[str, list[RepoFile]]:
    """Return a revision's commit, and the files in it that make up the model."""
    from huggingface_hub import RepoFile

    repository, patterns = weights.repository, weights.fetched or weights.files
    with _told(api, repository):
        commit = api.model_info(repository, revision=revision).sha or ""
        if not COMMIT.fullmatch(commit):
            # A folder is named after the commit.
            raise ValueError(f"{commit!r} is not a commit")
        tree = list(api.list_repo_tree(repository, recursive=True, revision=commit))
    files = [
        entry
        for entry in tree
        if isinstance(entry, RepoFile) and any(fnmatchcase(entry.path, p) for p in patterns)
    ]
    _check_names(weights, files)
    return commit, files


def _check_names(weights: Weights, files: Sequence[RepoFile]) -> None:
    """Raise BadInput unless the files are a complete model with printable, distinct names."""
    names = [PurePosixPath(file.path).name for file in files]
    # The library prints the path of each file beside its progress bar.
    if odd := [file.path for file in files if not file.path.isprintable()]:
        raise BadInput(f"{weights.repository} holds a file named {odd[0]!r}: do not trust it")
    if lacking := [p for p in weights.files if not any(fnmatchcase(name, p) for name in names)]:
        raise NotFound(
            f"{weights.repository} does not hold {', '.join(lacking)}: look at {weights.home}"
        )
    if twice := {name for name in names if names.count(name) > 1}:
        raise BadInput(f"{weights.repository} holds several {' and '.join(sorted(twice))}")


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise BadInput(f"the folder cannot be made: {exc.strerror}", where=str(folder)) from exc


def _download(api: HfApi, repository: str, commit: str, file: RepoFile, folder: Path) -> Path:
    """Return the path of a file after downloading and checking it.

    A file that is complete already is not fetched again.
    """
    with _told(api, repository):
        path = Path(
            api.hf_hub_download(
                repository, file.path, revision=commit, local_dir=folder, cache_dir=folder / ".hub"
            )
        )
    if path.stat().st_size != file.size or (file.lfs and _sha256(path) != file.lfs.sha256):
        path.unlink()
        raise Transient(f"{file.path} of {repository} arrived damaged: fetch it again")
    return path


def _check_known(path: Path, sha256: str | None) -> None:
    """Raise BadInput for a file that differs from its known digest, whatever the hub's digest."""
    if sha256 and _sha256(path) != sha256:
        path.unlink()
        raise BadInput(f"{path.name} differs from the authors' file: do not trust this hub")


def _put_in_place(paths: Sequence[Path], staging: Path, folder: Path) -> None:
    """Turn the files into the model's folder, in one step."""
    model = staging / "model"
    _make(model)
    for path in paths:
        path.rename(model / path.name)
    try:
        model.rename(folder)
    except OSError as exc:
        raise Conflict(f"{folder} was made by another process meanwhile") from exc
    shutil.rmtree(staging)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _told(api: HfApi, repository: str) -> Iterator[None]:
    """Turn the library's errors in the block into ours."""
    from huggingface_hub.errors import (
        GatedRepoError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    try:
        yield
    except GatedRepoError as exc:
        raise NotFound(
            f"{repository} is only for users who agreed to its terms: do so at "
            f"{api.endpoint}/{repository}, and set HF_TOKEN"
        ) from exc
    except RevisionNotFoundError as exc:
        raise NotFound(f"{repository} has no such revision") from exc
    except RepositoryNotFoundError as exc:
        raise NotFound(f"{api.endpoint} has no {repository}, or it is not public") from exc
    except Exception as exc:
        # The errors of the hub's network libraries have no common base class.
        first = (str(exc).strip() or type(exc).__name__).splitlines()[0]
        raise Transient(
            f"{api.endpoint} does not give {repository}: {first}; try again: files that are "
            "complete are not fetched twice"
        ) from exc
