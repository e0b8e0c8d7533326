"""By hand: networks that cs385 saved load in torchvision, strictly, and give the same outputs there.

python loads.py path/to/cs385
"""
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
import torchvision
from safetensors.torch import load_file

SCRIPT = """for name in %s {
    let net = models::create(name, #{classes: 7});
    let x = tensor::rand([2, 3, 64, 64]);
    net.train(); net.forward(x); net.train(false); // running statistics that are not the usual ones
    net.save(`${name}.safetensors`); x.save(`${name}.x.npy`); net.forward(x).detach().save(`${name}.y.npy`);
}"""
NAMES = ["alexnet", "vgg11_bn", "vgg16", "resnet18", "resnet34", "resnet50", "squeezenet1_1", "mobilenet_v2"]

with tempfile.TemporaryDirectory() as d:
    (Path(d) / "s.rhai").write_text(SCRIPT % str(NAMES).replace("'", '"'))
    subprocess.run([Path(sys.argv[1]).resolve(), "run", "s.rhai"], cwd=d, check=True)
    out = Path(d) / "outputs/s/latest"
    for name in NAMES:
        net = getattr(torchvision.models, name)(num_classes=7).eval()
        net.load_state_dict(load_file(out / f"{name}.safetensors"), strict=True)
        x, y = (torch.from_numpy(np.load(out / f"{name}.{k}.npy")) for k in "xy")
        with torch.no_grad():
            off = float((net(x) - y).abs().max() / y.abs().max())
        assert off < 1e-4, (name, off)
        print(name, "loads; relative difference of its output", off)
