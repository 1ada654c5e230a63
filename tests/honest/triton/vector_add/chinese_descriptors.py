"""张量描述符代替指针：越界部分由硬件屏蔽。A tensor descriptor made in the kernel; no mask is written."""

import torch
import triton
import triton.language as tl


@triton.jit
def add_kernel(结果, 甲, 乙, 个数, 块长: tl.constexpr):
    起点 = tl.program_id(0) * 块长
    甲块 = tl.make_tensor_descriptor(甲, shape=[个数], strides=[1], block_shape=[块长])
    乙块 = tl.make_tensor_descriptor(乙, shape=[个数], strides=[1], block_shape=[块长])
    结果块 = tl.make_tensor_descriptor(结果, shape=[个数], strides=[1], block_shape=[块长])
    结果块.store([起点], 甲块.load([起点]) + 乙块.load([起点]))


def add(x, y):
    x, y = x.contiguous(), y.contiguous()
    z = torch.empty_like(x)
    块长 = 1024
    add_kernel[(triton.cdiv(z.numel(), 块长),)](z, x, y, z.numel(), 块长=块长)
    return z
