// The one state that all pictures share, the one function that changes it, and its mirror in the URL's fragment.

const STATE = {
  sweep: null, metric: null, x: 'step', smooth: 0, logx: false, logy: null, seeds: 'band', keep: {}, hot: null,
  pinned: [], color: 'rank', sort: 'rank', summary: 'last', find: '', theme: null,
};
const fresh = () => ({...STATE, keep: Object.create(null), pinned: []});
let state = fresh();
const watchers = [];

/** Change the state. `touched` is the picture under the hand: it follows at once, the others when the hand rests. */
function set(change, touched = null) {
  const changed = Object.keys(change).filter((key) => state[key] !== change[key]);
  if (!changed.length) return;
  state = Object.assign(state, change);
  for (const watch of watchers) watch(new Set(changed), touched);
}

/** The state as the text of a fragment: only what is not as it begins. Names may hold anything, so they are escaped. */
function toHash(now) {
  const parts = [];
  const put = (key, value) => parts.push(`${encodeURIComponent(key)}=${encodeURIComponent(value)}`);
  for (const [key, value] of Object.entries(now)) {
    if (key === 'keep') {
      for (const [name, [low, high]] of Object.entries(value)) put(`keep.${name}`, `${round(low)}~${round(high)}`);
    } else if (key === 'pinned') {
      if (value.length) put(key, value.join('~'));
    } else if (value !== STATE[key] && value !== null) {
      put(key, value);
    }
  }
  return parts.join('&');
}

const round = (u) => Number(u.toFixed(4));

/** The state that a fragment tells; what cannot be read is as it begins. */
function fromHash(hash) {
  const told = fresh();
  for (const part of hash.replace(/^#/, '').split('&')) {
    const [key, value] = part.split('=').map(unescaped);
    if (value === undefined) continue;
    if (key.startsWith('keep.')) {
      const [low, high] = value.split('~').map(Number);
      if (low <= high) told.keep[key.slice(5)] = [low, high];
    } else if (key === 'pinned') {
      told.pinned = value.split('~').map(Number).filter(Number.isInteger);
    } else if (key === 'smooth') {
      told.smooth = Math.min(Math.max(Number(value) || 0, 0), 0.99);
    } else if (key === 'hot') {
      told.hot = Number.isInteger(Number(value)) ? Number(value) : null;
    } else if (key === 'logx' || key === 'logy') {
      told[key] = value === 'true';
    } else if (Object.hasOwn(STATE, key)) {
      told[key] = value;
    }
  }
  return told;
}

function unescaped(text) {
  try { return decodeURIComponent(text); } catch { return text; }
}

/**
 * What a page may be refused: in a sandboxed frame the history and the storage throw, and a page from disk may have
 * none. Each use of them passes through here, and gives undefined when it was refused.
 */
function ifAllowed(use) {
  try { return use(); } catch { return undefined; }
}

let mirroring = 0;

/** Write the state into the address once it has been still for a while: browsers refuse a hundred changes in a row. */
function mirrorState() {
  clearTimeout(mirroring);
  mirroring = setTimeout(() => {
    const hash = toHash(state);
    if (hash !== location.hash.slice(1)) ifAllowed(() => history.replaceState(null, '', `#${hash}`));
  }, 200);
}

/** Follow the address when it changes by hand, or by going back. */
function followAddress() {
  watchers.push(mirrorState);
  window.addEventListener('hashchange', () => {
    if (location.hash.slice(1) !== toHash(state)) set(fromHash(location.hash));
  });
}

/** For each row, 1 where all selections hold; null while nothing is selected. */
function keptRows(sweep, keep) {
  const limits = Object.entries(keep).map(([name, range]) => [placesOf(sweep, name), range]).filter(([u]) => u);
  if (!limits.length) return null;
  const kept = new Uint8Array(sweep.n).fill(1);
  for (const [u, [low, high]] of limits) {
    for (let i = 0; i < kept.length; i++) if (!(u[i] >= low && u[i] <= high)) kept[i] = 0;
  }
  return kept;
}

/** Where each row lies on the axis of that name: a parameter's sampling scale, or the scale of the sweep's value. */
function placesOf(sweep, name) {
  const parameter = sweep.parameters.find((one) => one.name === name);
  if (parameter) return parameter.u;
  return name === sweep.documents.sweep.metric ? valuePlaces(sweep) : null;
}

function valuePlaces(sweep) {
  if (!sweep.valueU) {
    const scale = valueScale(sweep);
    // What lies beyond the axis is drawn at its end, and is selected with it.
    sweep.valueU = sweep.value.map((x) => Math.min(Math.max(scale.at(x), 0), 1));
  }
  return sweep.valueU;
}

/** The scale on which values of the sweep's rule are shown: that of its metric, over the values that trials have. */
function valueScale(sweep) {
  if (!sweep.scale) {
    const axis = (sweep.metrics[0] || {}).axis || {low: 0, high: 1, log: false};
    // Far outliers are left out at the bad end only: at the good end they are what is looked for.
    const near = sweep.documents.sweep.mode === 'max' ? (x) => x >= axis.low : (x) => x <= axis.high;
    const finite = Array.from(sweep.value).filter(Number.isFinite);
    const all = finite.some(near) ? finite.filter(near) : finite;
    sweep.scale = roomyScale(all, axis.log && all.every((x) => x > 0));
  }
  return sweep.scale;
}

/** A scale over some values, with a little room at both ends. */
function roomyScale(values, log, share = 0.04) {
  let low = Infinity, high = -Infinity;
  for (const x of values) { if (x < low) low = x; if (x > high) high = x; }
  if (!(low <= high)) return scaleOf(0, 1, false);
  if (low === high) [low, high] = log ? [low / 2, high * 2] : [low - (Math.abs(low) || 1) / 2, high + (Math.abs(high) || 1) / 2];
  if (log) return scaleOf(low * (low / high) ** share, high * (high / low) ** share, true);
  const room = Math.min((high / 2 - low / 2) * 2 * share, 1e306);
  return scaleOf(low - room, high + room, false);
}
