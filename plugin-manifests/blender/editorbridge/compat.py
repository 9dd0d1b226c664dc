# SPDX-License-Identifier: GPL-3.0-or-later
"""One name for what Blender 3.4 to 5.x call differently. Strips were "sequences" until 4.4; bounds got new names in 5.1."""


def sequence_scene(context):
    """The scene whose sequence is edited; from 5.0 a workspace may show another one than the window does."""
    workspace = getattr(context, "workspace", None)
    return (getattr(context, "sequencer_scene", None)
            or getattr(workspace, "sequencer_scene", None)
            or context.scene)


def strips(scene, create=False):
    """The strips of the sequence's top level, as Blender's own collection; None when there is no sequence."""
    editor = scene.sequence_editor
    if editor is None:
        if not create:
            return None
        editor = scene.sequence_editor_create()
    return editor.strips if hasattr(editor, "strips") else editor.sequences


def selected(scene):
    return [strip for strip in strips(scene) or () if strip.select]


def active(scene):
    editor = scene.sequence_editor
    return editor.active_strip if editor else None


def _first(strip, *names, default=None):
    for name in names:
        if hasattr(strip, name):
            return getattr(strip, name)
    return default


def start_of(strip):
    """The first frame of the sequence that the strip is seen at."""
    return int(_first(strip, "left_handle", "frame_final_start"))


def end_of(strip):
    """The first frame of the sequence after it."""
    return int(_first(strip, "right_handle", "frame_final_end"))


def set_end(strip, frame):
    if hasattr(strip, "right_handle"):
        strip.right_handle = frame
    else:
        strip.frame_final_end = frame


def set_start(strip, frame):
    if hasattr(strip, "left_handle"):
        strip.left_handle = frame
    else:
        strip.frame_final_start = frame


def content_start_of(strip):
    """The frame of the sequence at which the first frame of the media (after its own trim) would be seen."""
    return int(_first(strip, "content_start", "frame_start"))


def content_length_of(strip):
    """Frames of the media, its own trims taken off."""
    return int(_first(strip, "content_duration", "frame_duration"))


def media_trim_of(strip):
    return int(_first(strip, "content_trim_start", "animation_offset_start", default=0))


def media_trim_end_of(strip):
    return int(_first(strip, "content_trim_end", "animation_offset_end", default=0))


def highest_channel(strip):
    return strip.bl_rna.properties["channel"].hard_max
