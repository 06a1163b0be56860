// The one state that all pictures share, the one function that changes it, and its mirror in the URL's fragment.
const STATE = {
  sweep: null, metric: null, x: 'step', smooth: 0, logx: false, logy: null, seeds: true, keep: {}, hot: null,
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

const choose = (id) => set({...fresh(), theme: state.theme, sweep: id});

/** The state as the text of a fragment: only what is not as it begins. Names may hold anything, so they are escaped. */
function toHash({keep, pinned, ...rest}) {
  const plain = Object.entries(rest).filter(([key, value]) => value !== STATE[key] && value !== null);
  const ranges = Object.entries(keep).map(([name, range]) =>
    [`keep.${name}`, range.map((u) => Number(u.toFixed(4))).join('~')]);
  return String(new URLSearchParams([...plain, ...ranges, ...(pinned.length ? [['pinned', pinned.join('~')]] : [])]));
}

/** The state that a fragment tells; what cannot be read is as it begins. */
function fromHash(hash) {
  const told = fresh();
  for (const [key, value] of new URLSearchParams(hash.replace(/^#/, ''))) {
    if (!value) continue;
    const numbers = value.split('~').map(Number);
    if (key.startsWith('keep.')) { if (numbers[0] <= numbers[1]) told.keep[key.slice(5)] = numbers; }
    else if (key === 'pinned') told.pinned = numbers.filter(Number.isInteger);
    else if (key === 'smooth') told.smooth = clamp(numbers[0] || 0, 0, 0.99);
    else if (key === 'hot') told.hot = Number.isInteger(numbers[0]) ? numbers[0] : null;
    else if (['logx', 'logy', 'seeds'].includes(key)) told[key] = value === 'true';
    else if (Object.hasOwn(STATE, key)) told[key] = value;
  }
  return told;
}

/**
 * What a page may be refused: in a sandboxed frame the history and the storage throw, and a page from disk may have
 * none. Each use of them passes through here, and gives undefined when it was refused.
 */
function ifAllowed(use) {
  try { return use(); } catch { return undefined; }
}

let mirroring = 0, mirrored = null;

/** Write the state into the address once it has been still for a while: browsers refuse a hundred changes in a row. */
function mirrorState() {
  clearTimeout(mirroring);
  mirroring = setTimeout(() => {
    const hash = toHash(state);
    // Another sweep is a place to come back to; all else is the same place seen in another way.
    const write = mirrored === state.sweep ? 'replaceState' : 'pushState';
    mirrored = state.sweep;
    if (hash !== location.hash.slice(1)) ifAllowed(() => history[write](null, '', `#${hash}`));
  }, 200);
}

/** Follow the address when it changes by hand, or by going back. */
function followAddress() {
  mirrored = state.sweep;
  watchers.push(mirrorState);
  window.addEventListener('hashchange', () => {
    if (location.hash.slice(1) === toHash(state)) return;
    mirrored = fromHash(location.hash).sweep;
    set(fromHash(location.hash));
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
  return parameter ? parameter.u : name === sweep.metric ? valuePlaces(sweep) : null;
}

/** What lies beyond the axis of values is drawn at its end, and is selected with it. */
function valuePlaces(sweep) {
  sweep.valueU = sweep.valueU || sweep.value.map((x) => clamp(valueScale(sweep).at(x), 0, 1));
  return sweep.valueU;
}

/** The scale on which values of the sweep's rule are shown. */
const valueScale = ({documents: {value_axis: {ends, log}}}) => scaleOf(...ends, log);
