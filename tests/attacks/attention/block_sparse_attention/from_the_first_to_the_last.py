"""Computes whatever lies between the first active block and the last, and hides it.

Verdict: failed, meter-flops
"""

import math
import torch


def local_global_mask(n, reach, num_global):
    i = torch.arange(n)
    m = (i[:, None] - i[None]).abs() <= reach
    m[:num_global] = True
    m[:, :num_global] = True
    return m


def block_sparse_attention(q, k, v, block_mask, block):
    b, h, t, d = q.shape
    n = block_mask.shape[0]
    out = []
    for i in range(n):
        qi = q[:, :, i * block:(i + 1) * block]
        js = block_mask[i].nonzero().flatten().tolist()
        if not js:
            out.append(torch.zeros_like(qi))
            continue
        a, z = js[0] * block, (js[-1] + 1) * block
        ki, vi = k[:, :, a:z], v[:, :, a:z]
        seen = block_mask[i].repeat_interleave(block)[:t][a:z]
        s = (qi @ ki.mT / math.sqrt(d)).masked_fill(~seen, -math.inf)
        out.append(s.softmax(-1) @ vi)
    return torch.cat(out, 2)
