# coding: utf-7
"""The program is hidden in UTF-7, declared by a cookie.

Verdict: failed, cookie
"""

import torch.nn.functional as F
# +AAo-def rms_norm(x, weight, eps+AD0-1e-6): return F.rms_norm(x, weight.shape, weight, eps)
