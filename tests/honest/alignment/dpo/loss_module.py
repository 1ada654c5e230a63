"""An nn.Module for the loss, made for each call; logging, tabs, a demo that trains one step."""

import logging

import torch
import torch.nn as nn

logging.basicConfig(level=logging.INFO)
logger = logging.getLogger(__name__)


class DPOLoss(nn.Module):
	def __init__(self, beta=0.1):
		super().__init__()
		self.beta = beta
		self.log_sigmoid = nn.LogSigmoid()

	def forward(self, pi_w, pi_l, ref_w, ref_l):
		w = self.reward(pi_w, ref_w)
		l = self.reward(pi_l, ref_l)
		loss = torch.mean(torch.neg(self.log_sigmoid(torch.sub(w, l))))
		logger.info("accuracy %.2f", (w > l).float().mean().item())
		return loss, w.detach(), l.detach()

	def reward(self, pi, ref):
		return torch.mul(torch.sub(pi, ref), self.beta)


def dpo_loss(
	policy_chosen_logps, policy_rejected_logps,
	reference_chosen_logps, reference_rejected_logps,
	beta=0.1,
):
	return DPOLoss(beta)(
		policy_chosen_logps, policy_rejected_logps,
		reference_chosen_logps, reference_rejected_logps,
	)


if __name__ == "__main__":
	logps = torch.randn(4, 8, requires_grad=True)
	optimizer = torch.optim.SGD([logps], lr=0.1)
	loss, *_ = dpo_loss(*logps)
	loss.backward()
	optimizer.step()
