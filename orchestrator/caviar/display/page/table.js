// All trials as a table: sorted by any column, searched, following the selection; only the rows in sight are made.
const ROW_HEIGHT = 28, MOST_METRICS = 12;

/** The columns: a name, the key that sorts, and the text of a row. Numbers are sorted as numbers. */
function tableColumns() {
  const numbers = (id, label, values, text = (row) => shown(values[row])) => (
    {id, label, text, number: true, key: (row) => values[row]});
  const texts = (id, label, text) => ({id, label, text, key: (row) => (text(row) === '–' ? null : text(row))});
  const {value, metrics: [first], documents: {sweep: {states = []}}} = sweep;
  // The last value of the sweep's metric is mostly the value that ranks, which has a column already.
  const last = state.summary === 'last', differs = (x, row) => Math.abs(x - value[row]) > 1e-5 * Math.abs(x);
  const metrics = sweep.metrics.slice(last && first && !first.last.some(differs) ? 1 : 0, MOST_METRICS);
  const parameter = (one) => {
    const id = `p ${one.name}`, text = (row) => paramText(one, row);
    return one.options.length ? texts(id, one.name, text) : numbers(id, one.name, one.values, text);
  };
  return [
    {...numbers('trial', 'trial', sweep.trial, name), number: false},
    numbers('rank', sweep.metric, sweep.rank, (row) => shown(value[row])),
    {id: 'curve', label: 'curve', text: () => ''},
    ...sweep.parameters.map(parameter),
    ...metrics.map((one) => numbers(`m ${one.name}`, last ? one.name : `${state.summary} ${one.name}`,
      one[state.summary])),
    numbers('step', 'step', sweep.step, (row) => (Number.isNaN(sweep.step[row]) ? '–' : String(sweep.step[row]))),
    numbers('seconds', 'seconds', sweep.seconds, (row) => duration(sweep.seconds[row])),
    texts('state', 'state', (row) => (states[sweep.state[row]] || '–').toLowerCase()),
  ];
}

/** The rows of the table in order: selected, with every word that is looked for in some column, sorted. */
function tableRows(columns) {
  const kept = keptRows(sweep, state.keep), words = state.find.toLowerCase().split(/[\s,]+/).filter(Boolean);
  const found = (row) => words.every((word) => columns.some((column) => column.text(row).toLowerCase().includes(word)));
  const rows = Array.from(sweep.order).filter((row) => (!kept || kept[row]) && found(row));
  const column = columns.find((one) => one.key && one.id === state.sort.replace(/^-/, ''));
  return column ? sortedRows(rows, column.key, state.sort.startsWith('-')) : rows;
}

function drawTable(picture) {
  const {table, scroll, said} = picture, columns = tableColumns(), rows = tableRows(columns);
  // Widths are from the names and from some of the texts, so that they stay while one scrolls.
  const measure = textWidth(make('canvas').getContext('2d'), 13);
  const some = rows.filter((_, i) => i % Math.ceil(rows.length / 60) === 0);
  const widths = columns.map(({id, label, text}) => (id === 'curve' ? 104
    : Math.min(Math.max(measure(label) + 16, ...some.map((row) => measure(text(row)))), 220) + 20));
  const cols = widths.map((width) => Object.assign(make('col'), {width: String(Math.ceil(width))}));
  table.style.width = `${widths.reduce((sum, width) => sum + width, 0)}px`;
  scroll.style.height = `${Math.min((sweep.n + 1) * ROW_HEIGHT + 24, 480)}px`;
  table.querySelector('colgroup').replaceChildren(...cols);
  table.tHead.rows[0].replaceChildren(...columns.map((column) => headCell(picture, column)));
  table.setAttribute('aria-rowcount', rows.length + 1);
  said.textContent = `${rows.length < sweep.n ? `${rows.length} of ` : ''}${counted(sweep.n, 'trial')}.`;
  Object.assign(picture, {columns, rows, first: -1});
  fillRows(picture);
}

function headCell(picture, {id, label, number, key}) {
  const sorted = state.sort.replace(/^-/, '') === id, descending = state.sort.startsWith('-');
  const sort = () => {
    set({sort: sorted && !descending ? `-${id}` : id});
    // The heads are made anew: the focus stays on the one that was pressed.
    drawDirty();
    picture.table.tHead.rows[0].children[picture.columns.findIndex((one) => one.id === id)].firstChild.focus();
  };
  const order = sorted ? (descending ? 'descending' : 'ascending') : null;
  return make('th', {scope: 'col', class: number ? 'number' : null, 'aria-sort': order},
    key ? make('button', {text: label, title: label, onclick: sort}) : make('span', {text: label}));
}

/** The rows in sight; above and below them one empty row each is as high as all that are not made. */
function fillRows(picture) {
  const {scroll, table, rows, columns} = picture;
  const first = Math.max(Math.floor(scroll.scrollTop / ROW_HEIGHT) - 6, 0) & ~1;
  if (!rows || first === picture.first) return;
  picture.first = first;
  const last = Math.min(first + Math.ceil(scroll.clientHeight / ROW_HEIGHT) + 14, rows.length);
  const space = (count) => make('tr', {'aria-hidden': 'true', class: 'space'},
    make('td', {colspan: columns.length, height: count * ROW_HEIGHT}));
  const made = rows.slice(first, last).map((row, i) => tableRow(columns, row, first + i + 2));
  table.tBodies[0].replaceChildren(space(first), ...made, space(rows.length - last));
  made.forEach((element) => drawSpark(element.querySelector('canvas'), Number(element.dataset.row)));
  markTable(picture);
}

function tableRow(columns, row, index) {
  const cells = columns.map(({id, number, text}) => {
    if (id === 'curve') return make('td', {}, make('canvas', {'aria-hidden': 'true'}));
    if (id !== 'trial') return make('td', {text: text(row), title: text(row), class: number ? 'number' : null});
    const pin = {title: 'pin in all pictures', tabindex: -1, onclick: () => togglePinned(sweep.trial[row])};
    return make('th', {scope: 'row'}, make('button', {text: text(row), ...pin}));
  });
  return make('tr', {'aria-rowindex': index, 'data-row': row}, ...cells);
}

function markTable({scroll}) {
  for (const element of scroll.querySelectorAll('tr[data-row]')) {
    const row = Number(element.dataset.row), trial = sweep.trial[row], pinned = state.pinned.includes(trial);
    element.classList.toggle('best', row === sweep.best || trial === state.hot);
    element.classList.toggle('pinned', pinned);
    element.querySelector('button').setAttribute('aria-pressed', pinned);
  }
}

function drawSpark(canvas, row) {
  const metric = shownMetric(), start = sweep.table.start[row], count = sweep.table.length[row];
  const pair = {base: canvas, over: make('canvas'), box: canvas}, context = fit(pair);
  if (!metric || !metric.y.length || !count) return;
  const y = metric.y.subarray(start, start + count), scale = curveScale(metric);
  const ys = y.map((value) => 3 + (1 - clamp(scale.at(value), 0, 1)) * (pair.height - 6));
  const xs = ys.map((_, k) => 2 + (k / Math.max(count - 1, 1)) * (pair.width - 4));
  const color = row === sweep.best ? colors().best : rowColors()(row);
  paintLines(context, {start: [0], length: [count], xs, ys}, [0], () => color, 1.25);
}

function startTable() {
  const section = byId('trials'), scroll = section.querySelector('.scroll'), table = section.querySelector('table');
  const needs = ['keep', 'sort', 'find', 'summary', 'metric', 'color', 'logy'];
  const said = byId('trials-said');
  const picture = addPicture({box: scroll, scroll, table, said, needs, draw: drawTable, mark: markTable});
  scroll.addEventListener('scroll', () => fillRows(picture), {passive: true});
  scroll.addEventListener('pointerover', (event) => {
    const row = event.target.closest('tr[data-row]');
    set({hot: row ? sweep.trial[row.dataset.row] : null});
  });
  for (const leaving of ['pointerleave', 'blur']) scroll.addEventListener(leaving, () => set({hot: null}));
  // One stop for the keyboard, however many rows there are: arrows go through them, Enter pins.
  scroll.addEventListener('keydown', (event) => {
    if (event.target !== scroll || ['ArrowLeft', 'ArrowRight'].includes(event.key)) return;
    stepThrough(event, picture.rows);
    const top = Math.max(picture.rows.indexOf(rowOf(state.hot)), 0) * ROW_HEIGHT;
    scroll.scrollTop = clamp(scroll.scrollTop, top + 3 * ROW_HEIGHT - scroll.clientHeight, top);
  });
}
