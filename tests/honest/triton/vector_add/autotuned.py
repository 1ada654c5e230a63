"""@triton.autotune over the block, @triton.heuristics for a block without a mask, flat views."""

import torch
import triton
import triton.language as tl


@triton.autotune(
    configs=[triton.Config({"BLOCK": block}, num_warps=warps) for block, warps in ((2048, 8), (1024, 4), (256, 2))],
    key=["n"],
)
@triton.heuristics({"WHOLE": lambda args: args["n"] % args["BLOCK"] == 0})
@triton.jit
def tuned_add(z_ptr, x_ptr, y_ptr, n, BLOCK: tl.constexpr, WHOLE: tl.constexpr):
    offs = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    if WHOLE:
        tl.store(z_ptr + offs, tl.load(x_ptr + offs) + tl.load(y_ptr + offs))
    else:
        keep = offs < n
        tl.store(z_ptr + offs, tl.load(x_ptr + offs, mask=keep) + tl.load(y_ptr + offs, mask=keep), mask=keep)


def add(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    z = torch.empty(tuple(x.size()), dtype=x.dtype, device=x.device)
    tuned_add[lambda meta: (triton.cdiv(z.numel(), meta["BLOCK"]),)](
        z.view(-1), x.contiguous().view(-1), y.reshape(-1).contiguous(), z.numel()
    )
    return z
