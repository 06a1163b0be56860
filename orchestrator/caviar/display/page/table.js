// All trials as a table: sorted by any column, searched, following the selection; only the rows in sight are made.

const ROW_HEIGHT = 28;
const MOST_METRICS = 12;

/** The columns: a name, the key that sorts, and the text of a row. Numbers are sorted as numbers. */
function tableColumns(sweep) {
  const texts = (values) => (row) => shown(values[row]);
  const states = sweep.documents.sweep.states || [];
  // The last value of the sweep's metric is mostly the value that ranks, which has a column already.
  const same = state.summary === 'last' && sweep.metrics.length && sweep.metrics[0].last.every((x, row) => !(Math.abs(x - sweep.value[row]) > 1e-5 * Math.abs(x)));
  const metrics = sweep.metrics.slice(same ? 1 : 0, MOST_METRICS).map((metric) => ({
    id: `m ${metric.name}`, label: state.summary === 'last' ? metric.name : `${state.summary} ${metric.name}`, number: true,
    key: (row) => metric[state.summary][row], text: texts(metric[state.summary]),
  }));
  const parameters = sweep.parameters.map((one) => ({
    id: `p ${one.name}`, label: one.name, number: one.kind !== 'choice', text: (row) => paramText(one, row),
    key: one.options.length ? (row) => (Number.isNaN(one.values[row]) ? null : String(one.options[one.values[row]])) : (row) => one.values[row],
  }));
  const seconds = {id: 'seconds', label: 'seconds', number: true, key: (row) => sweep.seconds[row], text: (row) => duration(sweep.seconds[row])};
  return [
    {id: 'trial', label: 'trial', key: (row) => sweep.trial[row], text: name},
    {id: 'rank', label: sweep.documents.sweep.metric, number: true, key: (row) => sweep.rank[row], text: texts(sweep.value)},
    {id: 'curve', label: 'curve', text: () => ''},
    ...parameters, ...metrics,
    {id: 'step', label: 'step', number: true, key: (row) => sweep.step[row], text: texts(sweep.step)},
    seconds,
    {id: 'state', label: 'state', key: (row) => states[sweep.state[row]] || null, text: (row) => (states[sweep.state[row]] || '–').toLowerCase()},
  ];
}

const COMPARED = /^(.+?)\s*(<=|>=|<|>|=)\s*(.+)$/;

/** Whether a row is looked for: every word is a part of one of its texts, or compares a column, as in lr<0.01. */
function finder(columns, text) {
  const tests = text.trim().toLowerCase().split(/\s*,\s*|\s+(?![<>=])(?<![<>=]\s)/).filter(Boolean).map((word) => {
    const [, label, sign, wanted] = COMPARED.exec(word) || [];
    const column = columns.find((one) => label && one.key && one.label.toLowerCase() === label);
    if (!column) return (row) => columns.some((one) => one.text(row).toLowerCase().includes(word));
    return (row) => compares(column.id === 'rank' ? sweep.value[row] : column.key(row), sign, wanted);
  });
  return (row) => tests.every((test) => test(row));
}

function compares(value, sign, wanted) {
  const [a, b] = typeof value === 'string' ? [value.toLowerCase(), wanted] : [value, Number(wanted)];
  return {'<': a < b, '>': a > b, '<=': a <= b, '>=': a >= b, '=': a === b}[sign];
}

/** The rows of the table in order: selected, found, sorted. */
function tableRows(columns) {
  const kept = keptRows(sweep, state.keep);
  const found = state.find ? finder(columns, state.find) : () => true;
  const rows = Array.from(sweep.order).filter((row) => (!kept || kept[row]) && found(row));
  const descending = state.sort.startsWith('-');
  const column = columns.find((one) => one.id === state.sort.replace(/^-/, ''));
  return column && column.key && state.sort !== 'rank' ? sortedRows(rows, column.key, descending) : rows;
}

/** The widths that columns need, from their names and some of their texts: they stay while one scrolls. */
function columnWidths(columns, rows) {
  const measure = textWidth(make('canvas').getContext('2d'), 13);
  const some = rows.filter((_, i) => i % Math.ceil(rows.length / 60) === 0);
  return columns.map(({id, label, text}) => (id === 'curve' ? 84
    : Math.min(Math.max(measure(label) + 16, ...some.map((row) => measure(text(row)))), 220) + 20));
}

function drawTable(picture) {
  const columns = tableColumns(sweep);
  picture.columns = columns;
  picture.rows = tableRows(columns);
  const widths = columnWidths(columns, picture.rows);
  picture.table.style.width = `${widths.reduce((sum, width) => sum + width, 0)}px`;
  picture.table.querySelector('colgroup').replaceChildren(...widths.map((width) => {
    const col = make('col');
    col.style.width = `${width}px`;
    return col;
  }));
  picture.table.querySelector('thead tr').replaceChildren(...columns.map((column) => headCell(column)));
  picture.table.setAttribute('aria-rowcount', picture.rows.length + 1);
  picture.say(picture.rows.length === sweep.n ? `${counted(sweep.n, 'trial')}, best first unless a column is chosen.`
    : `${picture.rows.length} of ${counted(sweep.n, 'trial')}.`);
  picture.scroll.style.height = `${Math.min((sweep.n + 1) * ROW_HEIGHT + 24, 480)}px`;
  picture.first = -1;
  fillRows(picture);
}

function headCell({id, label, number, key}) {
  const [sorted, descending] = [state.sort.replace(/^-/, '') === id, state.sort.startsWith('-')];
  const head = make('th', {scope: 'col', class: number ? 'number' : null});
  if (sorted) head.setAttribute('aria-sort', descending ? 'descending' : 'ascending');
  const sort = () => {
    set({sort: sorted && !descending ? `-${id}` : id});
    // The heads are made anew: the focus stays on the one that was pressed.
    drawDirty();
    const again = byId('trials').querySelector(`thead tr`).children[tableColumns(sweep).findIndex((one) => one.id === id)];
    if (again) again.firstChild.focus();
  };
  head.append(key ? make('button', {text: label, title: label, onclick: sort}) : make('span', {text: label}));
  return head;
}

/** The rows in sight; above and below them one empty row each is as high as all that are not made. */
function fillRows(picture) {
  const {scroll, table, rows, columns} = picture;
  const first = Math.max(Math.floor(scroll.scrollTop / ROW_HEIGHT) - 6, 0) & ~1;
  if (first === picture.first) return;
  picture.first = first;
  const last = Math.min(first + Math.ceil(scroll.clientHeight / ROW_HEIGHT) + 14, rows.length);
  const space = (count) => {
    const row = make('tr', {'aria-hidden': 'true', class: 'space'}, make('td', {colspan: columns.length}));
    row.style.height = `${count * ROW_HEIGHT}px`;
    return row;
  };
  const made = rows.slice(first, last).map((row, i) => tableRow(columns, row, first + i + 2));
  table.tBodies[0].replaceChildren(space(first), ...made, space(rows.length - last));
  made.forEach((element) => drawSpark(element.querySelector('canvas'), Number(element.dataset.row)));
}

function tableRow(columns, row, index) {
  const mark = row === hotRow() || row === sweep.best ? 'best' : state.pinned.includes(sweep.trial[row]) ? 'pinned' : null;
  const cells = columns.map(({id, number, text}) => {
    if (id === 'curve') return make('td', {}, make('canvas', {'aria-hidden': 'true'}));
    if (id === 'trial') {
      const pinned = state.pinned.includes(sweep.trial[row]);
      return make('th', {scope: 'row'}, make('button', {
        text: name(row), 'aria-pressed': pinned, title: 'pin in all pictures', onclick: () => togglePinned(sweep.trial[row]),
      }));
    }
    return make('td', {text: text(row), title: text(row).length > 24 ? text(row) : null, class: number ? 'number' : null});
  });
  return make('tr', {'aria-rowindex': index, 'data-row': row, class: mark}, ...cells);
}

function drawSpark(canvas, row) {
  const {start, length} = sweep.table;
  const metric = shownMetric();
  const pair = {base: canvas, over: make('canvas'), box: canvas};
  const [context] = fit(pair);
  if (!metric || !metric.y || !length[row]) return;
  const y = metric.y.subarray(start[row], start[row] + length[row]);
  const scale = curveScale(metric, y);
  const own = y.map((value) => Math.min(Math.max(scale.at(value), 0), 1));
  const xs = own.map((_, k) => 2 + (k / Math.max(own.length - 1, 1)) * (pair.width - 4));
  const ys = own.map((t) => 3 + (1 - t) * (pair.height - 6));
  const color = row === sweep.best || row === hotRow() ? colors().best : rowColors(sweep)(row);
  paintLines(context, {start: [0], length: [own.length], xs, ys}, [0], () => color, 1.25);
}

function startTable() {
  const section = byId('trials');
  const scroll = section.querySelector('.scroll');
  const said = section.querySelector('.said');
  const picture = addPicture({
    box: scroll, scroll, table: section.querySelector('table'), say: (text) => { said.textContent = text; },
    needs: ['keep', 'sort', 'find', 'summary', 'metric', 'color', 'logy'], draw: drawTable,
    mark: () => { for (const row of scroll.querySelectorAll('tr[data-row]')) markRow(row); },
  });
  scroll.addEventListener('scroll', () => picture.rows && fillRows(picture), {passive: true});
  scroll.addEventListener('pointerover', (event) => {
    const row = event.target.closest('tr[data-row]');
    set({hot: row ? sweep.trial[row.dataset.row] : null});
  });
  scroll.addEventListener('pointerleave', () => set({hot: null}));
}

function markRow(element) {
  const row = Number(element.dataset.row);
  element.classList.toggle('best', row === sweep.best || row === hotRow());
  const pinned = state.pinned.includes(sweep.trial[row]);
  element.classList.toggle('pinned', pinned);
  element.querySelector('th button').setAttribute('aria-pressed', pinned);
}
