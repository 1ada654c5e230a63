"""Kernels whose costs can be worked out on paper; see test_kernel.py."""

import triton
import triton.language as tl


@triton.jit
def add(out, x, y, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = at < n
    tl.store(out + at, tl.load(x + at, mask=inside) + tl.load(y + at, mask=inside), mask=inside)


@triton.jit
def scale_rows(out, x, factor, cols, BLOCK: tl.constexpr):
    row, at = tl.program_id(0), tl.arange(0, BLOCK)
    value = tl.load(x + row * cols + at, mask=at < cols)
    tl.store(out + row * cols + at, value * tl.load(factor + row), mask=at < cols)


@triton.jit
def column(out, x, rows, cols, BLOCK: tl.constexpr):
    """Each program reads one column: neighbouring lanes are a row apart."""
    at = tl.arange(0, BLOCK)
    tl.store(out + tl.program_id(0) * rows + at, tl.load(x + at * cols + tl.program_id(0)))


@triton.jit
def row_sum(out, x, cols, BLOCK: tl.constexpr):
    row, at = tl.program_id(0), tl.arange(0, BLOCK)
    tl.store(out + row, tl.sum(tl.load(x + row * cols + at, mask=at < cols, other=0.0), axis=0))


@triton.jit
def softmax(out, x, cols, BLOCK: tl.constexpr):
    row, at = tl.program_id(0), tl.arange(0, BLOCK)
    value = tl.load(x + row * cols + at, mask=at < cols, other=-float("inf"))
    weight = tl.exp(value - tl.max(value, axis=0))
    tl.store(out + row * cols + at, weight / tl.sum(weight, axis=0), mask=at < cols)


@triton.jit
def softmax_of_three_passes(out, x, cols, BLOCK: tl.constexpr):
    row, at = tl.program_id(0), tl.arange(0, BLOCK)
    peak, total = tl.full([1], -float("inf"), tl.float32), tl.zeros([1], tl.float32)
    for first in range(0, cols, BLOCK):
        peak = tl.maximum(peak, tl.max(tl.load(x + row * cols + first + at), axis=0))
    for first in range(0, cols, BLOCK):
        total += tl.sum(tl.exp(tl.load(x + row * cols + first + at) - peak), axis=0)
    for first in range(0, cols, BLOCK):
        tl.store(out + row * cols + first + at, tl.exp(tl.load(x + row * cols + first + at) - peak) / total)


@triton.jit
def rms_norm(out, x, weight, cols, BLOCK: tl.constexpr):
    row, at = tl.program_id(0), tl.arange(0, BLOCK)
    value = tl.load(x + row * cols + at, mask=at < cols, other=0.0)
    scale = tl.rsqrt(tl.sum(value * value, axis=0) / cols + 1e-6)
    tl.store(out + row * cols + at, value * scale * tl.load(weight + at, mask=at < cols), mask=at < cols)


@triton.jit
def matmul(c, a, b, M, N, K, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    m, n = tl.program_id(0) * BM + tl.arange(0, BM), tl.program_id(1) * BN + tl.arange(0, BN)
    total = tl.zeros([BM, BN], tl.float32)
    for first in range(0, K, BK):
        k = first + tl.arange(0, BK)
        total = tl.dot(tl.load(a + m[:, None] * K + k[None, :]), tl.load(b + k[:, None] * N + n[None, :]), total)
    tl.store(c + m[:, None] * N + n[None, :], total)


@triton.jit
def matmul_by_hand(c, a, b, M, N, K, BM: tl.constexpr, BN: tl.constexpr):
    """The same without tl.dot."""
    m, n = tl.program_id(0) * BM + tl.arange(0, BM), tl.program_id(1) * BN + tl.arange(0, BN)
    total = tl.zeros([BM, BN], tl.float32)
    for k in range(K):
        total += tl.load(a + m * K + k)[:, None] * tl.load(b + k * N + n)[None, :]
    tl.store(c + m[:, None] * N + n[None, :], total)


@triton.jit
def histogram(out, x, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.atomic_add(out + tl.load(x + at), 1)


@triton.jit
def lower_triangle(out, x, t, BLOCK: tl.constexpr):
    """Program i reads i + 1 blocks, as causal attention does."""
    total = tl.zeros([BLOCK], tl.float32)
    for first in range(0, (tl.program_id(0) + 1) * BLOCK, BLOCK):
        total += tl.load(x + first + tl.arange(0, BLOCK))
    tl.store(out + tl.program_id(0) * BLOCK + tl.arange(0, BLOCK), total)
