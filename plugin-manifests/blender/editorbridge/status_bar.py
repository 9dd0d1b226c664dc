# SPDX-License-Identifier: GPL-3.0-or-later
"""How far the job is, in Blender's status bar, with a button that ends it."""

import bpy

from . import operators

PROGRESS = "editorbridge_progress"
"""A number of the window manager's, from which versions before 4.0 draw a bar: they have no widget for progress."""


def _draw(self, _context):
    running = operators.Running.job
    if running is None:
        return
    row = self.layout.row(align=True)
    if hasattr(row, "progress"):
        row.progress(factor=running.progress, text=f"EditorBridge: {running.message}")
    else:
        row.label(text=f"EditorBridge: {running.message}")
        bar = row.row(align=True)
        bar.ui_units_x = 6
        bar.prop(bpy.context.window_manager, PROGRESS, text="", slider=True)
    row.operator("editorbridge.cancel", text="", icon="CANCEL")


def redraw():
    """Asks for the status bar to be drawn anew. It is in no screen's list of areas; that its text is set is what draws it."""
    for window in bpy.context.window_manager.windows:
        # A tool at work shows its keys there. Before 4.2 that cannot be told, and it shows them again when the mouse moves.
        if len(getattr(window, "modal_operators", ())):
            continue
        with bpy.context.temp_override(window=window):
            window.workspace.status_text_set_internal(None)


def _percent(_manager):
    return 100 * operators.Running.job.progress if operators.Running.job else 0.0


def register():
    setattr(bpy.types.WindowManager, PROGRESS, bpy.props.FloatProperty(name="Progress", subtype="PERCENTAGE", min=0, max=100, precision=0, get=_percent))
    bpy.types.STATUSBAR_HT_header.append(_draw)
    operators.Running.redraw.append(redraw)


def unregister():
    operators.Running.redraw.remove(redraw)
    bpy.types.STATUSBAR_HT_header.remove(_draw)
    delattr(bpy.types.WindowManager, PROGRESS)
