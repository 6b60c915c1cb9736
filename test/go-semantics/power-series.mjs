/**
 * Power series as networks of goroutines, after McIlroy's idea: each series is a goroutine that computes its next coefficient when it is asked for one, and asks others for what it needs.
 *
 * A series is known by one channel, `asks`. Whoever wants the next coefficient sends a channel of its own there, and receives the coefficient from it: channels travel through channels at every step.
 * Nothing is computed that nobody asked for, so infinite networks work, and such that refer to themselves.
 *
 * Coefficients are fractions, `[numerator, denominator]` of bigints.
 */

import { chan, go, goroutine, select } from "heddle";

// ── fractions ──

function fraction(numerator, denominator) {
  let [a, b] = [numerator < 0n ? -numerator : numerator, denominator < 0n ? -denominator : denominator];
  while (b !== 0n) [a, b] = [b, a % b];
  const divisor = denominator < 0n ? -a : a;
  return [numerator / divisor, denominator / divisor];
}

const plus = ([a, b], [c, d]) => fraction(a * d + c * b, b * d);
const times = ([a, b], [c, d]) => fraction(a * c, b * d);
const over = ([a, b], [c, d]) => fraction(a * d, b * c);
const ZERO = [0n, 1n];
const ONE = [1n, 1n];
const MINUS_ONE = [-1n, 1n];

// ── a series as a goroutine ──

/** Starts a series; it lives as long as the context of whoever starts it. */
function series(body, ...args) {
  const asks = chan();
  go(body, asks, ...args);
  return asks;
}

/** The next coefficient of a series. */
function* next(asks) {
  const answer = chan();
  yield* asks.send(answer);
  return yield* answer.recv();
}

/** Answers asks for ever, each with what `compute` says. */
function* serve(asks, compute) {
  for (;;) {
    const answer = yield* asks.recv();
    yield* answer.send(yield* compute());
  }
}

/** Answers one ask, then leaves all others to another series. */
function* serveFirst(asks, first, rest) {
  const answer = yield* asks.recv();
  yield* answer.send(first);
  for (;;) yield* rest.send(yield* asks.recv());
}

const polynomial = goroutine(import.meta, function* polynomial(asks, coefficients) {
  let degree = 0;
  // oxlint-disable-next-line require-yield
  yield* serve(asks, function* () {
    return coefficients[degree++] ?? ZERO;
  });
});

const repeated = goroutine(import.meta, function* repeated(asks, coefficient) {
  // oxlint-disable-next-line require-yield
  yield* serve(asks, function* () {
    return coefficient;
  });
});

const sum = goroutine(import.meta, function* sum(asks, f, g) {
  yield* serve(asks, function* () {
    return plus(yield* next(f), yield* next(g));
  });
});

const scaled = goroutine(import.meta, function* scaled(asks, factor, f) {
  yield* serve(asks, function* () {
    return times(factor, yield* next(f));
  });
});

/** first + x·f */
const shifted = goroutine(import.meta, function* shifted(asks, first, f) {
  yield* serveFirst(asks, first, f);
});

const derivative = goroutine(import.meta, function* derivative(asks, f) {
  let degree = 0n;
  yield* serve(asks, function* () {
    if (degree === 0n) yield* next(f);
    return times([++degree, 1n], yield* next(f));
  });
});

const integral = goroutine(import.meta, function* integral(asks, first, f) {
  const answer = yield* asks.recv();
  yield* answer.send(first);
  let degree = 0n;
  yield* serve(asks, function* () {
    return over(yield* next(f), [++degree, 1n]);
  });
});

/**
 * One series for two readers, each at its own pace: what one of them is ahead is kept for the other. While the series is being asked, the readers are served
 * from what is kept, since the series may itself depend on one of them.
 */
const fork = goroutine(import.meta, function* fork(asks, otherAsks, f) {
  const kept = [[], []];
  const waiting = [undefined, undefined];
  const answer = chan();
  let asked = false;
  for (;;) {
    const { index, value } = yield* select(
      !waiting[0] && asks.recv(),
      !waiting[1] && otherAsks.recv(),
      asked && answer.recv(),
    );
    if (index === 2) {
      asked = false;
      for (const queue of kept) queue.push(value);
    } else {
      waiting[index] = value;
    }
    for (const reader of [0, 1]) {
      if (!waiting[reader] || kept[reader].length === 0) continue;
      yield* waiting[reader].send(kept[reader].shift());
      waiting[reader] = undefined;
    }
    if (asked || !waiting.some(Boolean)) continue;
    yield* f.send(answer);
    asked = true;
  }
});

/** Two channels that ask one series. */
function forked(f) {
  const other = chan();
  return [series(fork, other, f), other];
}

/** With F = f + x·F' and G = g + x·G': F·G = f·g + x·(f·G' + g·F' + x·F'·G'). */
const product = goroutine(import.meta, function* product(asks, f, g) {
  const answer = yield* asks.recv();
  const f0 = yield* next(f);
  const g0 = yield* next(g);
  yield* answer.send(times(f0, g0));
  const [fa, fb] = forked(f);
  const [ga, gb] = forked(g);
  const mixed = series(sum, series(scaled, f0, ga), series(scaled, g0, fa));
  const rest = series(sum, mixed, series(shifted, ZERO, series(product, fb, gb)));
  for (;;) yield* rest.send(yield* asks.recv());
});

/** A series that refers to itself: `define` gets a channel that asks it, and gives the series. */
function knot(define) {
  const self = chan();
  const out = chan();
  go(fork, out, self, define(self));
  return out;
}

// ── the series that the tests ask for ──

const X = () => series(polynomial, [ZERO, ONE]);
const GEOMETRIC = () => series(repeated, ONE);

/** exp F = 1 + ∫ exp F · F', for an F without constant part. */
const exponential = (f) =>
  knot((self) => series(integral, ONE, series(product, self, series(derivative, f))));

/** 1/F = (1 - x·F'/F) / f, with F = f + x·F'. */
function* reciprocal(f) {
  const inverse = over(ONE, yield* next(f));
  const negative = times(inverse, MINUS_ONE);
  return knot((self) => series(shifted, inverse, series(scaled, negative, series(product, f, self))));
}

/** tan = ∫ 1 + tan² */
const tangent = () =>
  knot((self) => {
    const [a, b] = forked(self);
    return series(integral, ZERO, series(sum, series(polynomial, [ONE]), series(product, a, b)));
  });

/** Two series that refer to each other: sin = ∫ cos, cos = 1 - ∫ sin. */
function sineAndCosine() {
  const fromSine = chan();
  const sine = chan();
  const [cosine, toSine] = forked(series(integral, ONE, series(scaled, MINUS_ONE, fromSine)));
  go(fork, sine, fromSine, series(integral, ZERO, toSine));
  return { sine, cosine };
}

function squared(f) {
  const [a, b] = forked(f);
  return series(product, a, b);
}

/** Everything by name; as generator functions, since some must ask before they can be built. */
// oxlint-disable require-yield
const SERIES = {
  *geometric() {
    return GEOMETRIC();
  },
  *"geometric, squared"() {
    return series(product, GEOMETRIC(), GEOMETRIC());
  },
  *"derivative of the integral"() {
    return series(derivative, series(integral, [7n, 1n], GEOMETRIC()));
  },
  *"exp x"() {
    return exponential(X());
  },
  *"exp x · exp -x"() {
    return series(product, exponential(X()), exponential(series(scaled, MINUS_ONE, X())));
  },
  *"1 / (1 - x - x²)"() {
    return yield* reciprocal(series(polynomial, [ONE, MINUS_ONE, MINUS_ONE]));
  },
  *"tan x"() {
    return tangent();
  },
  *"sin x"() {
    return sineAndCosine().sine;
  },
  *"sin² x + cos² x"() {
    const { sine, cosine } = sineAndCosine();
    return series(sum, squared(sine), squared(cosine));
  },
};
// oxlint-enable require-yield

/** The first coefficients of a series, as text. */
export const coefficients = goroutine(import.meta, function* coefficients(name, count) {
  const asks = yield* SERIES[name]();
  const found = [];
  while (found.length < count) found.push(text(yield* next(asks)));
  return found;
});

/** The network of a series, for somebody else to ask. */
export const network = goroutine(import.meta, function* network(name) {
  return yield* SERIES[name]();
});

/** The same asked by the host: its channels travel into the network. */
export async function coefficientsForHost(asks, count) {
  const found = [];
  while (found.length < count) {
    const answer = chan();
    await asks.send(answer);
    found.push(text(await answer.recv()));
  }
  return found;
}

function text([numerator, denominator]) {
  return denominator === 1n ? `${numerator}` : `${numerator}/${denominator}`;
}
