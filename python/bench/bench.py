"""st.load beside torch.load and safetensors, in the same run: seconds, processor seconds of all processes,
and extra resident memory; the least of five.

    .cache/python/bin/python python/bench/bench.py [--size MB] [--small N]

Every measurement is a process of its own, its clock starts after the imports. The files are made in a temporary folder.
Scanning is included for st.load; it is not something that the others do.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile

MEASURE = """
import json, resource, sys, time
import torch
{imports}
path = sys.argv[1]
def rss():
    with open("/proc/self/status") as f:
        found = dict(line.split(":", 1) for line in f)
    return int(found["VmHWM"].split()[0]), int(found["VmRSS"].split()[0])
before = rss()
def cpu():
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
used, start = cpu(), time.perf_counter()
made = {load}
took = time.perf_counter() - start
print(json.dumps({{"s": took, "cpu": cpu() - used, "mb": max(0, rss()[0] - before[0]) / 1024}}))
"""

LOADERS = {
    "torch.load": ("", "torch.load(path, **({'weights_only': False} if torch.__version__ >= '2.6' else {}))"),
    "torch.load weights_only": ("", "torch.load(path, weights_only=True)"),
    "torch.load weights_only mmap": ("", "torch.load(path, weights_only=True, mmap=True)"),
    "st.load": ("import secure_torch as st", "st.load(path)"),
    "st.load mmap=False": ("import secure_torch as st", "st.load(path, mmap=False)"),
}


def measure(name, path):
    imports, load = LOADERS[name]
    runs = []
    for _ in range(5):
        done = subprocess.run(
            [sys.executable, "-c", MEASURE.format(imports=imports, load=load), path], capture_output=True, text=True, check=False
        )
        if done.returncode:
            return done.stderr.strip().splitlines()[-1][:60]
        runs.append(json.loads(done.stdout))
    seconds, cpu, memory = (min(run[what] for run in runs) for what in ("s", "cpu", "mb"))
    return f"{seconds:8.4f} s {cpu:8.4f} s of processors {memory:8.1f} MB"


def main():
    import torch

    args = argparse.ArgumentParser()
    args.add_argument("--size", type=int, default=1024, help="MB of the large checkpoint")
    args.add_argument("--small", type=int, default=20_000, help="tensors of the other one")
    opts = args.parse_args()
    print("torch", torch.__version__, "load average", os.getloadavg()[0])
    with tempfile.TemporaryDirectory() as folder:
        large, many = os.path.join(folder, "large.pt"), os.path.join(folder, "many.pt")
        torch.save({f"layer.{i}": torch.zeros(opts.size * 1024 * 1024 // 4 // 400) for i in range(400)}, large)
        torch.save({f"layer.{i}.weight": torch.zeros(100) for i in range(opts.small)}, many)
        for title, path in ((f"{opts.size} MB, 400 tensors", large), (f"{opts.small} tensors of 400 bytes", many)):
            print(f"\n{title} ({os.path.getsize(path) >> 20} MB)")
            for name in LOADERS:
                print(f"  {name:30} {measure(name, path)}")
        safetensors(folder, large, many)


def safetensors(folder, *paths):
    try:
        import safetensors.torch
        import torch
    except ImportError:
        return
    LOADERS.clear()
    LOADERS["safetensors load_file"] = ("import safetensors.torch", "safetensors.torch.load_file(path)")
    LOADERS["st.load of the same"] = ("import secure_torch as st", "st.load(path)")
    for path in paths:
        out = os.path.join(folder, "x.safetensors")
        safetensors.torch.save_file(torch.load(path), out)
        print(f"\nsafetensors of {os.path.basename(path)}")
        for name in LOADERS:
            print(f"  {name:30} {measure(name, out)}")


if __name__ == "__main__":
    main()
