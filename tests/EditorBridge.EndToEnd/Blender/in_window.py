# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs inside a Blender with a window: presses a button of the panel, waits as its user does, undoes, and takes pictures meanwhile.

    xvfb-run -a -s "-screen 0 1440x900x24" blender --factory-startup --app-template Video_Editing --window-geometry 0 0 1440 900 --python in_window.py -- WORK_FOLDER

WORK_FOLDER holds a.mp4 and b.mp4 of 96 frames at 24000/1001. Writes running.png and done.png there, and result.json: what was seen, or why it failed.
"""

import json
import sys
import time
import traceback
from pathlib import Path

import bpy

work = Path(sys.argv[sys.argv.index("--") + 1])
seen = {"drawn": [], "progress": []}
# Read after this script, and before the first picture.
bpy.context.preferences.view.show_splash = False


def editor():
    window = bpy.context.window_manager.windows[0]
    areas = [area for area in window.screen.areas if area.type == "SEQUENCE_EDITOR" and area.spaces.active.view_type == "SEQUENCER"]
    area = max(areas, key=lambda a: a.width)
    return {"window": window, "area": area, "region": next(r for r in area.regions if r.type == "WINDOW")}


def picture(name):
    with bpy.context.temp_override(window=bpy.context.window_manager.windows[0]):
        bpy.ops.screen.screenshot(filepath=str(work / name))


def steps():
    """One step a call of the timer; what is yielded is how long to wait until the next."""
    bpy.ops.preferences.addon_enable(module="editorbridge")
    from editorbridge import compat, operators, panel, status_bar, takes
    bpy.context.preferences.addons["editorbridge"].preferences.media_folder = str(work / "clips")
    drawn = panel.EDITORBRIDGE_PT_panel.draw, status_bar._draw

    def draw_panel(self, context):
        seen["drawn"].append("panel, running" if operators.Running.job else "panel")
        drawn[0](self, context)

    def draw_status_bar(self, context):
        if operators.Running.job:
            seen["drawn"].append("status bar")
        drawn[1](self, context)

    # The class is registered with the function's name looked up at each call; the status bar keeps the function itself.
    panel.EDITORBRIDGE_PT_panel.draw = draw_panel
    bpy.types.STATUSBAR_HT_header.remove(status_bar._draw)
    status_bar._draw = draw_status_bar
    bpy.types.STATUSBAR_HT_header.append(draw_status_bar)

    scene = compat.sequence_scene(bpy.context)
    scene.render.fps, scene.render.fps_base = 24, 1.001
    scene.render.resolution_x, scene.render.resolution_y = 320, 180
    scene.frame_end = 180
    strips = compat.strips(scene, create=True)
    a = strips.new_movie("shot 1", str(work / "a.mp4"), 1, 1, fit_method="ORIGINAL")
    compat.set_end(a, 85)
    b = strips.new_movie("shot 2", str(work / "b.mp4"), 1, 85, fit_method="ORIGINAL")
    compat.set_start(b, 109)
    compat.set_end(b, 169)
    settings = scene.editorbridge
    settings.prompt, settings.fixed_seed, settings.seed, settings.takes = "a sailing boat on the sea at sunset", True, 7, 2
    scene.frame_set(96)
    where = editor()
    space = where["area"].spaces.active
    space.show_region_ui = True
    # A script cannot choose a tab of the sidebar before 4.2: ours is to be the only one.
    for cls in bpy.types.Panel.__subclasses__():
        if getattr(cls, "bl_space_type", "") == "SEQUENCE_EDITOR" and getattr(cls, "bl_region_type", "") == "UI" and cls is not panel.EDITORBRIDGE_PT_panel and cls.is_registered:
            bpy.utils.unregister_class(cls)
    yield 1.0
    with bpy.context.temp_override(**where):
        bpy.ops.sequencer.view_all()
        bpy.ops.ed.undo_push(message="Before")
        yield 1.0
        assert bpy.ops.editorbridge.fill() == {"FINISHED"}
    begun = time.monotonic()
    pictured = False
    while operators.Running.job is not None:
        assert time.monotonic() - begun < 300, "The job did not end."
        seen["progress"].append(operators.Running.job.progress)
        if not pictured and operators.Running.job.progress > 0.4:
            picture("running.png")
            pictured = True
        yield 0.2
    seen["problem"] = operators.Running.last_problem
    assert not operators.Running.last_problem, operators.Running.last_problem
    made = next(s for s in strips if takes.PROPERTY in s)
    seen["made"] = [made.channel, compat.start_of(made), compat.end_of(made), len(takes.takes_of(made))]
    scene.sequence_editor.active_strip = made
    yield 1.5
    picture("done.png")
    yield 0.5
    with bpy.context.temp_override(**editor()):
        bpy.ops.ed.undo()
    scene = compat.sequence_scene(bpy.context)
    seen["after undo"] = [s.name for s in compat.strips(scene)]
    with bpy.context.temp_override(**editor()):
        bpy.ops.ed.redo()
    seen["after redo"] = len(compat.strips(compat.sequence_scene(bpy.context)))


def end():
    (work / "result.json").write_text(json.dumps({**seen, "drawn": sorted(set(seen["drawn"]))}), encoding="utf-8")
    bpy.ops.wm.quit_blender()


running = steps()


def tick():
    try:
        return next(running)
    except StopIteration:
        end()
    except BaseException:
        seen["failed"] = traceback.format_exc()
        end()
    return None


bpy.app.timers.register(tick, first_interval=2.0, persistent=True)
