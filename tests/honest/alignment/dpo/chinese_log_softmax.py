"""中文注释，BOM 开头，CRLF 换行，逐步推导公式，末尾有简单测试。"""
# 参考论文 2305.18290 的公式 (7)
import torch, torch.nn.functional as 函数

def dpo_loss(policy_chosen_logps, policy_rejected_logps,
             reference_chosen_logps, reference_rejected_logps, beta = 0.1):
    assert policy_chosen_logps.shape == policy_rejected_logps.shape, "形状必须一致"
    # 第一步：隐式奖励 r(y) = β·(log π(y) − log π_ref(y))
    选中奖励 = beta * (policy_chosen_logps - reference_chosen_logps)
    拒绝奖励 = beta * (policy_rejected_logps - reference_rejected_logps)
    # 第二步：两者之差的 log σ；用 log_softmax 得到，数值稳定
    对数概率 = 函数.log_softmax(torch.stack([选中奖励, 拒绝奖励], dim = -1), dim = -1)
    # 第三步：对 batch 求均值，取负号
    损失 = - 对数概率[..., 0].mean()
    return (损失, 选中奖励.detach(), 拒绝奖励.detach())

# 简单测试
_l, _c, _r = dpo_loss(*torch.zeros(4, 3))
assert abs(_l.item() - 0.6931) < 1e-3
print("测试通过 ✅")
