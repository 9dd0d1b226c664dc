# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user sets in the panel; kept in the scene, so that it is saved with the file."""

import bpy

from . import early_look


class EditorBridgeSettings(bpy.types.PropertyGroup):
    prompt: bpy.props.StringProperty(name="Prompt", description="What is to be seen", update=lambda _settings, context: early_look.begin(context))
    negative: bpy.props.StringProperty(name="Negative", description="What is not to be seen")
    model: bpy.props.StringProperty(name="Model", description="Name of an installed model; empty for the default one")
    reference: bpy.props.StringProperty(name="Reference", description="A picture the B-roll begins with", subtype="FILE_PATH")
    fixed_seed: bpy.props.BoolProperty(name="Fixed seed", description="Make the same clip again from the same settings")
    seed: bpy.props.IntProperty(name="Seed", min=0)
    takes: bpy.props.IntProperty(name="Takes", description="How many clips to make, each of another seed; the strip keeps them all", default=1, min=1, max=16)
    frames: bpy.props.IntProperty(name="Frames", description="How much longer the strip gets", default=24, min=1)
    generate: bpy.props.BoolProperty(
        name="Always generate", description="Generate even where the media still has frames that were trimmed off")


def options_of(scene, kind):
    """The settings of a job as a plain dictionary; what is not set is left out."""
    values = scene.editorbridge
    options = {"prompt": values.prompt.strip(), "negative": values.negative.strip(), "model": values.model.strip()}
    if kind == "broll" and values.reference:
        options["reference"] = bpy.path.abspath(values.reference)
    if values.fixed_seed:
        options["seed"] = values.seed
    return {name: value for name, value in options.items() if value != "" or name == "prompt"}


def take_over(scene, record):
    """Sets the panel to what a strip was made with."""
    values = scene.editorbridge
    for name in ("prompt", "negative", "model", "reference"):
        setattr(values, name, str(record.get(name) or ""))
    seed = record.get("seed")
    values.fixed_seed = seed is not None
    # Blender's numbers end at 31 bits.
    values.seed = int(seed or 0) & 0x7FFFFFFF
    if record.get("frames"):
        values.frames = int(record["frames"])


def register():
    bpy.utils.register_class(EditorBridgeSettings)
    bpy.types.Scene.editorbridge = bpy.props.PointerProperty(type=EditorBridgeSettings)


def unregister():
    del bpy.types.Scene.editorbridge
    bpy.utils.unregister_class(EditorBridgeSettings)
