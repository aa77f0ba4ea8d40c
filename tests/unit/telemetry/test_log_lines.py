"""The lines of a log."""

from __future__ import annotations

import io
import logging
from dataclasses import replace

from dubbing.ledger import Address
from dubbing.ledger.records import ASSEMBLY_TOKEN
from dubbing.telemetry.context import bound, context, rebind
from dubbing.telemetry.lines import Lines


def test_an_event_is_one_line_of_a_log_and_its_traceback_has_its_own_lines() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Lines("%(levelname)s: %(message)s"))
    logger = logging.Logger("test")
    logger.addHandler(handler)
    logger.warning("of %s", "b\nERROR: forged \x1b[2J")
    try:
        raise ValueError("\x1b]0;title\x07")
    except ValueError:
        logger.exception("it failed")
    first, second, *trace = stream.getvalue().splitlines()
    assert first == r"WARNING: of b\nERROR: forged \x1b[2J"
    assert second == "ERROR: it failed"
    assert trace[0] == "Traceback (most recent call last):"
    assert trace[-1] == r"ValueError: \x1b]0;title\x07"


def test_what_is_rebound_in_a_block_is_logged_to_its_end_and_no_longer() -> None:
    with bound(job="named", round=1):
        rebind(job="done")
        assert context() == {"job": "done", "round": 1}
    assert context() == {}


def test_messages_name_a_batch_by_its_job_round_and_number() -> None:
    at = Address(job="e01.de", round=2, token="7:15135:620:180:6", queue="synthesis.espeak")
    assert str(at) == "e01.de/2/7"
    assert str(replace(at, token=ASSEMBLY_TOKEN, queue="assembly")) == "e01.de/2/assembly"
