// Puts the parts together. The other files only define what is used here, so each of them can be tried alone.
const onSweep = [];

/** Show a sweep: words first, then the pictures near the viewport. */
function showSweep(newer) {
  sweep = window.caviar.data = newer;
  byId('page').hidden = false;
  tellSweep(sweep);
  tellRunning(sweep);
  tellActs(sweep);
  arrange();
  for (const follow of onSweep) follow();
  tellSelection();
  const options = (names) => names.map((value) => make('option', {value, text: value}));
  fill('metric', sweep.metrics.filter((one) => one.y.length).map((one) => one.name), options);
  fill('color', ['rank', ...sweep.parameters.map((one) => one.name)], options);
  showControls();
  redrawAll();
  // Not every browser knows when it is idle.
  const idle = window.requestIdleCallback || setTimeout;
  requestAnimationFrame(() => setTimeout(() => { window.caviar.ready = true; idle(charting); }));
}

/** What has nothing to show says why, at the end. */
function arrange() {
  const {charts, absent} = sweep.documents;
  for (const said of document.querySelectorAll('#page .card > p.said')) {
    const section = said.parentElement, reason = absent[section.id];
    section.hidden = reason === '';
    section.classList.toggle('absent', Boolean(reason));
    said.textContent = reason || charts[section.id]?.said || said.dataset.how || said.textContent;
  }
}

/** The controls, and which of their properties is the state of that name. */
const CONTROLS = {
  metric: 'value', x: 'value', color: 'value', summary: 'value', find: 'value', smooth: 'valueAsNumber',
  logy: 'checked', logx: 'checked', seeds: 'checked',
};

function startControls() {
  const on = (id, type, use) => byId(id).addEventListener(type, use);
  for (const [id, read] of Object.entries(CONTROLS)) on(id, 'input', ({target}) => set({[id]: target[read]}));
  on('clear', 'click', () => set({keep: Object.create(null)}));
  on('theme', 'click', () => set({theme: isDark() ? 'light' : 'dark'}));
  on('sweep', 'input', ({target}) => choose(target.value));
  document.addEventListener('keydown', ({key}) => {
    if (key !== 'Escape') return;
    hideHint();
    set(state.hot !== null ? {hot: null} : Object.keys(state.keep).length ? {keep: Object.create(null)} : {pinned: []});
  });
}

function showControls() {
  if (!sweep) return;
  const metric = shownMetric() || {name: '', axis: {}}, parameter = parameterOf(state.color);
  const logy = state.logy ?? Boolean(metric.axis.log), color = parameter ? state.color : 'rank';
  const now = {...state, metric: metric.name, color, logy};
  for (const [id, read] of Object.entries(CONTROLS)) if (byId(id)[read] !== now[id]) byId(id)[read] = now[id];
  byId('seeds').parentElement.hidden = !sweep.grouped;
  byId('smooth-shown').textContent = state.smooth ? state.smooth.toFixed(2) : 'off';
  fill('color-key', parameter?.name, () => (parameter ? colorKey(parameter) : []));
}

/** What the colours mean when they are not ranks: a strip of them between the values at both ends. */
const colorKey = ({ticks}) => (
  [make('span', {text: ticks[0]?.[1]}), make('i'), make('span', {text: ticks.at(-1)?.[1]})]);

const prefersDark = matchMedia('(prefers-color-scheme: dark)');
const isDark = () => (state.theme ? state.theme === 'dark' : prefersDark.matches);

function applyTheme(dark = isDark()) {
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
  byId('theme').setAttribute('aria-pressed', dark);
  palette = null;
  redrawAll();
}

async function showEmbedded() {
  const list = JSON.parse(byId('sweeps').textContent), chosen = list.find(({id}) => id === state.sweep) || list[0];
  fill('sweep', list, () => list.map(({id, name: title}) => make('option', {value: id, text: `${title} · ${id}`})));
  byId('sweep').parentElement.hidden = list.length < 2;
  if (!list.length) throw new Error('it holds no sweep');
  byId('sweep').value = chosen.id;
  showSweep(await embeddedSweep(list.indexOf(chosen)));
}

function start() {
  const board = document.documentElement.dataset.kind === 'board';
  const show = () => showEmbedded().catch((error) => tellTrouble(`This report cannot be shown: ${error.message}.`));
  window.caviar = {get state() { return state; }, get curves() { return drawnCurves; }, set, data: null, ready: false};
  startControls();
  startCurves();
  onSweep.push(startAxes());
  startParallel();
  CHARTS.forEach(startChart);
  onSweep.push(startMany('pairs', pairNames, addPair));
  onSweep.push(startMany('isolation', () => sweep.documents.charts.isolation || [], addIsolation));
  startSlots();
  startTable();
  // Paper is white, and shows all pictures, also those that nobody has scrolled to.
  window.addEventListener('beforeprint', () => { applyTheme(false); drawDirty(true); });
  window.addEventListener('afterprint', () => applyTheme());
  prefersDark.addEventListener('change', () => { applyTheme(); showControls(); });
  watchers.push((changed, touched) => {
    if (changed.has('theme')) applyTheme();
    if (changed.has('sweep')) return board || show();
    if (changed.has('keep')) tellSelection();
    if (changed.has('hot')) sayHot();
    else if (!touched) showControls();
    return redraw(changed, touched);
  });
  state = fromHash(location.hash);
  applyTheme();
  (board ? startBoard : show)();
  followAddress();
}

start();
