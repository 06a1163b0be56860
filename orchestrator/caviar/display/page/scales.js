// Numbers as people read them, scales and their ticks, and smoothing: pure functions.

/** Four significant digits in the shorter of the usual forms, as everywhere in Caviar: 0.0712, 1e-4, 2.5e7. */
function shown(x) {
  if (x === null || x === undefined || Number.isNaN(x)) return '–';
  if (typeof x !== 'number') return String(x);
  if (!Number.isFinite(x)) return x > 0 ? '∞' : '−∞';
  if (Number.isInteger(x) && Math.abs(x) < 1e6) return String(x);
  const rounded = Math.abs(Number(x.toPrecision(4)));
  if (rounded === 0) return '0';
  if (rounded >= 1e-3 && rounded < 1e6) return fixed(x);
  const [mantissa, exponent] = x.toExponential(3).split('e');
  const short = `${Number(mantissa)}e${Number(exponent)}`;
  return rounded < 1e-3 && rounded >= 1e-6 && fixed(x).length <= short.length ? fixed(x) : short;
}

function fixed(x) {
  const size = Math.abs(x);
  // A momentum of 0.99995 must not read as 1: two digits of what is missing to 1.
  const near = size > 0.999 && size < 1;
  const decimals = near ? 1 - Math.floor(Math.log10(1 - size)) : 3 - Math.floor(Math.log10(size));
  const text = x.toFixed(Math.min(Math.max(decimals, 0), 20));
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

const counted = (n, noun) => `${n} ${noun}${n === 1 ? '' : 's'}`;

/** Seconds as 0.8s, 52s, 3m20s, 2h05m or 3d04h. */
function duration(seconds) {
  if (!Number.isFinite(seconds)) return '?';
  if (seconds < 9.95) return `${Number(Math.max(seconds, 0).toPrecision(2))}s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}s`;
  const two = (x) => String(x).padStart(2, '0');
  if (whole < 3600) return `${Math.floor(whole / 60)}m${two(whole % 60)}s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 1440) return `${Math.floor(minutes / 60)}h${two(minutes % 60)}m`;
  return `${Math.floor(minutes / 1440)}d${two(Math.floor(minutes / 60) % 24)}h`;
}

/**
 * A scale from low to high: `at` gives the place of a value in [0, 1] (outside, beyond it), `value` the value at a
 * place, `ticks` at most about `most` of [place, label].
 */
function scaleOf(low, high, log, label = shown) {
  if (log) {
    const from = Math.log(low), to = Math.log(high), length = to - from || 1;
    return {
      low, high, log,
      at: (x) => (x > 0 ? (Math.log(x) - from) / length : NaN),
      value: (t) => Math.exp(from + t * length),
      ticks: (most) => logTicks(low, high, most).map((x) => [(Math.log(x) - from) / length, label(x)]),
    };
  }
  // Halves, for the difference of two floats may be more than a float holds.
  const length = high / 2 - low / 2 || 1;
  return {
    low, high, log,
    at: (x) => (x / 2 - low / 2) / length,
    value: (t) => low * (1 - t) + high * t,
    ticks: (most) => linearTicks(low, high, most).map((x) => [(x / 2 - low / 2) / length, label(x)]),
  };
}

/** Round values in [low, high], 1, 2 or 5 times a power of ten apart, at most `most`. */
function linearTicks(low, high, most) {
  if (!(high > low)) return [low];
  const rough = high / Math.max(most, 1) - low / Math.max(most, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((times) => times * power >= rough * 0.9999);
  const ticks = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9 && ticks.length <= most + 1; k++) {
    ticks.push(Number((k * step).toPrecision(12)));
  }
  return ticks;
}

/** Round values of a logarithmic scale: 1, 2, 5 of each decade, or decades only, or every so many decades. */
function logTicks(low, high, most) {
  const from = Math.floor(Math.log10(low)), to = Math.ceil(Math.log10(high));
  for (const digits of [[1, 2, 5], [1, 3], [1]]) {
    const ticks = [];
    for (let e = from; e <= to; e++) {
      for (const d of digits) ticks.push(Number(`${d}e${e}`));
    }
    const inside = ticks.filter((x) => x >= low * 0.9999 && x <= high * 1.0001);
    if (inside.length >= 2 && inside.length <= most) return inside;
    // Less than a decade: the round values of a plain scale say more.
    if (inside.length < 2) return linearTicks(low, high, most);
  }
  const every = Math.ceil((to - from + 1) / Math.max(most, 1));
  return Array.from({length: to - from + 1}, (_, i) => from + i).filter((e) => e % every === 0)
    .map((e) => Number(`1e${e}`)).filter((x) => x >= low * 0.9999 && x <= high * 1.0001);
}

/** Labels that have room: from the first on, each at least `gap` after the end of the one before. */
function withRoom(ticks, place, width, gap = 8) {
  let end = -Infinity;
  return ticks.map(([t, label]) => ({at: place(t), label, t})).sort((a, b) => a.at - b.at).filter((tick) => {
    const half = width(tick.label) / 2;
    if (tick.at - half < end + gap) return false;
    end = tick.at + half;
    return true;
  });
}

/**
 * Exponential smoothing of y[from … from + count), debiased: the running mean s = βs + (1 − β)y is divided by 1 − βᵗ,
 * so that the first values are not drawn towards zero. Missing values stay missing and do not count.
 */
function smoothed(y, from, count, beta, out) {
  let mean = 0, weight = 1;
  for (let i = from; i < from + count; i++) {
    if (Number.isNaN(y[i])) { out[i] = NaN; continue; }
    mean = beta * mean + (1 - beta) * y[i];
    weight *= beta;
    out[i] = mean / (1 - weight);
  }
}

/** The best value in each of ten parts of [0, 1]: [place, value] where a part has one. */
function bestInTenths(u, value, mode, keep) {
  const best = new Array(10).fill(null);
  for (let i = 0; i < u.length; i++) {
    if (Number.isNaN(u[i]) || Number.isNaN(value[i]) || (keep && !keep[i])) continue;
    const part = Math.min(Math.floor(u[i] * 10), 9);
    if (!best[part] || (mode === 'max' ? value[i] > best[part][1] : value[i] < best[part][1])) best[part] = [u[i], value[i]];
  }
  return best.filter(Boolean);
}

/** Rows in the order of a column; numbers as numbers, texts by the language's rules, missing ones last either way. */
function sortedRows(rows, key, descending) {
  const keys = new Map(Array.from(rows, (row) => [row, key(row)]));
  const missing = (x) => x === null || x === undefined || Number.isNaN(x);
  return Array.from(rows).sort((a, b) => {
    const [x, y] = [keys.get(a), keys.get(b)];
    if (missing(x) || missing(y)) return missing(x) - missing(y);
    const order = typeof x === 'string' ? x.localeCompare(y, undefined, {numeric: true}) : x < y ? -1 : x > y ? 1 : 0;
    return descending ? -order : order;
  });
}

/** A whole number that looks random and is the same each time: it spreads dots that would lie on one another. */
function scattered(i) {
  let x = Math.imul(i + 1, 0x9e3779b1);
  x = Math.imul(x ^ (x >>> 15), 0x85ebca6b);
  return ((x ^ (x >>> 13)) >>> 0) / 2 ** 32;
}
