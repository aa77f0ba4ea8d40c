"""Settings, read where a process starts and passed down.

Each setting is an environment variable with the prefix ``DUBBING_``, or a line of a ``.env`` file
in the current folder. A variable with ``_FILE`` at its end names a file that holds the value, as
secrets of containers do; the variable without it wins. ``.env.example`` is made from this file.
"""

from __future__ import annotations

import hashlib
import ipaddress
import os
import re
import ssl
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import platformdirs
from dotenv import dotenv_values
from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    field_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from dubbing import redis_url
from dubbing.documents import Identifier, faults_of_settings, listed
from dubbing.errors import BadInput, QueueRefused
from dubbing.secret_files import in_files, source_of_files

RoutePath = Annotated[str, StringConstraints(pattern=r"^/(.*[^/])?$")]
"""The path of a route: it begins with a slash, and does not end with one."""
SERVICE_URL = AliasChoices("TTS_SERVICE_URL", "DUBBING_TTS_SERVICE_URL", "tts_service_url")
SERVICE_KEY = AliasChoices("TTS_API_KEY", "DUBBING_TTS_API_KEY", "tts_api_key")
"""Names that clients of other systems use; the others are for child processes and for callers."""


class Quota(BaseModel):
    """Limits of a tenant over HTTP; None stands for no limit."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    open_jobs: int | None = Field(default=None, ge=0)
    """Jobs that have not ended."""
    lines_a_day: int | None = Field(default=None, ge=0)
    engine_seconds_a_month: float | None = Field(default=None, ge=0)
    """Seconds that engines speak for its jobs, on a card, a processor or a rented server."""
    storage_gb: float | None = Field(default=None, ge=0)
    """Gigabytes of its uploads and of the outputs of its jobs."""


class Settings(BaseSettings):
    """Addresses, folders and behaviour of this process."""

    model_config = SettingsConfigDict(
        env_prefix="DUBBING_",
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
    )

    home: Path = Field(default_factory=lambda: Path(platformdirs.user_data_path("dubbing")))
    """Folder of the embedded stack: its storage and its logs."""
    redis_url: str = ""
    """redis://:password@host:6379/0, or with Sentinels sentinel://:password@host:26379,host/name/0
    (docs/redis.md). Default: the Redis that `dubbing up` and `run` start."""
    redis_password: SecretStr | None = None
    """Password of Redis, in any characters, if the URL of Redis holds none."""
    storage_url: str = ""
    """A folder or s3://bucket/prefix. Default: a folder in the home."""
    s3_endpoint: str | None = None
    """URL of an S3 server. Default: Amazon's."""
    s3_region: str | None = None
    """Region of the bucket. Default: us-east-1."""
    s3_access_key_id: str | None = None
    """Key of the S3 account. Default: the key of the environment or of the machine's role."""
    s3_secret_access_key: SecretStr | None = None
    """Secret of that key."""
    granted_sources: tuple[str, ...] = ()
    """Places of media that jobs may name, beside the storage's own bucket, as JSON:
    ["s3://films", "s3://archive/2026"]; s3:// alone means every bucket that the keys can read."""
    granted_targets: tuple[str, ...] = ()
    """Places to which jobs may write results (`output.to`), as JSON: ["s3://films/dubbed"].
    Default: none."""
    ca_file: Path | None = None
    """PEM file of certificate authorities to trust beside the public ones, for servers of engines,
    S3 and Redis."""
    engine: str = "espeak"
    """Engine for jobs and speakers that name none."""
    slots: int | None = Field(default=None, ge=1)
    """How many batches a worker takes at once. Default: one per core that it may use; for assembly,
    one per two cores; on a GPU, one."""
    models: Path | None = None
    """Folder of the engines' models, with a folder for each engine. Default: `models` in the
    home."""
    model_folders: dict[Identifier, Path] = {}
    """Folders of models in other places, by engine, as JSON: {"xtts": "/weights/XTTS-v2"}."""
    endpoints: dict[Identifier, tuple[str, ...]] = {}
    """Servers of remote engines, as JSON: {"openai": ["http://localhost:8880/v1"]}. `run`, `up` and
    workers add them to the list of `dubbing endpoints`."""
    tts_service_url: str = Field(default="", validation_alias=SERVICE_URL)
    """Address of an IndexTTS server, which joins the endpoints of indextts."""
    tts_api_key: SecretStr | None = Field(default=None, validation_alias=SERVICE_KEY)
    """API key of that server."""
    cors_origins: tuple[str, ...] = ()
    """Origins whose pages in a browser may call the gateway, as JSON: ["https://studio.example"].
    Pages of the gateway's own address always may."""
    engine_server_key: SecretStr | None = None
    """API key that callers of `dubbing engine-server` send. Without it, the server listens on the
    loopback address only."""
    requests_per_minute: int = Field(default=1000, ge=1)
    """Requests that all gateways together serve in a minute."""
    requests_per_minute_per_address: int = Field(default=100, ge=1)
    """Requests a minute from one address."""
    requests_per_minute_of_paths: dict[RoutePath, Annotated[int, Field(ge=1)]] = {}
    """Requests a minute at a path and below it, as JSON: {"/api/extract_voice": 20}. Default: no
    limits."""
    requests_at_once: int = Field(default=50, ge=1)
    """Simultaneous requests of all gateways together. Uploads and clients that follow events do not
    count."""
    proxies: tuple[str, ...] = ()
    """Networks of proxies before the gateway, as JSON: ["10.0.0.0/8"]. The gateway trusts them on
    the caller's address."""
    quotas: dict[str, Quota] = {}
    """Limits of tenants over HTTP, as JSON: {"acme": {"open_jobs": 9, "lines_a_day": 5000}}; also
    engine_seconds_a_month and storage_gb. The name * stands for all other tenants. Default: no
    limits."""
    retention: dict[str, dict[str, str]] = {}
    """What `dubbing gc` keeps, as JSON: {"*": {"outputs": "90d"}, "acme": {"outputs": "30d 9GB"}};
    also rounds, uploads and messages, and under * what tenants share: clips, media and voices that
    nothing names, and backgrounds (docs/operations.md). Default: all, but strays for a day, for a
    week clips and media that nothing names, and messages of webhooks for 30 days."""
    hub_endpoint: str = ""
    """Address of the Hugging Face hub, or of a mirror. Default: HF_ENDPOINT, or
    https://huggingface.co."""
    refuse_licences: tuple[str, ...] = ()
    """Refuse engines with these licences, as JSON: ["*non-commercial*"]; * matches any text, and
    case is ignored."""
    model_memory: float | None = Field(default=None, gt=0)
    """GiB of models that a worker of several engines holds at once. Default: no limit."""
    prove_words: bool = True
    """Whether workers prove the words of each line, where the extra `words` and its model are
    installed. It takes 0.1 to 0.3 s of a core for each line."""
    device: str | None = None
    """Device of a worker's model, such as cuda:0. Default: the device that its engine asks for."""
    flower_basic_auth: SecretStr | None = None
    """user:password of Flower. Without it, Flower listens on the loopback address only."""
    flower_url: str = ""
    """Address of Flower for operators' browsers. Default: the gateway's page /admin has no link to
    Flower."""
    stall_minutes: float = Field(default=30, gt=0)
    """Minutes without progress of an open job after which workers log a warning."""
    otlp_endpoint: str = ""
    """Address of an OpenTelemetry collector, such as http://localhost:4318, to which workers and
    gateways send traces. Default: no traces."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Lowest level of logged messages."""
    log_format: Literal["text", "json"] = "text"
    """Format of log lines: text for people, or json, one object a line, for log collectors."""
    log_dir: Path | None = None
    """Folder of the logs of workers, gateways and engine servers, one file for each kind. Default:
    standard error."""
    log_mb: float = Field(default=100, ge=1)
    """Megabytes after which a log in that folder is rotated."""
    log_hours: int | None = Field(default=None, ge=1)
    """Hours after which a log is rotated at any size. Default: no limit of age."""
    log_files: int = Field(default=10, ge=1)
    """Number of rotated logs to keep; older ones are removed."""
    metrics: bool = True
    """Whether workers and gateways count their work, for `dubbing exporter` and all other
    metrics."""
    metrics_port: int = Field(default=0, ge=0, le=65535)
    """Port at which a worker or a gateway serves metrics without a key; 0 for none. Workers of `up`
    and `run` serve none, because each process needs its own port."""
    metrics_host: str = "127.0.0.1"
    """Address of that port. Default: only this machine reaches it."""

    def __init__(self, **values: Any) -> None:
        """Read the environment; raises BadInput that names every variable to change."""
        try:
            super().__init__(**values)
        except ValidationError as exc:
            faults = faults_of_settings(type(self), exc, "DUBBING_")
            raise BadInput(listed(faults), where="the environment or .env") from exc
        except SettingsError as exc:
            # Its message alone names the field.
            named = re.search(r'field "(\w+)"', str(exc))
            variable = f"DUBBING_{named[1].upper()}" if named else str(exc)
            raise BadInput(
                f"{variable} is not JSON: write it as .env.example shows",
                where="the environment or .env",
            ) from exc
        except (OSError, UnicodeDecodeError) as exc:
            why = exc.strerror if isinstance(exc, OSError) else "it is not UTF-8"
            raise BadInput(f"the file cannot be read: {why}", where=".env") from exc

    @field_validator("redis_url")
    @classmethod
    def _is_url(cls, value: str) -> str:
        if value:
            redis_url.check(value)
        return value

    @field_validator("ca_file")
    @classmethod
    def _has_authorities(cls, path: Path | None) -> Path | None:
        try:
            if path:
                ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
        except ssl.SSLError as exc:
            raise ValueError(f"there is no certificate in PEM in {path}") from exc
        except OSError as exc:
            raise ValueError(f"{path} cannot be read: {exc.strerror}") from exc
        return path

    @field_validator("proxies")
    @classmethod
    def _are_networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        for network in networks:
            ipaddress.ip_network(network, strict=False)
        return networks

    @field_validator("granted_sources", "granted_targets")
    @classmethod
    def _are_buckets(cls, places: tuple[str, ...]) -> tuple[str, ...]:
        if wrong := [place for place in places if not place.startswith("s3://")]:
            raise ValueError(f"begin {wrong[0]!r} with s3://")
        return places

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            if not re.fullmatch(r"https?://[^/?#@\s]+", origin):
                raise ValueError(f"write {origin!r} as https://host or https://host:port")
        return tuple(origin.lower() for origin in origins)

    @field_validator("hub_endpoint", "flower_url", "otlp_endpoint")
    @classmethod
    def _is_web_address(cls, value: str) -> str:
        if value and urlsplit(value).scheme not in {"https", "http"}:
            raise ValueError("begin it with https:// or http://")
        return value.rstrip("/")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources of values in order of precedence: files come last."""
        files = source_of_files(settings_cls, env_settings, dotenv_settings)
        return init_settings, env_settings, dotenv_settings, files

    @staticmethod
    def key(variable: str) -> str:
        """Return the API key in an environment variable or a line of ``.env``, or ``""``.

        ``<variable>_FILE`` may name a file that holds it; raises BadInput when it cannot be read.
        """
        read: list[Mapping[str, str | None]] = [os.environ, dotenv_values(".env")]
        written = next((where[variable] for where in read if where.get(variable)), None)
        return written or in_files([variable], read).get(variable) or ""

    @property
    def storage(self) -> str:
        """The folder or ``s3://`` URL of the storage."""
        return self.storage_url or str(self.home / "storage")

    @property
    def logs(self) -> Path:
        """Folder of the logs of embedded processes, and of commands' unforeseen errors."""
        return self.home / "logs"

    @property
    def socket(self) -> Path:
        """Socket of the embedded Redis.

        It is in the temporary folder, because the path of a socket is limited to about 100
        characters. Its name follows from the home, so every terminal finds the same socket.
        """
        name = hashlib.sha256(str(self.home.absolute()).encode()).hexdigest()[:12]
        return temporary_folder() / f"dubbing-{os.getuid()}-{name}" / "redis.sock"

    def check_socket(self) -> None:
        """Raise QueueRefused if another user may have made the embedded Redis's socket.

        Any user can make a folder of that name, and would then get the text of all lines.
        """
        folder = self.socket.parent
        try:
            found = folder.lstat()
        except FileNotFoundError:
            return
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            raise QueueRefused(
                f"{folder} belongs to another user: ask its owner or root to remove it"
            )
        if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise QueueRefused(f"other users can write into {folder}: remove it")

    @property
    def redis(self) -> str:
        """URL of Redis, with the certificates to trust."""
        url = self.redis_url or f"unix://{self.socket}"
        if self.redis_password:
            url = redis_url.with_password(url, self.redis_password.get_secret_value())
        return redis_url.with_trust(url, self.ca_file)


def temporary_folder() -> Path:
    """Return the folder of temporary files; raises BadInput when TMPDIR cannot be written."""
    named = os.environ.get("TMPDIR")
    # Python would silently use another folder, which may be too small for a film.
    if named and not os.access(named, os.W_OK | os.X_OK):
        raise BadInput("make this folder, or name a writable one", where=f"TMPDIR={named}")
    try:
        return Path(tempfile.gettempdir())
    except OSError as exc:
        raise BadInput("no temporary folder is writable: free some disk, or set TMPDIR") from exc
