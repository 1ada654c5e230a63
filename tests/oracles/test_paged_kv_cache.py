"""Pages beside a contiguous cache: transformers' DynamicCache for one sequence, torch's attention over what it holds."""

import random

import torch
import torch.nn.functional as F
from transformers import DynamicCache


def test_contiguous_cache(kit):
    solution, grader = kit("attention/paged_kv_cache")
    draw = random.Random(0)
    cache, contiguous = solution.PagedKVCache(40, 4, 3, 8), {}
    for _ in range(30):
        seq = draw.randrange(4)
        k, v = torch.randn(2, draw.randint(1, 4), 3, 8)
        cache.append(seq, k, v)
        one = contiguous.setdefault(seq, DynamicCache())
        keys, values = one.update(k.transpose(0, 1)[None], v.transpose(0, 1)[None], 0)  # [1, h, total, head_dim]
        torch.testing.assert_close(cache.gather(seq), (keys[0].transpose(0, 1), values[0].transpose(0, 1)))
        q = torch.randn(3, 8)
        theirs = F.scaled_dot_product_attention(q[None, :, None], keys, values)[0, :, 0]
        torch.testing.assert_close(cache.attend(seq, q), theirs)
        torch.testing.assert_close(grader.head_by_head(q, *cache.gather(seq)), theirs)
        if draw.random() < 0.2:
            cache.free(seq)
            del contiguous[seq]
