"""转置地计算 (bᵀ aᵀ)ᵀ；固定数量的常驻程序循环处理各块；b 的块按转置加载，再用 tl.trans。"""

import torch
import triton
import triton.language as tl


@triton.jit
def matmul_kernel(左, 右, 结果, m, n, k, 左行, 左列, 右行, 右列, 程序数, 块: tl.constexpr, 步: tl.constexpr):
    列块数 = tl.cdiv(n, 块)
    总块数 = tl.cdiv(m, 块) * 列块数
    for 序号 in range(tl.program_id(0), 总块数, 程序数):
        行 = 序号 // 列块数 * 块 + tl.arange(0, 块)
        列 = 序号 % 列块数 * 块 + tl.arange(0, 块)
        累加 = tl.zeros([块, 块], dtype=tl.float32)  # 转置的块：(列, 行)
        for 起点 in range(0, k, 步):
            内 = 起点 + tl.arange(0, 步)
            左块 = tl.load(左 + 行[:, None] * 左行 + 内[None, :] * 左列, mask=(行 < m)[:, None] & (内 < k)[None, :], other=0.0)
            右块 = tl.load(右 + 列[:, None] * 右列 + 内[None, :] * 右行, mask=(列 < n)[:, None] & (内 < k)[None, :], other=0.0)
            累加 = tl.dot(右块, tl.trans(左块), 累加, input_precision="ieee")
        tl.store(结果 + 行[:, None] * n + 列[None, :], tl.trans(累加), mask=(行 < m)[:, None] & (列 < n)[None, :])


def matmul(a, b):
    (m, k), n = a.shape, b.shape[1]
    c = torch.empty(m, n, dtype=a.dtype, device=a.device)
    程序数 = min(16, triton.cdiv(m, 128) * triton.cdiv(n, 128))
    matmul_kernel[(程序数,)](a, b, c, m, n, k, *a.stride(), *b.stride(), 程序数, 块=128, 步=32, num_warps=8)
    return c
