// The board: the list of a store's sweeps, the one that is shown, and what its running trials said last.
let listed = null, known = null;

function startBoard() {
  token = takeToken();
  byId('list').hidden = false;
  if (!token) {
    return tellTrouble('This page needs the token of the link that `caviar board` printed when it started: open that '
      + 'link, or type `caviar board` for another one.');
  }
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
  const words = byId('find-sweep').value.toLowerCase().split(/\s+/), {sweeps = [], not_shown: notShown = []} = listed
    || {};
  const text = (one) => [one.name, one.id, one.metric, one.state, ...(one.tags || [])].join(' ').toLowerCase();
  const found = sweeps.filter((one) => words.every((word) => text(one).includes(word)));
  fill('sweep-list', found.map(sweepRow));
  byId('list-said').textContent = found.length ? '' : sweeps.length ? 'No sweep matches.'
    : 'This store holds no sweep yet: `caviar run FILE` makes one.';
  fill('not-shown', notShown.map((sentence) => make('p', {text: sentence})));
  if (!state.sweep) showList();
}

function sweepRow({id, name: title, best, shown: text, mode, metric, done, planned, running, failed, created,
  took_s: took, state: now}) {
  const share = planned ? Math.min(done / planned, 1) : 0, age = (Date.now() - Date.parse(created)) / 1000;
  const counts = [`${done} of ${planned ?? '?'}`, running ? `${running} running` : '', failed ? `${failed} failed` : '']
    .filter(Boolean);
  return make('tr', {},
    make('th', {scope: 'row'}, make('button', {class: 'link', text: title, onclick: () => choose(id)}),
      make('small', {text: id})),
    make('td', {}, make('b', {text: best ? `t${best.trial} · ${text || shown(best.value)}` : '–'}),
      make('small', {text: `${mode} ${metric}`})),
    make('td', {}, make('progress', {value: share, max: 1, 'aria-label': `progress of ${title}`}),
      make('small', {text: counts.join(' · ')})),
    make('td', {text: now}), make('td', {text: `${duration(age)} ago`, title: created}),
      make('td', {text: duration(took)}));
}

/** Trials that run, with their newest report. */
function tellRunning({documents: {running = []}}) {
  byId('running').hidden = !running.length;
  fill('running-list', running.map(({trial, step, value, shown: text, speed}) =>
    make('tr', {}, make('th', {scope: 'row', text: `t${trial}`}),
    make('td', {text: text || shown(value)}), make('td', {text: `step ${shown(step)}`}),
      make('td', {text: speed || ''}))));
}
