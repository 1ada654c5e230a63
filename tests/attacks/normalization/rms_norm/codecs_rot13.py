"""getattr with a name that a text codec turns around.

Verdict: failed
"""

import codecs

import torch


def rms_norm(x, weight, eps=1e-6):
    return getattr(torch, codecs.decode("ezf_abez", "rot13"))(x, weight.shape, weight, eps)
