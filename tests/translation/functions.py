"""Functions of Numba's subset, each with arguments: what is translated has to compute what Numba computes."""

import math

import numpy as np
from numba import njit

GRAVITY = 9.81
WEIGHTS = np.array([0.25, 0.5, 0.25])
RNG = np.random.default_rng(7)
X = RNG.random(17)
Y = RNG.random(17) - 0.5
A = RNG.random((5, 7)) - 0.5
B = RNG.random((7, 4))
SQUARE = RNG.random((6, 6)) + 6 * np.eye(6)
INTS = RNG.integers(-50, 50, 19)
SMALL = RNG.integers(-100, 100, 11).astype(np.int32)
BYTES = RNG.integers(0, 255, 23).astype(np.uint8)
SINGLE = RNG.random(13).astype(np.float32)
COMPLEX = RNG.random(9) + 1j * RNG.random(9)


def horner(x, c):
    """Evaluate a polynomial."""
    s = 0.0
    for i in range(len(c) - 1, -1, -1):
        s = s * x + c[i]
    return s


def collatz(n):
    steps = 0
    while n != 1:
        if n % 2 == 0:
            n //= 2
        else:
            n = 3 * n + 1
        steps += 1
    return steps


def floor_and_mod(x):
    total = 0
    for v in x:
        for d in (-7, -2, 3, 5):
            total += (v // d) * 3 + v % d
    return total


def real_floor_and_mod(x, y):
    s = 0.0
    for i in range(len(x)):
        s += (x[i] - 0.5) // y[i] + (x[i] - 0.5) % y[i]
    return s


def powers(x, k):
    return x**2 + x**3 + x**-1 + x**0.5 + x**7 + x**k + 2.0**x


def whole_powers(n, k):
    return n**2 + n**5 + 3**k


def single_precision(x):
    s = np.float32(0.0)
    for i in range(len(x)):
        s += x[i] * x[i]
    return s


def promotions(a, b):
    s = 0
    for i in range(len(a)):
        s += a[i] * a[i] + b[i]
    return s


def wraparound(x):
    h = np.uint64(14695981039346656037)
    for v in x:
        h = (h ^ np.uint64(v)) * np.uint64(1099511628211)
    return h


def signed_hash(x):
    h = 17
    for v in x:
        h = h * 6364136223846793005 + v
    return h


def bits(n):
    count = 0
    while n:
        count += n & 1
        n >>= 1
    return (count << 3) | (count ^ 5) & ~2


def crossing(x, y):
    first = -1
    for i in range(x.shape[0]):
        if x[i] < y[i] and first < 0:
            first = i
            break
    else:
        first = -2
    return first


def sort(x):
    y = x.copy()
    for i in range(1, len(y)):
        v = y[i]
        j = i - 1
        while j >= 0 and y[j] > v:
            y[j + 1] = y[j]
            j -= 1
        y[j + 1] = v
    return y


def prefix(x):
    out = np.zeros(len(x) + 1)
    for i in range(len(x)):
        out[i + 1] = out[i] + x[i]
    return out


def negative_indices(x):
    k = -3
    return x[-1] + x[k] * 2 + x[len(x) - 2]


def fibonacci(n):
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a


def extremes(x):
    low, high = x[0], x[0]
    for v in x:
        low = min(low, v)
        high = max(high, v, 0.25)
    return low, high


def where_at(x):
    return x.argmin(), x.argmax(), x.min(), x.max(), np.mean(x), x.std(), np.var(x), x.sum(), np.prod(x)


def along(a):
    return a.sum(axis=0), np.sum(a, axis=1), a.sum()


def broadcasting(a, x):
    return a * 2 + x[:7] - a[0], a[:, 0:1] * x[:7]


def row_minus_column(x, y):
    return np.reshape(x, (len(x), 1)) - y


def new_axis(x):
    return x[:, None] * x[None, :]


def stencil(a):
    b = np.zeros_like(a)
    b[1:-1, 1:-1] = 0.25 * (a[:-2, 1:-1] + a[2:, 1:-1] + a[1:-1, :-2] + a[1:-1, 2:])
    return b


def overlap(x):
    y = x.copy()
    y[1:] = y[:-1]
    y[:-2] += y[2:]
    return y


def masks(x):
    y = x.copy()
    y[y < 0] = 0.0
    y[x > 0.3] = 1.0
    return y, x[x > 0], np.where(x > 0, x, -x)[0]


def clamp_negative(x):
    y = x.copy()
    y[y < 0] = 0.0
    return y


def chosen(x):
    return np.where(x > 0, x * 2, 0)


def gathered(x, where):
    return x[where] + 1


def reversed_steps(x):
    return x[::-1], x[::2], x[1::3], x[10:2:-1]


def matrices(a, b):
    return a @ b, np.dot(a, b).T, a[0] @ b, b.T @ a[1], np.dot(a[2], a[3])


def outer_product(x, y):
    return np.outer(x, y).sum() + np.trace(np.eye(3))


def inplace(x, a):
    x += 1
    x *= 2
    x[2:5] -= 0.5
    a[:, 1] = 3
    a[0] = a[1] + x[0]


def swap_buffers(x, steps):
    old = x.copy()
    new = np.empty_like(x)
    for _ in range(steps):
        for i in range(len(x)):
            new[i] = 0.5 * (old[i] + old[i - 1])
        old, new = new, old
    return old


def growing(x, steps):
    y = x[:1].copy()
    for _ in range(steps):
        y = np.concatenate((y, y * 2))
    return y.sum()


def replaced(x, steps):
    y = x
    for _ in range(steps):
        y = y * 0.5 + 1
    return y[0] + y[-1]


def chosen_array(x, y, flag):
    if flag > 0:
        z = x + 1
    else:
        z = y * 2
    return z.sum()


def complex_numbers(z):
    s = 0j
    for v in z:
        s += v * v.conjugate() + v**2 / (1 + v)
    return s


def complex_parts(z):
    return z.real + z.imag, np.abs(z).sum(), np.exp(z[0]) - abs(z[1])


def math_functions(x):
    s = 0.0
    for v in x:
        s += math.sin(v) + math.exp(v) * math.sqrt(v) - math.log1p(v) + math.atan2(v, 2) + math.hypot(v, 1) + abs(-v)
        s += math.floor(v * 10) + math.ceil(v) + round(v * 7) + math.pi + int(v * 3) + np.tanh(v) + np.sign(v - 0.5)
    return s


def numpy_functions(x):
    return np.sqrt(x) + np.sin(x) ** 2 + np.maximum(x, 0.5) - np.minimum(x, 0.2) + np.floor(x * 4) + np.arctan2(x, 1.0)


def logical(x):
    m = np.logical_and(x > 0, x < 0.4)
    return m.sum() + np.count_nonzero(m) + np.any(m) + np.all(m)


def enumerated(x, y):
    s = 0.0
    for i, v in enumerate(x):
        s += i * v
    for i, (v, w) in enumerate(zip(x, y)):
        s -= i * v * w
    for v in y[::-1]:
        s = s * 0.5 + v
    return s


def rows(a):
    s = 0.0
    for row in a:
        s += row[0] * row.sum()
    return s


def indices(a):
    s = 0.0
    for i, j in np.ndindex(a.shape):
        s += a[i, j] * (i - j)
    return s


def constants(x):
    s = 0.0
    for i in range(3):
        s += WEIGHTS[i] * x[i]
    return s * GRAVITY + np.pi


def conditional(x):
    s = 0.0
    for v in x:
        s += v if v > 0 else -v * 2
        if not (v > 0.1 or v < -0.1) and v != 0:
            continue
        s += 1.0
    return s


def chained(x):
    count = 0
    for v in x:
        if -0.2 < v <= 0.3:
            count += 1
    return count


def two_types(n):
    x = n // 2
    y = x * 3
    x = x / 4
    return x + y


def late_type(x):
    s = 0
    first = s // 2
    for v in x:
        s += v
    return s + first


def tuples(x):
    pair = (x[0], x[1])
    a, b = pair
    triple = pair + (a + b,)
    return triple[2] * pair[0] + len(triple)


@njit
def square(v):
    return v * v


@njit
def clip(v, low=0.0, high=0.5):
    if v < low:
        return low
    if v > high:
        return high
    return v


@njit
def normalise(v):
    return v / np.sqrt((v * v).sum())


@njit
def find(v, key):
    for i in range(len(v)):
        if v[i] > key:
            return i
    return -1


@njit
def factorial(n):
    return 1 if n <= 1 else n * factorial(n - 1)


def helpers(x):
    s = 0.0
    for v in x:
        s += square(v) + clip(v) + clip(v, high=0.25)
    return s + factorial(6)


def array_helpers(x, y):
    return normalise(x) + normalise(y), find(x, 0.9)


def local_table():
    t = np.empty(4)
    for i in range(4):
        t[i] = i * 0.5
    m = np.zeros((2, 2))
    m[0, 1] = t[3]
    return m[0, 1] + t.sum()


def full_and_ones(n):
    return np.full(n, 3) + np.ones(n, dtype=np.int64), np.arange(n) * 2, np.linspace(0.0, 1.0, 5)


def cumulative(x):
    return np.cumsum(x), np.diff(x), np.flip(x)


def solved(a, x):
    return np.linalg.solve(a, x[:6]), np.linalg.inv(a)[0], np.linalg.norm(x)


def types_of_arrays(a):
    return a * 2, a / 2, a + a, (a * a) // 7, a % 3, -a, a > 3


def bytes_of(a):
    return a + a, a * 2, a >> 1, ~a, a.sum()


def single_arrays(a):
    return a * 2, a * np.float32(2), a + 0.5, np.sqrt(a), a.sum(), a.mean()


def while_true(x):
    i = 0
    while True:
        if x[i] > 0.5 or i == len(x) - 1:
            break
        i += 1
    return i


def nested_break(a):
    found = 0
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            if a[i, j] > 0.4:
                found += i * j
                break
        else:
            found -= 1
    return found


def counter_after(n):
    i = 0
    for i in range(n):
        if i == 5:
            break
    return i


def counter_changed(n):
    s = 0
    for i in range(n):
        i = i * 2
        s += i
    return s


def steps(n):
    s = 0
    for i in range(n, 0, -3):
        s = s * 3 + i
    for i in range(2, n, 4):
        s += i * i
    return s


def edit_distance(a, b):
    m, n = len(a), len(b)
    d = np.zeros((m + 1, n + 1), dtype=np.int64)
    for i in range(m + 1):
        d[i, 0] = i
    for j in range(n + 1):
        d[0, j] = j
    for i in range(1, m + 1):
        for j in range(1, n + 1):
            cost = 0 if a[i - 1] == b[j - 1] else 1
            d[i, j] = min(d[i - 1, j] + 1, d[i, j - 1] + 1, d[i - 1, j - 1] + cost)
    return d[m, n]


def mandelbrot(width, height, limit):
    out = np.zeros((height, width), dtype=np.int32)
    for i in range(height):
        for j in range(width):
            c = complex(-2 + 3 * j / width, -1 + 2 * i / height)
            z = 0j
            for k in range(limit):
                z = z * z + c
                if abs(z) > 2:
                    out[i, j] = k
                    break
    return out


def nbody(pos, vel, dt):
    n = pos.shape[0]
    for i in range(n):
        ax = ay = 0.0
        for j in range(n):
            if i != j:
                dx = pos[j, 0] - pos[i, 0]
                dy = pos[j, 1] - pos[i, 1]
                r = math.sqrt(dx * dx + dy * dy + 1e-3)
                ax += dx / r**3
                ay += dy / r**3
        vel[i, 0] += dt * ax
        vel[i, 1] += dt * ay
    pos += dt * vel


def softmax(a):
    out = np.empty_like(a)
    for i in range(a.shape[0]):
        row = a[i]
        e = np.exp(row - row.max())
        out[i] = e / e.sum()
    return out


def histogram(x, bins):
    counts = np.zeros(bins, np.int64)
    for v in x:
        k = int(v * bins)
        if 0 <= k < bins:
            counts[k] += 1
    return counts


def sieve(n):
    is_prime = np.ones(n + 1, dtype=np.bool_)
    is_prime[:2] = False
    i = 2
    while i * i <= n:
        if is_prime[i]:
            is_prime[i * i :: i] = False
        i += 1
    return is_prime.sum()


def simple_division(n, k):
    return n / k + n // k + n % k + (-n) // k + (-n) % k


def truth_values(x):
    m = x > 0.5
    n = ~m
    k = m & (x < 0.9)
    flag = not (x[0] > 0.5) or ~(x[1] > 0.2)
    return m, n, k.sum(), (m | n).all(), flag


def lists_of_numbers(x):
    z = np.array([1, 2, 3])
    w = np.array([[x[0], x[1]], [0.0, 1.0]])
    return z * 2, w, w.astype(np.int64)


def three_axes(a):
    s = 0.0
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            for k in range(a.shape[2]):
                s += a[i, j, k] * (i + 2 * j - k)
    return s, a.sum(axis=1), a[:, 1, ::-1] + a[..., 0, :]


@njit
def fill(a, v):
    for i in range(len(a)):
        a[i] = v + i


@njit
def both(a, b):
    return a + b, a * b


@njit
def overwritten(y, z):
    z[:] = 0.0
    return y.sum()


def held_view(x, steps):
    y = x.copy()
    for _ in range(steps):
        v = y[:-1]
        y[1:] = v
        y = y * 0.5 + 1
    return y


def two_names(x, steps):
    y = x
    for _ in range(steps):
        x[1:] = y[:-1]
        y = y * 0.5
    return y


def known_numbers(x):
    return x * math.exp(0.5 * 0.125) + math.sin(3.0) ** 2 - np.tanh(0.75), math.log(7) + 0.1 * 3


def written_by_a_call(x):
    z = x.copy()
    return overwritten(z + 1, z), z


def calls_with_arrays(x):
    y = np.zeros(5)
    fill(y, 2.0)
    fill(y[1:3], 10.0)
    p, q = both(x[0], 3)
    r = both(y, 2.0)
    return y, p + q, r[0], r[1]


def several_returns(x):
    if len(x) == 0:
        return -1.0
    if x[0] > 10:
        return 1
    for v in x:
        if v > 0.99:
            return v
    return 0.0


def loops_in_the_other_way(x):
    """The counter of loops in the other way, and behind, is declared before both ways."""
    total = 0.0
    if x[0] > 100:
        total = 1.0
    else:
        for p in range(len(x)):
            total += x[p]
            if p > 3:
                break
    for p in range(2):
        if x[p] > 100:
            total += 1
        elif x[p] < -100:
            for q in range(p):
                total += q
        else:
            for q in range(3):
                total += p
                if q > p:
                    break
        total += q * 0.5 if p else 0
    return total, p


CASES = {
    loops_in_the_other_way: (X,),
    truth_values: (X,),
    lists_of_numbers: (X,),
    three_axes: (RNG.random((3, 4, 5)),),
    calls_with_arrays: (X,),
    written_by_a_call: (X,),
    known_numbers: (X,),
    held_view: (X, 2),
    two_names: (X, 2),
    several_returns: (X,),
    horner: (0.7, X),
    collatz: (27,),
    floor_and_mod: (INTS,),
    real_floor_and_mod: (X, Y),
    powers: (1.7, 3),
    whole_powers: (7, 4),
    single_precision: (SINGLE,),
    promotions: (SMALL, SMALL[::-1].copy()),
    wraparound: (BYTES,),
    signed_hash: (INTS,),
    bits: (12345,),
    crossing: (X, Y),
    sort: (X,),
    prefix: (X,),
    negative_indices: (X,),
    fibonacci: (40,),
    extremes: (Y,),
    where_at: (Y,),
    along: (A,),
    broadcasting: (A, X),
    row_minus_column: (X, Y),
    new_axis: (X,),
    stencil: (A,),
    overlap: (X,),
    clamp_negative: (Y,),
    chosen: (Y,),
    gathered: (X, np.array([3, 1, -1, 0, 16])),
    reversed_steps: (X,),
    matrices: (A, B),
    outer_product: (X, Y),
    inplace: (X, A),
    swap_buffers: (X, 5),
    growing: (X, 4),
    replaced: (X, 3),
    chosen_array: (X, Y, 1),
    complex_numbers: (COMPLEX,),
    complex_parts: (COMPLEX,),
    math_functions: (X,),
    numpy_functions: (X,),
    logical: (Y,),
    enumerated: (X, Y),
    rows: (A,),
    indices: (A,),
    constants: (X,),
    conditional: (Y,),
    chained: (Y,),
    two_types: (9,),
    late_type: (X,),
    tuples: (X,),
    helpers: (Y,),
    array_helpers: (X, Y),
    local_table: (),
    full_and_ones: (6,),
    cumulative: (X,),
    solved: (SQUARE, X),
    types_of_arrays: (SMALL,),
    bytes_of: (BYTES,),
    single_arrays: (SINGLE,),
    while_true: (X,),
    nested_break: (A,),
    counter_after: (9,),
    counter_changed: (6,),
    steps: (23,),
    edit_distance: (BYTES, BYTES[::-1].copy()),
    mandelbrot: (12, 9, 30),
    nbody: (RNG.random((5, 2)), RNG.random((5, 2)), 0.01),
    softmax: (A,),
    histogram: (X, 8),
    sieve: (100,),
    simple_division: (17, 5),
}

#: Results that Numba computes by a library for linear algebra: equal to rounding.
ROUNDED = {matrices, solved, outer_product}
