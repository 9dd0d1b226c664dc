# SPDX-License-Identifier: GPL-3.0-or-later
"""The takes of a generated strip: the clips made for its place, each of another seed, of which it shows one.

All of it is kept on the strip, in one custom property, as JSON: the settings, and under "takes" each clip's file and seed. Files are
never removed; a take is shown by giving the strip another file.
"""

import json
import os
from dataclasses import asdict, dataclass

import bpy

from . import compat
from .sequence import Refusal

PROPERTY = "editorbridge"
"""The custom property of a generated strip: how it was made."""


@dataclass(frozen=True)
class Take:
    file: str
    """As Blender keeps paths: absolute, or with // for the folder of the saved file."""
    seed: object = None
    job: str = ""


def record_of(strip):
    """How a strip was made; None when it was not generated, or what it says cannot be read."""
    try:
        record = json.loads(strip[PROPERTY]) if PROPERTY in strip else None
    except (TypeError, ValueError):
        return None
    return record if isinstance(record, dict) else None


def takes_of(strip):
    record = record_of(strip) or {}
    takes = [Take(str(t.get("file", "")), t.get("seed"), str(t.get("job", ""))) for t in record.get("takes", ()) if isinstance(t, dict)]
    # Strips made before there were takes know their seed alone.
    return takes or [Take(strip.filepath, record.get("seed"), str(record.get("job_name", "")))]


def shown_of(strip):
    """Which of the takes the strip shows, counted from 0: told from its file, which undo and people change too."""
    takes = takes_of(strip)
    at = _absolute(strip.filepath)
    for number, take in enumerate(takes):
        if path_of(strip, take) == at:
            return number
    return None


def path_of(strip, take):
    """Where a take's file is: where it was put, or beside the one that is shown, should the folder have been moved."""
    path = _absolute(take.file)
    beside = os.path.join(os.path.dirname(_absolute(strip.filepath)), os.path.basename(path))
    return beside if not os.path.isfile(path) and os.path.isfile(beside) else path


def note(strip, record, takes):
    """Writes on the strip how it was made."""
    strip[PROPERTY] = json.dumps({**record, "takes": [asdict(take) for take in takes]}, ensure_ascii=False)


def add(strip, new):
    """Adds takes to those the strip has; a file that is among them already is there once, with what is new about it."""
    files = {take.file for take in new}
    note(strip, record_of(strip) or {}, [*(take for take in takes_of(strip) if take.file not in files), *new])


def show(strip, number):
    """Lets the strip show another take. Its place, its trims and everything laid on it stay."""
    takes = takes_of(strip)
    if not 0 <= number < len(takes):
        raise Refusal(f"There is no take {number + 1}: '{strip.name}' has {len(takes)}.")
    take = takes[number]
    path = path_of(strip, take)
    if not os.path.isfile(path):
        raise Refusal(f"The file of take {number + 1} is gone ({path}): make it again from its seed.")
    before = strip.filepath
    wanted = _place(strip)
    strip.filepath = in_blenders_form(path)
    if _place(strip) != wanted:
        found = _place(strip)
        strip.filepath = before
        raise Refusal(f"Take {number + 1} would cover frames {found[0]} to {found[1]} instead of {wanted[0]} to {wanted[1]}: its file is not the one that was made.")
    record = record_of(strip) or {}
    note(strip, {**record, "seed": take.seed, "job_name": take.job}, takes)
    return take


def in_blenders_form(path):
    relative = bpy.data.filepath and bpy.context.preferences.filepaths.use_relative_paths
    return bpy.path.relpath(path) if relative else path


def _absolute(path):
    return os.path.realpath(bpy.path.abspath(path))


def _place(strip):
    return compat.start_of(strip), compat.end_of(strip), compat.content_length_of(strip)
