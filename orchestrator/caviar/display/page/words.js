// The words of the page: the verdict, what to know before trusting it, failures, provenance. Python made the sentences.

/** Fill the element of that name with what there is. */
const fill = (id, ...children) => byId(id).replaceChildren(...children.flat().filter(Boolean));

const pairsList = (rows, properties = {}) => make('dl', properties, ...rows.map(({name: key, label, shown: text}) => (
  make('div', {}, make('dt', {text: key || label}), make('dd',
    {text, title: String(text).length > 30 ? text : null})))));

/** A command to type, with a button that copies it. */
const command = (text) => make('div', {class: 'command'}, make('code', {text}), copyButton('copy', text));

function copyButton(label, text) {
  const button = make('button', {class: 'copy', text: label, 'aria-label': label === 'copy' ? `copy: ${text}` : null});
  button.addEventListener('click', async () => {
    await copy(text);
    button.textContent = 'copied';
    setTimeout(() => { button.textContent = label; }, 1500);
  });
  return button;
}

/** To the clipboard; a page from disk or in a frame may have none, and copies through a field instead. */
async function copy(text) {
  if (navigator.clipboard && await navigator.clipboard.writeText(text).then(() => true, () => false)) return;
  const field = Object.assign(make('textarea', {class: 'unseen'}), {value: text});
  document.body.append(field);
  field.select();
  ifAllowed(() => document.execCommand('copy'));
  field.remove();
}

function tellSweep({documents}) {
  const {sweep: told, verdict, trust = [], facts = [], left_out: leftOut = [], fixed = [], failures = [],
    provenance = []} = documents;
  byId('name').textContent = document.title = told.name;
  byId('about').textContent = [told.id, `${sweep.n} of ${counted(told.planned || sweep.n, 'trial')}`,
    counted(sweep.parameters.length, 'parameter'), `${told.mode} ${told.metric}`, told.state]
      .filter(Boolean).join(' · ');
  tellVerdict(verdict || {}, trust.length > 2 && window.innerWidth > 760);
  fill('trust-list', trust.map(({text, detail, command: typed, level}) => make('li', {class: level},
    make('b', {text}), detail ? make('p', {text: detail}) : null, typed ? command(typed) : null)));
  byId('trust-none').hidden = trust.length > 0;
  fill('facts', pairsList(facts));
  fill('left-out', leftOut.map((text) => make('p', {text})));
  byId('failures-said').textContent = failures.length ? 'Those that failed for the same reason stand together.'
    : (documents.absent || {}).failures || 'No trial has failed.';
  fill('failure-list', failures.map(({reason, count, trials, example, command: typed}) => make('details', {},
    make('summary', {}, make('b', {text: `${count} × `}), reason),
    make('p', {class: 'faint',
      text: `trials ${trials.map((one) => `t${one}`).join(' ')}${count > trials.length ? ' …' : ''}`}),
    example ? make('pre', {text: example, tabindex: 0}) : null, typed ? command(typed) : null)));
  fill('provenance-list', pairsList([...provenance, ...fixed.map((one) => ({...one, name: `${one.name} (fixed)`}))],
    {class: 'wide'}));
}

/** The winner; what to type next is open where there is room beside what to know before trusting it. */
function tellVerdict({none, trial, shown: text, by, sentence, config = [], final = [], retest, commands = []}, open) {
  const said = (told) => told && make('p', {text: told});
  byId('by').textContent = by ? `Winner by ${by}` : 'Winner';
  const exact = JSON.stringify(Object.fromEntries(config.map((one) => [one.name, one.exact])), null, 1);
  fill('verdict-value', ...(none || trial === undefined
    ? [make('p', {class: 'none', text: none || 'There is no winner yet.'})]
    : [make('span', {class: 'trial', text: `t${trial}`}), ' ', make('strong', {text})]));
  fill('verdict-sentence', said(sentence), ...(retest ? [retest.sentence, ...(retest.more || [])] : []).map(said));
  fill('verdict-final', final.length > 0 && pairsList(final, {class: 'inline'}));
  fill('verdict-config', pairsList(config));
  fill('verdict-commands', config.length > 0 && copyButton('Copy config', exact),
    commands.length > 0 && make('details', {open}, make('summary', {text: 'What to type next'}),
      ...commands.flatMap(({label, command: typed}) => [make('p', {text: label}), command(typed)])));
}

/** What is selected, in a bar that lies over the page, so that nothing moves when it comes. */
function tellSelection() {
  const kept = sweep && keptRows(sweep, state.keep), rows = kept ? Array.from(sweep.order).filter((row) => kept[row])
    : [];
  byId('selection').hidden = !kept;
  const best = rows.length && sweep.rank[rows[0]] < sweep.usable
    ? ` · best of them ${name(rows[0])}: ${shown(sweep.value[rows[0]])}` : '';
  byId('selection-text').textContent = kept ? `${rows.length} of ${sweep.n} trials selected${best}` : '';
}
