#!/usr/bin/env python3
"""Measures `secure-torch scan` on large files beside the scanners that are installed, and prints a Markdown table.

bench.py BINARY FOLDER: makes the files in FOLDER where they are missing. Wall and CPU seconds are the best of three runs,
memory is the peak of the process and its children. A peer that is not on the PATH is left out.
"""

import json
import os
import pickle
import platform
import resource
import shutil
import struct
import subprocess
import sys
import time

MB = 1 << 20
PEERS = {
    "picklescan": ["picklescan", "-p"],
    "modelscan": ["modelscan", "-p"],
    "modelaudit": ["modelaudit", "scan", "--no-cache"],
    "hayward": ["hayward", "scan", "--max-size", "2G"],
}


def make_objects(path):
    """200,000 small dictionaries, about 50 MB of pickle."""
    rows = [{"id": i, "name": f"row {i}", "values": [i, i + 0.5], "text": "x" * 150 + str(i)} for i in range(200_000)]
    with open(path, "wb") as f:
        pickle.dump(rows, f, protocol=4)


def make_safetensors(path):
    """1 GB in 100 tensors; the data is a hole in the file."""
    size = 10 * MB
    header = {f"layer.{i}": {"dtype": "F32", "shape": [size // 4], "data_offsets": [i * size, (i + 1) * size]} for i in range(100)}
    text = json.dumps(header).encode()
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        f.truncate(8 + len(text) + 100 * size)


def make_torch(path):
    """200 MB of torch zip, written by the torch that /usr/bin/python3 has."""
    code = "import sys, torch; torch.save({f'w{i}': torch.zeros(512, 1024) for i in range(100)}, sys.argv[1])"
    subprocess.run(["/usr/bin/python3", "-c", code, path], check=True)


FILES = {"objects.pkl": make_objects, "big.safetensors": make_safetensors, "checkpoint.pt": make_torch}


def measure(command):
    """Best wall and CPU seconds of three runs, peak memory in MB, and the last exit code."""
    best, code = None, 0
    for _ in range(3):
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        code = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
        wall, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        best = min(best or (wall, cpu), (wall, cpu))
    return best, code


def peak(command):
    """Peak resident memory in MB of the largest process among the command and its children, in a process of its own."""
    code = (
        "import resource, subprocess, sys\n"
        "subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    out = subprocess.run([sys.executable, "-c", code, *command], capture_output=True, text=True, check=True).stdout
    return int(out) / 1024


def main():
    binary, folder = os.path.abspath(sys.argv[1]), sys.argv[2]
    os.makedirs(folder, exist_ok=True)
    for name, make in FILES.items():
        if not os.path.exists(os.path.join(folder, name)):
            make(os.path.join(folder, name))
    tools = {"secure-torch": [binary, "scan"]} | {n: c for n, c in PEERS.items() if shutil.which(c[0])}
    print("# Benchmarks\n\nWritten by `make bench`. Compare figures of one run on one machine only.\n")
    load = os.getloadavg()[0]
    print(f"{platform.machine()}, {os.cpu_count()} CPUs, load {load:.1f} at the start, Python {platform.python_version()}.\n")
    print("| file | scanner | wall s | CPU s | peak MB | exit |\n|---|---|---|---|---|---|")
    for name in FILES:
        path = os.path.join(folder, name)
        for tool, command in tools.items():
            (wall, cpu), code = measure([*command, path])
            print(f"| {name}, {os.path.getsize(path) / 1e6:.0f} MB | {tool} | {wall:.3f} | {cpu:.3f} | {peak([*command, path]):.0f} | {code} |", flush=True)


if __name__ == "__main__":
    main()
