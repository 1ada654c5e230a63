"""The steps of Hugging Face, with batch axes that come and go; the bonus as a rejection against zeros."""

import torch


def verify_draft(p, q, draft, uniforms):
    p, q, ids = p[None], q[None], draft[None]
    gamma = ids.shape[1]
    q_i = q[:, torch.arange(gamma), ids[0]].squeeze(0)
    p_i = p[:, torch.arange(gamma), ids[0]].squeeze(0)
    probability_ratio = p_i / q_i
    is_accepted = uniforms < probability_ratio
    n_matches = ((~is_accepted).cumsum(dim=-1) < 1).sum()
    padded = torch.cat([q, torch.zeros_like(p[:, :1])], dim=1)
    p_prime = torch.clamp(p[:, n_matches] - padded[:, n_matches], min=0)
    p_prime.div_(p_prime.sum())
    return int(n_matches), p_prime[0]
