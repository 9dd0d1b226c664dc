# SPDX-License-Identifier: GPL-3.0-or-later
"""EditorBridge in Blender's sequencer: B-roll, extend, fill. All work is done by the editorbridge program on this machine."""

bl_info = {
    "name": "EditorBridge",
    "author": "EditorBridge",
    "version": (0, 1, 0),
    "blender": (3, 4, 0),
    "location": "Video Sequencer > Sidebar > EditorBridge",
    "description": "Generate B-roll, longer shots and fillers in the sequencer, locally",
    "category": "Sequencer",
}

from . import operators, panel, preferences, settings, status_bar

MODULES = (preferences, settings, operators, panel, status_bar)


def register():
    for module in MODULES:
        module.register()


def unregister():
    for module in reversed(MODULES):
        module.unregister()
