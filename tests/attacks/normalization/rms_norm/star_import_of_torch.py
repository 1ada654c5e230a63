"""A star import of torch itself, no definition at all: an adapter made by partial.

Verdict: failed, CZ001
"""

from functools import partial

from torch import *

library = rms_norm
rms_norm = lambda x, weight, eps=1e-6: partial(library, normalized_shape=weight.shape, weight=weight)(x, eps=eps)
