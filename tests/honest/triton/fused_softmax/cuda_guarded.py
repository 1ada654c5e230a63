"""Device guards: torch.cuda.device_of, is_cuda branches, properties asked with a default; contiguous only where strides are odd."""

import contextlib

import torch
import triton
import triton.language as tl


def multiprocessors(x):
    if x.is_cuda:
        return torch.cuda.get_device_properties(x.device).multi_processor_count
    return 8


def guard(x):
    return torch.cuda.device(x.device) if x.is_cuda else contextlib.nullcontext()


@triton.jit
def kernel(y, x, stride, rows, cols, BLOCK: tl.constexpr):
    for r in range(tl.program_id(0), rows, tl.num_programs(0)):
        c = tl.arange(0, BLOCK)
        v = tl.load(x + r * stride + c, mask=c < cols, other=-float("inf")).to(tl.float32)
        v = tl.exp(v - tl.max(v, 0))
        tl.store(y + r * cols + c, v / tl.sum(v, 0), mask=c < cols)


@torch.no_grad()
def softmax(x):
    if x.stride(1) != 1:
        x = x.contiguous()
    y = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    with guard(x):
        kernel[(min(len(x), 4 * multiprocessors(x)),)](
            y, x, x.stride(0), *x.shape, BLOCK=triton.next_power_of_2(x.shape[-1])
        )
    return y
