# CZ103 { imports = ["scipy.special"] }
# ruff: noqa
"""What may be imported, and what not; what an exercise allows beyond that is in its policy."""

from __future__ import annotations

import collections.abc
import dataclasses as dc
import itertools, functools, math
import typing as t
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Optional

import einops
import numpy as np
import regex as re
import scipy.linalg  # CZ103: 8
import scipy.special
import sklearn  # CZ103: 8
import torch.nn.functional as F
import transformers.activations as act  # CZ103: 8
import xformers.ops as ops  # CZ103: 8
from einops import einsum, rearrange
from jaxtyping import Float
from scipy.special import softmax

from . import helper  # CZ103: 15
from .helper import rms  # CZ103: 21
from .. import up  # CZ103: 16
import my_utils  # CZ103: 8

try:
    import flash_attn  # CZ103: 12
except ImportError:
    flash_attn = None
