// Numbers as people read them, scales and their ticks, and smoothing: pure functions.
const counted = (n, noun) => `${n} ${noun}${n === 1 ? '' : 's'}`;
const sentences = (...parts) => parts.filter(Boolean).join(' ');
const clamp = (x, low, high) => Math.min(Math.max(x, low), high);

/** Four significant digits in the shorter of the usual forms, as everywhere in Caviar: 0.0712, 1e-4, 2.5e7. */
function shown(x) {
  if (x === null || x === undefined || Number.isNaN(x)) return '–';
  if (typeof x !== 'number') return String(x);
  if (!Number.isFinite(x)) return x > 0 ? '∞' : '−∞';
  if (Number.isInteger(x) && Math.abs(x) < 1e6) return String(x);
  const rounded = Math.abs(Number(x.toPrecision(4)));
  if (rounded >= 1e-3 && rounded < 1e6) return fixed(x);
  const [mantissa, exponent] = x.toExponential(3).split('e');
  const short = `${Number(mantissa)}e${Number(exponent)}`;
  return rounded < 1e-3 && rounded >= 1e-6 && fixed(x).length <= short.length ? fixed(x) : short;
}

function fixed(x) {
  const size = Math.abs(x);
  // A momentum of 0.99995 must not read as 1: two digits of what is missing to 1.
  const decimals = size > 0.999 && size < 1 ? 1 - Math.floor(Math.log10(1 - size)) : 3 - Math.floor(Math.log10(size));
  const text = x.toFixed(clamp(decimals, 0, 20));
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

/** Seconds as 0.8s, 52s, 3m20s, 2h05m or 3d04h. */
function duration(seconds) {
  if (!Number.isFinite(seconds)) return '?';
  if (seconds < 9.95) return `${Number(Math.max(seconds, 0).toPrecision(2))}s`;
  const whole = Math.round(seconds), minutes = Math.floor(whole / 60), hours = Math.floor(minutes / 60);
  const two = (x) => String(x).padStart(2, '0');
  if (hours >= 24) return `${Math.floor(hours / 24)}d${two(hours % 24)}h`;
  return hours ? `${hours}h${two(minutes % 60)}m` : minutes ? `${minutes}m${two(whole % 60)}s` : `${whole}s`;
}

/**
 * A scale from low to high: `at` gives the place of a value in [0, 1] (outside, beyond it), `value` the value at a
 * place, `ticks` at most about `most` of [place, label].
 */
function scaleOf(low, high, log, label = shown) {
  const scale = {low, high, log, ticks: (most) => ticksOf(low, high, log, most).map((x) => [scale.at(x), label(x)])};
  // Halves, for the difference of two floats may be more than a float holds.
  const [from, length] = log ? [Math.log(low), Math.log(high / low) || 1] : [low / 2, high / 2 - low / 2 || 1];
  scale.at = log ? (x) => (x > 0 ? (Math.log(x) - from) / length : NaN) : (x) => (x / 2 - from) / length;
  scale.value = log ? (t) => Math.exp(from + t * length) : (t) => low * (1 - t) + high * t;
  return scale;
}

/** The least and the most of some values, and the least that is positive; infinite where there is none. */
function extent(values) {
  let low = Infinity, high = -Infinity, positive = Infinity;
  for (const x of values) {
    if (x < low) low = x;
    if (x > high) high = x;
    if (x > 0 && x < positive) positive = x;
  }
  return [low, high, positive];
}

/** Round values in [low, high], at most about `most`: 1, 2 or 5 times a power of ten apart, or by decades. */
function ticksOf(low, high, log, most) {
  if (!(high > low)) return [low];
  const within = (ticks) => ticks.filter((x) => x >= low - Math.abs(low) * 1e-4 && x <= high + Math.abs(high) * 1e-4);
  // Of less than a decade, the round values of a plain scale say more.
  if (log && high / low >= 5) {
    const from = Math.floor(Math.log10(low)), decades = Math.ceil(Math.log10(high)) - from + 1;
    const exponents = Array.from({length: decades}, (_, i) => from + i);
    const of = (digits, some) => within(some.flatMap((e) => digits.map((digit) => Number(`${digit}e${e}`))));
    const finest = [[1, 2, 5], [1, 3], [1]].map((digits) => of(digits, exponents))
      .find((ticks) => ticks.length <= most);
    return finest || of([1], exponents.filter((e) => e % Math.ceil(decades / most) === 0));
  }
  const rough = high / Math.max(most, 1) - low / Math.max(most, 1), power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((times) => times * power >= rough * 0.9999);
  const first = Math.ceil(low / step - 1e-9);
  return within(Array.from({length: most + 2}, (_, k) => Number(((first + k) * step).toPrecision(12))));
}

/** Labels that have room: from the first on, each at least `gap` after the end of the one before. */
function withRoom(ticks, place, width, gap = 8) {
  let end = -Infinity;
  return ticks.map(([t, label]) => ({at: place(t), label, t})).sort((a, b) => a.at - b.at).filter(({at, label}) => {
    const fits = at - width(label) / 2 >= end + gap;
    if (fits) end = at + width(label) / 2;
    return fits;
  });
}

/**
 * Exponential smoothing of y[from … from + count), debiased: the running mean s = βs + (1 − β)y is divided by
 * 1 − βᵗ, so that the first values are not drawn towards zero. Missing values stay missing and do not count.
 */
function smoothed(y, from, count, beta, out) {
  for (let i = from, mean = 0, weight = 1; i < from + count; i++) {
    if (Number.isNaN(y[i])) { out[i] = NaN; continue; }
    mean = beta * mean + (1 - beta) * y[i];
    weight *= beta;
    out[i] = mean / (1 - weight);
  }
}

/** The best value in each of ten parts of [0, 1]: [place, value] where a part has one. */
function bestInTenths(u, value, mode, keep) {
  const best = new Array(10).fill(null), better = mode === 'max' ? (a, b) => a > b : (a, b) => a < b;
  for (let i = 0; i < u.length; i++) {
    if (Number.isNaN(u[i]) || Number.isNaN(value[i]) || (keep && !keep[i])) continue;
    const part = Math.min(Math.floor(u[i] * 10), 9);
    if (!best[part] || better(value[i], best[part][1])) best[part] = [u[i], value[i]];
  }
  return best.filter(Boolean);
}

/** Rows in the order of a column; numbers as numbers, texts by the language's rules, missing ones last either way. */
function sortedRows(rows, key, descending) {
  const keys = new Map(Array.from(rows, (row) => [row, key(row)]));
  const missing = (x) => x === null || Number.isNaN(x);
  return Array.from(rows).sort((a, b) => {
    const [x, y] = [keys.get(a), keys.get(b)];
    if (missing(x) || missing(y)) return missing(x) - missing(y);
    const order = typeof x === 'string' ? x.localeCompare(y, undefined, {numeric: true}) : x < y ? -1 : Number(x > y);
    return descending ? -order : order;
  });
}
