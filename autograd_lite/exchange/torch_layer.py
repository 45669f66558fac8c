"""A function of arrays as a layer of PyTorch: `torch.autograd.Function` on nested containers."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from autograd_lite.arrays import viewed
from autograd_lite.exchange.derivatives import Program
from autograd_lite.trees import flatten

__all__ = ["TorchLayer"]


class TorchLayer:
    """A function of tensors; made by `autograd_lite.interop.torch`."""

    def __init__(self, f: Callable[..., Any] | Program) -> None:
        self.program: Program = f if isinstance(f, Program) else Program(f)
        functools.update_wrapper(self, self.program.f, updated=())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return _computed(self.program, args, kwargs)

    def __repr__(self) -> str:
        return f"<torch layer {getattr(self.program.f, '__name__', '')}>"


def _by_numpy(program: Program, args: Any, kwargs: Any) -> Any:
    call = _Call(program, args, kwargs)
    results = _apply(call, *call.tensors)
    call.tensors = ()
    return call.build(results)


# TorchDynamo would trace NumPy's functions as PyTorch's.
_not_compiled: Any = torch.compiler.disable
_computed = _not_compiled(_by_numpy)


class _Call:
    """A call: where the tensors are in its arguments, and the containers of its results."""

    def __init__(self, program: Program, args: Any, kwargs: Any) -> None:
        self.program = program
        self.leaves, paths, self._build = flatten((args, kwargs))
        self.places = [k for k, x in enumerate(self.leaves) if isinstance(x, torch.Tensor)]
        self.tensors: Sequence[Any] = [self.leaves[k] for k in self.places]
        self.paths = [paths[k] for k in self.places]
        for k in self.places:
            self.leaves[k] = None

    def arguments(self, tensors: Sequence[Any]) -> Any:
        """The arguments with other tensors, or with arrays in their places."""
        leaves = list(self.leaves)
        for k, x in zip(self.places, tensors, strict=True):
            leaves[k] = x
        return self._build(leaves)

    def compute(self, tensors: Sequence[Any]) -> tuple[Any, ...]:
        """The results as tensors."""
        if _is_traced():
            raise TypeError(
                "interop.torch: torch.export, torch.func.linearize and make_fx record operations "
                "of PyTorch, and NumPy's are none; use torch.func.jvp or vjp, or the program that "
                'ag.compile(f).save(path, namespace="torch") writes'
            )
        arrays = [_array(x, path) for x, path in zip(tensors, self.paths, strict=True)]
        args, kwargs = self.arguments(arrays)
        results, _, self.build = flatten(self.program.compiled(*args, **kwargs))
        return tuple(torch.from_numpy(np.require(x, requirements=["C", "W"])) for x in results)


def _is_traced() -> bool:
    """Whether PyTorch records its operations. It would take NumPy's results for constants."""
    tracing = sys.modules.get("torch.fx.experimental.proxy_tensor")
    return tracing is not None and tracing.get_proxy_mode() is not None


def _array(x: Any, path: str) -> Any:
    what = f"interop.torch: the tensor at {path.removeprefix('[0]').removeprefix('[1]')}"
    if x.device.type != "cpu":
        raise TypeError(f"{what} is on {x.device}; NumPy computes on the CPU: use .cpu()")
    return viewed(x.detach(), what)


class _Function(torch.autograd.Function):
    @staticmethod
    def forward(call: _Call, *tensors: Any) -> tuple[Any, ...]:
        return call.compute(tensors)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.call, *tensors = inputs
        ctx.save_for_backward(*tensors)
        ctx.save_for_forward(*tensors)
        ctx.floats = [k for k, x in enumerate(output) if x.is_floating_point()]
        ctx.count = len(output)
        ctx.mark_non_differentiable(*(x for x in output if not x.is_floating_point()))

    @staticmethod
    def backward(ctx: Any, *cotangents: Any) -> tuple[Any, ...]:
        # The gradient is a layer of its own, so that it has derivatives in its turn.
        places, needed = ctx.call.places, ctx.needs_input_grad[1:]
        wanted = [k for k, need in enumerate(needed) if need]
        args, kwargs = ctx.call.arguments(ctx.saved_tensors)
        gradients = TorchLayer(ctx.call.program.pull)(
            args, kwargs, [cotangents[k] for k in ctx.floats], tuple(places[k] for k in wanted)
        )
        found = dict(zip(wanted, gradients, strict=True))
        return None, *(found.get(k) for k in range(len(needed)))

    @staticmethod
    def jvp(ctx: Any, _: Any, *tangents: Any) -> tuple[Any, ...]:
        wanted = [k for k, v in enumerate(tangents) if v is not None]
        args, kwargs = ctx.call.arguments(ctx.saved_tensors)
        found = TorchLayer(ctx.call.program.push)(
            args,
            kwargs,
            [tangents[k] for k in wanted],
            tuple(ctx.call.places[k] for k in wanted),
        )
        pushed = dict(zip(ctx.floats, found, strict=True))
        return tuple(pushed.get(k) for k in range(ctx.count))

    @staticmethod
    def vmap(info: Any, in_dims: Any, call: _Call, *tensors: Any) -> Any:
        """One example after the other."""
        results = [
            _apply(
                call,
                *(
                    x if axis is None else x.select(axis, k)
                    for x, axis in zip(tensors, in_dims[1:], strict=True)
                ),
            )
            for k in range(info.batch_size)
        ]
        stacked = tuple(torch.stack(group) for group in zip(*results, strict=True))
        return stacked, (0,) * len(stacked)


_apply: Any = _Function.apply
