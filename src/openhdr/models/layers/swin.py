"""Swin transformer block: attention within windows, every second block with shifted ones (Liu et al., ICCV
2021), in the layout of SwinIR (Liang et al., ICCVW 2021): pre-normalisation, MLP of twice the width.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

MLP_RATIO = 2  # hidden width of the MLP over the block's


class SwinBlock(nn.Module):
    """x + attention(norm(x)), then x + mlp(norm(x)). Height and width divide by `window`."""

    def __init__(self, width: int, heads: int, window: int, shifted: bool) -> None:
        super().__init__()
        self.window = window
        self.shift = window // 2 if shifted else 0
        self.norm_attention = nn.LayerNorm(width)
        self.attention = WindowAttention(width, heads, window)
        self.norm_mlp = nn.LayerNorm(width)
        self.mlp = nn.Sequential(
            nn.Linear(width, MLP_RATIO * width), nn.GELU(), nn.Linear(MLP_RATIO * width, width)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, C, H, W) -> the same shape."""
        x = x.permute(0, 2, 3, 1)  # B H W C
        x = x + self._attend(self.norm_attention(x))
        x = x + self.mlp(self.norm_mlp(x))
        return x.permute(0, 3, 1, 2)

    def _attend(self, x: torch.Tensor) -> torch.Tensor:
        height, width = x.shape[1:3]
        mask = None
        if self.shift:
            x = x.roll((-self.shift, -self.shift), (1, 2))
            mask = _apart(height, width, self.window, self.shift, x.device)
        windows = to_windows(x, self.window)  # B*n window^2 C
        x = from_windows(self.attention(windows, mask), self.window, height, width)
        return x.roll((self.shift, self.shift), (1, 2)) if self.shift else x


class WindowAttention(nn.Module):
    """Self-attention of the pixels of a window, with a learned bias for every relative position."""

    def __init__(self, width: int, heads: int, window: int) -> None:
        super().__init__()
        self.place: torch.Tensor
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.output = nn.Linear(width, width)
        self.bias = nn.Parameter(torch.zeros((2 * window - 1) ** 2, heads))
        nn.init.trunc_normal_(self.bias, std=0.02)
        self.register_buffer("place", _relative_places(window), persistent=False)

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """x: (B * n, window^2, C), the n windows of an image together. mask: (n, window^2, window^2), added
        to the attention's logits.
        """
        count, length = x.shape[:2]
        q, k, v = self.qkv(x).view(count, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        added = self.bias[self.place].permute(2, 0, 1)[None]  # 1 heads length length
        if mask is not None:
            added = (added + mask[:, None]).repeat(count // len(mask), 1, 1, 1)
        x = F.scaled_dot_product_attention(q, k, v, attn_mask=added.expand(count, -1, -1, -1))
        return self.output(torch.cat(x.unbind(1), -1))  # heads side by side: count length width


def to_windows(x: torch.Tensor, window: int) -> torch.Tensor:
    """(B, H, W, C) -> (B * n, window^2, C)."""
    batch, height, width, channels = x.shape
    x = x.reshape(batch, height // window, window, width // window, window, channels)
    return x.transpose(2, 3).reshape(-1, window * window, channels)


def from_windows(windows: torch.Tensor, window: int, height: int, width: int) -> torch.Tensor:
    """(B * n, window^2, C) -> (B, H, W, C)."""
    x = windows.reshape(-1, height // window, width // window, window, window, windows.shape[-1])
    return x.transpose(2, 3).reshape(-1, height, width, windows.shape[-1])


def _relative_places(window: int) -> torch.Tensor:
    """(window^2, window^2) int64: which bias belongs to a pair of pixels."""
    y, x = torch.meshgrid(torch.arange(window), torch.arange(window), indexing="ij")
    y, x = y.flatten(), x.flatten()
    return (y[:, None] - y + window - 1) * (2 * window - 1) + (x[:, None] - x + window - 1)


def _apart(height: int, width: int, window: int, shift: int, device: torch.device) -> torch.Tensor:
    """(n, window^2, window^2) of 0, and -100 for pairs that only rolling over the border brought together."""
    region = torch.zeros(1, height, width, 1, device=device)
    for i, rows in enumerate((slice(0, -window), slice(-window, -shift), slice(-shift, None))):
        for j, columns in enumerate((slice(0, -window), slice(-window, -shift), slice(-shift, None))):
            region[:, rows, columns] = 3 * i + j
    flat = to_windows(region, window).squeeze(-1)  # n window^2
    return torch.where(flat[:, None] == flat[:, :, None], 0.0, -100.0)
