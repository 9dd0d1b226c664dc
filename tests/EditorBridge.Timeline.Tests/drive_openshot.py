"""Drives OpenShot itself: makes a project, or opens one, says where its clips are, and saves it again.

    drive_openshot.py make TARGET MEDIA...        two clips of a second on the first track, with a second between them
    drive_openshot.py resave SOURCE TARGET
"""
import json
import os
import sys
import traceback

sys.path.insert(0, "/usr/lib/python3/dist-packages/openshot_qt")
what, words = sys.argv[1], sys.argv[2:]
sys.argv = ["openshot-qt"]

from classes.app import OpenShotApp
from PyQt5.QtCore import QTimer
from PyQt5.QtWidgets import QMessageBox


def leave(code):
    sys.stdout.flush()
    sys.stderr.flush()
    # Its threads and its browser would go on.
    os._exit(code)


def refuse(*about):
    print("OpenShot says:", *about[1:], file=sys.stderr)
    leave(1)


QMessageBox.warning = QMessageBox.critical = QMessageBox.question = refuse


def make(target, media):
    import openshot
    from classes.query import Clip, File
    for number, path in enumerate(media):
        read = openshot.Clip(path)
        file = File()
        file.data = json.loads(read.Reader().Json())
        file.data["media_type"] = "video"
        file.save()
        clip = Clip()
        clip.data = json.loads(read.Json())
        clip.data.update(file_id=file.id, title=os.path.basename(path), layer=1000000, position=2.0 * number, start=0.5, end=1.5, reader=file.data)
        clip.save()
    app.window.save_project(target)


def resave(source, target):
    app.window.open_project(source)
    timeline = app.window.timeline_sync.timeline
    rate = timeline.info.fps.ToDouble()
    for clip in sorted(timeline.Clips(), key=lambda c: (c.Layer(), c.Position())):
        print("clip", clip.Layer(), *(round(s * rate) for s in (clip.Position(), clip.Start(), clip.End())))
    app.window.save_project(target)


def work():
    try:
        make(words[0], words[1:]) if what == "make" else resave(*words)
        leave(0)
    except BaseException:
        traceback.print_exc()
        leave(1)


app = OpenShotApp(["openshot-qt"], mode="unittest")
app.gui()
QTimer.singleShot(500, work)
QTimer.singleShot(180000, lambda: leave(3))
app.exec_()
