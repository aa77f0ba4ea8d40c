"""The metrics that processes count; `dubbing.exporter` adds gauges of the current state.

Labels have few values: engines, outcomes, error codes and routes, never jobs, voices or texts.
"""

from __future__ import annotations

from dubbing.telemetry.counts import THOUSAND, Spread, Total

CALL_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

BATCHES = Total(
    "dubbing_batches_total",
    "Batches that workers took: lines, voices or films, by outcome.",
    ("engine", "kind", "outcome"),
)
LINES = Total(
    "dubbing_lines_total",
    "Lines: spoken, found as a clip that was stored before, or failed.",
    ("engine", "outcome"),
    ("spoken", "found", "failed"),
)
SPEECH = Total("dubbing_speech_seconds_total", "Seconds of new speech.", ("engine",), unit=THOUSAND)
BUSY = Total(
    "dubbing_busy_seconds_total",
    "Seconds that processes spent on batches.",
    ("engine", "kind"),
    unit=THOUSAND,
)
RETRIES = Total(
    "dubbing_retries_total",
    "Takes that were requested again after a failure.",
    ("engine",),
)
MISSPOKEN = Total(
    "dubbing_misspoken_total", "Takes that were refused for wrong words.", ("engine",)
)
GIVEN_UP = Total(
    "dubbing_given_up_total",
    "Lines, voices and films that were given up because they killed or hung workers.",
    ("engine",),
)
ERRORS = Total(
    "dubbing_errors_total",
    "Lines, voices and films that ended with an error, by its code.",
    ("engine", "code"),
)
LEASES_LOST = Total(
    "dubbing_leases_lost_total", "Batches whose worker was gone, or hung.", ("engine",)
)
JOBS = Total(
    "dubbing_jobs_total",
    "Rounds of jobs that ended, by state.",
    ("state",),
    ("completed", "failed", "cancelled"),
)
PROGRAMME = Total(
    "dubbing_programme_seconds_total", "Seconds of programmes that were assembled.", unit=THOUSAND
)
ENDPOINT_ANSWERS = Total(
    "dubbing_endpoint_answers_total",
    "Requests to servers of remote engines, by outcome.",
    ("engine", "outcome"),
)
STORAGE_ERRORS = Total(
    "dubbing_storage_errors_total",
    "Calls of storage that failed, by the code of the error.",
    ("operation", "code"),
)
HTTP_REQUESTS = Total(
    "dubbing_http_requests_total",
    "Requests that gateways answered, by route and status.",
    ("method", "route", "status"),
)
TOTALS = (
    *(BATCHES, LINES, SPEECH, BUSY, RETRIES, MISSPOKEN, GIVEN_UP, ERRORS, LEASES_LOST, JOBS),
    *(PROGRAMME, ENDPOINT_ANSWERS, STORAGE_ERRORS, HTTP_REQUESTS),
)

BATCH_LINES = Spread(
    "dubbing_batch_lines",
    "Spoken lines of a batch.",
    (1, 2, 4, 8, 16, 32, 64),
    ("engine",),
)
BATCH_PADDING = Spread(
    "dubbing_batch_padding_ratio",
    "Share of a batch's work that is padding.",
    (0.05, 0.1, 0.2, 0.3, 0.5, 0.7),
    ("engine",),
)
REAL_TIME_FACTOR = Spread(
    "dubbing_real_time_factor",
    "Seconds that a batch took, by seconds of its new speech.",
    (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0),
    ("engine",),
)
STORAGE_SECONDS = Spread(
    "dubbing_storage_seconds", "Seconds that a call of storage took.", CALL_SECONDS, ("operation",)
)
HTTP_SECONDS = Spread(
    "dubbing_http_seconds",
    "Seconds until an answer of a gateway began.",
    CALL_SECONDS,
    ("method",),
)
SPREADS = (BATCH_LINES, BATCH_PADDING, REAL_TIME_FACTOR, STORAGE_SECONDS, HTTP_SECONDS)
