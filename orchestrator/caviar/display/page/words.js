// The words of the page: the verdict, what to know before trusting it, failures, provenance. Python made the sentences.

/** Fill the element of that name; it is hidden when there is nothing. */
function fill(id, ...children) {
  const element = byId(id);
  const some = children.flat().filter(Boolean);
  element.replaceChildren(...some);
  return element;
}

const pairsList = (rows, properties = {}) => make('dl', properties, ...rows.map(({name, label, shown}) => (
  make('div', {}, make('dt', {text: name || label}), make('dd', {text: shown, title: String(shown).length > 30 ? shown : null})))));

/** A command to type, with a button that copies it. */
function command(text) {
  return make('div', {class: 'command'}, make('code', {text}), copyButton('copy', () => text));
}

function copyButton(label, text) {
  const button = make('button', {class: 'copy', text: label, 'aria-label': label === 'copy' ? `copy: ${text()}` : null});
  button.addEventListener('click', async () => {
    await copy(text());
    button.textContent = 'copied';
    setTimeout(() => { button.textContent = label; }, 1500);
  });
  return button;
}

/** To the clipboard; a page from disk or in a frame has none, and copies through a field instead. */
async function copy(text) {
  if (navigator.clipboard && await navigator.clipboard.writeText(text).then(() => true, () => false)) return;
  const field = make('textarea', {class: 'unseen'});
  field.value = text;
  document.body.append(field);
  field.select();
  ifAllowed(() => document.execCommand('copy'));
  field.remove();
}

function tellSweep({documents}) {
  const {sweep: told, verdict = {}, trust = [], facts = [], left_out: leftOut = [], fixed = []} = documents;
  byId('name').textContent = document.title = told.name;
  byId('about').textContent = [told.id, `${sweep.n} of ${counted(told.planned || sweep.n, 'trial')}`, counted(sweep.parameters.length, 'parameter'),
    `${told.mode} ${told.metric}`, told.state].filter(Boolean).join(' · ');
  tellVerdict(verdict, trust);
  fill('trust-list', trust.map(({text, detail, command: typed, level}) => make('li', {class: level || 'note'},
    make('b', {text}), detail ? make('p', {text: detail}) : null, typed ? command(typed) : null)));
  byId('trust-none').hidden = trust.length > 0;
  fill('facts', pairsList(facts));
  fill('left-out', leftOut.map((text) => make('p', {text})));
  tellRetest(verdict.retest);
  tellFailures(documents.failures || []);
  fill('provenance-list', pairsList([...(documents.provenance || []), ...fixed.map((one) => ({...one, name: `${one.name} (fixed)`}))], {class: 'wide'}));
}

function tellVerdict(verdict, trust) {
  byId('by').textContent = verdict.by ? `Winner by ${verdict.by}` : 'Winner';
  if (verdict.none || verdict.trial === undefined) {
    fill('verdict-value', make('p', {class: 'none', text: verdict.none || 'There is no winner yet.'}));
    return ['sentence', 'config', 'final', 'commands'].forEach((part) => fill(`verdict-${part}`));
  }
  const {config = [], final = [], commands = [], sentence} = verdict;
  fill('verdict-value', make('span', {class: 'trial', text: `t${verdict.trial}`}), ' ', make('strong', {text: verdict.shown}));
  fill('verdict-sentence', sentence ? make('p', {text: sentence}) : null);
  fill('verdict-final', final.length ? pairsList(final, {class: 'inline'}) : null);
  const exact = JSON.stringify(Object.fromEntries(config.map(({name, exact}) => [name, exact])), null, 1);
  fill('verdict-config', pairsList(config));
  return fill('verdict-commands', config.length ? copyButton('Copy config', () => exact) : null,
    commands.length ? make('details', {open: window.innerWidth > 760 && trust.length > 2}, make('summary', {text: 'What to type next'}),
      ...commands.flatMap(({label, command: typed}) => [make('p', {text: label}), command(typed)])) : null);
}

function tellRetest(retest) {
  const told = retest && retest.sentence;
  fill('retest-sentence', told ? make('p', {text: told}) : null);
}

function tellFailures(failures) {
  byId('failures').querySelector('.said').textContent = failures.length ? 'Those that failed for the same reason stand together.'
    : (sweep.documents.absent || {}).failures || 'No trial has failed.';
  fill('failure-list', failures.map(({reason, count, trials, example, command: typed}) => make('details', {},
    make('summary', {}, make('b', {text: `${count} × `}), reason),
    make('p', {class: 'faint', text: `trials ${trials.map((trial) => `t${trial}`).join(', ')}${count > trials.length ? ', …' : ''}`}),
    example ? make('pre', {text: example, tabindex: 0}) : null, typed ? command(typed) : null)));
}

/** What is selected, in a bar that lies over the page, so that nothing moves when it comes. */
function tellSelection() {
  const kept = sweep && keptRows(sweep, state.keep);
  byId('selection').hidden = !kept;
  if (!kept) return;
  const rows = Array.from(sweep.order).filter((row) => kept[row]);
  const best = rows.length && sweep.rank[rows[0]] < sweep.usable ? ` · best of them ${name(rows[0])}: ${shown(sweep.value[rows[0]])}` : '';
  byId('selection-text').textContent = `${rows.length} of ${sweep.n} trials selected${best}`;
}
