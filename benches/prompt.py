"""The prompt's times: start until the first prompt against `import torch`, completion and hint of one key.

    python benches/prompt.py [ROUNDS]     # a Python with torch 2.11.0; the binary built by ./cs385; Linux
"""
import os
import pty
import select
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

root = Path(__file__).resolve().parent.parent
target = Path(os.environ.get("CARGO_TARGET_DIR", root / "target"))
binary = Path(os.environ.get("CS385", target / "release" / "cs385"))
rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 9


class Prompt:
    def __init__(self, folder):
        env = dict(os.environ, XDG_DATA_HOME=str(folder), TERM="xterm-256color")
        self.begin = time.perf_counter()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execve(binary, [str(binary), "repl"], env)

    def until(self, wanted):
        """Seconds until the text is there, and until nothing follows it."""
        text = b""
        while wanted not in text:
            text += os.read(self.fd, 65536)
        return time.perf_counter()

    def key(self, keys, wanted):
        while select.select([self.fd], [], [], 0.3)[0]:
            os.read(self.fd, 65536)
        begin = time.perf_counter()
        os.write(self.fd, keys)
        return self.until(wanted) - begin

    def close(self):
        self.key(b"\x03", b"> ")
        self.key(b"\x04", b"")
        os.waitpid(self.pid, 0)
        os.close(self.fd)


first, torch, tab, hint, typed = [], [], [], [], []
with tempfile.TemporaryDirectory() as folder:
    for i in range(rounds + 1):
        p = Prompt(folder)
        ready = p.until(b"> ") - p.begin
        p.key(b"let net = nn::sequential([[\"conv1\", nn::conv2d(1, 2, 3)], [\"act\", nn::relu()]]);\r", b"\n")
        a = p.key(b"cam::gra", b"gra")
        b = p.key(b"\t", b"grad_cam_pp")
        c = p.key(b"(", b"net: Net")
        p.key(b"\x03", b"> ")
        d = p.key(b"net.forw\t", b"ard")
        p.close()
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-c", "import torch"], check=True)
        if i:  # the first warms the disk's cache
            first.append(ready)
            torch.append(time.perf_counter() - begin)
            typed.append(a)
            tab += [b, d]
            hint.append(c)


def ms(values):
    return f"{statistics.median(values) * 1e3:.1f} ms (most {max(values) * 1e3:.1f})"


ratio = statistics.median(a / b for a, b in zip(first, torch))
print(f"first prompt {ms(first)}, import torch {ms(torch)}, ratio {ratio:.3f}")
print(f"Tab {ms(tab)}; what a call takes {ms(hint)}; eight keys {ms(typed)}")
