# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs inside Blender: the three jobs through the add-on's operators, then save, load and look again.

    blender -b --factory-startup --python-exit-code 1 --python in_blender.py -- WORK_FOLDER

The add-on lies in Blender's user scripts. WORK_FOLDER holds a.mp4 and b.mp4 of 96 frames at 24000/1001. Prints "PASSED name" for everything that was found true.
"""

import json
import os
import sys
import time
from pathlib import Path

import bpy

work = Path(sys.argv[sys.argv.index("--") + 1])


def check(name, found, wanted):
    if found != wanted:
        raise AssertionError(f"{name}: found {found!r}, wanted {wanted!r}")
    print(f"PASSED {name}", flush=True)


def refused(operator, **arguments):
    try:
        operator(**arguments)
    except RuntimeError as error:
        return str(error)
    raise AssertionError("It was not refused.")


bpy.ops.preferences.addon_enable(module="editorbridge")
check("the add-on is enabled", "editorbridge" in bpy.context.preferences.addons, True)
from editorbridge import compat, job, operators, sequence  # noqa: E402

bpy.context.preferences.addons["editorbridge"].preferences.media_folder = str(work / "clips")
scene = bpy.context.scene
scene.render.fps, scene.render.fps_base = 24, 1.001
scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = 320, 180, 100
check("the rate is exact", str(sequence.rate_of(scene)), "24000/1001")

# a: 1..85 (12 frames trimmed off its end), gap of 24, b: 109..169 (24 trimmed off its head, 12 off its end).
strips = compat.strips(scene, create=True)
a = strips.new_movie("a", str(work / "a.mp4"), 1, 1, fit_method="ORIGINAL")
compat.set_end(a, 85)
b = strips.new_movie("b", str(work / "b.mp4"), 1, 85, fit_method="ORIGINAL")
compat.set_start(b, 109)
compat.set_end(b, 169)
check("bounds", [(compat.start_of(s), compat.end_of(s)) for s in (a, b)], [(1, 85), (109, 169)])

pieces = sequence.pieces_of(scene)
check("the source frame under the head of b", [p.source_start for p in pieces], [0, 24])
check("media lengths", [p.media_frames for p in pieces], [96, 96])
otio = sequence.to_otio(scene, pieces, sequence.origin_of(pieces), 0)
children = otio["tracks"]["children"][0]["children"]
check("the timeline's items", [(c["OTIO_SCHEMA"], c["source_range"]["duration"]["value"]) for c in children],
      [("Clip.2", 84), ("Gap.1", 24), ("Clip.2", 60)])
check("the timeline's rate", otio["global_start_time"]["rate"], 24000 / 1001)


def record_of(strip):
    return json.loads(strip[job.PROPERTY])


def bounds(strip):
    return strip.channel, compat.start_of(strip), compat.end_of(strip), strip.frame_duration


def made():
    return [s for s in strips if job.PROPERTY in s]


settings = scene.editorbridge
settings.fixed_seed, settings.seed = True, 7

# Refusals say what to do.
settings.prompt = "nothing yet"
for strip in strips:
    strip.select = False
scene.frame_current = 20
check("no gap at the playhead", "put the playhead into one" in refused(bpy.ops.editorbridge.fill), True)
check("no range", "preview range" in refused(bpy.ops.editorbridge.broll), True)
scene.use_preview_range, scene.frame_preview_start, scene.frame_preview_end = True, 31, 42
settings.prompt = "  "
check("no prompt", "prompt" in refused(bpy.ops.editorbridge.broll), True)
check("nothing was made", len(made()), 0)

# Fill: the gap between the shots, exactly, on their channel.
scene.frame_current = 90
settings.prompt = "a red car driving to the left in the city"
check("fill", bpy.ops.editorbridge.fill(wait=True), {"FINISHED"})
filled, = made()
check("fill bounds", bounds(filled), (1, 85, 109, 24))
check("fill record", (record_of(filled)["job"], record_of(filled)["seed"], record_of(filled)["prompt"]), ("fill", 7, settings.prompt))
check("what made it", [k in record_of(filled) for k in ("model", "job_name")], [True, True])

# B-roll: the preview range (its end is the last frame in Blender), on the lowest channel that is free above.
settings.prompt = "a sailing boat on the sea at sunset"
check("b-roll", bpy.ops.editorbridge.broll(wait=True), {"FINISHED"})
broll = made()[-1]
check("b-roll bounds", bounds(broll), (2, 31, 43, 12))

# Extend at the tail: the media still has 12 frames of b, so 10 come from it.
scene.sequence_editor.active_strip = b
settings.frames = 10
check("extend from the media", bpy.ops.editorbridge.extend(wait=True), {"FINISHED"})
check("the strip shows its own frames", (compat.start_of(b), compat.end_of(b), len(made())), (109, 179, 2))

# 2 are left: 13 have to be generated, right behind the strip.
settings.frames = 13
check("extend the tail", bpy.ops.editorbridge.extend(wait=True), {"FINISHED"})
tail = made()[-1]
check("tail bounds", bounds(tail), (1, 179, 192, 13))

a.transform.scale_x, a.crop.min_x = 0.5, 8
# At the head of a there is nothing before frame 1 but time: Blender's frames may be negative.
scene.sequence_editor.active_strip = a
settings.frames = 6
check("extend the head", bpy.ops.editorbridge.extend(wait=True, head=True), {"FINISHED"})
head = made()[-1]
check("head bounds", bounds(head), (1, -5, 1, 6))
check("it lies where its neighbour lies", [head.transform.scale_x, head.crop.min_x], [0.5, 8])
check("four clips", len({s.filepath for s in made()}), 4)

# Cancelling ends the program and puts nothing in.
scene.frame_preview_start, scene.frame_preview_end = 50, 73
from editorbridge import preferences, settings as settings_module  # noqa: E402
request = job.broll(scene, settings_module.options_of(scene, "broll"))
running = job.Job(scene, request, preferences.program(bpy.context), preferences.media_folder(bpy.context))
while running.progress == 0 and running.poll():
    time.sleep(0.02)
check("it was at work", running.problem, None)
running.cancel()
running.run(60)
check("cancelled", (running.cancelled, running.strip, len(made())), (True, None, 4))
check("the program ended", running._command.running, False)

# Everything is there after saving and loading.
before = {s.name: (bounds(s), s[job.PROPERTY], os.path.realpath(bpy.path.abspath(s.filepath))) for s in made()}
file = work / "saved.blend"
bpy.ops.wm.save_as_mainfile(filepath=str(file))
bpy.ops.wm.read_homefile(use_empty=True)
bpy.ops.wm.open_mainfile(filepath=str(file))
strips = compat.strips(bpy.context.scene)
after = {s.name: (bounds(s), s[job.PROPERTY], os.path.realpath(bpy.path.abspath(s.filepath))) for s in made()}
check("saved and loaded", after, before)
check("the clips exist", all(os.path.isfile(path) for _, _, path in after.values()), True)

bpy.ops.preferences.addon_disable(module="editorbridge")
check("unregistered", hasattr(bpy.types.Scene, "editorbridge"), False)
print("ALL PASSED", flush=True)
