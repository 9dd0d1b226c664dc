# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs inside Blender: the prompt is edited, and a program that writes down how it was called stands in for editorbridge.

    blender -b --factory-startup --python-exit-code 1 --python in_blender_prompt.py -- WORK_FOLDER

WORK_FOLDER holds a.mp4 and b.mp4 of 96 frames. Prints "ALL PASSED".
"""

import os
import sys
import time
from pathlib import Path

import bpy

work = Path(sys.argv[sys.argv.index("--") + 1]).resolve()
calls, hold = work / "calls", work / "hold"
program = work / "editor bridge"
program.write_text(f"""#!/bin/sh
(for word; do printf '%s\\t' "$word"; done; echo) >> '{calls}'
echo said; echo failed >&2
while [ -e '{hold}' ]; do sleep 0.05; done
exit 1
""", encoding="utf-8")
program.chmod(0o755)
os.environ["EDITORBRIDGE_CLI"] = str(program)


def check(name, found, wanted):
    if found != wanted:
        raise AssertionError(f"{name}: found {found!r}, wanted {wanted!r}")
    print(f"PASSED {name}", flush=True)


def called(count):
    """The calls so far, once there are so many; a moment later where none more is wanted."""
    limit = time.monotonic() + 20
    while time.monotonic() < limit:
        lines = calls.read_text(encoding="utf-8").splitlines() if calls.exists() else []
        if len(lines) >= count:
            break
        time.sleep(0.05)
    time.sleep(0.3)
    return [line.split("\t")[:-1] for line in calls.read_text(encoding="utf-8").splitlines()] if calls.exists() else []


def ended():
    limit = time.monotonic() + 20
    while early_look._Look.process.poll() is None and time.monotonic() < limit:
        time.sleep(0.05)


bpy.ops.preferences.addon_enable(module="editorbridge")
from editorbridge import compat, early_look  # noqa: E402

scene = bpy.context.scene
settings = scene.editorbridge
settings.prompt = "nothing is on the sequence"
check("no strips, no call", called(0), [])

strips = compat.strips(scene, create=True)
a = strips.new_movie("a", str(work / "a.mp4"), 1, 1, fit_method="ORIGINAL")
b = strips.new_movie("b", str(work / "b.mp4"), 1, 121, fit_method="ORIGINAL")
for strip in (a, b):
    strip.select = False
scene.sequence_editor.active_strip = None
settings.prompt = "no strip is meant"
check("none is meant, no call", called(0), [])

# The gap at the playhead: both of its shots, while the program takes its time.
scene.frame_current = 100
hold.touch()
begun = time.monotonic()
settings.prompt = "a boat"
check("it is not waited for", time.monotonic() - begun < 2, True)
gap = ["media", "show", str(work / "a.mp4"), str(work / "b.mp4")]
check("both sides of the gap", called(1), [gap])
scene.frame_current = 20
scene.sequence_editor.active_strip = b
settings.prompt = "a boat at sea"
check("one at a time", called(1), [gap])
hold.unlink()
ended()

settings.prompt = "a boat on the sea"
one = ["media", "show", str(work / "b.mp4")]
check("the strip to be extended", called(2), [gap, one])
ended()
settings.prompt = "a boat on a lake"
check("not again for the same", called(2), [gap, one])
early_look._Look.begun -= early_look.SAME_FILES_AGAIN_AFTER
settings.prompt = "a boat on the river"
check("again when that is long ago", called(3), [gap, one, one])
ended()

# Nothing of it reaches whoever writes the prompt.
scene.sequence_editor.active_strip = a
os.environ["EDITORBRIDGE_CLI"] = str(work / "none")
settings.prompt = "without the program"
program.chmod(0o644)
os.environ["EDITORBRIDGE_CLI"] = str(program)
early_look.begin(bpy.context)
early_look.begin(None)
settings.prompt = "with one that cannot be run"
check("no further call", (called(3), settings.prompt), ([gap, one, one], "with one that cannot be run"))
print("ALL PASSED", flush=True)
