"""What the generators of maps share: the sign of a principal component, torchcam's maps finished as pytorch-grad-cam's,
noise given by hand, and Smooth Grad-CAM++ by its formula."""
import numpy as np
import pytorch_grad_cam as pgc
import torch
from pytorch_grad_cam.utils import svd_on_activations as svd
from torch.nn import functional as F


def signed(project):
    """The sign that LAPACK left open: that with which the component grows with the sum over the channels."""
    def with_sign(shares):
        maps, total = project(shares), shares.sum(1)
        along = (maps * (total - total.mean((1, 2), keepdims=True))).sum((1, 2))
        return maps * np.where(along < 0, -1, 1)[:, None, None].astype(np.float32)

    return with_sign


def fix_signs():
    for name in ["base_cam", "eigen_cam", "eigen_grad_cam", "grad_cam_elementwise", "layer_cam"]:
        getattr(pgc, name).get_2d_projection = signed(svd.get_2d_projection)


def finished(maps, size):
    """torchcam's normalised maps [N, h, w], enlarged and normalised as pytorch-grad-cam's."""
    maps = F.interpolate(maps[:, None], size, mode="bilinear", align_corners=False)[:, 0]
    low = maps - maps.amin((1, 2), keepdim=True)
    return low / (low.amax((1, 2), keepdim=True) + 1e-7)


class Given:
    """In place of a distribution: one noise after the other."""

    def __init__(self, noise):
        self.noise = iter(noise)

    def sample(self, size):
        return next(self.noise).expand(size)


def by_torchcam(method, net, layer, x, classes, noise=None, **how):
    with method(net, layer, input_shape=tuple(x.shape[1:]), **how) as cam:
        if noise is not None:
            cam._distrib = Given(noise)
        net(x)
        return finished(cam(classes, None)[0], x.shape[2:])


def smooth_grad_cam_pp(net, module, x, classes, noise):
    """Smooth Grad-CAM++ by its formula: torchcam takes the last sample's gradient alone, and sums A · D3."""
    grads, seen = [], []
    hook = module.register_forward_hook(lambda m, i, o: seen.append(o))
    net(x)
    act = seen.pop().detach()
    for one in noise:
        score = net(x + one)[range(len(x)), classes].sum()
        grads.append(torch.autograd.grad(score, seen.pop())[0])
    hook.remove()
    second, third = (torch.stack([g**p for g in grads]).mean(0) for p in (2, 3))
    alpha = second / (2 * second + act.sum((2, 3), keepdim=True) * third + 1e-8)
    weights = (alpha * torch.stack(grads).mean(0).relu()).sum((2, 3), keepdim=True)
    cam = (weights * act).sum(1).relu()
    return finished((cam - cam.amin((1, 2), keepdim=True)) / cam.amax((1, 2), keepdim=True), x.shape[2:])
