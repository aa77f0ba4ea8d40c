"""The probe of Redis tries whatever the ledger and kombu use, and nothing else."""

from __future__ import annotations

import re
from importlib.resources import files

CALL = re.compile(r"redis\.call\((?:[^,()]* (?:and|or) )?'([A-Z]+)'(?: or '([A-Z]+)')?")
METHOD = re.compile(r"\b(?:redis|pipe|calls)\.([a-z_]+)\b")
NAMES = {"DELETE": "DEL", "SCAN_ITER": "SCAN"}
"""Commands that redis-py names otherwise."""
OTHERS = {"PIPELINE", "EXECUTE", "PING", "BLPOP"}
"""Methods that are no command, and commands that are tried outside of the script."""
OWN = {"server.py", "probe.py", "connect.py"}
"""Modules whose commands run the scripts, or are the probe's own."""
KOMBU = {"LPUSH", "LLEN", "SADD", "SREM", "SMEMBERS", "EXISTS", "DEL", "PUBLISH"}
"""Commands of kombu beside BRPOP, PSUBSCRIBE, MULTI and EXEC, which are tried outside too."""


def test_the_commands_that_are_used_are_tried_and_no_others() -> None:
    folder = files("dubbing.ledger")
    texts = {file.name: file.read_text() for file in folder.iterdir() if file.is_file()}
    probe = texts.pop("probe.lua")
    scripts = [text for name, text in texts.items() if name.endswith(".lua")]
    calls = [text for name, text in texts.items() if name.endswith(".py") and name not in OWN]
    used = {word for text in scripts for call in CALL.findall(text) for word in call if word}
    asked = {word.upper() for text in calls for word in METHOD.findall(text)}
    asked = {NAMES.get(word, word) for word in asked - OTHERS}
    assert {"ZADD", "LPOS", "RPUSH", "LPUSH", "ZRANGE"} <= used
    assert {"HSETNX", "XREAD", "XREVRANGE"} <= asked
    assert set(re.findall(r"\{'([A-Z]+)'", probe)) == used | asked | KOMBU
