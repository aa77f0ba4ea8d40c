"""Where everything lies in storage."""

from __future__ import annotations


class Keys:
    """Where everything lies. No other module spells a key."""

    OPEN = "open/"
    JOBS = "jobs/"
    ENGINES = "engines/"
    VOICE_NAMES = "voice-names/"
    DOCTOR = "doctor"
    """What `dubbing doctor` writes, and removes."""

    @staticmethod
    def open(job: str) -> str:
        """Return the marker of a job that has not ended."""
        return f"open/{job}"

    @staticmethod
    def job(job: str) -> str:
        """Return where the request lies."""
        return f"jobs/{job}/job.json"

    @staticmethod
    def revision(job: str, digest: str) -> str:
        """Return where a request lies that changed the job."""
        return f"jobs/{job}/revisions/{digest}.json"

    @staticmethod
    def revisions(job: str) -> str:
        """Return the prefix of the requests that changed a job."""
        return f"jobs/{job}/revisions/"

    @staticmethod
    def rounds(job: str) -> str:
        """Return the prefix of a job's rounds."""
        return f"jobs/{job}/rounds/"

    @staticmethod
    def plan(job: str, round_: int) -> str:
        """Return where a round's batches lie, one a line."""
        return f"jobs/{job}/rounds/{round_}/plan.jsonl"

    @staticmethod
    def results(job: str, round_: int) -> str:
        """Return the prefix of a round's results."""
        return f"jobs/{job}/rounds/{round_}/results/"

    @staticmethod
    def result(job: str, round_: int, batch: int) -> str:
        """Return where a batch's result lies."""
        return f"jobs/{job}/rounds/{round_}/results/{batch:06d}.json"

    @staticmethod
    def end(job: str, round_: int) -> str:
        """Return what says how a round ended."""
        return f"jobs/{job}/rounds/{round_}/end.json"

    @staticmethod
    def output(job: str, round_: int, run: str) -> str:
        """Return the prefix of what one run of assembly wrote."""
        return f"jobs/{job}/output/{round_}/{run}/"

    @staticmethod
    def batch_name(name: str, job: str = "") -> str:
        """Return the mark that ``job`` belongs to a named batch, or the prefix of them all."""
        return f"batches/{name}/{job}"

    @staticmethod
    def media(digest: str) -> str:
        """Return where an uploaded film or sound lies."""
        return f"media/{digest}"

    @staticmethod
    def voice_name(name: str) -> str:
        """Return what says which voice has a name: it holds the digest."""
        return f"voice-names/{name}"

    @staticmethod
    def voice_folder(digest: str) -> str:
        """Return the prefix of all that is stored of a voice."""
        return f"voices/{digest}/"

    @staticmethod
    def voice(digest: str) -> str:
        """Return where a voice's description lies."""
        return f"voices/{digest}/voice.json"

    @staticmethod
    def reference(digest: str) -> str:
        """Return where a voice's recording lies."""
        return f"voices/{digest}/reference.flac"

    @staticmethod
    def voice_form(digest: str, engine: str, recipe: int, model: str) -> str:
        """Return where what an engine derived from a voice lies."""
        return f"voices/{digest}/{engine}-{recipe}-{model}.safetensors"

    @staticmethod
    def clip(digest: str) -> str:
        """Return where a clip lies; shared by all jobs."""
        return f"clips/{digest[:2]}/{digest}.flac"

    @staticmethod
    def engine(name: str) -> str:
        """Return what an engine's workers published of it."""
        return f"engines/{name}.json"
