# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the program is and where clips go."""

from pathlib import Path

import bpy

from . import command


class EditorBridgePreferences(bpy.types.AddonPreferences):
    bl_idname = __package__

    program: bpy.props.StringProperty(
        name="Program", description="The editorbridge program; empty to look for it on the path", subtype="FILE_PATH")
    media_folder: bpy.props.StringProperty(
        name="Clips", description="Where clips are kept; empty for a folder beside the saved file, or in your home folder", subtype="DIR_PATH")

    def draw(self, context):
        self.layout.prop(self, "program")
        if command.find_program(bpy.path.abspath(self.program)) is None:
            self.layout.label(text="The editorbridge program was not found: name it here", icon="ERROR")
        self.layout.prop(self, "media_folder")


def _own(context):
    addon = context.preferences.addons.get(__package__)
    return addon.preferences if addon else None


def program(context):
    own = _own(context)
    return command.find_program(bpy.path.abspath(own.program) if own and own.program else "")


def media_folder(context):
    own = _own(context)
    if own and own.media_folder:
        return bpy.path.abspath(own.media_folder)
    if bpy.data.filepath:
        return str(Path(bpy.data.filepath).parent / "editorbridge")
    return str(Path.home() / "EditorBridge")


def register():
    bpy.utils.register_class(EditorBridgePreferences)


def unregister():
    bpy.utils.unregister_class(EditorBridgePreferences)
