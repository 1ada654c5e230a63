# CZ103 { kernel = true }
# ruff: noqa
"""Beside a kernel nothing may compute: neither numpy nor einops is on the list there."""

import functools
import math
import random  # CZ103: 8
from typing import NamedTuple

import numpy as idle  # CZ103: 8
import numpy as np  # CZ103: 8
import torch
import triton
import triton.language as tl
from einops import rearrange  # CZ103: 20
from numpy import exp  # CZ103: 19
from triton.language.extra import libdevice
from triton.tools.tensor_descriptor import TensorDescriptor

np.exp, rearrange, exp, random.random
