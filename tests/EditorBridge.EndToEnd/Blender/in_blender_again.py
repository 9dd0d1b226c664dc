# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs inside a Blender without the add-on: opens what the add-on's scene was saved as, saves it again, opens that, and looks.

    blender -b --factory-startup --python-exit-code 1 --python in_blender_again.py -- WORK_FOLDER

bounds.json says what was on the sequence: name to channel, start, end, record and file. Prints "KEPT" when all of it still is.
"""

import json
import os
import sys
from pathlib import Path

import bpy

work = Path(sys.argv[sys.argv.index("--") + 1])
wanted = json.loads((work / "bounds.json").read_text(encoding="utf-8"))


def found():
    editor = bpy.context.scene.sequence_editor
    return {s.name: [s.channel, s.frame_final_start, s.frame_final_end, s.get("editorbridge", ""), os.path.realpath(bpy.path.abspath(s.filepath))]
            for s in (editor.strips if hasattr(editor, "strips") else editor.sequences)}


assert "editorbridge" not in bpy.context.preferences.addons
bpy.ops.wm.open_mainfile(filepath=str(work / "saved.blend"))
assert found() == wanted, f"opened: {found()}, wanted {wanted}"
bpy.ops.wm.save_as_mainfile(filepath=str(work / "again.blend"))
bpy.ops.wm.read_homefile(use_empty=True)
bpy.ops.wm.open_mainfile(filepath=str(work / "again.blend"))
assert found() == wanted, f"saved again: {found()}, wanted {wanted}"
assert sum(record != "" for _, _, _, record, _ in wanted.values()) >= 4
print("KEPT", flush=True)
