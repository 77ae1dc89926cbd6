"""Runs a program over hostile bytes, after this interpreter has given up what it does not need.

secure-torch starts it with descriptor 3 as the way to the parent, 4 the filter, 5 what the program writes.
The program is not run, and the input is not here yet, before the filter is in force and the parent has seen that it is.
"""

import sys


def _boot():
    import ctypes
    import importlib
    import io
    import json
    import os
    import socket
    import traceback

    import encodings.ascii, encodings.latin_1, encodings.raw_unicode_escape, encodings.unicode_escape, encodings.utf_8  # noqa: E401, F401

    control = socket.socket(fileno=3)
    spec = json.loads(sys.argv[1])

    def refuse(text):
        os.write(3, json.dumps({"problem": text[:2000]}).encode())
        os._exit(3)

    sys.path.extend(spec["paths"])
    for name in spec["imports"]:
        try:
            importlib.import_module(name)
        except BaseException as err:  # anything: it is the user's own module that fails
            refuse(f"import {name}: {type(err).__name__}: {err}")
    sys.argv = spec["args"]
    source, name = spec["source"], "<string>"
    if source is None:
        name = sys.argv[0]
        with open(name, encoding="utf-8") as file:
            source = file.read()
    code = compile(source, name, "exec", dont_inherit=True)
    output = io.FileIO(5, "wb", closefd=False)

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))

    text = os.read(4, 1 << 16)
    os.close(4)
    libc = ctypes.CDLL(None, use_errno=True)
    program = Program(len(text) // 8, text)
    if libc.prctl(4, 0, 0, 0, 0) != 0:  # PR_SET_DUMPABLE: execve has put it back
        refuse("PR_SET_DUMPABLE: " + os.strerror(ctypes.get_errno()))
    # SECCOMP_SET_MODE_FILTER with SECCOMP_FILTER_FLAG_TSYNC: every thread, or none and the id of one that can't.
    left = libc.syscall(ctypes.c_long(spec["seccomp"]), ctypes.c_ulong(1), ctypes.c_ulong(1), ctypes.byref(program))
    if left != 0:
        refuse("seccomp: " + (f"thread {left} can't be brought along" if left > 0 else os.strerror(ctypes.get_errno())))
    os.write(3, b'{"ready": true}')  # not send: that is a call off the list
    _, fds, _, _ = socket.recv_fds(control, 16, 1)
    given = io.BufferedReader(io.FileIO(fds[0], "rb")) if fds else None
    if given is not None:
        given.seek(0)  # the descriptor may have been read before
    status = 0
    try:
        exec(code, {"__name__": "__main__", "INPUT": given, "OUTPUT": output})
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BaseException:
        traceback.print_exc(limit=20)
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status & 0xFF)  # nothing of the program's runs on the way out


_boot()
