"""中文注释，Windows 换行（CRLF），文件以 BOM 开头。"""
import torch


def 均方(x):
    # 对最后一维求平方的均值，保留维度以便广播
    return (x ** 2).mean(dim=-1, keepdim=True)


def rms_norm(x, weight, eps=1e-6):
    """RMS 归一化：x / sqrt(mean(x²) + eps) · weight"""
    原类型 = x.dtype
    x = x.to(torch.float32)          # 先转成 float32，避免 half 精度溢出
    归一化 = x * torch.rsqrt(均方(x) + eps)
    结果 = 归一化 * weight            # 乘以可学习的权重；float32 × half → float32
    return 结果.to(原类型)


if __name__ == '__main__':
    # 测试一下
    print("输出：", rms_norm(torch.randn(2, 4), torch.ones(4)))
