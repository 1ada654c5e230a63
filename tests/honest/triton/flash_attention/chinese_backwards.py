"""中文注释；从最后一块键开始向前遍历；最大值用有限的最小 float32 初始化。"""
import torch
import triton
import triton.language as tl

最小值 = tl.constexpr(-3.4028234e38)


@triton.jit
def attention_kernel(q, k, v, o, 头数, t, d, 缩放,
                     qb, qh, qt, qd, kb, kh, kt, kd, vb, vh, vt, vd, ob, oh, ot, od,
                     因果: tl.constexpr, 行块: tl.constexpr, 列块: tl.constexpr, 维块: tl.constexpr):
    批 = tl.program_id(0) // 头数
    头 = tl.program_id(0) % 头数
    行 = tl.program_id(1) * 行块 + tl.arange(0, 行块)
    维 = tl.arange(0, 维块)
    行有效 = (行 < t)[:, None] & (维 < d)[None, :]
    查询 = tl.load(q + 批 * qb + 头 * qh + 行[:, None] * qt + 维[None, :] * qd, mask=行有效, other=0.0)
    峰值 = tl.full([行块], 最小值, dtype=tl.float32)
    总和 = tl.zeros([行块], dtype=tl.float32)
    累加 = tl.zeros([行块, 维块], dtype=tl.float32)
    块数 = tl.cdiv(t, 列块)
    for 序号 in range(块数):
        起点 = (块数 - 1 - 序号) * 列块        # 倒序，结果应当一样
        列 = 起点 + tl.arange(0, 列块)
        列有效 = (列 < t)[:, None] & (维 < d)[None, :]
        键 = tl.load(k + 批 * kb + 头 * kh + 列[:, None] * kt + 维[None, :] * kd, mask=列有效, other=0.0)
        值 = tl.load(v + 批 * vb + 头 * vh + 列[:, None] * vt + 维[None, :] * vd, mask=列有效, other=0.0)
        分数 = tl.dot(查询, tl.trans(键), input_precision="ieee") * 缩放
        可见 = (列 < t)[None, :]
        if 因果:
            可见 = 可见 & (列[None, :] <= 行[:, None])
        分数 = tl.where(可见, 分数, float("-inf"))
        新峰值 = tl.maximum(峰值, tl.max(分数, 1))
        权重 = tl.exp(分数 - 新峰值[:, None])
        衰减 = tl.exp(峰值 - 新峰值)
        总和 = 总和 * 衰减 + tl.sum(权重, 1)
        累加 = 累加 * 衰减[:, None]
        累加 = tl.dot(权重.to(值.dtype), 值, 累加, input_precision="ieee")
        峰值 = 新峰值
    tl.store(o + 批 * ob + 头 * oh + 行[:, None] * ot + 维[None, :] * od, 累加 / 总和[:, None], mask=行有效)


def flash_attention(q, k, v, causal=False):
    b, h, t, d = q.shape
    o = torch.empty_like(q)
    步长 = [步 for 张量 in (q, k, v, o) for 步 in 张量.stride()]
    attention_kernel[(b * h, triton.cdiv(t, 32))](
        q, k, v, o, h, t, d, d ** -0.5, *步长, 因果=causal, 行块=32, 列块=32, 维块=triton.next_power_of_2(d))
    return o
