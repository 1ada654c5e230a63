"""The softmax by hand: minus the largest score, exp, times the mask, over the sum; tabs."""
import torch
from torch.nn import Linear, Module

class MultiHeadAttention(Module):
	def __init__(self, d_model, num_heads, bias=True):
		Module.__init__(self)
		self.d_model, self.num_heads, self.head_dim = d_model, num_heads, d_model // num_heads
		self.q_proj = Linear(d_model, d_model, bias)
		self.k_proj = Linear(d_model, d_model, bias)
		self.v_proj = Linear(d_model, d_model, bias)
		self.out_proj = Linear(d_model, d_model, bias)

	def softmax(self, s, mask):
		if mask is not None:
			s = torch.where(mask, s, -torch.inf)
		top = torch.max(s, dim=-1, keepdim=True)[0].detach()
		e = torch.exp(s - top)
		if mask is not None:
			e = e * mask   # belt and braces
		return e / torch.sum(e, dim=-1, keepdim=True)

	def forward(self, x, mask=None):
		shape = (x.shape[0], x.shape[1], self.num_heads, self.head_dim)
		q = torch.reshape(self.q_proj(x), shape).permute(0, 2, 1, 3)
		k = torch.reshape(self.k_proj(x), shape).permute(0, 2, 3, 1)
		v = torch.reshape(self.v_proj(x), shape).permute(0, 2, 1, 3)
		s = torch.matmul(q, k) / self.head_dim ** 0.5
		a = self.softmax(s, mask)
		y = torch.matmul(a, v).permute(0, 2, 1, 3)
		return self.out_proj(torch.reshape(y, (x.shape[0], x.shape[1], self.d_model)))
