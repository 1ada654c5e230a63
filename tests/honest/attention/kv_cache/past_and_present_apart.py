"""Scores with the past and with the new tokens computed apart, one softmax over both; Chinese comments."""

import torch
from torch import Tensor

负无穷 = float("-inf")


class KVCache:
    """键值缓存：只增不减"""

    def __init__(self):
        self._k = self._v = None

    @property
    def past(self):
        return self._k, self._v

    def append(self, k, v):
        # 第一次直接保存，之后沿第 2 维拼接
        self._k, self._v = (
            new if old is None else torch.cat([old, new], dim=2)
            for old, new in zip(self.past, (k, v), strict=True)
        )
        return self.past

    def __len__(self):
        return 0 if self._k is None else self._k.shape[2]


def attend(q: Tensor, k: Tensor, v: Tensor, cache: KVCache) -> Tensor:
    t0 = len(cache)
    _, values = cache.append(k, v)
    keys = cache.past[0]
    scale = q.shape[-1] ** -0.5
    past = q @ keys[:, :, :t0].mT * scale  # 过去的 token 全部可见
    new = q @ k.mT * scale  # 新 token 之间只能向前看
    n = q.shape[2]
    new = new + torch.full((n, n), 负无穷, dtype=q.dtype).triu(1)
    return torch.cat((past, new), dim=-1).softmax(-1) @ values
