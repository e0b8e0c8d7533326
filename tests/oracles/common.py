"""What the generators share: named tensors and cases, written beside the generator as fixture.safetensors and
cases.json. Deterministic: one thread, no gradient unless a generator asks for it, keys and cases in their order."""
import json
import zlib
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

torch.set_num_threads(1)


class Fixture:
    def __init__(self, script, about):
        self.folder, self.about, self.tensors, self.cases = Path(script).parent, about, {}, []

    def __setitem__(self, key, tensor):
        assert key not in self.tensors, key
        self.tensors[key] = tensor.detach().clone().contiguous()

    def case(self, name, **fields):
        assert all(c["name"] != name for c in self.cases), name
        self.cases.append({"name": name, **fields})

    def save(self):
        save_file(self.tensors, self.folder / "fixture.safetensors")
        head = {"torch": torch.__version__.split("+")[0], "about": self.about}
        lines = ",\n".join("  " + json.dumps(c, ensure_ascii=False) for c in self.cases)
        text = json.dumps(head, ensure_ascii=False)[:-1] + f', "cases": [\n{lines}\n]}}\n'
        (self.folder / "cases.json").write_text(text, encoding="utf-8")
        size = sum(f.stat().st_size for f in self.folder.iterdir() if f.is_file())
        print(f"{self.folder.name}: {len(self.cases)} cases, {len(self.tensors)} tensors, {size / 1000:.0f} kB")


def filled(name, shape):
    """Evenly spread numbers in [-1, 1): a multiplicative hash of place and name. Then in the range of its kind."""
    n = int(np.prod(shape, dtype=np.int64))
    h = (np.arange(n, dtype=np.uint64) * np.uint64(2654435761) + np.uint64(zlib.crc32(name.encode()))) & np.uint64(0xFFFFFFFF)
    h ^= h >> np.uint64(16)
    h = (h * np.uint64(0x85EBCA6B)) & np.uint64(0xFFFFFFFF)
    h ^= h >> np.uint64(13)
    u = h.astype(np.float64) / 2**31 - 1
    kind = name.rsplit(".", 1)[-1]
    if kind == "running_var":
        u = 1 + 0.5 * u
    elif kind == "weight" and len(shape) == 1:
        u = 1 + 0.2 * u
    elif kind == "weight":
        u = u * (6 / np.prod(shape[1:])) ** 0.5
    elif kind in ("bias", "running_mean"):
        u = 0.1 * u
    return torch.from_numpy(u.astype(np.float32).reshape(shape))


def fill(net):
    state = net.state_dict()
    net.load_state_dict({k: torch.tensor(0) if k.endswith("tracked") else filled(k, tuple(t.shape)) for k, t in state.items()})
    return net.eval()
