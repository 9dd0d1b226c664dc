# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel in the sequencer's sidebar."""

import textwrap

import bpy

from . import compat, operators, takes

# What the panel says of a generated strip; the rest of its record is for programs.
TOLD = (("job", "Job"), ("prompt", "Prompt"), ("negative", "Negative"), ("model", "Model"), ("seed", "Seed"), ("reference", "Reference"), ("job_name", "Name"))


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
                _lines(context, layout, warning, "INFO")
            layout.operator("editorbridge.cancel", icon="CANCEL")
            return

        strip = compat.active(scene)
        record = takes.record_of(strip) if strip is not None and strip.type == "MOVIE" else None
        if record is not None:
            _takes(layout, strip)

        layout.prop(values, "prompt", text="", icon="TEXT")
        layout.prop(values, "negative")
        row = layout.row(align=True)
        row.prop(values, "fixed_seed", text="Seed")
        sub = row.row(align=True)
        sub.enabled = values.fixed_seed
        sub.prop(values, "seed", text="")
        layout.prop(values, "takes")
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
            _lines(context, layout, operators.Running.last_problem, "ERROR")
        elif operators.Running.last_message:
            _lines(context, layout, operators.Running.last_message, "CHECKMARK")
        if record is not None:
            box = layout.box()
            for name, title in TOLD:
                if record.get(name) not in ("", None):
                    _lines(context, box, f"{title}: {record[name]}", "NONE")


def _lines(context, layout, text, icon):
    # Labels do not wrap by themselves; a letter is some 7 pixels wide, and icon and margins take 70.
    letters = max(20, int((context.region.width / context.preferences.system.ui_scale - 70) / 7))
    column = layout.column(align=True)
    for number, line in enumerate(textwrap.wrap(text, letters)):
        column.label(text=line, icon=icon if number == 0 else "BLANK1")


def _takes(layout, strip):
    box = layout.box()
    box.label(text=f"'{strip.name}'", icon="SEQUENCE")
    made, shown = takes.takes_of(strip), takes.shown_of(strip)
    grid = box.grid_flow(row_major=True, columns=min(len(made), 4), align=True)
    for number in range(len(made)):
        grid.operator("editorbridge.show_take", text=f"Take {number + 1}", depress=number == shown).take = number + 1
    row = box.row(align=True)
    row.operator("editorbridge.take", icon="ADD").again = False
    row.operator("editorbridge.take", text="", icon="FILE_REFRESH").again = True
    row.operator("editorbridge.use_settings", text="", icon="COPYDOWN")


def register():
    bpy.utils.register_class(EDITORBRIDGE_PT_panel)


def unregister():
    bpy.utils.unregister_class(EDITORBRIDGE_PT_panel)
