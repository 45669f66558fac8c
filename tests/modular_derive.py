"""The expressions of a derivation in arithmetic modulo a prime, which rounding cannot blur.

Two expressions that are equal as functions are equal at every point; two that are not differ at
nearly every random one (Schwartz, Zippel). Numbers are integers modulo P; what is 'positive' is a
square there, and of √x the root is taken that is itself a square, so that √x² is |x| and not x.
exp turns sums into products and has σ, tanh and softmax defined by it; log, sin and other functions
are random, but the same wherever their argument is.
"""

from __future__ import annotations

from fractions import Fraction
from hashlib import blake2b
from itertools import chain, product

import numpy as np
import sympy

from autograd_lite.derivation.entries import Delta, Element, Length, Number, Opaque, Total

P = 2**61 + 5_967
"""A prime of which half, (P − 1)/2, is prime as well: every odd root is unique."""


class UndefinedError(ArithmeticError):
    """A division by 0, or a root or logarithm of what is not positive."""


def drawn(*what):
    """A random number that is always the same for the same arguments."""
    return int.from_bytes(blake2b(repr(what).encode(), digest_size=16).digest()) % P


def inverse(x):
    if x % P == 0:
        raise UndefinedError
    return pow(x, -1, P)


def number(x):
    """A fraction, or a float as a derivation reads it: 0.3 is 3/10."""
    short = Fraction(x).limit_denominator(10_000)
    x = short if isinstance(x, float) and float(short) == x else Fraction(x)
    return x.numerator * inverse(x.denominator) % P


def sign(x):
    """1 for what is positive, −1 for what is negative, 0 for 0."""
    found = pow(x, (P - 1) // 2, P)
    return found if found <= 1 else -1


def power(x, exponent):
    """x to a rational number."""
    p, q = int(exponent.p), int(exponent.q)
    if q % 2 == 0:
        if sign(x) < 0:
            raise UndefinedError
        x, q = pow(x, (P + 1) // 4, P), q // 2
    if q % 2 == 0:
        return power(x, sympy.Rational(p, q))
    x = pow(x, pow(q, -1, P - 1), P) if q > 1 else x
    return pow(inverse(x), -p, P) if p < 0 else pow(x, p, P)


COMPARED = {
    "less": lambda s: s > 0,
    "less_equal": lambda s: s >= 0,
    "greater": lambda s: s < 0,
    "greater_equal": lambda s: s <= 0,
    "equal": lambda s: s == 0,
    "not_equal": lambda s: s != 0,
}


MOVES = (
    *("getitem", "add_at", "stack", "concatenate", "reshape", "broadcast_to"),
    *("trace", "diagonal", "flip", "cumsum"),
)
"""Operations that only move and add elements, which NumPy does with these numbers as well."""


class Modular:
    """Evaluates the expressions of a space.

    Args:
        seed: which of the random points.
        space: what the symbols stand for; a symbol that is not in it is a variable.
        values: arrays of nodes by position; the others are random.
        gradients: closed forms of gradients by the position of the node; the others are random.
        definitions: what nodes are, by position.
    """

    def __init__(self, seed, space=None, values=None, gradients=None, definitions=None):
        self.seed = seed
        self.space = space
        self.values = values or {}
        self.gradients = gradients or {}
        self.definitions = definitions or {}
        self.arrays = {}

    def __call__(self, expr, env=None):
        """The value of an expression at concrete indices; those not given are drawn."""
        if env is None:
            free = sorted(self.space.free(expr)) if self.space is not None else ()
            env = {i: drawn(self.seed, "index", i) % 2 for i in free}
        return self.at(expr, env)

    def array(self, expr, shape):
        """The value at all indices of a shape."""
        result = np.empty(shape, dtype=object)
        for place in np.ndindex(*shape):
            result[place] = self.at(expr, dict(enumerate(place)))
        return result

    def at(self, expr, env):
        if expr.is_Rational:
            return number(Fraction(int(expr.p), int(expr.q)))
        if expr.is_Symbol:
            entry = self.space.entry(expr) if self.space is not None else None
            return drawn(self.seed, expr.name) if entry is None else self.entry(entry, env)
        if expr.is_Add:
            return sum(self.at(t, env) for t in expr.args) % P
        if expr.is_Mul:
            result = 1
            for factor in expr.args:
                result = result * self.at(factor, env) % P
            return result
        if expr.is_Pow:
            if expr.exp.is_Rational:
                return power(self.at(expr.base, env), expr.exp)
            return drawn(self.seed, "power", *(self.at(a, env) for a in expr.args))
        return self.function(expr.func.__name__, expr.args, env)

    # Functions

    def function(self, name, args, env):
        if name == "exp":
            return self.exp(args[0], 1, env)
        if name == "sigmoid":
            return inverse(1 + self.exp(args[0], -1, env))
        if name in ("tanh", "sinh", "cosh"):
            up, down = self.exp(args[0], 1, env), self.exp(args[0], -1, env)
            if name == "tanh":
                return (up - down) * inverse(up + down) % P
            return (up + (down if name == "cosh" else -down)) * inverse(2) % P
        if name == "softplus":
            return drawn(self.seed, "log", (1 + self.exp(args[0], 1, env)) % P)
        if name == "log" and args[0].func.__name__ == "exp":
            return self.at(args[0].args[0], env)
        values = [self.at(a, env) for a in args]
        if name == "log" and values == [1]:
            return 0
        if name in COMPARED:
            return int(COMPARED[name](sign(values[1] - values[0])))
        if name == "where":
            return values[1] if values[0] else values[2]
        if name == "maximum":
            return values[sign(values[1] - values[0]) > 0]
        if name == "heaviside":
            found = sign(values[0])
            return values[1] if found == 0 else int(found > 0)
        if name == "absolute":
            return values[0] * sign(values[0]) % P
        if name == "sign":
            return sign(values[0]) % P
        return drawn(self.seed, name, *values)

    def exp(self, x, sign_, env):
        """exp of a sum is the product of the exps of its terms, of a logarithm what is in it."""
        result = 1
        for term in sympy.Add.make_args(sympy.expand(x)):
            c, rest = term.as_coeff_Mul()
            if rest.func.__name__ == "log":
                factor = self.at(rest.args[0], env)
            else:
                factor = pow(drawn(self.seed, "exp", self.at(rest, env)), 4, P)
            result = result * power(factor, sign_ * c) % P
        return result

    # Symbols

    def entry(self, entry, env):
        if isinstance(entry, Length):
            return entry.n
        if isinstance(entry, Number):
            return number(entry.value)
        if isinstance(entry, Delta):
            i, j = entry.indices
            return int(env[i] == env[j])
        if isinstance(entry, Total):
            return sum(
                self.at(entry.body, env | dict(zip(entry.bound, place, strict=True)))
                for place in product(*map(range, entry.lengths))
            ) % P  # fmt: skip
        place = tuple(0 if i is None else env[i] for i in entry.indices)
        if isinstance(entry, Element):
            return self.element(entry, place)
        assert isinstance(entry, Opaque)
        return self.opaque(entry, place)

    def element(self, entry, place):
        if entry.gradient:
            if entry.node in self.gradients:
                return self.at(self.gradients[entry.node], dict(enumerate(place)))
            return drawn(self.seed, "gradient", entry.node, place)
        for known in (self.values, self.space.constants):
            if entry.node in known:
                x = known[entry.node][place]
                return x % P if isinstance(x, int) else number(float(x))
        if entry.node in self.definitions:
            return self.at(self.definitions[entry.node], dict(enumerate(place)))
        for definition, node, indices in chain(*self.space.known_at.values()):
            if node == entry.node:
                env = {i: place[k] for k, i in enumerate(indices) if i is not None}
                return self.at(self.space.at(definition), env)
        return drawn(self.seed, "node", entry.node, place)

    def opaque(self, entry, place):
        op, attributes, _ = self.space.calls[entry.call]
        if op == "arange":
            return place[0] if len(place) == 1 else sum(place)
        if op == "array":
            return number(np.asarray(attributes["values"])[place].item())
        if op.name == "softmax":
            ((x, shape),) = entry.args
            axis = attributes.get("axis", -1)
            axes = {a % len(shape) for a in (axis if isinstance(axis, tuple) else (axis,))}
            over = [range(n) if k in axes else (place[k],) for k, n in enumerate(shape)]
            below = sum(self.exp(x, 1, dict(enumerate(other))) for other in product(*over))
            return self.exp(x, 1, dict(enumerate(place))) * inverse(below) % P
        key = entry.call, entry.args
        if key not in self.arrays:
            self.arrays[key] = [self.array(x, shape) for x, shape in entry.args]
            if op.name in MOVES:
                operands = self.arrays[key]
                made = op.forward(*([operands] if op.arity is None else operands), **attributes)
                self.arrays[key] = np.asarray(made, dtype=object)
        arrays = self.arrays[key]
        if op.name in MOVES:
            return int(arrays[place]) % P
        return drawn(self.seed, op.name, repr(attributes), [a.tolist() for a in arrays], place)


def with_numbers(method):
    """Arithmetic with a dual number or any other; an array does it element by element itself."""

    def arithmetic(self, other):
        return NotImplemented if isinstance(other, np.ndarray) else method(self, Dual.of(other))

    return arithmetic


class Dual:
    """A number modulo P and its derivative in one direction, to put into NumPy's arrays."""

    seed = 0

    def __init__(self, value, derivative=0):
        self.value, self.derivative = value % P, derivative % P

    @staticmethod
    def of(x):
        return x if isinstance(x, Dual) else Dual(number(float(x)))

    @with_numbers
    def __add__(self, other):
        return Dual(self.value + other.value, self.derivative + other.derivative)

    @with_numbers
    def __mul__(self, other):
        derivative = self.value * other.derivative + self.derivative * other.value
        return Dual(self.value * other.value, derivative)

    def __pow__(self, exponent):
        exponent = sympy.Rational(str(exponent))
        below = power(self.value, exponent - 1) if exponent != 0 else 0
        derivative = number(Fraction(int(exponent.p), int(exponent.q))) * below * self.derivative
        return Dual(power(self.value, exponent), derivative)

    def __neg__(self):
        return Dual(-self.value, -self.derivative)

    @with_numbers
    def __sub__(self, other):
        return self + -other

    @with_numbers
    def __rsub__(self, other):
        return other - self

    @with_numbers
    def __truediv__(self, other):
        return self * other**-1

    @with_numbers
    def __rtruediv__(self, other):
        return other / self

    __radd__, __rmul__ = __add__, __mul__

    def sqrt(self):
        return self ** sympy.Rational(1, 2)

    def sin(self):
        cos = drawn(self.seed, "cos", self.value)
        return Dual(drawn(self.seed, "sin", self.value), cos * self.derivative)

    def cos(self):
        sin = drawn(self.seed, "sin", self.value)
        return Dual(drawn(self.seed, "cos", self.value), -sin * self.derivative)

    def log(self):
        return Dual(drawn(self.seed, "log", self.value), inverse(self.value) * self.derivative)


def equal(one, other, space=None, points=3):
    """Whether two expressions are equal at random points where both are defined."""
    found = 0
    for seed in range(40):
        evaluate = Modular(seed, space)
        try:
            free = sorted(set().union(*(space.free(e) for e in (one, other)))) if space else ()
            env = {i: drawn(seed, "index", i) % 2 for i in free}
            if evaluate(one, env) != evaluate(other, env):
                return False
        except UndefinedError:
            continue
        found += 1
        if found == points:
            return True
    raise AssertionError(f"defined nowhere: {one}, {other}")
