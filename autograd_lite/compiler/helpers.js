"use strict";

// What compiled programs call. A program carries the functions that it uses.

/**
 * The elements of an argument as a flat array in C order.
 *
 * @param {*} x a flat array, or nested arrays.
 * @param {string} name what errors call it.
 * @param {number[]} shape
 * @param {string} dtype
 */
function read(x, name, shape, dtype) {
  const Type = typeOf(dtype);
  const size = shape.reduce((n, k) => n * k, 1);
  if (x instanceof Type && x.length === size && dtype.startsWith("float")) return x;
  const elements = flattened(x, shape, size);
  if (!elements) {
    const found = x === undefined ? "it is missing" : `not ${described(x)}`;
    throw new RangeError(
      `${name} must be an array of shape (${shape.join(", ")}), ${size} numbers in all; ${found}`,
    );
  }
  return Type.from(elements, (value) => checked(value, name, dtype));
}

/** The elements of a flat array or of nested arrays of a shape; null for another one. */
function flattened(x, shape, size) {
  const isArray = (y) => Array.isArray(y) || (ArrayBuffer.isView(y) && "length" in y);
  if (!isArray(x)) return null;
  if (x.length === size && !isArray(x[0])) return x;
  if (x.length !== shape[0] || shape.length < 2) return null;
  const rows = Array.from(x, (row) => flattened(row, shape.slice(1), size / shape[0]));
  return rows.includes(null) ? null : rows.flatMap((row) => Array.from(row));
}

/** What an error says of a value that is no array of the right shape. */
function described(x) {
  if (x === null || typeof x !== "object") return `${x === null ? "null" : `a ${typeof x}`}`;
  if (!Array.isArray(x) && !ArrayBuffer.isView(x)) return "an object";
  return `${x.length} ${typeof x[0] === "object" ? "arrays" : "elements"}`;
}

/** A number of an argument, in the dtype of the program. */
function checked(value, name, dtype) {
  if (typeof value !== "number" && typeof value !== "boolean") {
    throw new TypeError(`${name} must be of numbers, not of ${value === null ? "null" : typeof value}`);
  }
  if (dtype === "float64") return +value;
  if (dtype === "float32") return Math.fround(value);
  const kept = dtype.endsWith("64") ? Number.isSafeInteger(+value) : typeOf(dtype).of(value)[0] === +value;
  if (!kept || (dtype === "bool" && value > 1)) {
    throw new RangeError(`${name} must be of dtype ${dtype}, and ${value} is not`);
  }
  return +value;
}

/** An argument that is one number. */
function readNumber(x, name, dtype) {
  if (typeof x !== "number" && typeof x !== "boolean") {
    const found = x === undefined ? "it is missing" : `not ${described(x)}`;
    throw new TypeError(`${name} must be a number; ${found}`);
  }
  return checked(x, name, dtype);
}

/** Checks an argument whose value was fixed when the program was compiled. */
function fixed(x, name, value) {
  if (x !== undefined && !Object.is(x, value)) {
    throw new RangeError(`${name} was ${value} when the program was compiled, and cannot be changed`);
  }
}

/** The number of rows of an argument, each of so many elements. */
function rowsOf(x, name, size) {
  const nested = x?.[0]?.length !== undefined;
  const n = nested || !size ? x.length : x?.length / size;
  if (!Number.isInteger(n) || n < 2) {
    throw new RangeError(`${name} must be an array of at least two rows of ${size} numbers`);
  }
  return n;
}

/** Checks the lengths that a program takes as an argument. */
function checkSizes(name, sizes) {
  for (const [key, n] of Object.entries(sizes)) {
    if (!Number.isInteger(n) || n < 1) {
      throw new RangeError(`${name}: ${key} must be a positive integer, not ${n}`);
    }
  }
}

/** The constructor of the arrays of a dtype. */
function typeOf(dtype) {
  const types = {
    float32: Float32Array,
    int8: Int8Array,
    int16: Int16Array,
    int32: Int32Array,
    uint8: Uint8Array,
    uint16: Uint16Array,
    uint32: Uint32Array,
    bool: Uint8Array,
  };
  return types[dtype] ?? Float64Array;
}

// Numbers

/** x to the power of y; as in C, 1 to any power is 1. */
function power(x, y) {
  return x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : x ** y;
}

/** x to the power of an integer that is not negative, by products, which are exact. */
function integerPower(x, y, product) {
  let found = 1;
  for (let factor = x; y > 0; y = Math.floor(y / 2)) {
    if (y % 2 === 1) found = product(found, factor);
    factor = product(factor, factor);
  }
  return found;
}

/** The remainder with the sign of the divisor. */
function remainder(x, y) {
  const rest = x % y;
  if (rest === 0) return copysign(0, y);
  return rest < 0 === y < 0 ? rest : rest + y;
}

/** The quotient rounded down, which agrees with the remainder. */
function floorDivide(x, y) {
  if (y === 0) return x / y;
  const rest = x % y;
  let quotient = (x - rest) / y;
  if (rest !== 0 && rest < 0 !== y < 0) quotient -= 1;
  if (quotient === 0) return copysign(0, x / y);
  const below = Math.floor(quotient);
  return quotient - below > 0.5 ? below + 1 : below;
}

/** The nearest integer, the even one of two. */
function rint(x) {
  const size = Math.abs(x);
  let below = Math.floor(size);
  const rest = size - below;
  if (rest > 0.5 || (rest === 0.5 && below % 2 === 1)) below += 1;
  return copysign(below, x);
}

/** Whether a number is negative, or −0. */
function signbit(x) {
  return x < 0 || Object.is(x, -0);
}

/** The absolute value of x with the sign of y. */
function copysign(x, y) {
  return signbit(y) ? -Math.abs(x) : Math.abs(x);
}

/** log(exp x + exp y). */
function logaddexp(x, y) {
  if (x === y) return x + Math.LN2;
  const d = x - y;
  if (d > 0) return x + Math.log1p(Math.exp(-d));
  return d <= 0 ? y + Math.log1p(Math.exp(d)) : d;
}

/** log₂(2^x + 2^y). */
function logaddexp2(x, y) {
  if (x === y) return x + 1;
  const d = x - y;
  if (d > 0) return x + Math.log1p(2 ** -d) * Math.LOG2E;
  return d <= 0 ? y + Math.log1p(2 ** d) * Math.LOG2E : d;
}

/** 0, 1, or at 0 a number. */
function heaviside(x, atZero) {
  if (x === 0) return atZero;
  return x < 0 ? 0 : x > 0 ? 1 : x;
}

/** sin πx / πx. */
function sinc(x) {
  const y = Math.PI * (x === 0 ? 1e-20 : x);
  return Math.sin(y) / y;
}

/** An index of an axis of n elements, which may count from its end. */
function place(k, n) {
  if (k >= n || k < -n) throw new RangeError(`index ${k} is out of bounds for an axis of ${n} elements`);
  return k < 0 ? k + n : k;
}

// Arrays. Those along an axis go over lines of n elements that lie `inner` apart.

/** Calls a function with the place of the first element of each line. */
function lines(x, n, inner, visit) {
  for (let start = 0; start < x.length; start += n * inner) {
    for (let k = 0; k < inner; k++) visit(start + k);
  }
}

/** Whether y comes before x in an order in which NaN is last. */
function comesBefore(y, x) {
  return y < x || (x !== x && y === y);
}

/** The order of two numbers; NaN is last. */
function compared(x, y) {
  return comesBefore(x, y) ? -1 : comesBefore(y, x) ? 1 : 0;
}

/** Where each line has the first element that comes before all others. */
function argfirst(out, x, n, inner, before) {
  let line = 0;
  lines(x, n, inner, (start) => {
    let best = 0;
    for (let k = 1; k < n; k++) {
      if (before(x[start + k * inner], x[start + best * inner])) best = k;
    }
    out[line++] = best;
  });
}

/** Where each line has its largest element; the first NaN is the largest. */
function argmax(out, x, n, inner) {
  argfirst(out, x, n, inner, (y, z) => y > z || (y !== y && z === z));
}

/** Where each line has its smallest element; the first NaN is the smallest. */
function argmin(out, x, n, inner) {
  argfirst(out, x, n, inner, (y, z) => y < z || (y !== y && z === z));
}

/** The running sums of each line. */
function cumsum(out, x, n, inner) {
  lines(x, n, inner, (start) => {
    let total = x[start];
    for (let k = 0; k < n; k++) {
      if (k) total += x[start + k * inner];
      out[start + k * inner] = total;
    }
  });
}

/** The running products of each line. */
function cumprod(out, x, n, inner) {
  lines(x, n, inner, (start) => {
    let total = 1;
    for (let k = 0; k < n; k++) {
      total *= x[start + k * inner];
      out[start + k * inner] = total;
    }
  });
}

/** The numbers of the elements of each line in ascending order. */
function argsort(out, x, n, inner) {
  lines(x, n, inner, (start) => {
    const order = Array.from({ length: n }, (_, k) => k);
    order.sort((j, k) => compared(x[start + j * inner], x[start + k * inner]));
    order.forEach((j, k) => (out[start + k * inner] = j));
  });
}

/** The elements of each line in ascending order. */
function sort(out, x, n, inner) {
  lines(x, n, inner, (start) => {
    const sorted = Array.from({ length: n }, (_, k) => x[start + k * inner]).sort(compared);
    sorted.forEach((value, k) => (out[start + k * inner] = value));
  });
}

/** Zeros, and each number added at its place. */
function scatter(out, x, places) {
  out.fill(0);
  for (let k = 0; k < x.length; k++) out[places[k]] += x[k];
}

module.exports = {
  checkSizes, integerPower, rowsOf, read, flattened, described, checked, readNumber, fixed, typeOf, power, remainder,
  floorDivide, rint, signbit, copysign, logaddexp, logaddexp2, heaviside, sinc, place,
  lines, comesBefore, compared, argfirst, argmax, argmin, cumsum, cumprod, argsort, sort, scatter,
};
