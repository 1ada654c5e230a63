"""Python lists of token numbers, einsum, and an early zero for a row without blocks."""

import torch


def local_global_mask(n, reach, num_global):
    return torch.tensor(
        [[j < num_global or i < num_global or -reach <= j - i <= reach for j in range(n)] for i in range(n)]
    )


def block_sparse_attention(q, k, v, block_mask, block):
    t = q.size(2)
    result = torch.zeros_like(q)
    for i in range(block_mask.size(0)):
        rows = slice(i * block, min(t, (i + 1) * block))
        seen = [p for p in range(t) if block_mask[i, p // block]]
        if not seen:
            continue
        s = torch.einsum("bhqd,bhkd->bhqk", q[:, :, rows], k[:, :, seen]) * q.size(-1) ** -0.5
        result[:, :, rows] = torch.einsum("bhqk,bhkd->bhqd", torch.softmax(s.float(), -1).to(v.dtype), v[:, :, seen])
    return result
