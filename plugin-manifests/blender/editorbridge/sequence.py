# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies on the sequence, and the same as an OpenTimelineIO timeline.

Frames are Blender's own: integers at the scene's rate, ranges half-open. A timeline starts at its first frame, so a frame f of the
sequence is frame f - origin of the timeline.
"""

import os
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import bpy

from . import compat


class Refusal(Exception):
    """What cannot be done and what to do instead, in one sentence."""


@dataclass(frozen=True)
class Piece:
    """One strip as it is seen."""
    name: str
    channel: int
    start: int
    end: int
    picture: bool
    movie: str = ""
    source_start: int = 0
    media_frames: int = 0
    muted: bool = False


@dataclass(frozen=True)
class Gap:
    channel: int
    start: int
    end: int
    number: int
    """Counted from 1 on its channel; space before the first strip counts too when the timeline has it."""


def rate_of(scene):
    """The exact frame rate. Blender keeps 24000/1001 as 24 and a base of 1.001."""
    return Fraction(scene.render.fps) / Fraction(scene.render.fps_base).limit_denominator(1000)


def size_of(scene):
    render = scene.render
    return tuple(side * render.resolution_percentage // 100 for side in (render.resolution_x, render.resolution_y))


def pieces_of(scene):
    pieces = []
    for strip in compat.strips(scene) or ():
        piece = dict(name=strip.name, channel=strip.channel, start=compat.start_of(strip), end=compat.end_of(strip),
                     picture=strip.type != "SOUND", muted=strip.mute)
        if strip.type == "MOVIE":
            trim = compat.media_trim_of(strip)
            piece.update(
                movie=str(Path(bpy.path.abspath(strip.filepath)).resolve()),
                source_start=piece["start"] - compat.content_start_of(strip) + trim,
                media_frames=trim + compat.content_length_of(strip) + compat.media_trim_end_of(strip))
        pieces.append(Piece(**piece))
    return sorted(pieces, key=lambda p: (p.channel, p.start))


_media_rates = {}


def media_rate_of(scene, piece):
    """Frames a second of a piece's media, 0 where Blender cannot tell. Blender opens the file each time it is asked, which takes 30 ms: once a file is enough."""
    try:
        stat = os.stat(piece.movie)
        version = piece.movie, stat.st_mtime_ns, stat.st_size
    except OSError:
        return 0.0
    if version not in _media_rates:
        _media_rates[version] = getattr(compat.strips(scene).get(piece.name), "fps", 0.0)
    return _media_rates[version]


def beside(pieces, start, end):
    """Those that are seen in a range, or end or start where it does the other."""
    return [p for p in pieces if p.start <= end and start <= p.end]


def on_channel(pieces, channel):
    return [p for p in pieces if p.channel == channel and p.picture]


def channels_of(pieces):
    return sorted({p.channel for p in pieces if p.picture})


def gaps_of(pieces, channel, origin):
    gaps = []
    at = origin
    for piece in on_channel(pieces, channel):
        if piece.start > at:
            gaps.append(Gap(channel, at, piece.start, len(gaps) + 1))
        at = max(at, piece.end)
    return gaps


def gap_to_fill(scene, pieces, origin):
    """The gap between two selected strips of a channel, else the gap at the playhead, on the active strip's channel first."""
    chosen = [p for p in pieces if p.name in {s.name for s in compat.selected(scene)} and p.picture]
    if len(chosen) == 2 and chosen[0].channel == chosen[1].channel:
        for gap in gaps_of(pieces, chosen[0].channel, origin):
            if gap.start == chosen[0].end and gap.end == chosen[1].start:
                return gap
        raise Refusal(f"There is no gap between '{chosen[0].name}' and '{chosen[1].name}'.")
    active = compat.active(scene)
    channels = channels_of(pieces)
    channels.sort(key=lambda c: (active is None or c != active.channel, -c))
    for channel in channels:
        for gap in gaps_of(pieces, channel, origin):
            # Space before the first strip is no gap between two shots.
            if gap.start <= scene.frame_current < gap.end and any(p.end == gap.start for p in on_channel(pieces, channel)):
                return gap
    raise Refusal("There is no gap here: put the playhead into one, or select the strips before and after it.")


def range_of_interest(scene):
    """The preview range if one is set, else what the selected strips cover."""
    if scene.use_preview_range:
        return scene.frame_preview_start, scene.frame_preview_end + 1
    strips = compat.selected(scene)
    if not strips:
        raise Refusal("Set a preview range (P) or select strips to say where the B-roll goes.")
    return min(map(compat.start_of, strips)), max(map(compat.end_of, strips))


def free_channel(scene, pieces, start, end, preferred=None):
    """The channel a clip goes on: the preferred one if it is free, else the lowest free one that no other picture hides."""
    there = [p for p in pieces if p.start < end and start < p.end]
    taken = {p.channel for p in there}
    if preferred is not None and preferred not in taken:
        return preferred
    top = max((p.channel for p in there if p.picture), default=0)
    collection = compat.strips(scene)
    highest = compat.highest_channel(collection[0]) if collection else 128
    for channel in range(top + 1, highest + 1):
        if channel not in taken:
            return channel
    raise Refusal("There is no free channel above the strips there: move one down.")


def origin_of(pieces, *frames):
    return min([*frames, *(p.start for p in pieces if p.picture)])


def to_otio(scene, pieces, origin, start, end):
    """
    The picture strips as an OpenTimelineIO timeline that lasts up to `end` at least: one video track a channel, lowest first. Frames are wanted only of
    media in and beside the range: the others are told of as if their rate was the sequence's, so that a press need not open every file.
    """
    rate = rate_of(scene)
    media_rates = {p.name: media_rate_of(scene, p) for p in beside(pieces, start, end) if p.movie}
    tracks = [_track(pieces, channel, origin, float(rate), media_rates) for channel in channels_of(pieces)] or [_empty_track()]
    last = max((p.end for p in on_channel(pieces, min(channels_of(pieces), default=0))), default=origin)
    if last < end:
        tracks[0]["children"].append(_item("Gap.1", "", _range(0, float(rate), end - last, float(rate))))
    return {
        "OTIO_SCHEMA": "Timeline.1",
        "name": scene.name,
        "metadata": {},
        "global_start_time": {"OTIO_SCHEMA": "RationalTime.1", "rate": float(rate), "value": 0},
        "tracks": {
            "OTIO_SCHEMA": "Stack.1", "name": "tracks", "metadata": {}, "effects": [], "markers": [], "enabled": True, "source_range": None,
            "children": tracks,
        },
    }


def _item(schema, name, source_range, **more):
    return {"OTIO_SCHEMA": schema, "name": name, "metadata": {}, "effects": [], "markers": [], "enabled": True, "source_range": source_range, **more}


def _range(start, start_rate, duration, rate):
    return {"OTIO_SCHEMA": "TimeRange.1",
            "start_time": {"OTIO_SCHEMA": "RationalTime.1", "rate": start_rate, "value": start},
            "duration": {"OTIO_SCHEMA": "RationalTime.1", "rate": rate, "value": duration}}


def _empty_track():
    return _item("Track.1", "Channel 1", None, kind="Video", children=[])


def _track(pieces, channel, origin, rate, media_rates):
    children = []
    at = origin
    for piece in on_channel(pieces, channel):
        if piece.start > at:
            children.append(_item("Gap.1", "", _range(0, rate, piece.start - at, rate)))
        children.append(_clip(piece, rate, media_rates.get(piece.name, 0.0)))
        at = piece.end
    return _item("Track.1", f"Channel {channel}", None, kind="Video", children=children)


def _clip(piece, rate, media_rate):
    if not piece.movie:
        # A picture, a scene, an effect: it takes its place, but its frames are not to be had from a file.
        media = {"OTIO_SCHEMA": "MissingReference.1", "name": "", "metadata": {}, "available_range": None, "available_image_bounds": None}
        source = _range(0, rate, piece.end - piece.start, rate)
        effects = []
    else:
        # Blender shows one media frame a sequence frame, whatever the media's own rate is: that is a change of speed.
        same = media_rate <= 0 or abs(media_rate - rate) < 0.005 * rate
        media_rate = rate if same else media_rate
        media = {"OTIO_SCHEMA": "ExternalReference.1", "name": "", "metadata": {}, "target_url": Path(piece.movie).as_uri(),
                 "available_range": _range(0, media_rate, piece.media_frames, media_rate), "available_image_bounds": None}
        source = _range(piece.source_start, media_rate, piece.end - piece.start, rate)
        effects = [] if same else [{"OTIO_SCHEMA": "LinearTimeWarp.1", "name": "", "metadata": {}, "effect_name": "LinearTimeWarp",
                                    "time_scalar": rate / media_rate}]
    return {**_item("Clip.2", piece.name, source), "effects": effects, "enabled": not piece.muted,
            "active_media_reference_key": "DEFAULT_MEDIA", "media_references": {"DEFAULT_MEDIA": media}}
