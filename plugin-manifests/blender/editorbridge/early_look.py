# SPDX-License-Identifier: GPL-3.0-or-later
"""While the prompt is being written the host is started and looks into the media of the strips that a job would use now, so that the job need not wait for it."""

import subprocess
import sys
import time

from . import compat, preferences, sequence

MOST_FILES = 4
SAME_FILES_AGAIN_AFTER = 60.0
"""Seconds. What the host knows of a file it forgets when it ends, some ten minutes after its last job or question."""


class _Look:
    process = None
    files = ()
    begun = 0.0


def begin(context):
    """Starts the program and does not wait for it. Whatever goes wrong here, the job itself will say."""
    try:
        _begin(context)
    except Exception:  # nobody asked for it, so nobody is told
        pass


def _begin(context):
    if _Look.process is not None and _Look.process.poll() is None:
        return
    scene = compat.sequence_scene(context)
    pieces = pieces_meant(scene) if scene else []
    files = tuple(dict.fromkeys(p.movie for p in pieces))
    if not files or (files == _Look.files and time.monotonic() - _Look.begun < SAME_FILES_AGAIN_AFTER):
        return
    program = preferences.program(context)
    if program is None:
        return
    apart = {"creationflags": subprocess.CREATE_NO_WINDOW} if sys.platform == "win32" else {"start_new_session": True}
    _Look.files, _Look.begun = files, time.monotonic()
    _Look.process = subprocess.Popen([program, "media", "show", *files], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **apart)
    for piece in pieces:
        sequence.media_rate_of(scene, piece)


def pieces_meant(scene):
    """Movies beside the gap that Fill would fill, the one that Extend would lengthen, and those selected, over which B-Roll would lie."""
    pieces = sequence.pieces_of(scene)
    wanted = []
    try:
        gap = sequence.gap_to_fill(scene, pieces, sequence.origin_of(pieces)) if pieces else None
    except sequence.Refusal:
        gap = None
    if gap is not None:
        wanted += [p for p in pieces if p.channel == gap.channel and (p.end == gap.start or p.start == gap.end)]
    active = compat.active(scene)
    meant = [*([active.name] if active is not None else []), *(s.name for s in compat.selected(scene))]
    wanted += [p for name in meant for p in pieces if p.name == name]
    return [p for p in dict.fromkeys(wanted) if p.movie][:MOST_FILES]
