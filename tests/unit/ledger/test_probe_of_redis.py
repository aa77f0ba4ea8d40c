"""The probe of Redis tries whatever the ledger and kombu use, and nothing else."""

from __future__ import annotations

import re
from importlib.resources import files

CALL = re.compile(r"redis\.call\((?:[^,()]* (?:and|or) )?'([A-Z]+)'(?: or '([A-Z]+)')?")
METHOD = re.compile(r"\b(?:redis|pipe)\.([a-z]+)\b")
NAMES = {"DELETE": "DEL"}
"""Commands that redis-py names otherwise."""
OTHERS = {"PIPELINE", "EXECUTE", "PING", "BLPOP"}
"""Methods that are no command, and commands that are tried outside of the script."""
CALLERS = ("accounts.py", "crew.py", "events.py", "ledger.py", "requests.py")
KOMBU = {"LPUSH", "LLEN", "SADD", "SREM", "SMEMBERS", "EXISTS", "DEL", "PUBLISH"}
"""Commands of kombu beside BRPOP, PSUBSCRIBE, MULTI and EXEC, which are tried outside too."""


def test_the_commands_that_are_used_are_tried_and_no_others() -> None:
    folder = files("dubbing.ledger")
    texts = {file.name: file.read_text() for file in folder.iterdir() if file.is_file()}
    probe = texts.pop("probe.lua")
    scripts = [text for name, text in texts.items() if name.endswith(".lua")]
    calls = [texts[name] for name in CALLERS]
    used = {word for text in scripts for call in CALL.findall(text) for word in call if word}
    asked = {word.upper() for text in calls for word in METHOD.findall(text)}
    asked = {NAMES.get(word, word) for word in asked - OTHERS}
    assert {"ZADD", "LPOS", "RPUSH", "LPUSH", "ZRANGE"} <= used
    assert {"HSETNX", "XREAD", "XREVRANGE"} <= asked
    assert set(re.findall(r"\{'([A-Z]+)'", probe)) == used | asked | KOMBU
