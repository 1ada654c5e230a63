"""x.contiguous() on the host, so that the kernel needs one stride only; CRLF, print of the configuration."""
import torch
import triton
import triton.language as tl

print("triton", triton.__version__)

@triton.jit
def kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    pid = tl.program_id(0)
    offs = pid * n + tl.arange(0, BLOCK)
    mask = tl.arange(0, BLOCK) < n
    x = tl.load(x_ptr + offs, mask=mask, other=float('-inf'))
    x = x.to(tl.float32)
    x -= tl.max(x, axis=0)
    num = tl.exp(x)
    den = tl.sum(num, axis=0)
    y = num / den
    tl.store(y_ptr + offs, y, mask=mask)

def softmax(x):
    x = x.contiguous()
    y = torch.empty_like(x)
    m, n = x.shape
    BLOCK = 1
    while BLOCK < n:
        BLOCK *= 2
    kernel[(m,)](x, y, n, BLOCK)
    return y
