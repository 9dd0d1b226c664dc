#!/usr/bin/env python3
"""Makes the vocabulary of the sketch model's text encoder: 1024 SentencePiece unigram pieces. README.md says why it is made this way.

    python3 make.py ../../EditorBridge.Models/sketch/tokenizer

Needs spm_train (Debian package sentencepiece). The result is the same on every run.
"""
import hashlib
import re
import struct
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
SIZE = 1024
TRAINED_SIZE = 900  # more parts than there is room for; the best are kept
WORD_SCORE = -5.0  # a whole word beats any two pieces that spell it
NORMAL = 1


def captions():
    command = ["dotnet", "run", "--project", HERE.parent, "--", "captions", "--count", "20000", "--seed", "1"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def train(words, folder):
    """A unigram model of the words alone, its parts of words and single characters as good as the trainer makes them."""
    (folder / "words.txt").write_text("\n".join(words) + "\n")
    # Inside the folder: the model records the names of its input and output.
    subprocess.run(
        ["spm_train", "--input=words.txt", "--model_prefix=spiece", "--model_type=unigram", f"--vocab_size={TRAINED_SIZE}",
         "--pad_id=0", "--eos_id=1", "--bos_id=2", "--unk_id=3", "--byte_fallback=true", "--split_digits=true",
         "--normalization_rule_name=nmt_nfkc_cf", "--character_coverage=1.0",
         "--required_chars=abcdefghijklmnopqrstuvwxyz0123456789.,;:!?'\"()-/&%+", "--num_threads=1",
         "--shuffle_input_sentence=false", "--self_test_sample_size=0", "--minloglevel=1"],
        cwd=folder, check=True)
    return (folder / "spiece.model").read_bytes()


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        at += 1
        if data[at - 1] < 0x80:
            return value, at
        shift += 7


def to_varint(value):
    data = b""
    while value > 0x7F:
        data += bytes([value & 0x7F | 0x80])
        value >>= 7
    return data + bytes([value])


def fields(message):
    """(number, value, raw bytes) of a protobuf message's fields."""
    at = 0
    while at < len(message):
        start = at
        key, at = varint(message, at)
        if key & 7 == 0:
            value, at = varint(message, at)
        elif key & 7 == 5:
            value, at = message[at:at + 4], at + 4
        else:
            length, at = varint(message, at)
            value, at = message[at:at + length], at + length
        yield key >> 3, value, message[start:at]


def encode(text, score):
    body = text.encode()
    piece = b"\x0a" + bytes([len(body)]) + body + b"\x15" + struct.pack("<f", score)
    return b"\x0a" + bytes([len(piece)]) + piece


def main():
    common = (HERE / "common-words.txt").read_text().split()
    count = Counter(re.findall(r"[a-z]+", captions().lower()))
    known = [word for word, _ in sorted(count.items(), key=lambda item: (-item[1], item[0]))]
    with tempfile.TemporaryDirectory() as folder:
        model = train(sorted(set(common) | set(known)), Path(folder))

    special, parts, rest = [], [], b""
    for number, value, raw in fields(model):
        if number == 2:  # the trainer's settings, of which field 4 is the size
            settings = b"".join(b"\x20" + to_varint(SIZE) if n == 4 else r for n, _, r in fields(value))
            rest += b"\x12" + to_varint(len(settings)) + settings
        elif number != 1:
            rest += raw
        if number != 1:
            continue
        piece = {n: v for n, v, _ in fields(value)}
        text, score = piece[1].decode(), struct.unpack("<f", piece[2])[0]
        if piece.get(3, NORMAL) != NORMAL:
            special.append(raw)
        else:
            parts.append((text, score))

    words = ["\u2581" + word for word in known]
    room = SIZE - len(special) - len(words)
    characters = [p for p in parts if len(p[0]) == 1]
    longer = [p for p in sorted(parts, key=lambda p: -p[1]) if len(p[0]) > 1 and p[0] not in set(words)]
    chosen = longer[:room - len(characters)] + characters
    pieces = special + [encode(word, WORD_SCORE) for word in words] + [encode(*p) for p in chosen]
    assert len(pieces) == SIZE, len(pieces)

    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    result = b"".join(pieces) + rest
    (target / "spiece.model").write_bytes(result)
    print(f"{len(words)} whole words, {len(chosen)} parts and characters, {len(special)} special and byte pieces")
    print(hashlib.sha256(result).hexdigest())


main()
