# CZ102 {}
# ruff: noqa
"""Asking whether somebody watches is a finding; asking for gradients, devices and settings is not."""

import sys
from sys import gettrace  # CZ102: 17

import torch
import torch.overrides  # CZ102: 8
from torch import is_inference_mode_enabled as watched  # CZ102: 19
from torch.utils import _python_dispatch as modes  # CZ102: 25


def asks(x):
    if torch.is_inference_mode_enabled() or watched():  # CZ102: 8 CZ102: 45
        return x
    if x.is_inference() or torch.is_inference(x):  # CZ102: 8 CZ102: 28
        return x
    if sys.gettrace() or gettrace():  # CZ102: 8 CZ102: 26
        return x
    sys.settrace(None), sys.setprofile(None), sys.getprofile()  # CZ102: 5 CZ102: 25 CZ102: 47
    modes._get_current_dispatch_mode()  # CZ102: 5
    getattr(torch, "is_inference_mode_enabled")()  # CZ102: 5
    return torch.overrides.is_tensor_like(x)  # CZ102: 12


@torch.jit.script
def scripted(x: torch.Tensor) -> torch.Tensor:
    return torch.jit.annotate(torch.Tensor, x) * 2


def compiles(x):
    torch.jit.CompilationUnit("")  # CZ102: 5
    torch.jit.script.__wrapped__  # CZ102: 5
    keep(torch.jit).script(x)  # CZ102: 10
    return torch.jit.load("f")  # CZ102: 12


def honest(x, layer):
    with torch.inference_mode(), torch.no_grad():
        y = x.detach() if torch.is_grad_enabled() else x
    if x.requires_grad or x.is_leaf or layer.training or torch.is_floating_point(x):
        return y
    with torch.autocast("cpu", enabled=torch.is_autocast_enabled()), torch.set_grad_enabled(False):
        return y if torch.cuda.is_available() and sys.version_info > (3, 11) else x
