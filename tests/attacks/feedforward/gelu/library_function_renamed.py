"""The library's gelu under another name.

Verdict: failed, CZ001
"""

from torch.nn.functional import gelu as weigh


def gelu(x, approximate="none"):
    return weigh(x, approximate=approximate)
