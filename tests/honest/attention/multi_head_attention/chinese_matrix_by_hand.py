"""中文注释；权重矩阵直接相乘，不调用 Linear 的 forward。"""
import torch, math
import torch.nn as nn


class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, num_heads, bias=True):
        super().__init__()
        self.头数 = num_heads
        self.每头维度 = d_model // num_heads
        self.q_proj = nn.Linear(d_model, d_model, bias=bias)
        self.k_proj = nn.Linear(d_model, d_model, bias=bias)
        self.v_proj = nn.Linear(d_model, d_model, bias=bias)
        self.out_proj = nn.Linear(d_model, d_model, bias=bias)

    def 线性(self, 层, x):
        """y = x Wᵀ + b；没有偏置时只做矩阵乘法"""
        y = x @ 层.weight.T
        if 层.bias is not None:
            y = y + 层.bias
        return y

    def 分头(self, y):
        # [b, t, d_model] → [b, h, t, d]
        b, t, _ = y.shape
        return y.reshape(b, t, self.头数, self.每头维度).permute(0, 2, 1, 3)

    def forward(self, x, mask=None):
        q = self.分头(self.线性(self.q_proj, x))
        k = self.分头(self.线性(self.k_proj, x))
        v = self.分头(self.线性(self.v_proj, x))

        分数 = torch.matmul(q, k.permute(0, 1, 3, 2)) / math.sqrt(self.每头维度)
        if mask is not None:
            分数 = torch.masked_fill(分数, ~mask, -math.inf)   # 不能关注的位置：负无穷
        权重 = torch.softmax(分数, dim=-1)
        结果 = torch.matmul(权重, v).permute(0, 2, 1, 3).reshape(x.shape)   # 合并各头
        return self.线性(self.out_proj, 结果)


if __name__ == "__main__":
    m = MultiHeadAttention(8, 2)
    print(m(torch.randn(1, 3, 8)).shape)
