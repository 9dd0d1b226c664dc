# SPDX-License-Identifier: GPL-3.0-or-later
"""The editorbridge program as a child process that reports in JSON lines. Nothing here touches Blender's data."""

import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time

PROGRAM_VARIABLE = "EDITORBRIDGE_CLI"


def find_program(preferred=""):
    """The program: as set in the preferences, as the environment says, or on the path."""
    for candidate in (preferred, os.environ.get(PROGRAM_VARIABLE, "")):
        if candidate:
            return candidate if os.path.isfile(candidate) else None
    return shutil.which("editorbridge")


class Command:
    """One run. The process is read by a thread; `events` hands over what has come since the last call."""

    def __init__(self, program, arguments):
        # A new group, so that Ctrl+C in Blender's terminal does not reach the program and ours reaches only it.
        group = ({"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP} if sys.platform == "win32" else {"start_new_session": True})
        self._process = subprocess.Popen([program, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **group)
        self._lines = queue.Queue()
        self._errors = []
        self._readers = [threading.Thread(target=self._read_output, daemon=True), threading.Thread(target=self._read_errors, daemon=True)]
        for reader in self._readers:
            reader.start()
        self._ended = None

    def _read_output(self):
        for line in self._process.stdout:
            self._lines.put(line)

    def _read_errors(self):
        for line in self._process.stderr:
            text = line.decode("utf-8", "replace").strip()
            if text:
                self._errors = [*self._errors[-19:], text]

    @property
    def running(self):
        if self._process.poll() is None:
            return True
        # Output may still be on its way when the process has ended; but a host that it started may hold the pipe open for good.
        self._ended = self._ended or time.monotonic()
        return any(r.is_alive() for r in self._readers) and time.monotonic() - self._ended < 2

    @property
    def exit_code(self):
        return self._process.poll()

    @property
    def last_error(self):
        return self._errors[-1] if self._errors else ""

    def events(self):
        while True:
            try:
                line = self._lines.get_nowait()
            except queue.Empty:
                return
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict):
                yield event

    def cancel(self):
        """Asks the program to end the job; it answers Ctrl+C by cancelling and waiting for the host to confirm."""
        if self._process.poll() is None:
            self._process.send_signal(signal.CTRL_BREAK_EVENT if sys.platform == "win32" else signal.SIGINT)

    def kill(self):
        if self._process.poll() is None:
            self._process.kill()
