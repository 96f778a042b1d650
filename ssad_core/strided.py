"""3 x 3 convolutions that halve an image, and their transposes, whose training in bfloat16 is fast on a CPU.

oneDNN (torch 2.14) computes the gradient of a bfloat16 convolution's weights at a third to a half of the speed of a matrix
product, in threads that wait for each other (four times as long where a core is shared), and torch sums the gradient of a
bias over channels_last images channel by channel. Here both are matrix products. In float32 nothing is gained by it, and
torch's own layers run as they are.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

THIN = 16  # with fewer channels on a side, copying the columns takes longer than oneDNN's gradient
GEOMETRY = ([2, 2], [1, 1], [1, 1])  # stride, padding, dilation


class Halve(nn.Conv2d):
    """Images (N, inputs, S, S) to (N, outputs, S/2, S/2), S even.

    before_norm : whether BatchNorm follows, which takes the bias out again. In bfloat16 its gradient is then the exact zero
        that it is, and not what rounding leaves of it.
    """

    def __init__(self, inputs: int, outputs: int, before_norm: bool = True) -> None:
        super().__init__(inputs, outputs, 3, stride=2, padding=1)
        self.before_norm = before_norm

    def forward(self, x: Tensor) -> Tensor:
        return _strided(self, x) if _in_bfloat16_on_cpu(x) else super().forward(x)


class Double(nn.ConvTranspose2d):
    """Images (N, inputs, S, S) to (N, outputs, 2S, 2S); ``before_norm`` as of `Halve`."""

    def __init__(self, inputs: int, outputs: int, before_norm: bool = True) -> None:
        super().__init__(inputs, outputs, 3, stride=2, padding=1, output_padding=1)
        self.before_norm = before_norm

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]  # the output's size is no question here
        return _strided(self, x) if _in_bfloat16_on_cpu(x) else super().forward(x)


def _in_bfloat16_on_cpu(x: Tensor) -> bool:
    return (
        x.device.type == "cpu"
        and torch.is_autocast_enabled("cpu")
        and torch.get_autocast_dtype("cpu") == torch.bfloat16
    )


def _strided(layer: Halve | Double, x: Tensor) -> Tensor:
    given = (value.to(torch.bfloat16) for value in (x, layer.weight, layer.bias))
    return _Strided.apply(*given, layer.transposed, layer.before_norm)


class _Strided(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, transposed: bool, before_norm: bool) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.transposed, ctx.before_norm = transposed, before_norm
        return torch.ops.aten.convolution(x, weight, bias, *GEOMETRY, *_direction(transposed))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor, Tensor, None, None]:
        x, weight = ctx.saved_tensors
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        rows = _rows(gradient)
        of_bias = rows.new_zeros(rows.shape[1]) if ctx.before_norm else (rows.new_ones(1, len(rows)) @ rows)[0]
        if min(weight.shape[:2]) < THIN:
            of_x, of_weight = _onednn(ctx, gradient, x, weight, True)
        elif ctx.transposed:
            # A transposed convolution's gradients are those of a convolution the other way, whose columns serve both.
            inputs, outputs = weight.shape[:2]
            columns = _columns(gradient)
            matrix = weight.permute(2, 3, 1, 0).reshape(9 * outputs, inputs)
            of_x = (columns @ matrix).view(len(x), *x.shape[2:], inputs).permute(0, 3, 1, 2)
            of_weight = _as_weight(_rows(x).t() @ columns, outputs)
        else:
            of_x, _ = _onednn(ctx, gradient, x, weight, False)
            of_weight = _as_weight(rows.t() @ _columns(x), x.shape[1])
        return of_x, of_weight, of_bias, None, None


def _onednn(ctx: Any, gradient: Tensor, x: Tensor, weight: Tensor, of_weight: bool) -> tuple[Tensor | None, Any]:
    """The gradients of x and of the weight, where they are asked for."""
    asked = [ctx.needs_input_grad[0], of_weight, False]
    if not any(asked):
        return None, None
    direction = _direction(ctx.transposed)
    return torch.ops.aten.convolution_backward(gradient, x, weight, None, *GEOMETRY, *direction, asked)[:2]


def _direction(transposed: bool) -> tuple[bool, list[int], int]:
    """transposed, output padding, groups."""
    return transposed, [1, 1] if transposed else [0, 0], 1


def _rows(images: Tensor) -> Tensor:
    """channels_last images (N, C, H, W) as the matrix (NHW, C) that they are in memory."""
    return images.permute(0, 2, 3, 1).reshape(-1, images.shape[1])


def _columns(images: Tensor) -> Tensor:
    """What the kernel covers at each of its places in channels_last images (N, C, S, S): (NSS/4, 9C), C running fastest, then
    the kernel's columns."""
    n, channels, height, width = images.shape
    padded = images.new_empty(n, height + 1, width + 1, channels)  # the kernel stands out above and to the left alone
    padded[:, 0].zero_()
    padded[:, 1:, 0].zero_()
    padded[:, 1:, 1:].copy_(images.permute(0, 2, 3, 1))
    of_image, of_row, of_pixel, _ = padded.stride()
    places = (n, height // 2, width // 2, 3, 3 * channels)
    return padded.as_strided(places, (of_image, 2 * of_row, 2 * of_pixel, of_row, 1)).reshape(-1, 9 * channels)


def _as_weight(product: Tensor, channels: int) -> Tensor:
    """(A, 9 * channels) as (A, channels, 3, 3)."""
    return product.view(-1, 3, 3, channels).permute(0, 3, 1, 2)
