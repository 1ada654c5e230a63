# CZ001 { forbid = ["torch.softmax", "torch.nn.functional.softmax", "torch.nn.functional.layer_norm", "torch.exp", "torch.tanh"] }
# ruff: noqa
"""After a star import every name may be the library's, except below a function of the file's own."""

from torch.nn.functional import *


def layer_norm(x):
    return x


def normed(x):
    layer_norm(x)
    return softmax(x, -1)  # CZ001: 12


early = exp  # CZ001: 9


def exp(x):
    return x


def tanh(x):
    return x


from torch import *

later = tanh  # CZ001: 9
