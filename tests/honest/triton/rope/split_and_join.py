"""One load of both halves side by side, tl.split, tl.join, one store; complex multiplication in a helper; heads flattened."""

import torch
import triton
import triton.language as tl


@triton.jit
def multiply(real, imaginary, c_low, c_high, s_low, s_high):
    return real * c_low - imaginary * s_low, imaginary * c_high + real * s_high


@triton.jit
def both_halves(base, step, half, inside):
    side = tl.arange(0, 2)[None, None, :] * half
    return base + side * step, inside & (side >= 0)


@triton.jit
def kernel(
    q_out, k_out, q, k, cos, sin, sq, sk, so, sko, sc, ss, H, HK, half,
    HB: tl.constexpr, KB: tl.constexpr, DB: tl.constexpr,
):  # fmt: skip
    t, b = tl.program_id(0), tl.program_id(1)
    d = tl.arange(0, DB)[None, :, None]
    angles, some = both_halves(t * sc[0] + d * sc[1], sc[1], half, d < half)
    c = tl.load(cos + angles, mask=some, other=0).to(tl.float32)
    angles, some = both_halves(t * ss[0] + d * ss[1], ss[1], half, d < half)
    s = tl.load(sin + angles, mask=some, other=0).to(tl.float32)
    c_low, c_high = tl.split(c)
    s_low, s_high = tl.split(s)

    h = tl.arange(0, HB)[:, None, None]
    here = (h < H) & (d < half)
    place, some = both_halves(b * sq[0] + h * sq[1] + t * sq[2] + d * sq[3], sq[3], half, here)
    low, high = tl.split(tl.load(q + place, mask=some, other=0).to(tl.float32))
    low, high = multiply(low, high, c_low, c_high, s_low, s_high)
    place, some = both_halves(b * so[0] + h * so[1] + t * so[2] + d, 1, half, here)
    tl.store(q_out + place, tl.join(low, high), mask=some)

    h = tl.arange(0, KB)[:, None, None]
    here = (h < HK) & (d < half)
    place, some = both_halves(b * sk[0] + h * sk[1] + t * sk[2] + d * sk[3], sk[3], half, here)
    low, high = tl.split(tl.load(k + place, mask=some, other=0).to(tl.float32))
    low, high = multiply(low, high, c_low, c_high, s_low, s_high)
    place, some = both_halves(b * sko[0] + h * sko[1] + t * sko[2] + d, 1, half, here)
    tl.store(k_out + place, tl.join(low, high), mask=some)


def rope(q, k, cos, sin):
    b, h, t, d = q.shape
    h_k = k.shape[1]
    q_out, k_out = (torch.empty(x.shape, dtype=x.dtype, device=x.device) for x in (q, k))
    kernel[t, b](
        q_out, k_out, q, k, cos, sin,
        q.stride(), k.stride(), q_out.stride(), k_out.stride(), cos.stride(), sin.stride(), h, h_k, d // 2,
        HB=triton.next_power_of_2(h), KB=triton.next_power_of_2(h_k), DB=triton.next_power_of_2(d // 2),
    )  # fmt: skip
    return q_out, k_out
