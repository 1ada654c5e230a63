"""Tabs for indentation, form feeds between the sections, no newline at the end."""
import torch

# ---------------------------------------------------------------- helpers
def upcast(t):
	return t.float() if t.dtype in (torch.half, torch.bfloat16) else t

# ---------------------------------------------------------------- answer
def rms_norm(x, weight, eps = 1e-6):
	h = upcast(x) ; w = upcast(weight)
	ms = h.pow(2).sum(-1, True) / h.shape[-1]
	if eps :
		ms = ms + eps
	return torch.div(h, ms ** 0.5).multiply(w).to(x.dtype)