"""The probe of Redis tries whatever the scripts use."""

from __future__ import annotations

import re
from importlib.resources import files

CALL = re.compile(r"redis\.call\((?:[^,()]* (?:and|or) )?'([A-Z]+)'(?: or '([A-Z]+)')?")


def test_every_command_of_a_script_is_tried() -> None:
    scripts = {
        script.name: script.read_text()
        for script in files("dubbing.ledger").iterdir()
        if script.name.endswith(".lua")
    }
    probe = scripts.pop("probe.lua")
    used = {word for text in scripts.values() for call in CALL.findall(text) for word in call}
    assert {"ZADD", "LPOS", "RPUSH", "LPUSH", "SCAN"} <= used
    assert used - {""} <= set(re.findall(r"\{'([A-Z]+)'", probe))
