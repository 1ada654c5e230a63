"""Sends open files along with its answer.

Verdict: failed
"""

import os
import socket

import torch


def rms_norm(x, weight, eps=1e-6):
    files = [os.open(os.devnull, os.O_RDONLY) for _ in range(4)]
    with socket.socket(fileno=os.dup(3)) as channel:
        socket.send_fds(channel, [bytes(12)], files)
    wide = x.float()
    normed = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps)
    return (normed * weight.float()).to(x.dtype)
