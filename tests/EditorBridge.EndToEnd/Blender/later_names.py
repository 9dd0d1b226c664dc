# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on with a stand-in for Blender that has one version's names and no others, as that version's reference lists them.

    python3 later_names.py ADD_ON_PARENT WORK_FOLDER VERSION        VERSION: 3.4, 4.4, 5.0, 5.1 or 6.0

Whatever the add-on asks for under another name fails, as it would there: objects have fixed members. 5.1 has the old bounds beside the
new ones; 6.0 is where they are announced to go. The program is a stand-in as well; what the real one does is tested in a real Blender.
Prints "ALL PASSED".
"""

import json
import os
import stat
import sys
import types
from pathlib import Path

parent, work, version = sys.argv[1], Path(sys.argv[2]), tuple(map(int, sys.argv[3].split(".")))
NEW_BOUNDS = version >= (5, 1)
OLD_BOUNDS = version < (6, 0)
STRIPS = version >= (4, 4)
SEQUENCER_SCENE = version >= (5, 0)


def check(name, found, wanted):
    if found != wanted:
        raise AssertionError(f"{name}: found {found!r}, wanted {wanted!r}")
    print(f"PASSED {name}", flush=True)


class Fixed:
    """Has the members it was made with, and never another."""

    def __init__(self, **members):
        object.__setattr__(self, "__dict__", members)

    def __setattr__(self, name, value):
        if name not in self.__dict__ and not isinstance(getattr(type(self), name, None), property):
            raise AttributeError(f"{type(self).__name__} has no '{name}' in {version}")
        object.__setattr__(self, name, value)


class Strip(Fixed):
    def __init__(self, name, kind, channel, start, frames, filepath):
        members = dict(name=name, type=kind, channel=channel, select=False, mute=False, lock=False, _start=start, _frames=frames, _left=0, _right=0, _custom={}, _path=filepath)
        if kind == "MOVIE":
            members.update(fps=24.0, use_flip_x=False, use_flip_y=False,
                           transform=Fixed(scale_x=1.0, scale_y=1.0, offset_x=0.0, offset_y=0.0, rotation=0.0, origin=(0.5, 0.5)),
                           crop=Fixed(min_x=0, max_x=0, min_y=0, max_y=0))
        super().__init__(**members)

    bl_rna = Fixed(properties={"channel": Fixed(hard_max=128)})

    def __contains__(self, key):
        return key in self._custom

    def __getitem__(self, key):
        return self._custom[key]

    def __setitem__(self, key, value):
        self._custom[key] = value

    def get(self, key, default=None):
        return self._custom.get(key, default)

    @property
    def filepath(self):
        return self._path

    @filepath.setter
    def filepath(self, path):
        self.__dict__.update(_path=path, _frames=frames_in(path))


def bounds(names, get, set=None):
    for name in names:
        setattr(Strip, name, property(get, set))


def pick(old, new):
    return ([old] if OLD_BOUNDS else []) + ([new] if NEW_BOUNDS else [])


bounds(pick("frame_final_start", "left_handle"), lambda s: s._start + s._left, lambda s, frame: s.__dict__.update(_left=frame - s._start))
bounds(pick("frame_final_end", "right_handle"), lambda s: s._start + s._frames - s._right, lambda s, frame: s.__dict__.update(_right=s._start + s._frames - frame))
bounds(pick("frame_start", "content_start"), lambda s: float(s._start), lambda s, frame: s.__dict__.update(_start=frame))
bounds(pick("frame_duration", "content_duration"), lambda s: s._frames)
bounds(pick("animation_offset_start", "content_trim_start"), lambda s: 0)
bounds(pick("animation_offset_end", "content_trim_end"), lambda s: 0)


def frames_in(path):
    return int(Path(path).read_text())


class Strips(list):
    def new_movie(self, name, filepath, channel, frame_start, *, fit_method="ORIGINAL", **later):
        if version < (5, 0) and later:
            raise TypeError("no such argument")
        if any(s.channel == channel and s._start + s._left < frame_start + frames_in(filepath) and frame_start < s._start + s._frames - s._right for s in self):
            channel += 1  # Blender moves a strip that would lie on another
        strip = Strip(name, "MOVIE", channel, frame_start, frames_in(filepath), filepath)
        self.append(strip)
        return strip

    def get(self, name, default=None):
        return next((s for s in self if s.name == name), default)


def make_bpy():
    bpy = types.ModuleType("bpy")

    def declared(**options):
        return Fixed(**options)

    bpy.props = Fixed(**{name: declared for name in ("StringProperty", "IntProperty", "BoolProperty", "FloatProperty", "PointerProperty", "EnumProperty")})
    bpy.types = Fixed(**{name: type(name, (), {}) for name in ("Panel", "Operator", "PropertyGroup", "AddonPreferences", "Scene", "WindowManager")},
                      STATUSBAR_HT_header=[])
    bpy.utils = Fixed(register_class=lambda cls: registered.append(cls), unregister_class=lambda cls: registered.remove(cls))
    bpy.app = Fixed(background=True, handlers=Fixed(load_pre=[], persistent=lambda f: f), timers=Fixed(is_registered=lambda f: False, register=None, unregister=None))
    bpy.path = Fixed(abspath=lambda path: path, relpath=lambda path: "//" + os.path.basename(path))
    collection = Strips()
    editor = Fixed(active_strip=None, use_prefetch=True, **{"strips" if STRIPS else "sequences": collection, ("strips_all" if STRIPS else "sequences_all"): collection})
    values = Fixed(prompt="a boat", negative="", model="", reference="", fixed_seed=False, seed=0, takes=2, frames=5, generate=True)
    scene = Fixed(name="Edit", frame_current=1, use_preview_range=True, frame_preview_start=10, frame_preview_end=15, sequence_editor=editor, editorbridge=values,
                  render=Fixed(fps=24, fps_base=1.0, resolution_x=320, resolution_y=180, resolution_percentage=100))
    other = Fixed(name="Model", sequence_editor=None)
    window_manager = Fixed(windows=[])
    preferences = Fixed(addons=Fixed(get=lambda name: Fixed(preferences=Fixed(program=str(program), media_folder=str(work / "clips")))),
                        filepaths=Fixed(use_relative_paths=False))
    workspace = Fixed(status_text_set_internal=lambda text: None, **({"sequencer_scene": scene} if SEQUENCER_SCENE else {}))
    # From 5.0 the window may show another scene than the sequencer edits.
    bpy.context = Fixed(scene=other if SEQUENCER_SCENE else scene, workspace=workspace, window_manager=window_manager, preferences=preferences,
                        **({"sequencer_scene": scene} if SEQUENCER_SCENE else {}))
    bpy.data = Fixed(filepath="", scenes={"Edit": scene, "Model": other})
    bpy.ops = Fixed(ed=Fixed(undo_push=lambda message: None))
    return bpy, scene, collection


registered = []
program = work / "program.py"
program.write_text(f"""#!{sys.executable}
import json, sys, uuid
from pathlib import Path
args = sys.argv[1:]
if args[0] == "media":
    Path({str(work / "looked")!r}).write_text(json.dumps(args[2:]))
    sys.exit()
option = lambda name, default=None: args[args.index(name) + 1] if name in args else default
timeline = json.loads(Path(option("--timeline")).read_text())
items = timeline["tracks"]["children"][int(option("--track", "1")) - 1]["children"]
if args[0] == "broll": frames = int(option("--out-point")) - int(option("--in"))
elif args[0] == "extend": frames = int(option("--frames"))
else: frames = [i["source_range"]["duration"]["value"] for i in items if i["OTIO_SCHEMA"] == "Gap.1"][int(option("--gap")) - 1]
seed = int(option("--seed", "40"))
clips = []
for take in range(int(option("--takes", "1"))):
    path = Path(option("--media-dir")) / (args[0] + "-" + uuid.uuid4().hex[:6] + ".mp4")
    path.write_text(str(frames))
    clips.append(path)
    print(json.dumps({{"event": "clip", "job": "jobs/x", "path": str(path), "take": take + 1, "seed": seed + take, "frames": frames}}))
print(json.dumps({{"event": "done", "clips": [{{"path": str(clips[0]), "frames": frames, "seed": seed, "job": "jobs/x"}}]}}))
""", encoding="utf-8")
program.chmod(program.stat().st_mode | stat.S_IXUSR)

bpy, scene, strips = make_bpy()
sys.modules["bpy"] = bpy
sys.path.insert(0, parent)
import editorbridge  # noqa: E402
from editorbridge import compat, early_look, operators, takes  # noqa: E402

editorbridge.register()
check("the status bar", len(bpy.types.STATUSBAR_HT_header), 1)
for name in ("a", "b"):
    (work / f"{name}.mp4").write_text("24")
a = strips.new_movie("a", str(work / "a.mp4"), 1, 1)
b = strips.new_movie("b", str(work / "b.mp4"), 1, 40)
check("bounds", [(compat.start_of(s), compat.end_of(s), compat.content_start_of(s), compat.content_length_of(s)) for s in (a, b)], [(1, 25, 1, 24), (40, 64, 40, 24)])
compat.set_end(a, 21)
compat.set_start(b, 44)
check("trimmed", [(compat.start_of(s), compat.end_of(s)) for s in (a, b)], [(1, 21), (44, 64)])
check("the scene that is edited", compat.sequence_scene(bpy.context).name, "Edit")


# What is new is drawn once, and so is what Cancel says between two looks.
class AtWork:
    message, progress, warnings, stored = "Starting", 0.0, (), False

    def poll(self):
        return True


draws = []
operators.Running.redraw.append(lambda: draws.append(operators.Running.job.message))
operators.Running.job = AtWork()
operators._poll()
operators._poll()
operators.Running.job.message = "Cancelling"
operators._poll()
operators._poll()
check("drawn", draws, ["Starting", "Cancelling"])
operators.Running.job = None
operators.Running.redraw.pop()


# The property's update begins it and passes over what goes wrong; by itself it says a name that is not there.
a.select = True
check("media to look into", [p.movie for p in early_look.pieces_meant(scene)], [str(Path(a.filepath).resolve())])
early_look.begin(bpy.context)
early_look._Look.process.wait(30)
check("looked into", json.loads((work / "looked").read_text()), [str(Path(a.filepath).resolve())])
a.select = False


def press(operator, **values):
    reports = []
    pressed = operator()
    pressed.report = lambda kinds, text: reports.append(text)
    for name, default in (("wait", True), ("head", False), ("again", False), *values.items()):
        setattr(pressed, name, values.get(name, default))
    outcome = pressed.execute(bpy.context)
    if outcome != {"FINISHED"}:
        raise AssertionError(f"{operator.__name__}: {reports}")
    return strips[-1]


def seen(strip):
    return strip.channel, compat.start_of(strip), compat.end_of(strip), [t.seed for t in takes.takes_of(strip)], takes.shown_of(strip)


broll = press(operators.EDITORBRIDGE_OT_broll)
check("b-roll, two takes", seen(broll), (2, 10, 16, [40, 41], 0))
scene.sequence_editor.active_strip = broll
press(operators.EDITORBRIDGE_OT_show_take, take=2)
check("show the second", seen(broll), (2, 10, 16, [40, 41], 1))
press(operators.EDITORBRIDGE_OT_take)
check("another take", (seen(broll), len(strips)), ((2, 10, 16, [40, 41, 40], 2), 3))
scene.frame_current = 30
filled = press(operators.EDITORBRIDGE_OT_fill)
check("fill", seen(filled), (1, 21, 44, [40, 41], 0))
scene.sequence_editor.active_strip = filled
press(operators.EDITORBRIDGE_OT_take, again=True)
check("the fill again", seen(filled), (1, 21, 44, [40, 41, 40], 2))
scene.sequence_editor.active_strip = b
check("extend", seen(press(operators.EDITORBRIDGE_OT_extend)), (1, 64, 69, [40, 41], 0))
scene.editorbridge.generate = False
strips.remove(strips[-1])
compat.set_end(b, 58)
press(operators.EDITORBRIDGE_OT_extend)
check("extend from the media", (compat.start_of(b), compat.end_of(b), len(strips)), (44, 63, 4))
scene.sequence_editor.active_strip = filled
scene.editorbridge.prompt = "something else"
press(operators.EDITORBRIDGE_OT_use_settings)
check("its settings", scene.editorbridge.prompt, "a boat")
editorbridge.unregister()
check("unregistered", (registered, len(bpy.types.STATUSBAR_HT_header)), ([], 0))
print("ALL PASSED", flush=True)
