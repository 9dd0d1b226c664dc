# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel in the sequencer's sidebar."""

import json
import textwrap

import bpy

from . import compat, job, operators


class EDITORBRIDGE_PT_panel(bpy.types.Panel):
    bl_idname = "EDITORBRIDGE_PT_panel"
    bl_label = "EditorBridge"
    bl_space_type = "SEQUENCE_EDITOR"
    bl_region_type = "UI"
    bl_category = "EditorBridge"

    def draw(self, context):
        layout = self.layout
        scene = compat.sequence_scene(context)
        values = scene.editorbridge
        running = operators.Running.job
        if running is not None:
            if hasattr(layout, "progress"):
                layout.progress(factor=running.progress, text=running.message)
            else:
                layout.label(text=f"{round(100 * running.progress)} %: {running.message}", icon="TIME")
            for warning in running.warnings:
                _lines(layout, warning, "INFO")
            layout.operator("editorbridge.cancel", icon="CANCEL")
            return

        layout.prop(values, "prompt", text="", icon="TEXT")
        layout.prop(values, "negative")
        row = layout.row(align=True)
        row.prop(values, "fixed_seed", text="Seed")
        sub = row.row(align=True)
        sub.enabled = values.fixed_seed
        sub.prop(values, "seed", text="")
        layout.prop(values, "model")

        box = layout.box()
        box.prop(values, "reference")
        box.operator("editorbridge.broll", icon="ADD")

        box = layout.box()
        box.prop(values, "frames")
        box.prop(values, "generate")
        row = box.row(align=True)
        row.operator("editorbridge.extend", text="Extend Head", icon="BACK").head = True
        row.operator("editorbridge.extend", text="Extend Tail", icon="FORWARD").head = False

        layout.box().operator("editorbridge.fill", icon="ARROW_LEFTRIGHT")

        if operators.Running.last_problem:
            _lines(layout, operators.Running.last_problem, "ERROR")
        elif operators.Running.last_message:
            _lines(layout, operators.Running.last_message, "CHECKMARK")
        _how_it_was_made(layout, compat.active(scene))


def _lines(layout, text, icon):
    column = layout.column(align=True)
    for number, line in enumerate(textwrap.wrap(text, 48)):
        column.label(text=line, icon=icon if number == 0 else "BLANK1")


def _how_it_was_made(layout, strip):
    if strip is None or job.PROPERTY not in strip:
        return
    box = layout.box()
    box.label(text=f"'{strip.name}' was generated")
    try:
        record = json.loads(strip[job.PROPERTY])
    except ValueError:
        return
    for name, value in record.items():
        if value not in ("", None):
            _lines(box, f"{name}: {value}", "NONE")


def register():
    bpy.utils.register_class(EDITORBRIDGE_PT_panel)


def unregister():
    bpy.utils.unregister_class(EDITORBRIDGE_PT_panel)
