"""第三个 grid 轴选择 q 或 k；结果沿用输入布局（empty_like），步长逐一传入。"""
import torch
import triton
import triton.language as tl


@triton.jit
def rotate(出, 入, 余弦, 正弦, 批步, 头步, 时步, 维步, 出批步, 出头步, 出时步, 出维步, 余时, 余维, 正时, 正维, 头数, 半,
       头块: tl.constexpr, 维块: tl.constexpr):
    时, 批 = tl.program_id(0).to(tl.int64), tl.program_id(1).to(tl.int64)
    头 = tl.arange(0, 头块)[:, None]
    维 = tl.arange(0, 维块)[None, :]
    角内, 内 = 维 < 半, (头 < 头数) & (维 < 半)
    c1 = tl.load(余弦 + 时 * 余时 + 维 * 余维, mask=角内, other=0.0).to(tl.float32)
    c2 = tl.load(余弦 + 时 * 余时 + (维 + 半) * 余维, mask=角内, other=0.0).to(tl.float32)
    s1 = tl.load(正弦 + 时 * 正时 + 维 * 正维, mask=角内, other=0.0).to(tl.float32)
    s2 = tl.load(正弦 + 时 * 正时 + (维 + 半) * 正维, mask=角内, other=0.0).to(tl.float32)
    源 = 入 + 批 * 批步 + 头 * 头步 + 时 * 时步
    前 = tl.load(源 + 维 * 维步, mask=内, other=0.0).to(tl.float32)
    后 = tl.load(源 + (维 + 半) * 维步, mask=内, other=0.0).to(tl.float32)
    至 = 出 + 批 * 出批步 + 头 * 出头步 + 时 * 出时步
    tl.store(至 + 维 * 出维步, 前 * c1 - 后 * s1, mask=内)
    tl.store(至 + (维 + 半) * 出维步, 后 * c2 + 前 * s2, mask=内)


@triton.jit
def rope_kernel(新q, 新k, q, k, 余弦, 正弦, q0, q1, q2, q3, k0, k1, k2, k3, a0, a1, a2, a3, b0, b1, b2, b3, 余时, 余维, 正时, 正维,
       q头, k头, 半, q块: tl.constexpr, k块: tl.constexpr, 维块: tl.constexpr):
    if tl.program_id(2) == 0:
        rotate(新q, q, 余弦, 正弦, q0, q1, q2, q3, a0, a1, a2, a3, 余时, 余维, 正时, 正维, q头, 半, q块, 维块)
    else:
        rotate(新k, k, 余弦, 正弦, k0, k1, k2, k3, b0, b1, b2, b3, 余时, 余维, 正时, 正维, k头, 半, k块, 维块)


def rope(q, k, cos, sin):
    批, q头, 时, 维 = q.shape
    k头 = k.shape[1]
    新q, 新k = torch.empty_like(q), torch.empty_like(k)
    rope_kernel[(时, 批, 2)](新q, 新k, q, k, cos, sin, *q.stride(), *k.stride(), *新q.stride(), *新k.stride(),
                   *cos.stride(), *sin.stride(), q头, k头, 维 // 2, q块=triton.next_power_of_2(q头),
                   k块=triton.next_power_of_2(k头), 维块=triton.next_power_of_2(维 // 2))
    return 新q, 新k
