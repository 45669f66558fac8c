"""Models that PyTorch exports: its values, and its gradients with respect to inputs and weights."""

from __future__ import annotations

import contextlib
import io
import logging

import numpy as np
import pytest

pytest.importorskip("onnx")
torch = pytest.importorskip("torch", exc_type=ImportError)

import autograd_lite as ag  # noqa: E402

nn, F = torch.nn, torch.nn.functional

# The exporter that needs no other package is an old one.
pytestmark = pytest.mark.filterwarnings("ignore")


ACTIVATIONS = {
    "logsigmoid": nn.LogSigmoid,
    "softplus": nn.Softplus,
    "softplus, 2": lambda: nn.Softplus(beta=2.0),
    "gelu": nn.GELU,
    "gelu, tanh": lambda: nn.GELU("tanh"),
    "silu": nn.SiLU,
    "elu": lambda: nn.ELU(0.7),
    "selu": nn.SELU,
    "celu": lambda: nn.CELU(0.7),
    "mish": nn.Mish,
    "hardswish": nn.Hardswish,
    "hardsigmoid": nn.Hardsigmoid,
    "hardtanh": nn.Hardtanh,
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "leaky relu": lambda: nn.LeakyReLU(0.2),
    "prelu": nn.PReLU,
    "softsign": nn.Softsign,
    "tanhshrink": nn.Tanhshrink,
    "softshrink": nn.Softshrink,
    "hardshrink": nn.Hardshrink,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "softmax": lambda: nn.Softmax(dim=1),
    "softmin": lambda: nn.Softmin(dim=-1),
    "log softmax": lambda: nn.LogSoftmax(dim=1),
    "dropout": nn.Dropout,
    "batch norm": lambda: nn.BatchNorm1d(5),
    "layer norm": lambda: nn.LayerNorm(5),
    "identity": nn.Identity,
}
LABELS = torch.tensor([0, 2, 1, 2, 0, 1])
TARGETS = torch.rand((6, 3), dtype=torch.float64, generator=torch.Generator().manual_seed(1))
LOSSES = {
    "cross entropy": lambda z: F.cross_entropy(z, LABELS),
    "cross entropy, ignoring": lambda z: F.cross_entropy(z, LABELS, ignore_index=2),
    "weighted cross entropy": lambda z: F.cross_entropy(z, LABELS, TARGETS[0], reduction="sum"),
    "nll": lambda z: F.nll_loss(F.log_softmax(z, dim=1), LABELS),
    "bce with logits": lambda z: F.binary_cross_entropy_with_logits(z, TARGETS),
    "log of softmax": lambda z: -torch.mean(TARGETS * torch.log(torch.softmax(z, dim=1))),
    "mse": lambda z: torch.mean((z - TARGETS) ** 2),
    "mse of torch": lambda z: F.mse_loss(z, TARGETS),
    "l1": lambda z: torch.mean(torch.abs(z - TARGETS)),
    "kl": lambda z: F.kl_div(F.log_softmax(z, dim=1), TARGETS, reduction="sum"),
    "logsumexp": lambda z: torch.logsumexp(z, dim=1).sum(),
    "log1p": lambda z: torch.log1p(z**2).sum(),
    "standard deviation": lambda z: torch.std(z, dim=0).sum() + torch.var(z),
    "norms": lambda z: torch.norm(z, dim=1).sum() + F.normalize(z).sum(),
    "cosine": lambda z: F.cosine_similarity(z, TARGETS).sum(),
    "views": lambda z: (z.view(z.size(0), -1).flatten(1) * z.t().reshape(z.shape)).mean(),
    "parts": lambda z: (z[:, 1:] * torch.cat([z[:, :1], z[:, -1:]], dim=1)).sum() + z.max(),
    "extremes": lambda z: torch.max(z, dim=1).values.sum() - torch.amin(z, dim=0).sum(),
    "where": lambda z: torch.where(z > 0.1, z, z**3).clamp(-0.4, 0.6).sum(),
}


class Head(nn.Module):
    """A network and a function of its result."""

    def __init__(self, network, function):
        super().__init__()
        self.network, self.function = network, function

    def forward(self, x):
        return self.function(self.network(x))


def exported(module, x, folder, rows=True, **options):
    """The module as imported from its ONNX file."""
    path = folder / "model.onnx"
    options = {"dynamo": False, **options}
    if rows and not options["dynamo"]:
        options["dynamic_axes"] = {"x": {0: "n"}}
    logging.disable(logging.CRITICAL)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            torch.onnx.export(module.eval(), (x,), path, input_names=["x"], **options)
    finally:
        logging.disable(logging.NOTSET)
    return ag.import_onnx(path)


def network(*layers):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 5), *(make() for make in layers), nn.Linear(5, 3)).double()


def compare(module, model, x):
    """Values, and gradients with respect to the input and every parameter."""
    x.requires_grad_(True)
    out = module(x)
    cotangent = torch.linspace(0.5, 1.5, out.numel(), dtype=out.dtype).reshape(out.shape)
    out.backward(cotangent)
    inside, u = x.detach().numpy(), cotangent.numpy()
    np.testing.assert_allclose(model(inside), out.detach().numpy(), rtol=1e-6, atol=1e-7)

    def total(x, parameters):
        return np.sum(u * model(x, parameters=parameters))

    by_input, by_weight = ag.grad(total, (0, 1))(inside, model.parameters)
    np.testing.assert_allclose(by_input, x.grad.numpy(), rtol=1e-6, atol=1e-7)
    weights = dict(module.named_parameters())
    for name, gradient in by_weight.items():
        own = next(
            (w for key, w in weights.items() if key == name or key.endswith("." + name)), None
        )
        if own is not None:
            np.testing.assert_allclose(gradient, own.grad.numpy(), rtol=1e-6, atol=1e-7)
    return by_weight


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_network_with_an_activation(name, tmp_path):
    module = network(ACTIVATIONS[name])
    x = torch.randn((6, 4), dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    model = exported(module, x, tmp_path)
    found = compare(module, model, x)
    assert len(found) >= 4
    compiled = ag.compile(model)(x.detach().numpy())
    np.testing.assert_allclose(compiled, model(x.detach().numpy()), rtol=1e-12, atol=1e-12)
    more = torch.randn((9, 4), dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    np.testing.assert_allclose(
        model(more.numpy()), module(more).detach().numpy(), rtol=1e-6, atol=1e-7
    )


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss(name, tmp_path):
    module = Head(network(nn.Tanh), LOSSES[name])
    x = torch.randn((6, 4), dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    model = exported(module, x, tmp_path, rows=name in ("views", "extremes", "logsumexp"))
    assert len(compare(module, model, x)) >= 4


@pytest.mark.parametrize("opset", [9, 11, 13, 15, 17, 20])
def test_every_opset_of_the_exporter(opset, tmp_path):
    module = nn.Sequential(
        network(lambda: nn.Softmax(dim=1), nn.GELU, nn.LogSigmoid), nn.Hardtanh(-3, 3)
    )
    x = torch.randn((6, 4), dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    compare(module, exported(module, x, tmp_path, opset_version=opset), x)


def test_the_tail_of_the_logarithm_of_sigma_is_better_than_in_the_file(tmp_path):
    model = exported(nn.LogSigmoid(), torch.zeros(1, 2), tmp_path)
    x = np.array([[-800.0, 80.0]], np.float32)
    np.testing.assert_allclose(model(x), [[-800.0, -np.exp(np.float32(-80))]])
    np.testing.assert_allclose(ag.grad(lambda x: np.sum(model(x)))(x), [[1, np.exp(-80)]])
    compiled = ag.compile(model)(x)
    np.testing.assert_allclose(compiled, [[-800.0, -np.exp(np.float32(-80))]])


def test_a_trained_network_is_drawn_derived_compiled_by_rows_and_has_a_hessian(tmp_path):
    pytest.importorskip("sympy")
    from autograd_lite import viz

    module = Head(network(nn.Tanh), torch.sigmoid)
    x = torch.randn((6, 4), dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    model = exported(module, x, tmp_path, output_names=["p"])
    titles = dict(zip(model.parameters, ("W1", "b1", "W2", "b2"), strict=True))
    given = {name: ag.Tensor(w, titles[name]) for name, w in model.parameters.items()}
    X, y = ag.constant(x.numpy(), "X"), ag.constant(TARGETS.numpy() > 0.5, "y")
    p = model(X, parameters=given)
    loss = ag.binary_cross_entropy(p, y, reduction="sum").named("L")
    picture = viz.draw(loss).source
    assert all(f"<b>{name}</b>" in picture or name in picture for name in ("X", "W1", "p", "L"))
    closed = ag.derive(loss).closed_form
    last = next(name for name in given if titles[name] == "W2")
    assert str(closed[given[last]]).startswith("(p − y)ᵀ tanh(")

    def total(x, parameters):
        return np.sum(np.square(model(x, parameters=parameters)))

    step = ag.compile(lambda x, p: ag.value_and_grad(total, 1)(x, p), rows=64)
    many = np.random.default_rng(0).normal(size=(1000, 4))
    value, gradient = step(many, model.parameters)
    whole, expected = ag.value_and_grad(total, 1)(many, model.parameters)
    np.testing.assert_allclose(value, whole, rtol=1e-13)
    for name, g in gradient.items():
        np.testing.assert_allclose(g, expected[name], rtol=1e-11, atol=1e-12)
    bias = next(name for name in given if titles[name] == "b2")
    by_bias = ag.hessian(lambda b: total(x.numpy(), {bias: b}))(model.parameters[bias])
    hidden, weights = module.network[:2](x).detach(), module.network[2].weight.detach()
    by_torch = torch.autograd.functional.hessian(
        lambda b: torch.sum(torch.sigmoid(hidden @ weights.T + b) ** 2),
        module.network[2].bias.detach(),
    )
    np.testing.assert_allclose(by_bias, by_torch.numpy(), rtol=1e-10, atol=1e-12)


def test_parameters_with_equal_values_are_apart_and_shared_ones_are_one(tmp_path):
    """The exporter writes both once."""
    module = nn.Sequential(nn.Linear(5, 5), nn.Tanh(), nn.Linear(5, 5)).double()
    for layer in (module[0], module[2]):
        nn.init.constant_(layer.bias, 0.25)
    module[2].weight = module[0].weight
    x = torch.randn((6, 5), dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    model = exported(module, x, tmp_path)
    assert set(model.parameters) == {name for name, _ in module.named_parameters()}
    assert set(model.parameters) == {"0.weight", "0.bias", "2.bias"}
    compare(module, model, x)


@pytest.mark.parametrize("name", ["mlp", "bce with logits", "log1p", "views"])
def test_the_newer_exporter(name, tmp_path):
    pytest.importorskip("onnxscript")
    module = Head(network(nn.GELU), LOSSES.get(name, nn.Identity()))
    x = torch.randn((6, 4), dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    model = exported(module, x, tmp_path, dynamo=True, verbose=False, external_data=False)
    compare(module, model, x)
