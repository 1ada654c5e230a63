"""A beginner's loop over rows, collected in a list and stacked."""
import torch

def norm_one_row(row, weight, eps):
  total = 0.0
  d = len(row)
  row = row.to(torch.float32)
  total = (row * row).sum() / d
  root = torch.sqrt(total + eps)
  return row / root * weight

def rms_norm(x, weight, eps=1e-6):
  original_shape = x.shape
  original_type = x.dtype
  rows = x.reshape(-1, original_shape[-1])
  results = []
  for i in range(rows.shape[0]):
    results.append(norm_one_row(rows[i], weight, eps))
  # back to the shape we got
  if len(results) == 0:
    return torch.empty_like(x)
  y = torch.stack(results, dim=0)
  y = y.reshape(original_shape)
  return y.to(original_type)
