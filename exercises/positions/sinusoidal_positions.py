"""Sinusoidal position encoding

Attention by itself does not see the order of its tokens: shuffle them, and the results
are shuffled alike. The first transformer adds to the token at position p a vector of d
features that are the same in every text, with nothing to learn:

    PE[p, 2i]     = sin(p / base^(2i/d))
    PE[p, 2i + 1] = cos(p / base^(2i/d))

The sine and the cosine of pair i share one angle; from one position to the next every
pair turns by the same angle, wherever it is. The wavelengths grow from 2π, at i = 0, to
nearly 2π · base. If d is odd, the last feature is a sine without its cosine.

t       int, at least 1: the positions are 0, 1, …, t - 1
d       int, at least 1
base    float > 1
result  [t, d], float32

Compute in float32 or float64. No Python loop over the positions: as many lines of Python
must run for 10 of them as for 10 000. A loop over the features is fine.

Source: Vaswani et al. 2017, Attention Is All You Need, arXiv:1706.03762, §3.5
"""

import torch
from torch import Tensor


def sinusoidal(t: int, d: int, base: float = 10000.0) -> Tensor:
    """The encodings of positions 0 … t - 1, [t, d]."""
    # TODO (2 lines): `frequencies`, float32 [pairs]: the angle by which each pair turns from one position to the next
    raise NotImplementedError("frequencies")
    # TODO (1 line): `angles` [t, pairs]: those of every position
    raise NotImplementedError("angles")
    # TODO (2 lines): return [t, d]: the sine and the cosine of each pair side by side
    raise NotImplementedError("interleave")
