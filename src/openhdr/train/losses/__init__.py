"""Metrics with gradients, for training (needs torch): l1, ms_ssim, ciede2000, pu21.

They take tensors (B, 3, H, W) as the networks give them; each says in which domain.
"""
