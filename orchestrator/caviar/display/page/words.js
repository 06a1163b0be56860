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

/** A row of a table; the first of its cells names it. */
const textRow = ([named, ...cells]) => (
  make('tr', {}, make('th', {scope: 'row', text: named}), ...cells.map((text) => make('td', {text}))));

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
  const {sweep: told, verdict, trust, failures, provenance, facts, left_out: leftOut} = documents;
  byId('name').textContent = document.title = told.name;
  byId('about').textContent = told.about;
  tellVerdict(verdict, trust.length > 2 && window.innerWidth > 760);
  fill('trust-list', trust, () => trust.map(({text, detail, command: typed, level}) => (
    make('li', {class: level}, make('b', {text}), ...paragraphs([detail]), command(typed)))));
  byId('trust-none').hidden = trust.length > 0;
  fill('facts', facts, namesList);
  fill('left-out', leftOut, paragraphs);
  fill('failure-list', failures, () => failures.map(failureDetails));
  fill('provenance-list', provenance, () => namesList(provenance, {class: 'wide'}));
}

function failureDetails({reason, count, named, example, command: typed}) {
  return make('details', {}, make('summary', {}, make('b', {text: `${count} × `}), reason),
    make('p', {class: 'faint', text: named}), example && make('pre', {text: example, tabindex: 0}), command(typed));
}

/** The winner; what to type next is open where there is room beside what to know before trusting it. */
function tellVerdict(verdict, open) {
  const {none, trial, shown: text, by, sentences: told = [], final = [], config = [], exact, commands} = verdict;
  byId('by').textContent = by ? `Winner by ${by}` : 'Winner';
  fill('verdict-value', [trial, text, none], () => (none ? make('p', {class: 'none', text: none})
    : [make('span', {class: 'trial', text: `t${trial}`}), ' ', make('strong', {text})]));
  fill('verdict-sentence', told, paragraphs);
  fill('verdict-final', final, () => final.length > 0 && namesList(final, {class: 'inline'}));
  fill('verdict-config', config, namesList);
  fill('verdict-commands', [exact, commands], () => !none && [
    copyButton('Copy config', exact),
    make('details', {open}, make('summary', {text: 'What to type next'}),
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
