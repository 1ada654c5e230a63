"""Tiles of several rows, autotuned, strides handed over as tuples; both gradients in one stacked tensor."""

import torch
import triton
import triton.language as tl

CONFIGS = [triton.Config({"R": r, "C": c}, num_warps=w) for r, c, w in ((4, 256, 4), (1, 1024, 4), (2, 512, 8))]


@triton.jit
def places(strides, rows, cols, R: tl.constexpr, C: tl.constexpr):
    r = tl.program_id(0).to(tl.int64) * R + tl.arange(0, R)
    c = tl.program_id(1).to(tl.int64) * C + tl.arange(0, C)
    return r[:, None] * strides[0] + c[None, :] * strides[1], (r < rows)[:, None] & (c < cols)[None, :]


@triton.autotune(configs=CONFIGS, key=["cols"])
@triton.jit
def forward(y, g, u, gs, us, rows, cols, R: tl.constexpr, C: tl.constexpr):
    at, keep = places(gs, rows, cols, R, C)
    gate = tl.load(g + at, keep, 0.0).to(tl.float32)
    at, keep = places(us, rows, cols, R, C)
    up = tl.load(u + at, keep, 0.0).to(tl.float32)
    at, keep = places((cols, 1), rows, cols, R, C)
    tl.store(y + at, gate * tl.sigmoid(gate) * up, keep)


@triton.autotune(configs=CONFIGS, key=["cols"])
@triton.jit
def backward(d, dy, g, u, ds, gs, us, rows, cols, R: tl.constexpr, C: tl.constexpr):
    at, keep = places(ds, rows, cols, R, C)
    grad = tl.load(dy + at, keep, 0.0).to(tl.float32)
    at, keep = places(gs, rows, cols, R, C)
    gate = tl.load(g + at, keep, 0.0).to(tl.float32)
    at, keep = places(us, rows, cols, R, C)
    up = tl.load(u + at, keep, 0.0).to(tl.float32)
    at, keep = places((cols, 1), rows, cols, R, C)
    s = tl.sigmoid(gate)
    tl.store(d + at, grad * up * (s + gate * s * (1 - s)), keep)
    tl.store(d + rows * cols + at, grad * gate * s, keep)


def grid_of(rows, cols):
    return lambda meta: (triton.cdiv(rows, meta["R"]), triton.cdiv(cols, meta["C"]))


def swiglu(gate, up):
    y = torch.empty(tuple(gate.shape), dtype=gate.dtype, device=gate.device)
    forward[grid_of(*gate.shape)](y, gate, up, gate.stride(), up.stride(), *gate.shape)
    return y


def swiglu_backward(dy, gate, up):
    both = torch.empty((2, *gate.shape), dtype=gate.dtype, device=gate.device)
    backward[grid_of(*gate.shape)](both, dy, gate, up, dy.stride(), gate.stride(), up.stride(), *gate.shape)
    return both[0], both[1]
