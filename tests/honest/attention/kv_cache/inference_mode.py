"""torch.inference_mode around everything, softmax in float32, a dataclass with default factories."""

from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass(eq=False)
class KVCache:
    ks: list[Tensor] = field(default_factory=list)
    vs: list[Tensor] = field(default_factory=list)
    total: int = 0

    @torch.inference_mode()
    def append(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        self.ks, self.vs = [torch.cat([*self.ks, k], dim=2)], [torch.cat([*self.vs, v], dim=2)]
        self.total += k.shape[2]
        return self.ks[0], self.vs[0]

    def __len__(self) -> int:
        return self.total


@torch.inference_mode()
def attend(q: Tensor, k: Tensor, v: Tensor, cache: KVCache) -> Tensor:
    keys, values = cache.append(k, v)
    first = len(cache) - q.shape[2]
    scores = (q.float() @ keys.float().transpose(2, 3)) / q.shape[3] ** 0.5
    for i in range(q.shape[2]):
        scores[:, :, i, first + i + 1 :] = float("-inf")
    weights = torch.softmax(scores, dim=-1, dtype=torch.float32).to(q.dtype)
    return weights @ values
