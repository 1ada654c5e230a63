# CZ001 { forbid = ["torch.nn.functional.rms_norm"] }
# ruff: noqa
"""A forbidden name counts on an owner that nobody knows, however it was handed on; not on a class of the file's own."""

import contextlib
import warnings

import torch.nn.functional as F

[lambda: F][0]().rms_norm  # CZ001: 1
warnings.catch_warnings()._module.sys.modules["torch.nn.functional"].rms_norm  # CZ001: 1


def hint(lib: F):
    hint.__annotations__["lib"].rms_norm  # CZ001: 5


@contextlib.contextmanager
def opened():
    yield F


with opened() as lib:
    lib.rms_norm  # CZ001: 5


class Layer:
    def rms_norm(self, x):
        return x

    def forward(self, x):
        return self.rms_norm(x)


layer = Layer()
layer.rms_norm(1)
Layer().rms_norm(1)
Layer.rms_norm(layer, 1)
