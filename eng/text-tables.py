#!/usr/bin/env python3
"""Writes the two character tables of EditorBridge.Diffusion/Text from Python's own data.

    python3 eng/text-tables.py src/EditorBridge.Diffusion/Text

HtmlEntities.txt      the named character references of HTML 5: `name code...`; a name ending in ';' must be written with it,
                      one without is also known bare.
UnicodeForms.txt      what NFC needs: `d` decompositions that compose again, `e` decompositions that never do, `c` combining
                      classes by range, `w` full- and half-width forms. .NET's own normaliser does nothing when
                      InvariantGlobalization is on, and without it a system ICU library would be needed.
"""
import sys
import unicodedata
from html.entities import html5
from pathlib import Path

folder = Path(sys.argv[1])


def codes(text):
    return " ".join(f"{ord(c):X}" for c in text)


entities = []
for name in sorted(html5):
    if name.endswith(";") and name[:-1] in html5:
        continue
    entities.append(f"{name} {codes(html5[name])}")
(folder / "HtmlEntities.txt").write_text("\n".join(entities) + "\n")

forms = []
classes = []
for code in range(0x110000):
    if 0xAC00 <= code <= 0xD7A3 or 0xD800 <= code <= 0xDFFF:
        continue  # Hangul composes by formula
    char = chr(code)
    decomposition = unicodedata.decomposition(char)
    if decomposition and not decomposition.startswith("<"):
        kind = "d" if unicodedata.normalize("NFC", char) == char else "e"
        forms.append(f"{kind} {code:X} {' '.join(f'{int(c, 16):X}' for c in decomposition.split())}")
    combining = unicodedata.combining(char)
    if combining:
        if classes and classes[-1][1] == code - 1 and classes[-1][2] == combining:
            classes[-1][1] = code
        else:
            classes.append([code, code, combining])
forms += [f"c {first:X} {last:X} {combining:X}" for first, last, combining in classes]
for code in [0x3000, *range(0xFF01, 0xFFF0)]:
    folded = unicodedata.normalize("NFKC", chr(code))
    if folded != chr(code):
        forms.append(f"w {code:X} {codes(folded)}")
(folder / "UnicodeForms.txt").write_text(f"# Unicode {unicodedata.unidata_version}\n" + "\n".join(forms) + "\n")
