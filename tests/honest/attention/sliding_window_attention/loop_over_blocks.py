"""A loop over blocks of queries with the keys that any of them sees; softmax in float32."""

import math

import torch


def sliding_window_attention(q, k, v, window):
    t = q.shape[-2]
    step = max(1, min(window, t))
    done = []
    for start in range(0, t, step):
        end, first = min(start + step, t), max(0, start - window + 1)
        i = torch.arange(start, end).view(-1, 1)
        j = torch.arange(first, end).view(1, -1)
        s = torch.matmul(q[:, :, start:end], k[:, :, first:end].mT) / math.sqrt(q.shape[-1])
        s = torch.where((j > i) | (i - j >= window), torch.tensor(-math.inf, dtype=s.dtype), s)
        p = s.float().softmax(-1).to(v.dtype)
        done.append(torch.matmul(p, v[:, :, first:end]))
    return torch.cat(done, dim=-2)
