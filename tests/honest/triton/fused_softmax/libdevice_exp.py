"""libdevice.exp and a fast reciprocal by tl.fdiv; where instead of other; the launch inside a class."""

import torch
import triton
import triton.language as tl
from triton.language.extra import libdevice


class Softmax:
    """Callable; holds the settings of the launch."""

    def __init__(self, num_warps=4):
        self.num_warps = num_warps

    @staticmethod
    @triton.jit
    def kernel(dst, src, rs, cs, n, BLOCK: tl.constexpr):
        i = tl.program_id(0)
        c = tl.arange(0, BLOCK)
        ok = c < n
        v = tl.load(src + i * rs + c * cs, mask=ok, other=0).to(tl.float32)
        v = tl.where(ok, v, -float("inf"))
        e = libdevice.exp(v - tl.max(v, axis=0))
        e = tl.where(ok, e, 0.0)
        tl.store(dst + i * n + c, tl.fdiv(e, tl.sum(e, axis=0)), mask=ok)

    def __call__(self, x):
        rows, n = x.size()
        out = torch.empty([rows, n], dtype=x.dtype, device=x.device)
        Softmax.kernel[(rows, 1, 1)](
            out, x, x.stride(0), x.stride(1), n, BLOCK=triton.next_power_of_2(n), num_warps=self.num_warps
        )
        return out


def softmax(x):
    return Softmax()(x)
