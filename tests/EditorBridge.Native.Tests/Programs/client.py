"""A script's way to the host: the library through ctypes, nothing to install.    client.py LIBRARY DATA_FOLDER SPEC_JSON DESTINATION"""
import ctypes
import json
import sys
import threading

path, data_folder, spec, destination = sys.argv[1:]
library = ctypes.CDLL(path)
EVENT = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_char_p)
client_type, text = ctypes.c_int64, ctypes.c_char_p
library.eb_connect.argtypes, library.eb_connect.restype = [text, text, ctypes.c_int32], client_type
library.eb_watch.argtypes, library.eb_watch.restype = [client_type, text, ctypes.c_int32, EVENT, ctypes.c_void_p], ctypes.c_int32
library.eb_fetch.argtypes, library.eb_fetch.restype = [client_type, text, text, ctypes.c_int32], ctypes.c_int32
library.eb_disconnect.argtypes, library.eb_disconnect.restype = [client_type], None
library.eb_free.argtypes, library.eb_free.restype = [ctypes.c_void_p], None
library.eb_last_error.restype = text
for name, arguments in {"eb_plan": [client_type, text], "eb_submit": [client_type, text, text], "eb_get": [client_type, text]}.items():
    function = getattr(library, name)
    # Not c_char_p: that would lose the pointer which eb_free wants.
    function.argtypes, function.restype = arguments, ctypes.c_void_p


def answer(pointer):
    if not pointer:
        raise RuntimeError(library.eb_last_error().decode())
    try:
        return json.loads(ctypes.string_at(pointer))
    finally:
        library.eb_free(pointer)


client = library.eb_connect(data_folder.encode(), None, 0)
assert client, library.eb_last_error().decode()
plan = answer(library.eb_plan(client, spec.encode()))
print("feasible", plan["feasible"], "frames", plan["frames"])
job = answer(library.eb_submit(client, json.dumps({"spec": json.loads(spec)}).encode(), None))
events, threads = [], set()


def happened(user, event):
    threads.add(threading.get_ident())
    if event:
        events.append(json.loads(event))
    return 0


callback = EVENT(happened)
result = []
# As an editor's add-on does it: the watch has a thread of its own, and the interpreter runs on.
watch = threading.Thread(target=lambda: result.append((library.eb_watch(client, job["name"].encode(), 0, callback, None), threading.get_ident())))
watch.start()
watch.join()
code, thread = result[0]
print("watched", code, "one thread", threads == {thread})
print("state", events[-1]["job"]["state"], "progress", any("progress" in event for event in events))
clip = events[-1]["job"]["takes"][0]["clip"]["name"]
print("fetched", library.eb_fetch(client, clip.encode(), destination.encode(), 0))
library.eb_disconnect(client)
try:
    answer(library.eb_get(client, job["name"].encode()))
except RuntimeError as error:
    print("gone", error)
