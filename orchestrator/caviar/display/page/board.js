// The board: the list of a store's sweeps, the one that is shown, and what its running trials said last.

let listed = null;

function startBoard() {
  token = takeToken();
  if (!token) {
    byId('list').hidden = false;
    return tellTrouble('This page needs the token of the link that `caviar board` printed when it started: open that link, or type `caviar board` for another one.');
  }
  const now = poll(async () => {
    const answer = await ask('/api/sweeps', listed);
    if (answer) {
      listed = await answer.json();
      fillList();
    }
    if (state.sweep) await showAsked(state.sweep);
    else window.caviar.ready = true;
  });
  watchers.push((changed) => changed.has('sweep') && showList() === undefined && now());
  byId('find-sweep').addEventListener('input', fillList);
  byId('to-list').addEventListener('click', () => set({...fresh(), theme: state.theme}));
  return showList();
}

async function showAsked(id) {
  const before = known && known.id === id ? known : null;
  const newer = await askedSweep(id, before);
  // Another sweep may have been chosen while this one was on its way.
  if (!newer || state.sweep !== id) return;
  known = newer;
  showSweep(newer);
}

function showList() {
  const one = Boolean(state.sweep);
  byId('list').hidden = one;
  byId('page').hidden = !one;
  byId('to-list').hidden = !one;
  if (one) return undefined;
  known = null;
  byId('name').textContent = 'Sweeps';
  byId('about').textContent = listed ? `${listed.store} · ${listed.sweeps.length} sweeps` : '';
  document.title = 'Caviar board';
  return undefined;
}

/** The list of sweeps: name, state, best value, progress, age; those that match what is searched. */
function fillList() {
  if (!listed) return;
  const wanted = byId('find-sweep').value.trim().toLowerCase();
  const text = (one) => [one.name, one.id, one.metric, one.state, ...(one.tags || [])].join(' ').toLowerCase();
  const sweeps = listed.sweeps.filter((one) => wanted.split(/\s+/).every((word) => text(one).includes(word)));
  fill('sweep-list', sweeps.map(sweepRow));
  byId('list-said').textContent = sweeps.length ? '' : listed.sweeps.length ? 'No sweep matches.' : 'This store holds no sweep yet: `caviar run FILE` makes one.';
  fill('not-shown', (listed.not_shown || []).map((sentence) => make('p', {text: sentence})));
  if (!state.sweep) showList();
}

function sweepRow(one) {
  const share = one.planned ? Math.min(one.done / one.planned, 1) : 0;
  const bar = make('div', {class: 'bar', role: 'progressbar', 'aria-valuenow': Math.round(share * 100), 'aria-valuemin': 0, 'aria-valuemax': 100, 'aria-label': `progress of ${one.name}`}, make('div'));
  bar.firstChild.style.width = `${share * 100}%`;
  const counts = [`${one.done} of ${one.planned ?? '?'}`, one.running ? `${one.running} running` : '', one.failed ? `${one.failed} failed` : ''];
  const best = one.best ? `t${one.best.trial} · ${one.shown || shown(one.best.value)}` : '–';
  return make('tr', {},
    make('th', {scope: 'row'}, make('button', {class: 'link', text: one.name, onclick: () => set({...fresh(), theme: state.theme, sweep: one.id})}), make('small', {text: one.id})),
    make('td', {}, make('b', {text: best}), make('small', {text: `${one.mode} ${one.metric}`})),
    make('td', {}, bar, make('small', {text: counts.filter(Boolean).join(' · ')})),
    make('td', {text: one.state}), make('td', {text: ageText(one.created), title: one.created}), make('td', {text: duration(one.took_s)}));
}

/** How long ago, in one unit. */
function ageText(created) {
  const seconds = (Date.now() - (typeof created === 'number' ? created * 1000 : Date.parse(created))) / 1000;
  if (Number.isNaN(seconds)) return '–';
  const [length, unit] = [[604800, 'w'], [86400, 'd'], [3600, 'h'], [60, 'm'], [1, 's']].find(([least]) => seconds >= least * 2) || [1, 's'];
  return `${Math.max(Math.floor(seconds / length), 0)}${unit} ago`;
}

/** Trials that run, with their newest report. */
function tellRunning({documents}) {
  const running = documents.running || [];
  byId('running').hidden = !running.length;
  fill('running-list', running.map(({trial, step, value, shown: text, speed}) => make('tr', {}, make('th', {scope: 'row', text: `t${trial}`}),
    make('td', {text: text || shown(value)}), make('td', {text: step === null || step === undefined ? '–' : `step ${step}`}), make('td', {text: speed || ''}))));
}
