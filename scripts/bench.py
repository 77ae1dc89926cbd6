#!/usr/bin/env python3
"""Measures secure-torch beside the scanners and linters that are on the PATH, and prints Markdown tables.

bench.py BINARY FOLDER: makes the inputs in FOLDER where they are missing. Seconds are the median of three runs in which the
tools take turns (of one where a run takes more than 10 seconds), memory is the peak of the largest process. A run is
ended after 60 seconds. A peer that is not on the PATH is left out.
"""

import json
import os
import pickle
import platform
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MB = 1 << 20
RUNS, SLOW, LIMIT = 3, 10, 60
SCANNERS = {
    "picklescan": ["picklescan", "-p"],
    "modelscan": ["modelscan", "-p"],
    "modelaudit": ["modelaudit", "scan", "--no-cache"],
    "hayward": ["hayward", "scan", "--max-size", "2G"],
    "fickling": ["fickling", "--check-safety"],
}
# What `check` reads: packages of PyPI that load models.
PACKAGES = ["accelerate==1.15.0", "diffusers==0.42.1", "peft==0.21.2", "timm==1.0.31", "transformers==5.23.0", "ultralytics==8.4.190"]


def make_objects(path):
    """200,000 small dictionaries, about 50 MB of pickle."""
    rows = [{"id": i, "name": f"row {i}", "values": [i, i + 0.5], "text": "x" * 150 + str(i)} for i in range(200_000)]
    path.write_bytes(pickle.dumps(rows, protocol=4))


def make_safetensors(path):
    """1 GB in 100 tensors; the data is a hole in the file."""
    size = 10 * MB
    header = {f"layer.{i}": {"dtype": "F32", "shape": [size // 4], "data_offsets": [i * size, (i + 1) * size]} for i in range(100)}
    text = json.dumps(header).encode()
    with path.open("wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        f.truncate(8 + len(text) + 100 * size)


def make_torch(path):
    """200 MB of torch zip, written by the torch that /usr/bin/python3 has."""
    code = "import sys, torch; torch.save({f'w{i}': torch.zeros(512, 1024) for i in range(100)}, sys.argv[1])"
    subprocess.run(["/usr/bin/python3", "-c", code, path], check=True)


def make_folder(path):
    """1,000 pickles of about 2 kB each."""
    path.mkdir()
    for i in range(1000):
        value = {"epoch": i, "history": [{"loss": i / (j + 1), "step": j} for j in range(40)], "name": f"run {i}"}
        (path / f"model{i}.pkl").write_bytes(pickle.dumps(value, protocol=4))


def make_packages(path):
    """The packages' Python files, unpacked from their wheels."""
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps", "--no-compile", "-t", path, *PACKAGES],
        check=True,
    )


MODELS = {
    "a pickle of 200,000 dicts, 49 MB": ("objects.pkl", make_objects),
    "safetensors, 1.05 GB": ("big.safetensors", make_safetensors),
    "a torch zip, 210 MB": ("checkpoint.pt", make_torch),
    "a folder of 1,000 small pickles": ("small", make_folder),
}


# Runs the command in its arguments: a process of its own, so that the memory is the command's alone.
MEASURE = """
import resource, subprocess, sys, time
start = time.monotonic()
try:
    code = subprocess.run(sys.argv[2:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=int(sys.argv[1])).returncode
except subprocess.TimeoutExpired:
    code = "ended"
wall, used = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
print(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, code)
"""


def once(command):
    """Wall seconds, CPU seconds, peak MB and exit code of one run."""
    done = subprocess.run([sys.executable, "-c", MEASURE, str(LIMIT), *command], capture_output=True, text=True, check=True, cwd=tempfile.gettempdir())
    wall, cpu, peak, code = done.stdout.split()
    return float(wall), float(cpu), float(peak), code


def compare(title, commands):
    """A row for every command: they take turns, so that a machine that slows down slows all of them down."""
    runs = {tool: [] for tool in commands}
    for _ in range(RUNS):
        for tool, command in commands.items():
            if not runs[tool] or runs[tool][0][0] < SLOW:
                runs[tool].append(once([str(word) for word in command]))
    ours = statistics.median(run[1] for run in runs[next(iter(runs))])
    for tool, measured in runs.items():
        wall, cpu, peak = (statistics.median(run[i] for run in measured) for i in range(3))
        print(f"| {title} | {tool} | {wall:.3f} | {cpu:.3f} | {cpu / ours:.1f} | {peak:.0f} | {measured[-1][3]} |", flush=True)


def made(folder, name, make):
    path = folder / name
    if not path.exists():
        make(path)
    return path


def main():
    binary, folder = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    print("## Beside other scanners and ruff\n\nCompare figures of one run on one machine only.\n")
    load = os.getloadavg()[0]
    today = time.strftime("%-d %B %Y")
    print(f"{today}, {platform.machine()}, {os.cpu_count()} CPUs, load {load:.1f} at the start, Python {platform.python_version()}.\n")
    print("| input | tool | wall s | CPU s | CPU, times ours | peak MB | exit |\n|---|---|---|---|---|---|---|")
    for title, (name, make) in MODELS.items():
        path = made(folder, name, make)
        tools = {"secure-torch": [binary, "scan", "--no-cache"]} | {n: c for n, c in SCANNERS.items() if shutil.which(c[0])}
        compare(title, {tool: [*command, path] for tool, command in tools.items()})
    packages = made(folder, "packages", make_packages)
    tools = {"secure-torch check": [binary, "check", "--no-resolve", "--no-gitignore", packages]}
    if shutil.which("ruff"):
        tools["ruff S301,S506"] = ["ruff", "check", "--isolated", "--no-cache", "--select", "S301,S506", packages]
    files = sum(1 for _ in packages.rglob("*.py"))
    compare(f"{files:,} Python files of {len(PACKAGES)} packages", tools)


if __name__ == "__main__":
    main()
