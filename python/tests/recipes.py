"""Hostile files, assembled when a test runs. Payloads only echo into a canary file."""

from __future__ import annotations

import io
import os
import struct
import tarfile
import zipfile
import zlib


def unicode(text):
    data = text.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def call(module, name, *args):
    """Opcodes that call module.name(*args)."""
    return b"c" + f"{module}\n{name}\n".encode() + b"(" + b"".join(map(unicode, args)) + b"tR"


def storage_id(key="0", numel=4, kind="FloatStorage", legacy=False):
    parts = unicode("storage") + f"ctorch\n{kind}\n".encode() + unicode(key) + unicode("cpu") + b"J" + struct.pack("<i", numel)
    return b"(" + parts + (b"N" if legacy else b"") + b"tQ"


def ints(*values):
    return b"(" + b"".join(b"\x8a\x08" + struct.pack("<q", v) for v in values) + b"t"


def tensor(offset=0, size=(4,), stride=(1,), more=b"", **storage):
    """Opcodes that rebuild a tensor."""
    return (
        b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage_id(**storage) + b"\x8a\x08" + struct.pack("<q", offset)
        + ints(*size) + ints(*stride) + b"\x89ccollections\nOrderedDict\n)R" + more + b"tR"
    )  # fmt: skip


def torch_zip(pickle, records=None, compress=zipfile.ZIP_STORED, extra=()):
    """A checkpoint as torch.save lays it out."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compress) as z:
        z.writestr("archive/data.pkl", b"\x80\x02" + pickle + b".")
        for name, data in (records or {"0": struct.pack("<4f", 1, 2, 3, 4)}).items():
            z.writestr(f"archive/data/{name}", data)
        for name, data in extra:
            z.writestr(name, data)
        z.writestr("archive/version", b"3\n")
    return out.getvalue()


def tar_of(**members):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(data), 1.5
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def hostile(canary):
    """Name and bytes of files that write to the canary when a real loader reads them."""
    command = f"echo pwned > {canary}"
    system = call("posix", "system", command)
    yield "plain", b"\x80\x02" + system + b"."
    yield "protocol0", f"cposix\nsystem\n(S'{command}'\ntR.".encode()
    yield "stack_global", b"\x80\x04\x8c\x05posix\x8c\x06system\x93" + unicode(command) + b"\x85R."
    yield "inst", b"(" + unicode(command) + b"iposix\nsystem\n."
    yield "obj", b"(cposix\nsystem\n" + unicode(command) + b"o."
    yield "popped", b"\x80\x02" + system + b"0N."
    yield "no_stop", b"\x80\x02" + system
    yield "eval", b"\x80\x02" + call("builtins", "eval", f"__import__('os').system({command!r})") + b"."
    yield "exec", b"\x80\x02" + call("builtins", "exec", f"import os; os.system({command!r})") + b"."
    yield "subprocess", b"\x80\x02csubprocess\ncall\n(" + unicode(command) + b"J\xff\xff\xff\xffNNNNN\x88\x88tR."
    yield "build", b"\x80\x02ctypes\nSimpleNamespace\n)R}" + unicode("a") + system + b"sb."
    yield "zip", torch_zip(system)
    yield "zip_beside_tensors", torch_zip(b"}" + unicode("w") + tensor() + b"s" + unicode("x") + system + b"s")
    yield "zip_deflated", torch_zip(system, compress=zipfile.ZIP_DEFLATED)
    yield "zip_second_data_pkl", torch_zip(b"N", extra=[("archive/DATA.PKL", b"\x80\x02" + system + b".")])
    yield "tar", tar_of(pickle=b"\x80\x02" + system + b".", storages=b"K\x00.]\x2e", tensors=b"K\x00.")
    yield "zlib", zlib.compress(b"\x80\x02" + system + b".")
    magic = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}."
    yield "legacy", magic + b"\x80\x02" + system + b".\x80\x02]."
    yield "legacy_keys", magic + b"\x80\x02}.\x80\x02" + system + b"."
    yield "legacy_system_info", b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02" + system + b"."
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(117) + b"\n"
    yield "npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + b"\x80\x02" + system + b"."


def environment_of(canary):
    return {**os.environ, "CANARY": str(canary)}
