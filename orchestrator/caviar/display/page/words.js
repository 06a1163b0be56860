// The words of the page: the verdict, what to know before trusting it, failures, provenance. Python made the sentences.

/** Fill an element with what `build` makes of the data, unless it holds that already: what was opened stays open. */
function fill(id, data, build) {
  const element = byId(id), key = JSON.stringify(data);
  if (element.filledWith === key) return;
  element.filledWith = key;
  element.replaceChildren(...[build(data)].flat().filter(Boolean));
}

const paragraphs = (texts) => texts.filter(Boolean).map((text) => make('p', {text}));

/** A list of names and what is shown of each; long texts can be read whole when the pointer rests on them. */
const namesList = (rows, properties) => make('dl', properties, ...rows.map(({name: key, label, shown: text}) => (
  make('div', {}, make('dt', {text: key || label}), make('dd', {text, title: text})))));

/** A command to type, with a button that copies it. */
const command = (text) => text && make('div', {class: 'command'}, make('code', {text}), copyButton('copy', text));

/** Copies through a field, for a page from disk or in a frame may be refused the clipboard. */
function copyButton(label, text) {
  const copy = () => {
    const field = Object.assign(make('textarea', {class: 'unseen'}), {value: text});
    button.after(field);
    field.select();
    button.textContent = ifAllowed(() => document.execCommand('copy')) ? 'copied' : 'not allowed here';
    field.remove();
    button.focus();
    setTimeout(() => { button.textContent = label; }, 1500);
  };
  const button = make('button', {class: 'copy', text: label, title: label === 'copy' ? null : text, onclick: copy});
  return button;
}

function tellSweep({documents}) {
  const {sweep: told, trust = [], failures = [], provenance = [], fixed = []} = documents;
  const trials = `${sweep.n} of ${counted(told.planned || sweep.n, 'trial')}`;
  const parameters = counted(sweep.parameters.length, 'parameter');
  byId('name').textContent = document.title = told.name;
  const about = [told.id, trials, parameters, `${told.mode} ${told.metric}`, told.state];
  byId('about').textContent = about.filter(Boolean).join(' · ');
  tellVerdict(documents.verdict || {}, trust.length > 2 && window.innerWidth > 760);
  fill('trust-list', trust, () => trust.map(({text, detail, command: typed, level}) => (
    make('li', {class: level}, make('b', {text}), ...paragraphs([detail]), command(typed)))));
  byId('trust-none').hidden = trust.length > 0;
  fill('facts', documents.facts || [], namesList);
  fill('left-out', documents.left_out || [], paragraphs);
  fill('failure-list', failures, () => failures.map(failureDetails));
  const origins = [...provenance, ...fixed.map((one) => ({...one, name: `${one.name} (fixed)`}))];
  fill('provenance-list', origins, () => namesList(origins, {class: 'wide'}));
}

function failureDetails({reason, count, trials, example, command: typed}) {
  const some = `trials ${trials.map((one) => `t${one}`).join(' ')}${count > trials.length ? ' …' : ''}`;
  return make('details', {}, make('summary', {}, make('b', {text: `${count} × `}), reason),
    make('p', {class: 'faint', text: some}), example && make('pre', {text: example, tabindex: 0}), command(typed));
}

/** The winner; what to type next is open where there is room beside what to know before trusting it. */
function tellVerdict(verdict, open) {
  const {none = 'There is no winner yet.', trial, shown: text, by, sentence, config = [], final = []} = verdict;
  const {retest, second, commands = []} = verdict, there = trial !== undefined;
  byId('by').textContent = by ? `Winner by ${by}` : 'Winner';
  fill('verdict-value', [trial, text, none], () => (there
    ? [make('span', {class: 'trial', text: `t${trial}`}), ' ', make('strong', {text})]
      : make('p', {class: 'none', text: none})));
  const next = second ? `next best: t${second.trial} with ${second.shown}` : '';
  const told = retest ? [sentence, retest.sentence, ...(retest.more || [])] : [sentence, next];
  fill('verdict-sentence', [...new Set(told)], paragraphs);
  fill('verdict-final', final, () => final.length > 0 && namesList(final, {class: 'inline'}));
  fill('verdict-config', config, namesList);
  const exact = JSON.stringify(Object.fromEntries(config.map((one) => [one.name, one.exact])), null, 1);
  fill('verdict-commands', [exact, commands], () => [
    config.length > 0 && copyButton('Copy config', exact),
    commands.length > 0 && make('details', {open}, make('summary', {text: 'What to type next'}),
      ...commands.flatMap(({label, command: typed}) => [make('p', {text: label}), command(typed)])),
  ]);
}

/** What is selected, in a bar that lies over the page, so that nothing moves when it comes. */
function tellSelection() {
  const kept = sweep && keptRows(sweep, state.keep);
  const rows = kept ? Array.from(sweep.order).filter((row) => kept[row]) : [];
  const [best] = rows.filter((row) => sweep.rank[row] < sweep.usable);
  byId('selection').hidden = !kept;
  byId('selection-text').textContent = `${rows.length} of ${sweep ? sweep.n : 0} trials selected${
    best === undefined ? '' : ` · best of them ${name(best)}: ${shown(sweep.value[best])}`}`;
}
