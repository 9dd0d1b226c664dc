# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the user of a Blender with a window waits from pressing Fill until it is drawn that the job is queued, each time with media that the host has never seen.

    xvfb-run -a -s "-screen 0 1440x900x24" blender --factory-startup --app-template Video_Editing --window-geometry 0 0 1440 900 --python press_in_blender.py -- WORK_FOLDER [TIMES]

The add-on lies in Blender's user scripts, EDITORBRIDGE_CLI names the program, and EDITORBRIDGE_DATA a data folder. WORK_FOLDER holds a.mp4 of 96 frames. Each time the prompt is written first and
two seconds go by until the press. Prints a line for each press, then the median.
"""

import os
import shutil
import statistics
import subprocess
import sys
import time
import traceback
from pathlib import Path

import bpy

arguments = sys.argv[sys.argv.index("--") + 1:]
work, times = Path(arguments[0]), int(arguments[1]) if len(arguments) > 1 else 8
bpy.context.preferences.view.show_splash = False
pressed = drawn = 0.0


def editor():
    window = bpy.context.window_manager.windows[0]
    areas = [area for area in window.screen.areas if area.type == "SEQUENCE_EDITOR" and area.spaces.active.view_type == "SEQUENCER"]
    area = max(areas, key=lambda a: a.width)
    return {"window": window, "area": area, "region": next(r for r in area.regions if r.type == "WINDOW")}


def new_media(name):
    path = work / name
    shutil.copy(work / "a.mp4", path)
    minute_ago = time.time() - 60
    os.utime(path, (minute_ago, minute_ago))
    return str(path)


def steps():
    global pressed, drawn
    bpy.ops.preferences.addon_enable(module="editorbridge")
    from editorbridge import compat, operators, status_bar
    bpy.context.preferences.addons["editorbridge"].preferences.media_folder = str(work / "clips")
    draw = status_bar._draw

    def watched(self, context):
        global drawn
        draw(self, context)
        # It may be running by then already.
        if operators.Running.job is not None and operators.Running.job.stored and not drawn:
            drawn = time.monotonic()

    bpy.types.STATUSBAR_HT_header.remove(draw)
    status_bar._draw = watched
    bpy.types.STATUSBAR_HT_header.append(watched)
    scene = compat.sequence_scene(bpy.context)
    scene.render.fps, scene.render.fps_base = 24, 1
    scene.render.resolution_x, scene.render.resolution_y = 320, 180
    scene.frame_end = 180
    strips = compat.strips(scene, create=True)
    settings = scene.editorbridge
    waits = []
    subprocess.run([os.environ["EDITORBRIDGE_CLI"], "jobs", "list"], stdout=subprocess.DEVNULL, check=True)
    # A host that was started just now starts its worker, which takes both cores of a small machine for three seconds.
    yield 5.0
    for number in range(times):
        for strip in list(strips):
            strips.remove(strip)
        a = strips.new_movie("shot 1", new_media(f"{number}a.mp4"), 1, 1, fit_method="ORIGINAL")
        compat.set_end(a, 85)
        b = strips.new_movie("shot 2", new_media(f"{number}b.mp4"), 1, 85, fit_method="ORIGINAL")
        compat.set_start(b, 109)
        scene.frame_set(96)
        yield 1.0
        settings.prompt = f"a sailing boat on the sea, {number}"
        yield 2.0
        pressed, drawn = time.monotonic(), 0.0
        with bpy.context.temp_override(**editor()):
            assert bpy.ops.editorbridge.fill() == {"FINISHED"}
        while operators.Running.job is not None and not drawn:
            assert time.monotonic() - pressed < 60, "It was not queued."
            yield 0.01
        assert drawn, operators.Running.last_problem
        waits.append(1000 * (drawn - pressed))
        print(f"queued {waits[-1]:.0f} ms", flush=True)
        with bpy.context.temp_override(**editor()):
            bpy.ops.editorbridge.cancel()
        while operators.Running.job is not None:
            yield 0.1
    print(f"median {statistics.median(waits):.0f} ms, best {min(waits):.0f}, worst {max(waits):.0f}", flush=True)


running = steps()


def tick():
    try:
        return next(running)
    except StopIteration:
        pass
    except BaseException:
        traceback.print_exc()
    bpy.ops.wm.quit_blender()
    return None


bpy.app.timers.register(tick, first_interval=2.0, persistent=True)
