"""A CUDA device that is not there: torch's fake tensors have shapes and devices but no values, and need no such device.

What needs a value on the host (.item(), boolean indexing) raises on them, and so does a kernel that is given tensors of two
devices. What they cannot show are values and speed; tests that need a real device skip without one.
"""

from __future__ import annotations

import torch


class OnCuda(torch.Generator):
    """Says that it is on CUDA, where fake numbers need no generator."""

    device = torch.device("cuda")
