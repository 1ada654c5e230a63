"""Row by row with all keys: never t x t, but the keys are not walked, and the sums need no rescaling.

Verdict: failed, meter-peak_bytes
"""

import math

import torch


def tiled_attention(q, k, v, block_q, block_k, causal=False):
    t = q.shape[2]
    out, lse = torch.empty_like(q), torch.empty(q.shape[:3])
    for a in range(0, t, block_q):
        z = min(a + block_q, t)
        end = z if causal else t
        scores = (q[:, :, a:z].float() / math.sqrt(q.shape[3])) @ k[:, :, :end].float().mT
        if causal:
            scores.masked_fill_(torch.arange(end) > torch.arange(a, z)[:, None], -math.inf)
        peak = scores.amax(-1, keepdim=True)
        scores.sub_(peak).exp_()
        total = scores.sum(-1, keepdim=True)
        out[:, :, a:z] = scores @ v[:, :, :end].float() / total
        lse[:, :, a:z] = (peak + total.log())[..., 0]
    return out, lse
