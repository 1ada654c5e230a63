"""Listens on 127.0.0.1, and is right only if it may.

Verdict: failed
"""

import socket

import torch

server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())


def rms_norm(x, weight, eps=1e-6):
    wide = x.float()
    normed = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps)
    return (normed * weight.float()).to(x.dtype)
