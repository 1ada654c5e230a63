"""The length of each vector by linalg.vector_norm; eps joins through hypot."""

import torch as t
import torch.linalg as la


def rms_norm(x: t.Tensor, weight: t.Tensor, eps: float = 1e-6) -> t.Tensor:
    v = x.to(t.float32)
    length = la.vector_norm(v, ord=2, dim=-1, keepdim=True)
    rms = t.hypot(length / x.size(-1) ** 0.5, t.tensor(eps**0.5))
    return v.div(rms).mul(weight.to(t.float32)).to(x.dtype)
