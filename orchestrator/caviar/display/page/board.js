// The board: the list of a store's sweeps, the one that is shown, and what its running trials said last.
let listed = null, known = null;

function startBoard() {
  token = takeToken();
  byId('list').hidden = false;
  if (!token) return tellTrouble(byId('trouble').dataset.noToken);
  const now = poll(async () => {
    const answer = await ask('/api/sweeps', listed);
    if (answer) listed = await answer.json();
    if (answer) fillList();
    const id = state.sweep, newer = id && await askedSweep(id, known);
    // Another sweep may have been chosen while this one was on its way.
    if (newer && state.sweep === id) showSweep(known = newer);
    window.caviar.ready = true;
  });
  watchers.push((changed) => changed.has('sweep') && showList() && now());
  if (byId('act-form')) startForm(now);
  byId('find-sweep').addEventListener('input', fillList);
  byId('to-list').addEventListener('click', () => choose(null));
  return showList();
}

/** Show the list, or make room for the sweep that was chosen from it. */
function showList() {
  const one = Boolean(state.sweep);
  [byId('list').hidden, byId('page').hidden, byId('to-list').hidden, known] = [one, true, !one, null];
  byId('name').textContent = document.title = one ? '…' : 'Sweeps';
  byId('about').textContent = one || !listed ? '' : `${listed.store} · ${counted(listed.sweeps.length, 'sweep')}`;
  return true;
}

/** The list of sweeps: name, state, best value, progress, age; those that match what is searched. */
function fillList() {
  const words = byId('find-sweep').value.toLowerCase().split(/\s+/);
  const {sweeps = [], not_shown: notShown = []} = listed || {};
  const found = sweeps.filter((one) => words.every((word) => one.words.includes(word)));
  const empty = sweeps.length ? 'No sweep matches.' : 'This store holds no sweep yet: `caviar run FILE` makes one.';
  fill('sweep-list', found, () => found.map(sweepRow));
  byId('list-said').textContent = found.length ? '' : empty;
  fill('not-shown', notShown, paragraphs);
  if (!state.sweep) showList();
}

function sweepRow(one) {
  const age = (Date.now() - Date.parse(one.created)) / 1000;
  const cell = (...children) => make('td', {}, ...children), small = (text) => make('small', {text});
  return make('tr', {},
    make('th', {scope: 'row'}, make('button', {class: 'link', text: one.name, onclick: () => choose(one.id)}),
      small(one.id)),
    cell(make('b', {text: one.leads}), small(`${one.mode} ${one.metric}`)),
    cell(make('progress', {value: one.done / (one.planned || Infinity), max: 1,
      'aria-label': `progress of ${one.name}`}),
      small(one.told)),
    cell(one.state), cell(`${duration(age)} ago`), cell(duration(one.took_s)));
}

/** Trials that run, with their newest report. */
function tellRunning({documents: {running}}) {
  byId('running').hidden = !running.length;
  fill('running-list', running, () => running.map(({cells}) => textRow(cells)));
  // As high as it ever was: what lies below does not move as trials come and go.
  byId('running').style.minHeight = `${byId('running').offsetHeight}px`;
}
