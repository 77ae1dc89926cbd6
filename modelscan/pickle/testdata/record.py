#!/usr/bin/env python3
"""Run pickles through CPython's unpickler with nothing imported, and say what would have been.

Reads from stdin: a 4-byte little-endian length, then the pickle, until the end. Writes for each one line of
JSON: {"imports": [["module", "name"], …], "ended": true where STOP was reached}. find_class records the
name (after fix_imports, as CPython does) and returns an inert class: calling it, giving it state or items does nothing.
"""
import io
import json
import pickle
import resource
import sys


class Inert:
    def __new__(cls, *args, **kw):
        return object.__new__(cls)

    def __init__(self, *args, **kw):
        pass

    def __call__(self, *args, **kw):
        return Inert()

    def __setstate__(self, state):
        pass

    def __setitem__(self, key, value):
        pass

    def append(self, item):
        pass

    def extend(self, items):
        pass

    def add(self, item):
        pass

    def __hash__(self):
        return 0


class Recorder(pickle.Unpickler):
    def __init__(self, data):
        super().__init__(io.BytesIO(data))
        self.imports = []

    def find_class(self, module, name):
        self.imports.append([module, name])
        return type("Stub", (Inert,), {})

    def persistent_load(self, pid):
        return Inert()


def main():
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))  # a LONG_BINPUT of a large index is an allocation of as much
    source = sys.stdin.buffer
    while head := source.read(4):
        data = source.read(int.from_bytes(head, "little"))
        recorder = Recorder(data)
        try:
            recorder.load()
            ended = True
        except BaseException:
            ended = False
        print(json.dumps({"imports": recorder.imports, "ended": ended}))


main()
