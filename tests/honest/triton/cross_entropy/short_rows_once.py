"""短的行整行放入一个块，只读一遍；长的行分块。先 contiguous；损失由 lse 减去所选的 logit。"""
import torch
import triton
import triton.language as tl


@triton.jit
def short_kernel(损失, 梯度, 输入, 目标, 列数, 忽略, 块: tl.constexpr):
    行 = tl.program_id(0).to(tl.int64)
    列 = tl.arange(0, 块)
    类 = tl.load(目标 + 行)
    有效 = 类 != 忽略
    值 = tl.load(输入 + 行 * 列数 + 列, mask=(列 < 列数) & 有效, other=float("-inf")).to(tl.float32)
    峰 = tl.where(有效, tl.max(值, 0), 0.0)
    权 = tl.exp(值 - 峰)
    和 = tl.where(有效, tl.sum(权, 0), 1.0)
    所选 = tl.sum(tl.where(列 == 类, 值 - 峰, 0.0), 0)
    tl.store(损失 + 行, tl.where(有效, tl.log(和) - 所选, 0.0))
    tl.store(梯度 + 行 * 列数 + 列, 权 / 和 - tl.where((列 == 类) & 有效, 1.0, 0.0), mask=列 < 列数)


@triton.jit
def long_kernel(损失, 梯度, 输入, 目标, 列数, 忽略, 块: tl.constexpr):
    行 = tl.program_id(0).to(tl.int64)
    输入 += 行 * 列数
    梯度 += 行 * 列数
    类 = tl.load(目标 + 行)
    if 类 == 忽略:
        tl.store(损失 + 行, 0.0)
        for 起 in range(0, 列数, 块):
            列 = 起 + tl.arange(0, 块)
            tl.store(梯度 + 列, 0.0, mask=列 < 列数)
        return
    峰 = tl.full((), float("-inf"), tl.float32)
    和 = tl.full((), 0.0, tl.float32)
    for 起 in range(0, 列数, 块):
        列 = 起 + tl.arange(0, 块)
        值 = tl.load(输入 + 列, mask=列 < 列数, other=float("-inf")).to(tl.float32)
        新峰 = tl.maximum(峰, tl.max(值, 0))
        和 = 和 * tl.exp(峰 - 新峰) + tl.sum(tl.exp(值 - 新峰), 0)
        峰 = 新峰
    对数 = 峰 + tl.log(和)
    tl.store(损失 + 行, 对数 - tl.load(输入 + 类).to(tl.float32))
    for 起 in range(0, 列数, 块):
        列 = 起 + tl.arange(0, 块)
        值 = tl.load(输入 + 列, mask=列 < 列数, other=float("-inf")).to(tl.float32)
        tl.store(梯度 + 列, tl.exp(值 - 对数) - tl.where(列 == 类, 1.0, 0.0), mask=列 < 列数)


def cross_entropy(logits, target, ignore_index=-100):
    行数, 列数 = logits.shape
    logits, target = logits.contiguous(), target.contiguous()
    损失 = torch.empty(行数, dtype=torch.float32, device=logits.device)
    梯度 = torch.empty_like(logits)
    块 = triton.next_power_of_2(列数)
    内核 = short_kernel if 块 <= 8192 else long_kernel
    块 = min(块, 8192)
    内核[(行数,)](损失, 梯度, logits, target, 列数, ignore_index, 块=块, num_warps=min(max(块 // 256, 1), 16))
    return 损失, 梯度
