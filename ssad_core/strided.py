"""3 x 3 convolutions that halve an image, and their transposes, whose training in bfloat16 is fast on a CPU.

oneDNN (torch 2.14) computes the gradient of a bfloat16 convolution's weights at a third to a half of the speed of a matrix
product, in threads that wait for each other (four times as long where a core is shared), and torch sums the gradient of a
bias over channels_last images channel by channel. Here both are matrix products; and a transpose to few channels, at 25
GFLOP/s, is a convolution to more. In float32 nothing is gained by it, and torch's own layers run as they are.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

THIN = 16  # with fewer channels on a side, copying the columns takes longer than oneDNN's gradient
FEW = 4  # up to so many channels, `Double` is faster as a convolution
TALL = 8192  # from so many rows on, two products side by side are faster than one
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
    x = x.to(torch.bfloat16, memory_format=torch.channels_last)
    weight, bias = layer.weight.to(torch.bfloat16), layer.bias.to(torch.bfloat16)
    return _Strided.apply(x, weight, bias, layer.transposed, layer.before_norm)


class _Strided(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, transposed: bool, before_norm: bool) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.transposed, ctx.before_norm = transposed, before_norm
        if transposed and weight.shape[1] <= FEW:
            return _doubled(x, weight, bias)
        return torch.ops.aten.convolution(x, weight, bias, *GEOMETRY, *_direction(transposed))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor, Tensor, None, None]:
        x, weight = ctx.saved_tensors
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        of_bias = gradient.new_zeros(gradient.shape[1]) if ctx.before_norm else _over_places(gradient)
        if min(weight.shape[:2]) < THIN:
            of_x, of_weight = _onednn(ctx, gradient, x, weight, True)
        elif ctx.transposed:
            # A transposed convolution's gradients are those of a convolution the other way, whose columns serve both.
            inputs, outputs = weight.shape[:2]
            columns = _columns(gradient)
            matrix = weight.permute(2, 3, 1, 0).reshape(9 * outputs, inputs)
            of_x = (columns @ matrix).view(len(x), *x.shape[2:], inputs).permute(0, 3, 1, 2)
            of_weight = _of_weight(columns, _rows(x))
        else:
            of_x, _ = _onednn(ctx, gradient, x, weight, False)
            of_weight = _of_weight(_columns(x), _rows(gradient))
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


def _doubled(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """`Double` to few channels, which come one after the other, as images are kept. 2 x 2 pixels of the output depend on 2
    x 2 pixels of x: it is a convolution to four times as many channels, a set for each of the four."""
    n, inputs, height, width = x.shape
    outputs = weight.shape[1]
    # Of the kernel's rows (and columns), the one by which even and odd pixels see a pixel of x, and the next; 3: none.
    taps = torch.tensor([[1, 3], [2, 0]])
    kernel = F.pad(weight, (0, 1, 0, 1))[:, :, taps][..., taps]  # (inputs, outputs, parity, next, parity, next)
    kernel = kernel.permute(2, 4, 1, 0, 3, 5).reshape(4 * outputs, inputs, 2, 2)
    kernel = kernel.contiguous(memory_format=torch.channels_last)
    sets = F.conv2d(F.pad(x, (0, 1, 0, 1)), kernel, bias.repeat(4)).permute(0, 2, 3, 1)
    lines = sets.reshape(n, height, width, 2, 2 * outputs).transpose(2, 3)  # copied in runs of two pixels
    return lines.reshape(n, 2 * height, 2 * width, outputs).permute(0, 3, 1, 2).contiguous()


def _over_places(images: Tensor) -> Tensor:
    """The sum (C,) of channels_last images (N, C, H, W) over all but their channels."""
    lines = images.permute(0, 2, 3, 1).flatten(0, 1).flatten(1)  # (NH, WC)
    return (lines.new_ones(1, len(lines)) @ lines).view(images.shape[3], -1).sum(0)


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


def _of_weight(columns: Tensor, rows: Tensor) -> Tensor:
    """The gradient (A, B, 3, 3) of a weight: columns (NSS/4, 9B) and the rows (NSS/4, A) that they become or come from."""
    split = len(rows) >= TALL and len(rows) % 2 == 0 and torch.get_num_threads() > 1
    columns, rows = (matrix.view(2 if split else 1, -1, matrix.shape[1]) for matrix in (columns, rows))
    product = (rows.transpose(1, 2) @ columns).sum(0)
    return product.view(len(product), 3, 3, -1).permute(0, 3, 1, 2)
