"""A long session at the prompt: how its memory grows over 100,000 probes, no two alike.

    python benches/soak.py [PROBES]     # the binary built by ./cs385, or CS385=FILE; Linux
"""
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

root = Path(__file__).resolve().parent.parent
target = Path(os.environ.get("CARGO_TARGET_DIR", root / "target"))
binary = os.environ.get("CS385", str(target / "release" / "cs385"))
probes = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
NET = """let net = nn::sequential([["conv", nn::conv2d(1, 4, 3)], ["act", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)], ["flat", nn::flatten()], ["fc", nn::linear(4, 3)]]);
let x = tensor::rand([1, 1, 12, 12]);
"""
# Silent, shown, shadowing, with a closure, wrong: a fifth of each.
FIVE = """cam::grad_cam(net, "conv", x * {0}, 1);
cam::grad_cam(net, "act", x + {0}, 2)
let m = cam::grad_cam(net, "conv", x / {0}, 0); let y = _;
cam::grad_cam(net, "conv", x, target::custom(|out| out.sum() * {0}));
cam::grad_cam(net, "conf", x - {0}, 1);
"""

with tempfile.TemporaryDirectory() as folder:
    env = dict(os.environ, XDG_DATA_HOME=folder)
    pipe = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=folder, env=env)
    session = subprocess.Popen([binary, "repl", "--threads", "1"], **pipe)

    def feed(text, mark):
        session.stdin.write(f'{text}print("{mark}")\n')
        session.stdin.flush()
        while session.stdout.readline() != mark + "\n":
            pass
        return int(Path(f"/proc/{session.pid}/statm").read_text().split()[1]) * 4096

    feed(NET, "ready")
    piece = 1000
    begin = time.perf_counter()
    before = after = feed("".join(FIVE.format(i) for i in range(1, piece // 5 + 1)), "warm")
    for k in range(1, probes // piece + 1):
        after = feed("".join(FIVE.format(i) for i in range(k * piece // 5, (k + 1) * piece // 5)), f"piece {k}")
        if k % 10 == 0:
            print(f"{k * piece} probes: {after / 1e6:.0f} MB", flush=True)
    seconds = time.perf_counter() - begin
    session.stdin.close()
    session.wait()
print(f"{probes} probes in {seconds:.0f} s: {before / 1e6:.0f} MB, then {after / 1e6:.0f} MB, {after / before - 1:+.2%}")
