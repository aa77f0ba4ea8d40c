"""The keys of all objects in storage."""

from __future__ import annotations

from dubbing.errors import BadInput
from dubbing.job.job import DEFAULT_TENANT

LAST_MOMENT = 10**13 - 1
"""Milliseconds since 1970, in the year 2286; the longest number of as many digits."""
CONTROLS = frozenset(map(chr, [*range(32), 127]))


def check_key(key: str) -> None:
    """Raise BadInput unless ``key`` is a plain path below the root of storage.

    Keys also come from stored documents and messages, so they are not trusted.
    """
    parts = key.removesuffix("/").split("/")
    if {"", ".", ".."} & {*parts} or CONTROLS & {*key} or "\\" in key:
        raise BadInput(
            "this is no key in storage: it is empty, begins with a slash, or holds .., //, a "
            "backslash or a control character",
            where=repr(key),
        )


class Keys:
    """The keys of all objects. No other module spells a key."""

    OPEN = "open/"
    JOBS = "jobs/"
    ENGINES = "engines/"
    ENDPOINTS = "endpoints/"
    VOICE_NAMES = "voice-names/"
    """Prefix of the names of the default tenant's voices."""
    TENANTS_VOICE_NAMES = "voice-names-of/"
    """Prefix of the names of other tenants' voices, a folder for each tenant. It does not lie below
    `VOICE_NAMES`, where a voice may have the name of a tenant."""
    API_KEYS = "api-keys/"
    UPLOADS = "uploads/"
    OUTBOX = "outbox/"
    TOLD = "told/"
    UNTOLD = "untold/"
    WEBHOOKS = "webhooks/"
    ANNOUNCEMENTS = "announcements/"
    SUBMITTED = "submitted/"
    INDEXED = "submitted/-"
    """Mark that jobs of earlier releases have their marks, too; it comes first in order."""
    INSTALLATION = "installation"
    """Object with the id of the installation, which its Redis holds, too."""
    SEPARATION = "separation"
    """Mark of an assembly worker that can remove the speech from films."""
    CLIPS = "clips/"
    MEDIA = "media/"
    VOICES = "voices/"
    BACKGROUNDS = "backgrounds/"
    COLLECTIONS = "collections/"
    USED = "used/"
    SPOKEN = "spoken/"
    KEPT = "kept/"
    COSTS = "costs/"
    COLLECTING = "collecting"
    """Mark of a running collection of garbage."""
    PROBE = "probe"
    """Object that a worker whose storage failed writes and removes."""
    DOCTOR = "doctor"
    """Object that `dubbing doctor` writes and removes."""

    @staticmethod
    def open(job: str) -> str:
        """Return the key of the marker of a job that has not ended."""
        return f"open/{job}"

    @staticmethod
    def submitted(job: str, time: float) -> str:
        """Return the key of the mark of a job's submission; later jobs come first in order.

        time: of the submission, in seconds since 1970.
        """
        return f"submitted/{LAST_MOMENT - round(time * 1000):013d}-{job}"

    @staticmethod
    def submission(key: str) -> tuple[str, float]:
        """Return the job and the time of a submission's mark; raises ValueError for other keys."""
        left, _, job = key.removeprefix(Keys.SUBMITTED).partition("-")
        return job, (LAST_MOMENT - int(left)) / 1000

    @staticmethod
    def uploads(tenant: str) -> str:
        """Return the prefix of a tenant's uploads and their parts."""
        return f"uploads/{tenant}/"

    @staticmethod
    def upload_of(key: str) -> tuple[str, str]:
        """Return the tenant and the id of the upload to which a key below `UPLOADS` belongs."""
        tenant, _, rest = key.removeprefix(Keys.UPLOADS).partition("/")
        return tenant, rest.partition("/")[0].removesuffix(".json")

    @staticmethod
    def upload(tenant: str, id_: str) -> str:
        """Return the key of an upload's description."""
        return f"uploads/{tenant}/{id_}.json"

    @staticmethod
    def upload_parts(tenant: str, id_: str) -> str:
        """Return the prefix of the parts of an unfinished upload."""
        return f"uploads/{tenant}/{id_}/"

    @staticmethod
    def upload_part(tenant: str, id_: str, offset: int) -> str:
        """Return the key of the part of an upload that begins at an offset, in bytes."""
        return f"uploads/{tenant}/{id_}/{offset:015d}"

    @staticmethod
    def api_key(id_: str) -> str:
        """Return the key of an API key."""
        return f"api-keys/{id_}.json"

    @staticmethod
    def api_key_use(id_: str) -> str:
        """Return the key of the time of the last use of an API key."""
        return f"api-keys/{id_}/used"

    @staticmethod
    def webhooks(tenant: str) -> str:
        """Return the prefix of a tenant's webhooks."""
        return f"webhooks/{tenant}/"

    @staticmethod
    def webhook(tenant: str, id_: str) -> str:
        """Return the key of a webhook."""
        return f"webhooks/{tenant}/{id_}.json"

    @staticmethod
    def told(tenant: str, webhook: str, message: str) -> str:
        """Return the key of the mark of a message that a webhook has received."""
        return f"told/{tenant}/{webhook}/{message}"

    @staticmethod
    def dead(tenant: str, webhook: str, message: str = "") -> str:
        """Return the key of a message that could not be sent, or the prefix of all of them."""
        return f"untold/{tenant}/{webhook}/{message}"

    @staticmethod
    def outgoing(due: float, message: str) -> str:
        """Return the key of a message that waits to be sent; in order, the earliest due come first.

        due: seconds since 1970.
        """
        return f"outbox/{due * 1000:013.0f}-{message}"

    @staticmethod
    def job_folder(job: str) -> str:
        """Return the prefix of all objects of a job except its marks."""
        return f"jobs/{job}/"

    @staticmethod
    def announcement(id_: str) -> str:
        """Return the key of an announcement."""
        return f"announcements/{id_}.json"

    @staticmethod
    def job(job: str) -> str:
        """Return the key of a job's request as first submitted."""
        return f"jobs/{job}/job.json"

    @staticmethod
    def revision(job: str, digest: str) -> str:
        """Return the key of a request that revised a job."""
        return f"jobs/{job}/revisions/{digest}.json"

    @staticmethod
    def revisions(job: str) -> str:
        """Return the prefix of the requests that revised a job."""
        return f"jobs/{job}/revisions/"

    @staticmethod
    def rounds(job: str) -> str:
        """Return the prefix of a job's rounds."""
        return f"jobs/{job}/rounds/"

    @staticmethod
    def plan(job: str, round_: int) -> str:
        """Return the key of a round's plan: its batches, one a line."""
        return f"jobs/{job}/rounds/{round_}/plan.jsonl"

    @staticmethod
    def results(job: str, round_: int) -> str:
        """Return the prefix of a round's results."""
        return f"jobs/{job}/rounds/{round_}/results/"

    @staticmethod
    def result(job: str, round_: int, batch: int) -> str:
        """Return the key of a batch's result."""
        return f"jobs/{job}/rounds/{round_}/results/{batch:06d}.json"

    @staticmethod
    def end(job: str, round_: int) -> str:
        """Return the key of the record of how a round ended."""
        return f"jobs/{job}/rounds/{round_}/end.json"

    @staticmethod
    def approvals(job: str, line: str = "") -> str:
        """Return the prefix of the marks that a person approved lines of a job, or one line."""
        return f"jobs/{job}/approved/{line}/" if line else f"jobs/{job}/approved/"

    @staticmethod
    def approval(job: str, line: str, sound: str) -> str:
        """Return the key of the mark that a person approved a sound of a line."""
        return f"jobs/{job}/approved/{line}/{sound}"

    @staticmethod
    def output(job: str, round_: int, run: str) -> str:
        """Return the prefix of the outputs of one run of assembly."""
        return f"jobs/{job}/output/{round_}/{run}/"

    @staticmethod
    def outputs(job: str) -> str:
        """Return the prefix of the outputs of all runs of assembly for a job."""
        return f"jobs/{job}/output/"

    @staticmethod
    def collection(name: str, job: str = "") -> str:
        """Return the key that marks ``job`` as part of a collection, or the collection's prefix."""
        return f"collections/{name}/{job}"

    @staticmethod
    def media(digest: str) -> str:
        """Return the key of an uploaded film or sound."""
        return f"media/{digest}"

    @staticmethod
    def background(digest: str) -> str:
        """Return the key of a film's sound without its speech; all jobs share them."""
        return f"backgrounds/{digest}.flac"

    @staticmethod
    def media_holds(digest: str) -> str:
        """Return the prefix of the holds that keep a film or sound."""
        return f"media-holds/{digest}/"

    @staticmethod
    def media_deletions(digest: str) -> str:
        """Return the prefix of the marks of running deletions of a film or sound."""
        return f"media-deletions/{digest}/"

    @staticmethod
    def voice_names(tenant: str) -> str:
        """Return the prefix of the names of a tenant's voices."""
        if tenant == DEFAULT_TENANT:
            return Keys.VOICE_NAMES
        return f"{Keys.TENANTS_VOICE_NAMES}{tenant}/"

    @staticmethod
    def voice_name(name: str, tenant: str = DEFAULT_TENANT) -> str:
        """Return the key of a voice's name, which holds the digest of the voice."""
        return Keys.voice_names(tenant) + name

    @staticmethod
    def voice_folder(digest: str) -> str:
        """Return the prefix of all objects of a voice."""
        return f"voices/{digest}/"

    @staticmethod
    def voice(digest: str) -> str:
        """Return the key of a voice's description."""
        return f"voices/{digest}/voice.json"

    @staticmethod
    def reference(digest: str) -> str:
        """Return the key of a voice's recording."""
        return f"voices/{digest}/reference.flac"

    @staticmethod
    def voice_holds(digest: str) -> str:
        """Return the prefix of the holds that keep a voice."""
        return f"voices/{digest}/holds/"

    @staticmethod
    def voice_deletions(digest: str) -> str:
        """Return the prefix of the marks of running deletions of a voice."""
        return f"voices/{digest}/deletions/"

    @staticmethod
    def voice_form(digest: str, engine: str, recipe: int, model: str) -> str:
        """Return the key of the form that an engine derived from a voice."""
        return f"voices/{digest}/{engine}-{recipe}-{model}.safetensors"

    @staticmethod
    def clips(begins: str) -> str:
        """Return the prefix of clips by the beginning of their digests. begins: two hex digits."""
        return f"clips/{begins}/"

    @staticmethod
    def clip(digest: str) -> str:
        """Return the key of a clip; all jobs share clips."""
        return f"clips/{digest[:2]}/{digest}.flac"

    @staticmethod
    def endpoints(engine: str) -> str:
        """Return the key of the endpoints of a remote engine."""
        return f"endpoints/{engine}.json"

    @staticmethod
    def costs(engine: str, month: str, currency: str = "") -> str:
        """Return the prefix of the marks of batches' costs; each mark ends with the amount.

        Without a currency, it is the prefix of the folders of all currencies.
        """
        month_folder = f"costs/{engine}/{month}/"
        return f"{month_folder}{currency}/" if currency else month_folder

    @staticmethod
    def used(tenant: str, month: str) -> str:
        """Return the prefix of the marks of rounds' use of engines; each ends with milliseconds."""
        return f"used/{tenant}/{month}/"

    @staticmethod
    def spoken(tenant: str, month: str) -> str:
        """Return the prefix of the marks of lines that rounds made; each ends with their number."""
        return f"spoken/{tenant}/{month}/"

    @staticmethod
    def kept(tenant: str, job: str = "") -> str:
        """Return the prefix of the marks of the size of a tenant's outputs, or of a job's.

        Each mark ends with the bytes.
        """
        return f"kept/{tenant}/{job}/" if job else f"kept/{tenant}/"

    @staticmethod
    def pace(engine: str, voice: str) -> str:
        """Return the key of the pace of a voice. voice: digest of the voice and language."""
        return f"paces/{engine}/{voice}.json"

    @staticmethod
    def engine(name: str) -> str:
        """Return the key of the spec and model that an engine's workers published."""
        return f"engines/{name}.json"
