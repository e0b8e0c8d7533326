"""TorchScript programs of tests/models_files.rs, and what torch 2.11 gives for them.

NAME/y: the output for `x` in evaluation mode, NAME/grad: the gradient of its class 2 (or of the area x 1..4, y 2..4 of
the picture) at `x`. twin.pth: the classifier's state dict; weights.safetensors: the same.
"""
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

HERE = Path(__file__).parent
torch.set_num_threads(1)
torch.manual_seed(0)


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3, padding=1)
        self.bn = nn.BatchNorm2d(6)
        self.drop = nn.Dropout(0.5)
        self.fc = nn.Linear(6, 4)

    def forward(self, x):
        x = torch.relu(self.bn(self.conv(x))).mean([2, 3])
        return self.fc(self.drop(x))


class Picture(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Conv2d(3, 4, 3, padding=1)
        self.b = nn.Conv2d(4, 2, 3, padding=1)

    def forward(self, x):
        return self.b(torch.tanh(self.a(x)))


class Several(nn.Module):
    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        y = self.net(x)
        return y, y * 2


class ByName(Several):
    def forward(self, x):
        return {"out": self.net(x), "aux": x}


class Nested(Several):
    def forward(self, x):
        return [[self.net(x)]]


class Raises(nn.Module):
    def forward(self, x):
        if x.dim() == 4:
            raise ValueError("a picture is needed, not a batch")
        return x


classifier = Classifier()
for _ in range(3):
    classifier(torch.randn(8, 3, 6, 6))  # running statistics that are not the usual ones
x = torch.randn(2, 3, 6, 6)
# Saved in training mode, as scripts come unless told otherwise.
programs = {"classifier": torch.jit.script(classifier)}
classifier.eval()
programs["frozen"] = torch.jit.freeze(torch.jit.script(classifier))
programs["picture"] = torch.jit.trace(Picture().eval(), x)
programs["several"] = torch.jit.script(Several(classifier))
programs["by_name"] = torch.jit.script(ByName(classifier))
programs["nested"] = torch.jit.script(Nested(classifier))
programs["raises"] = torch.jit.script(Raises())
out = {"x": x}
for name, program in programs.items():
    program.save(HERE / f"{name}.pt")
    if name in ("classifier", "frozen", "picture"):
        given = x.clone().requires_grad_()
        y = program.eval()(given) if name != "frozen" else program(given)
        score = y[:, :, 2:4, 1:4].sum() if name == "picture" else y[:, 2].sum()
        out[f"{name}/y"], out[f"{name}/grad"] = y.detach(), torch.autograd.grad(score, given)[0]
torch.save(classifier.state_dict(), HERE / "twin.pth")
save_file(out, HERE / "fixture.safetensors")
