"""The stack of function modes is emptied through a module that is an argument.

Verdict: failed
"""

import torch


def compute(lib, x, weight, eps):
    stack = lib.overrides
    popped = [stack._pop_mode() for _ in range(stack._len_torch_function_stack())]
    try:
        return lib.rms_norm(x, weight.shape, weight, eps)
    finally:
        for mode in reversed(popped):
            stack._push_mode(mode)


def rms_norm(x, weight, eps=1e-6):
    return compute(torch, x, weight, eps)
