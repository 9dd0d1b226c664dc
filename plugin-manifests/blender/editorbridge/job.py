# SPDX-License-Identifier: GPL-3.0-or-later
"""A job from the sequence to the sequence: write the timeline, run the program, put the clip in."""

import json
import shutil
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import bpy

from . import compat, sequence, takes
from .command import Command
from .sequence import Refusal


@dataclass(frozen=True)
class Request:
    """One of the three jobs, in frames of the sequence."""
    kind: str
    start: int
    end: int
    arguments: tuple
    preferred_channel: object = None
    settings: dict = field(default_factory=dict)
    like: str = ""
    """Name of the strip whose place in the picture the clip takes over."""
    takes: int = 1
    """Clips to make, each of another seed."""
    into: str = ""
    """Name of the strip that gets the clips as further takes; without one a strip is made."""


def broll(scene, options):
    start, end = sequence.range_of_interest(scene)
    pieces = sequence.pieces_of(scene)
    origin = sequence.origin_of(pieces, start)
    width, height = sequence.size_of(scene)
    return Request("broll", start, end, ("--in", str(start - origin), "--out-point", str(end - origin), "--size", f"{width}x{height}"),
                   settings=options)


def extend(scene, options, frames, head):
    strip = compat.active(scene)
    if strip is None or strip.type != "MOVIE":
        raise Refusal("Select the movie strip to extend.")
    start, end = compat.start_of(strip), compat.end_of(strip)
    range_ = (start - frames, start) if head else (end, end + frames)
    return Request("extend", *range_, ("--clip", strip.name, "--frames", str(frames), *(["--head"] if head else []), "--generate"),
                   strip.channel, {**options, "frames": frames, "head": head}, strip.name)


def fill(scene, options):
    pieces = sequence.pieces_of(scene)
    if not pieces:
        raise Refusal("There is no gap here: the sequence is empty.")
    gap = sequence.gap_to_fill(scene, pieces, sequence.origin_of(pieces))
    track = sequence.channels_of(pieces).index(gap.channel) + 1
    before = next(p.name for p in pieces if p.channel == gap.channel and p.end == gap.start)
    return Request("fill", gap.start, gap.end, ("--track", str(track), "--gap", str(gap.number)), gap.channel, options, before)


def take(scene, strip, again):
    """Another take for a generated strip, with its settings: of a new seed, or of the one it shows again."""
    record = takes.record_of(strip) if strip is not None and strip.type == "MOVIE" else None
    if record is None or record.get("job") not in ("broll", "extend", "fill"):
        raise Refusal("Select a strip that was generated here.")
    # The clip's own frames, whatever the strip now shows of them.
    start = compat.content_start_of(strip) - compat.media_trim_of(strip)
    end = start + compat.media_trim_of(strip) + compat.content_length_of(strip) + compat.media_trim_end_of(strip)
    options = {name: record[name] for name in ("prompt", "negative", "model", "reference", "frames", "head") if record.get(name) not in (None, "")}
    if again:
        if record.get("seed") is None:
            raise Refusal(f"'{strip.name}' does not say which seed it was made with.")
        options["seed"] = record["seed"]
    pieces = [p for p in sequence.pieces_of(scene) if p.name != strip.name]
    arguments = _ARGUMENTS[record["job"]](scene, pieces, strip.channel, start, end, record)
    return Request(record["job"], start, end, arguments, settings=options, into=strip.name)


def _broll_again(scene, pieces, _channel, start, end, _record):
    origin = sequence.origin_of(pieces, start)
    width, height = sequence.size_of(scene)
    return "--in", str(start - origin), "--out-point", str(end - origin), "--size", f"{width}x{height}"


def _extend_again(_scene, pieces, _channel, start, end, record):
    head = bool(record.get("head"))
    beside = [p for p in pieces if p.movie and (p.start == end if head else p.end == start)]
    beside.sort(key=lambda p: p.name != record.get("beside"))
    if not beside:
        raise Refusal("The strip that it extends is not beside it any more: move them together again.")
    return ("--clip", beside[0].name, "--frames", str(end - start), *(["--head"] if head else []), "--generate")


def _fill_again(_scene, pieces, channel, start, end, _record):
    origin = sequence.origin_of(pieces)
    for number, candidate in sorted(enumerate(sequence.channels_of(pieces)), key=lambda c: c[1] != channel):
        for gap in sequence.gaps_of(pieces, candidate, origin):
            if (gap.start, gap.end) == (start, end):
                return "--track", str(number + 1), "--gap", str(gap.number)
    raise Refusal(f"The shots around it have moved: there is no gap of frames {start} to {end} any more.")


_ARGUMENTS = {"broll": _broll_again, "extend": _extend_again, "fill": _fill_again}


def use_handles(scene, frames, head):
    """Lengthens the active strip by frames its media still has. False when it has too few, or the place is taken."""
    strip = compat.active(scene)
    if strip is None or strip.type != "MOVIE":
        return False
    start, end = compat.start_of(strip), compat.end_of(strip)
    first = compat.content_start_of(strip)
    last = first + compat.content_length_of(strip)
    wanted = (start - frames, start) if head else (end, end + frames)
    others = [p for p in sequence.pieces_of(scene) if p.channel == strip.channel and p.name != strip.name]
    if wanted[0] < first or wanted[1] > last or any(p.start < wanted[1] and wanted[0] < p.end for p in others):
        return False
    if head:
        compat.set_start(strip, wanted[0])
    else:
        compat.set_end(strip, wanted[1])
    return True


class Job:
    """A running job. `poll` is called again and again until it returns False; then `strip` or `problem` says how it ended. `stored`: the host has it."""

    def __init__(self, scene, request, program, media_folder):
        self.request = request
        self.scene_name = scene.name
        self.progress = 0.0
        self.message = "Starting"
        self.warnings = []
        self.problem = None
        self.cancelled = False
        self.stored = False
        self.strip = None
        self.clip = None
        self._takes = []
        self._model = None
        self._cancel_time = None
        self._folder = Path(tempfile.mkdtemp(prefix="editorbridge-"))
        try:
            pieces = [p for p in sequence.pieces_of(scene) if p.name != request.into]
            origin = sequence.origin_of(pieces, request.start)
            timeline = self._folder / "sequence.otio"
            timeline.write_text(json.dumps(sequence.to_otio(scene, pieces, origin, request.start, request.end), indent=1), encoding="utf-8")
            Path(media_folder).mkdir(parents=True, exist_ok=True)
            self._command = Command(program, [
                request.kind, "--timeline", str(timeline), "--out", str(self._folder / "result.otio"), "--media-dir", str(media_folder),
                *request.arguments, *option_arguments(request.settings), *(["--takes", str(request.takes)] if request.takes > 1 else []), "--json"])
        except OSError as error:
            self.close()
            raise Refusal(f"The editorbridge program could not be started: {error}.") from error

    def poll(self):
        """Takes in what the program has said. True while it runs; when it has ended well the clip has been put in."""
        for event in self._command.events():
            self._take(event)
        if self._command.running:
            if self._cancel_time and time.monotonic() - self._cancel_time > 15:
                self._command.kill()
            return True
        for event in self._command.events():
            self._take(event)
        self._finish()
        return False

    def cancel(self):
        if self._cancel_time is None:
            self._cancel_time = time.monotonic()
            self.message = "Cancelling"
            self._command.cancel()

    def run(self, seconds=3600.0):
        """Polls until the job has ended: for scripts and for Blender without a window, where timers do not run."""
        limit = time.monotonic() + seconds
        while self.poll():
            if time.monotonic() > limit:
                self.cancel()
            time.sleep(0.05)

    def close(self):
        shutil.rmtree(self._folder, ignore_errors=True)

    def _take(self, event):
        kind = event.get("event")
        if kind == "progress":
            step, of = event.get("step") or 0, event.get("of") or 0
            stage = str(event.get("stage") or "Working").replace("_", " ")
            fraction = event.get("fraction")
            self.progress = self.progress if fraction is None else fraction
            left = event.get("seconds_left")
            self.message = stage.capitalize() + (f" {step}/{of}" if of else "") + (f", about {round(left)} s left" if left else "")
        elif kind == "state":
            self.stored = True
            self.message = str(event.get("state") or self.message).replace("_", " ").capitalize()
        elif kind == "plan":
            self.warnings = list(event.get("warnings") or ())
            self._model = event.get("model")
        elif kind == "notice":
            self.message = str(event.get("message"))
        elif kind == "clip":
            self._takes.append(event)
        elif kind == "done":
            clips = event.get("clips") or ()
            self.clip = clips[0] if clips else None
        elif kind == "error":
            self.problem = str(event.get("message") or event.get("reason"))

    def _finish(self):
        try:
            if self._cancel_time is not None and self.clip is None:
                self.cancelled = True
                self.problem = "Cancelled."
            elif self.problem is None and (self._command.exit_code != 0 or self.clip is None):
                self.problem = self._command.last_error or f"The editorbridge program ended with code {self._command.exit_code} and made no clip."
            if self.problem is None:
                self._insert()
        except Refusal as refusal:
            self.problem = f"{refusal} The clip is at {self.clip['path']}."
        finally:
            self.close()

    def _insert(self):
        scene = bpy.data.scenes.get(self.scene_name)
        if scene is None:
            raise Refusal(f"The scene '{self.scene_name}' is gone.")
        frames = self.request.end - self.request.start
        for clip in (self.clip, *self._takes):
            if clip.get("frames") not in (None, frames):
                raise Refusal(f"The clip has {clip['frames']} frames instead of {frames}.")
        clips = sorted(self._takes, key=lambda c: c.get("take") or 0) or [self.clip]
        made = [takes.Take(takes.in_blenders_form(c["path"]), c.get("seed"), str(c.get("job") or "")) for c in clips]
        self.strip = self._into_strip(scene, made) if self.request.into else self._new_strip(scene, made)
        self.progress = 1.0
        many = f", {len(made)} takes" if len(made) > 1 else ""
        self.message = f"'{self.strip.name}' is on channel {self.strip.channel}{many}"

    def _new_strip(self, scene, made):
        record = {"job": self.request.kind, "range": [self.request.start, self.request.end], **self.request.settings,
                  **{k: v for k, v in (("model", self._model), ("seed", self.clip.get("seed")), ("job_name", self.clip.get("job")),
                                       ("beside", self.request.like if self.request.kind == "extend" else None)) if v is not None}}
        strip = insert(scene, self.clip["path"], self.request.start, self.request.end, self.request.preferred_channel)
        takes.note(strip, record, made)
        place_like(strip, compat.strips(scene).get(self.request.like))
        return strip

    def _into_strip(self, scene, made):
        strip = (compat.strips(scene) or {}).get(self.request.into)
        if strip is None or takes.record_of(strip) is None:
            raise Refusal(f"The strip '{self.request.into}' is gone.")
        takes.add(strip, made)
        takes.show(strip, [take.file for take in takes.takes_of(strip)].index(made[0].file))
        return strip


def option_arguments(options):
    arguments = ["--prompt", options.get("prompt", "")]
    for name, flag in (("negative", "--negative"), ("model", "--model"), ("reference", "--reference"), ("seed", "--seed")):
        if options.get(name) not in (None, ""):
            arguments += [flag, str(options[name])]
    return arguments


def place_like(strip, other):
    """Gives a strip another one's scale, offset and crop: the clip has the size of that strip's media."""
    if other is None:
        return
    for part, names in (("transform", ("scale_x", "scale_y", "offset_x", "offset_y", "rotation", "origin")),
                        ("crop", ("min_x", "max_x", "min_y", "max_y"))):
        for name in names:
            if hasattr(getattr(other, part, None), name):
                setattr(getattr(strip, part), name, getattr(getattr(other, part), name))
    strip.use_flip_x, strip.use_flip_y = other.use_flip_x, other.use_flip_y


def insert(scene, path, start, end, preferred_channel):
    """Puts a clip on a free channel, from start up to end exactly."""
    collection = compat.strips(scene, create=True)
    channel = sequence.free_channel(scene, sequence.pieces_of(scene), start, end, preferred_channel)
    editor = scene.sequence_editor
    prefetch = getattr(editor, "use_prefetch", None)
    try:
        if prefetch:
            editor.use_prefetch = False  # it reads strips from another thread
        strip = collection.new_movie(name=Path(path).stem, filepath=takes.in_blenders_form(path), channel=channel, frame_start=start, fit_method="ORIGINAL")
    finally:
        if prefetch:
            editor.use_prefetch = True
    if (compat.start_of(strip), compat.end_of(strip), strip.channel) != (start, end, channel):
        found = (compat.start_of(strip), compat.end_of(strip), strip.channel)
        collection.remove(strip)
        raise Refusal(f"The clip took frames {found[0]} to {found[1]} on channel {found[2]} instead of {start} to {end} on channel {channel}.")
    return strip
