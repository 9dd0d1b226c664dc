# SPDX-License-Identifier: GPL-3.0-or-later
"""The three jobs and cancel as operators. With a window a timer looks after the job; without one, or with wait, the call does."""

from dataclasses import replace

import bpy

from . import compat, job, preferences, settings, takes
from .sequence import Refusal

POLL_SECONDS = 0.25

# Whoever pressed a button waits to see that the job is queued.
FIRST_POLL_SECONDS = 0.02


class Running:
    """The job at work, and how the last one ended. One at a time: the machine has one GPU."""
    job = None
    last_message = ""
    last_problem = ""
    shown = None
    """What was drawn last of the job at work."""
    redraw = []
    """Called when there is something new to see."""


def _poll():
    current = Running.job
    if current is None:
        return None
    try:
        going_on = current.poll()
    except Exception as error:  # a timer that raises is dropped silently
        current.problem = current.problem or f"The clip could not be put in: {error}"
        going_on = False
    if not going_on:
        _ended(current)
        _redraw(everything=True)
    elif Running.shown != _told_of(current):
        # Cancel changes the message too, between two looks.
        Running.shown = _told_of(current)
        _redraw()
    return (POLL_SECONDS if current.stored else FIRST_POLL_SECONDS) if going_on else None


def _ended(ended):
    Running.job = None
    Running.last_problem = ended.problem or ""
    Running.last_message = "" if ended.problem else ended.message


def _push_undo(kind):
    try:
        bpy.ops.ed.undo_push(message=f"EditorBridge {kind}")
    except RuntimeError:
        pass  # no window to undo in


def _poll_and_remember():
    current = Running.job
    again = _poll()
    if again is None and current is not None and current.strip is not None:
        _push_undo(current.request.kind)
        _redraw(everything=True)
    return again


def _told_of(job):
    return job.message, job.progress, len(job.warnings)


def _redraw(everything=False):
    """Draws anew where a job is told of. While one runs that is the sidebar: the picture and the strips are slow to draw, and have not changed."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "SEQUENCE_EDITOR":
                for region in area.regions:
                    if everything or region.type == "UI":
                        region.tag_redraw()
    for draw in Running.redraw:
        draw()


@bpy.app.handlers.persistent
def _before_load(*_):
    # The scene that the clip belongs in is about to go.
    if Running.job is not None:
        Running.job.cancel()


class JobOperator:
    bl_options = {"REGISTER", "UNDO"}

    wait: bpy.props.BoolProperty(
        name="Wait", description="Return when the clip is in", default=False, options={"HIDDEN", "SKIP_SAVE"})

    @classmethod
    def poll(cls, context):
        return compat.sequence_scene(context) is not None and Running.job is None

    def execute(self, context):
        scene = compat.sequence_scene(context)
        try:
            if self.settled_without_job(scene):
                return {"FINISHED"}
            request = self.request(scene)
            if not request.into:
                request = replace(request, takes=scene.editorbridge.takes)
            if not request.settings["prompt"]:
                raise Refusal("Write a prompt first: it says what is to be seen.")
            program = preferences.program(context)
            if program is None:
                raise Refusal("The editorbridge program was not found: name it in the add-on's preferences.")
            Running.last_message = Running.last_problem = ""
            current = job.Job(scene, request, program, preferences.media_folder(context))
        except Refusal as refusal:
            self.report({"ERROR"}, str(refusal))
            return {"CANCELLED"}
        if self.wait or bpy.app.background:
            current.run()
            _ended(current)
            if current.problem:
                self.report({"ERROR"}, current.problem)
                return {"CANCELLED"}
            self.report({"INFO"}, current.message)
            return {"FINISHED"}
        Running.job, Running.shown = current, _told_of(current)
        _redraw()
        bpy.app.timers.register(_poll_and_remember, first_interval=FIRST_POLL_SECONDS, persistent=True)
        return {"FINISHED"}

    def settled_without_job(self, scene):
        return False


class EDITORBRIDGE_OT_broll(JobOperator, bpy.types.Operator):
    """Generate a clip for the preview range, or for what the selected strips cover, on a channel above"""
    bl_idname = "editorbridge.broll"
    bl_label = "B-Roll"

    def request(self, scene):
        return job.broll(scene, settings.options_of(scene, "broll"))


class EDITORBRIDGE_OT_extend(JobOperator, bpy.types.Operator):
    """Make the active movie strip longer, with frames its media still has or with generated ones"""
    bl_idname = "editorbridge.extend"
    bl_label = "Extend"

    head: bpy.props.BoolProperty(name="At the head", default=False)

    def settled_without_job(self, scene):
        values = scene.editorbridge
        if values.generate or not job.use_handles(scene, values.frames, self.head):
            return False
        self.report({"INFO"}, f"The media still had {values.frames} frames: the strip shows them now, nothing was generated")
        return True

    def request(self, scene):
        return job.extend(scene, settings.options_of(scene, "extend"), scene.editorbridge.frames, self.head)


class EDITORBRIDGE_OT_fill(JobOperator, bpy.types.Operator):
    """Fill the gap between the two selected strips, or the one at the playhead, leading from one shot into the other"""
    bl_idname = "editorbridge.fill"
    bl_label = "Fill Gap"

    def request(self, scene):
        return job.fill(scene, settings.options_of(scene, "fill"))


class EDITORBRIDGE_OT_take(JobOperator, bpy.types.Operator):
    """Make another take of the active strip with the settings it was made with; it keeps those it has"""
    bl_idname = "editorbridge.take"
    bl_label = "Another Take"

    again: bpy.props.BoolProperty(name="Same seed", description="Make the shown take again, should its file be lost", default=False)

    def request(self, scene):
        return job.take(scene, compat.active(scene), self.again)


class EDITORBRIDGE_OT_show_take(bpy.types.Operator):
    """Let the active strip show this take; its place, its trims and everything laid on it stay"""
    bl_idname = "editorbridge.show_take"
    bl_label = "Show Take"
    bl_options = {"REGISTER", "UNDO"}

    take: bpy.props.IntProperty(name="Take", default=1, min=1)

    @classmethod
    def poll(cls, context):
        return _generated(context) is not None

    def execute(self, context):
        strip = _generated(context)
        try:
            shown = takes.show(strip, self.take - 1)
        except Refusal as refusal:
            self.report({"ERROR"}, str(refusal))
            return {"CANCELLED"}
        self.report({"INFO"}, f"'{strip.name}' shows take {self.take}, seed {shown.seed}")
        return {"FINISHED"}


class EDITORBRIDGE_OT_use_settings(bpy.types.Operator):
    """Set the panel to what the active strip was made with"""
    bl_idname = "editorbridge.use_settings"
    bl_label = "Use Its Settings"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context):
        return _generated(context) is not None

    def execute(self, context):
        settings.take_over(compat.sequence_scene(context), takes.record_of(_generated(context)))
        return {"FINISHED"}


def _generated(context):
    """The active strip, when it was generated here."""
    scene = compat.sequence_scene(context)
    strip = compat.active(scene) if scene else None
    return strip if strip is not None and strip.type == "MOVIE" and takes.record_of(strip) is not None else None


class EDITORBRIDGE_OT_cancel(bpy.types.Operator):
    """End the running job; nothing is put into the sequence"""
    bl_idname = "editorbridge.cancel"
    bl_label = "Cancel"

    @classmethod
    def poll(cls, context):
        return Running.job is not None

    def execute(self, context):
        Running.job.cancel()
        return {"FINISHED"}


CLASSES = (EDITORBRIDGE_OT_broll, EDITORBRIDGE_OT_extend, EDITORBRIDGE_OT_fill, EDITORBRIDGE_OT_take, EDITORBRIDGE_OT_show_take,
           EDITORBRIDGE_OT_use_settings, EDITORBRIDGE_OT_cancel)


def register():
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    bpy.app.handlers.load_pre.append(_before_load)


def unregister():
    if Running.job is not None:
        Running.job.cancel()
    if bpy.app.timers.is_registered(_poll_and_remember):
        bpy.app.timers.unregister(_poll_and_remember)
    bpy.app.handlers.load_pre.remove(_before_load)
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
