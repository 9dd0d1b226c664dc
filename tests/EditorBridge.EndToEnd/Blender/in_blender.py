# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs inside Blender: the three jobs through the add-on's operators, then save, load and look again.

    blender -b --factory-startup --python-exit-code 1 --python in_blender.py -- WORK_FOLDER

The add-on lies in Blender's user scripts. WORK_FOLDER holds a.mp4 and b.mp4 of 96 frames at 24000/1001, and fast.mp4 of 24 at twice that. Prints "PASSED name" for everything that was found true.
"""

import json
import os
import subprocess
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
from editorbridge import compat, job, operators, sequence, takes  # noqa: E402

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
otio = sequence.to_otio(scene, pieces, sequence.origin_of(pieces), 85, 109)
children = otio["tracks"]["children"][0]["children"]
check("the timeline's items", [(c["OTIO_SCHEMA"], c["source_range"]["duration"]["value"]) for c in children],
      [("Clip.2", 84), ("Gap.1", 24), ("Clip.2", 60)])
check("the timeline's rate", otio["global_start_time"]["rate"], 24000 / 1001)

# Blender opens a file to tell its rate: it is asked for those beside the range, once for each version of a file. The third has twice the rate.
fast = strips.new_movie("fast", str(work / "fast.mp4"), 2, 200, fit_method="ORIGINAL")


def told_of_fast(start, end):
    clip = sequence.to_otio(scene, sequence.pieces_of(scene), 1, start, end)["tracks"]["children"][1]["children"][-1]
    media = clip["media_references"]["DEFAULT_MEDIA"]["available_range"]
    return [round(effect["time_scalar"], 3) for effect in clip["effects"]], round(media["start_time"]["rate"], 3)


check("away from the range", told_of_fast(85, 109), ([], 23.976))
check("beside it: a media frame a frame is half its speed", told_of_fast(180, 200), ([0.5], 47.952))
# Another answer in place of the one it remembers shows whether it asks again.
version, = (key for key in sequence._media_rates if key[0].endswith("fast.mp4"))
sequence._media_rates[version] = 12.0
check("asked once", told_of_fast(180, 200)[1], 12.0)
os.utime(work / "fast.mp4", (1, 1))
check("asked again about a changed file", told_of_fast(180, 200)[1], 47.952)
strips.remove(fast)


def record_of(strip):
    return json.loads(strip[takes.PROPERTY])


def bounds(strip):
    return strip.channel, compat.start_of(strip), compat.end_of(strip), strip.frame_duration


def made():
    return [s for s in strips if takes.PROPERTY in s]


def activate(strip):
    scene.sequence_editor.active_strip = strip
    return True


def refused_take(strip):
    activate(strip)
    return refused(bpy.ops.editorbridge.take)


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

# Takes: another one of the same settings and a new seed; the strip keeps both, its place, its trims, and what was done to it.
scene.sequence_editor.active_strip = broll
first_file = os.path.realpath(bpy.path.abspath(broll.filepath))
broll.blend_alpha = 0.5
compat.set_start(broll, 33)
settings.prompt, settings.fixed_seed = "something else", False
check("another take", bpy.ops.editorbridge.take(wait=True), {"FINISHED"})
check("it is the same strip", (len(made()), bounds(broll), broll.blend_alpha), (4, (2, 33, 43, 12), 0.5))
check("it has two takes", (len(takes.takes_of(broll)), takes.shown_of(broll)), (2, 1))
check("its settings are the strip's, not the panel's", record_of(broll)["prompt"], "a sailing boat on the sea at sunset")
second_file = os.path.realpath(bpy.path.abspath(broll.filepath))
check("its seed is another", record_of(broll)["seed"] != 7 and record_of(broll)["seed"] == takes.takes_of(broll)[1].seed, True)
check("its file is another", (second_file != first_file, os.path.isfile(first_file)), (True, True))
check("show the first take", bpy.ops.editorbridge.show_take(take=1), {"FINISHED"})
check("the first is shown", (os.path.realpath(bpy.path.abspath(broll.filepath)), takes.shown_of(broll), record_of(broll)["seed"]), (first_file, 0, 7))
check("shown in the same place", bounds(broll), (2, 33, 43, 12))
check("no such take", "has 2" in refused(bpy.ops.editorbridge.show_take, take=3), True)

# The shown take made again: the same seed gives the same frames. First its file is lost, which is said.
os.rename(second_file, second_file + ".lost")
check("a lost take", "make it again" in refused(bpy.ops.editorbridge.show_take, take=2), True)
check("still the first", takes.shown_of(broll), 0)
os.rename(second_file + ".lost", second_file)
check("make it again", bpy.ops.editorbridge.take(wait=True, again=True), {"FINISHED"})
check("a third take of the first one's seed", (len(takes.takes_of(broll)), record_of(broll)["seed"]), (3, 7))
again_file = os.path.realpath(bpy.path.abspath(broll.filepath))


def frames_of(path):
    hashes = subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-map", "0:v", "-f", "framemd5", "-"], check=True, capture_output=True, text=True).stdout
    return [line.split(",")[-1].strip() for line in hashes.splitlines() if not line.startswith("#")]


check("frame for frame the first take", frames_of(again_file), frames_of(first_file))
check("and not the second", frames_of(again_file) != frames_of(second_file), True)
settings.negative = "left over"
check("its settings in the panel", bpy.ops.editorbridge.use_settings(), {"FINISHED"})
check("they are there", (settings.prompt, settings.negative, settings.fixed_seed, settings.seed), ("a sailing boat on the sea at sunset", "", True, 7))

# Of a fill and an extension too: their neighbours are found again, also when the strip itself lies between.
for strip, count in ((filled, 2), (tail, 2), (head, 2)):
    scene.sequence_editor.active_strip = strip
    before = bounds(strip)
    check(f"another take of the {record_of(strip)['job']}", bpy.ops.editorbridge.take(wait=True), {"FINISHED"})
    check("in the same place", (bounds(strip), len(takes.takes_of(strip)), len(made())), (before, count, 4))
check("a shot that was filmed has none", "generated" in refused_take(a), True)
compat.set_start(b, 111)
scene.sequence_editor.active_strip = filled
check("a fill whose gap is another now", "moved" in refused(bpy.ops.editorbridge.take), True)
compat.set_start(b, 109)

# Several takes at once, the first of them shown.
settings.fixed_seed, settings.seed, settings.takes = True, 20, 2
scene.frame_preview_start, scene.frame_preview_end = 60, 64
check("two takes at once", bpy.ops.editorbridge.broll(wait=True), {"FINISHED"})
pair = made()[-1]
check("both are kept", ([t.seed for t in takes.takes_of(pair)], takes.shown_of(pair), bounds(pair)), ([20, 21], 0, (2, 60, 65, 5)))
check("show the second", bpy.ops.editorbridge.show_take(take=2) if activate(pair) else None, {"FINISHED"})
check("the second is shown", (takes.shown_of(pair), record_of(pair)["seed"]), (1, 21))
settings.takes = 1

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
check("cancelled", (running.cancelled, running.strip, len(made())), (True, None, 5))
check("the program ended", running._command.running, False)

# Everything is there after saving and loading.
def state():
    return {s.name: (bounds(s), s[takes.PROPERTY], os.path.realpath(bpy.path.abspath(s.filepath)), takes.shown_of(s)) for s in made()}


before = state()
file = work / "saved.blend"
bpy.ops.wm.save_as_mainfile(filepath=str(file))
bpy.ops.wm.read_homefile(use_empty=True)
bpy.ops.wm.open_mainfile(filepath=str(file))
strips = compat.strips(bpy.context.scene)
check("saved and loaded", state(), before)
check("the clips exist", all(os.path.isfile(path) for _, _, path, _ in state().values()), True)
scene = bpy.context.scene
pair = next(s for s in made() if len(takes.takes_of(s)) == 2 and takes.shown_of(s) == 1 and record_of(s)["seed"] == 21)
activate(pair)
check("takes after loading", bpy.ops.editorbridge.show_take(take=1), {"FINISHED"})

# Blender itself, without the add-on, opens the file and saves it again: in_blender_again.py looks.
bpy.ops.editorbridge.show_take(take=2)
with open(work / "bounds.json", "w", encoding="utf-8") as out:
    json.dump({s.name: [s.channel, compat.start_of(s), compat.end_of(s), s.get(takes.PROPERTY, ""), os.path.realpath(bpy.path.abspath(s.filepath))] for s in strips}, out)
bpy.ops.wm.save_mainfile()

bpy.ops.preferences.addon_disable(module="editorbridge")
check("unregistered", hasattr(bpy.types.Scene, "editorbridge"), False)
print("ALL PASSED", flush=True)
