"""How long an empty script takes, against `import torch` of the same wheel: pairs in one run, both warmed up.

    python benches/startup.py [PAIRS]      # a Python with torch 2.11.0; the binary built by ./cs385
"""
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

root = Path(__file__).resolve().parent.parent
target = Path(os.environ.get("CARGO_TARGET_DIR", root / "target"))
pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 15
env = dict(os.environ, OMP_NUM_THREADS="1")


def seconds(command):
    begin = time.perf_counter()
    subprocess.run(command, check=True, env=env, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


with tempfile.TemporaryDirectory() as folder:
    script = Path(folder, "empty.rhai")
    script.write_text("")
    ours = [str(target / "release" / "cs385"), "run", str(script)]
    theirs = [sys.executable, "-c", "import torch"]
    for _ in range(2):
        seconds(ours), seconds(theirs)
    rows = [(seconds(ours), seconds(theirs)) for _ in range(pairs)]
mine, peer = (statistics.median(r[i] for r in rows) for i in (0, 1))
ratio = statistics.median(a / b for a, b in rows)
print(f"cs385 run empty.rhai {mine * 1e3:.0f} ms, import torch {peer * 1e3:.0f} ms, ratio {ratio:.3f} ({pairs} pairs)")
