// Puts the parts together. The other files only define what is used here, so each of them can be tried alone.

const onSweep = [];

/** Show a sweep: words first, then the pictures near the viewport. */
function showSweep(shownSweep) {
  sweep = shownSweep;
  window.caviar.data = sweep;
  tellSweep(sweep);
  tellRunning(sweep);
  fillControls();
  arrange();
  for (const follow of onSweep) follow();
  tellSelection();
  redrawAll();
  requestAnimationFrame(() => setTimeout(() => { window.caviar.ready = true; }));
}

/** What has nothing to show stands at the end, in a sentence; a chart without a neighbour takes the whole width. */
function arrange() {
  const {charts = {}, failures = [], pairs = []} = sweep.documents;
  const has = {...charts, failures: failures.length, pairs: pairs.length, isolation: (charts.isolation || []).length};
  for (const id of [...CHARTS, 'failures', 'pairs']) byId(id).classList.toggle('absent', !has[id]);
  const halves = CHARTS.map(byId).filter((card) => card.matches('.half:not(.absent)'));
  halves.forEach((card, i) => card.classList.toggle('whole', i === halves.length - 1 && i % 2 === 0));
}

/** The controls over the curves show the state, and change it. */
function startControls() {
  for (const [id, key, read] of [
    ['metric', 'metric', 'value'], ['x', 'x', 'value'], ['color', 'color', 'value'], ['summary', 'summary', 'value'],
    ['smooth', 'smooth', 'valueAsNumber'], ['logy', 'logy', 'checked'], ['logx', 'logx', 'checked'], ['find', 'find', 'value'],
  ]) {
    byId(id).addEventListener('input', (event) => set({[key]: event.target[read]}));
  }
  byId('seeds').addEventListener('input', (event) => set({seeds: event.target.checked ? 'band' : 'each'}));
  byId('clear').addEventListener('click', () => set({keep: Object.create(null)}));
  byId('theme').addEventListener('click', () => set({theme: isDark() ? 'light' : 'dark'}));
  byId('sweep').addEventListener('input', (event) => set({...fresh(), theme: state.theme, sweep: event.target.value}));
  document.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    hideHint();
    set(state.hot !== null ? {hot: null} : Object.keys(state.keep).length ? {keep: Object.create(null)} : {pinned: []});
  });
}

function fillControls() {
  const options = (id, names) => fill(id, names.map(([value, text]) => make('option', {value, text})));
  options('metric', sweep.metrics.map(({name}) => [name, name]));
  options('color', [['rank', 'rank'], ...sweep.parameters.map(({name}) => [name, name])]);
  showControls();
}

function showControls() {
  if (!sweep) return;
  const metric = shownMetric();
  byId('metric').value = metric ? metric.name : '';
  byId('color').value = parameterOf(state.color) ? state.color : 'rank';
  for (const id of ['x', 'summary', 'smooth', 'find']) if (byId(id).value !== String(state[id])) byId(id).value = state[id];
  byId('logx').checked = state.logx;
  byId('logy').checked = state.logy === null ? Boolean(metric && metric.axis.log) : state.logy;
  byId('seeds').checked = state.seeds === 'band';
  byId('seeds').parentElement.hidden = !sweep.grouped;
  byId('smooth-shown').textContent = state.smooth ? state.smooth.toFixed(2) : 'off';
  fill('color-key', colorKey());
}

/** What the colours mean when they are not ranks: a strip of them with the values at both ends. */
function colorKey() {
  const parameter = parameterOf(state.color);
  if (!parameter) return [];
  const strip = make('canvas', {width: SHADES, height: 1, 'aria-hidden': 'true'});
  const context = strip.getContext('2d');
  colors().values.forEach((color, i) => { context.fillStyle = color; context.fillRect(i, 0, 1, 1); });
  const [low, high] = [parameter.ticks[0], parameter.ticks.at(-1)].map((tick) => (tick ? tick[1] : ''));
  return [make('span', {text: low}), strip, make('span', {text: high})];
}

const prefersDark = matchMedia('(prefers-color-scheme: dark)');
const isDark = () => (state.theme ? state.theme === 'dark' : prefersDark.matches);

function applyTheme(dark) {
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
  byId('theme').setAttribute('aria-pressed', dark);
  palette = null;
  redrawAll();
}

/** Paper is white, and shows all pictures, also those that nobody has scrolled to. */
function startPrinting() {
  window.addEventListener('beforeprint', () => { applyTheme(false); drawDirty(true); });
  window.addEventListener('afterprint', () => applyTheme(isDark()));
}

async function showEmbedded() {
  const list = JSON.parse(byId('sweeps').textContent);
  const place = Math.max(list.findIndex(({id}) => id === state.sweep), 0);
  fill('sweep', list.map(({id, name}) => make('option', {value: id, text: `${name} · ${id}`})));
  byId('sweep').parentElement.hidden = list.length < 2;
  if (!list.length) return tellTrouble('This report holds no sweep.');
  byId('sweep').value = list[place].id;
  return showSweep(await embeddedSweep(place));
}

function start() {
  const board = document.documentElement.dataset.kind === 'board';
  window.caviar = {get state() { return state; }, set, data: null, ready: false};
  if (!board) set(fromHash(location.hash));
  startControls();
  startCurves();
  onSweep.push(startAxes());
  startParallel();
  CHARTS.filter((id) => id !== 'isolation').forEach(startChart);
  onSweep.push(startIsolation(), startPairs());
  startSlots();
  startTable();
  startPrinting();
  applyTheme(isDark());
  prefersDark.addEventListener('change', () => applyTheme(isDark()));
  watchers.push((changed, touched) => {
    if (changed.has('theme')) applyTheme(isDark());
    if (changed.has('sweep') && !board) return showEmbedded();
    if (changed.has('keep')) tellSelection();
    if (!touched && !(changed.size === 1 && changed.has('hot'))) showControls();
    return redraw(changed, touched);
  });
  if (board) {
    startBoard();
    set(fromHash(location.hash));
    followAddress();
  } else {
    followAddress();
    showEmbedded().catch((error) => tellTrouble(`This report cannot be shown: ${error.message}.`));
  }
}

start();
