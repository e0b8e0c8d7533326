"""What the generators share: named tensors and cases, written beside the generator as fixture.safetensors and
cases.json. Deterministic: one thread, no gradient unless a generator asks for it, keys and cases in their order."""
import json
from pathlib import Path

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
