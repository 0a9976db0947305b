"""Metrics with gradients, for training (needs torch): mu_law, tanh, ms_ssim, ciede2000.

They take tensors (B, 3, H, W) as the networks give them; each says in which domain.
"""
