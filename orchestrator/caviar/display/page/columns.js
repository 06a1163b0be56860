// A payload's bytes as columns, columns as a table of trials, and a change merged into what is already known.
const TYPES = {u8: Uint8Array, u16: Uint16Array, u32: Uint32Array, i32: Int32Array, f32: Float32Array,
  f64: Float64Array};
const MISSING = {u8: 0xff, u16: 0xffff, u32: 0xffffffff, i32: -1};
const TRIAL_COLUMNS = ['trial', 'state', 'step', 'value', 'started', 'ended', 'slot', 'seconds', 'group'];

const fromBase64 = (text) => Uint8Array.from(atob(text.trim()), (letter) => letter.charCodeAt(0));

/** The bytes that were gzipped, as an ArrayBuffer. */
const unzip = (stream) => stream.pipeThrough(new DecompressionStream('gzip'));
const inflate = (bytes) => new Response(unzip(new Blob([bytes]).stream())).arrayBuffer();

/** Head and columns of an inflated payload; a column is a typed array as it was stored, missing values not yet told. */
function readPayload(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  if (head.format !== 1) throw new Error(`this page reads format 1, and the data has format ${head.format}`);
  const first = Math.ceil((4 + length) / 8) * 8;
  const read = (column) => [column.name, {type: column.type, values: readColumn(buffer, first + column.at, column)}];
  return {head, columns: new Map(head.columns.map(read))};
}

function readColumn(buffer, at, {type, count, delta, planes}) {
  const Type = TYPES[type], size = Type.BYTES_PER_ELEMENT;
  const stored = new Uint8Array(buffer, at, count * size);
  const bytes = stored.slice();
  for (let plane = 0; planes && plane < size; plane++) {
    for (let i = 0, from = plane * count; i < count; i++) bytes[i * size + plane] = stored[from + i];
  }
  const values = new Type(bytes.buffer);
  // A typed array wraps around by itself: the running sum is modulo 2^bits.
  if (delta) for (let i = 1; i < count; i++) values[i] += values[i - 1];
  return values;
}

/** Numbers with NaN where one is missing. */
function numbersOf({type, values}) {
  const numbers = Float64Array.from(values);
  if (type in MISSING) for (let i = 0; i < numbers.length; i++) if (values[i] === MISSING[type]) numbers[i] = NaN;
  return numbers;
}

/** Places of 16 bits on a scale from low to high, or from log low to log high. */
function fromScale(column, {low, high, log}) {
  if (column.type !== 'u16') return numbersOf(column);
  const numbers = numbersOf(column);
  const [from, to] = log ? [Math.log(low), Math.log(high)] : [low, high];
  for (let i = 0; i < numbers.length; i++) {
    const t = numbers[i] / 65534;
    // Each end by its own share: to - from may be more than a float holds.
    numbers[i] = log ? Math.exp(from + t * (to - from)) : from * (1 - t) + to * t;
  }
  return numbers;
}

/**
 * A table: `rows` holds one number a trial, `points` one number a report, and the reports of row i are those from
 * start[i] on, length[i] of them. What belongs to a parameter or metric is found by its name, since their order may be
 * another one in the next payload.
 */
function tableOf(columns, {parameters, metrics, seconds}) {
  const rows = new Map(), points = new Map();
  const put = (to, name, source, scale) => {
    const column = columns.get(source);
    if (column) to.set(name, scale ? fromScale(column, scale) : numbersOf(column));
  };
  for (const name of TRIAL_COLUMNS) put(rows, name, name);
  parameters.forEach(({name}, k) => {
    put(rows, `value of ${name}`, `p${k}`);
    put(rows, `place of ${name}`, `u${k}`, {low: 0, high: 1});
    put(rows, `dots of ${name}`, `d${k}`, {low: 0, high: 1});
  });
  metrics.forEach(({name, scale}, k) => {
    for (const summary of ['last', 'low', 'high']) put(rows, `${summary} of ${name}`, `${summary}:${k}`);
    put(points, name, `curve:m${k}`, scale);
  });
  put(points, ' step', 'curve:step');
  put(points, ' seconds', 'curve:seconds', {low: 0, high: seconds ? seconds.high : 0});
  const trials = rows.get('trial'), start = new Uint32Array(trials.length), length = new Uint32Array(trials.length);
  const row = new Map(Array.from(trials, (trial, i) => [trial, i]));
  let at = 0;
  (columns.has('curve:trial') ? columns.get('curve:trial').values : []).forEach((trial, i) => {
    const count = columns.get('curve:length').values[i];
    if (row.has(trial)) [start[row.get(trial)], length[row.get(trial)]] = [at, count];
    at += count;
  });
  return {rows, points, start, length};
}

/** The two tables as one; a trial that is in both is taken from the newer. Rows are in the order of their numbers. */
function merged(older, newer) {
  const isNew = new Set(newer.rows.get('trial'));
  const rowsOf = (table) => Array.from(table.rows.get('trial'), (trial, row) => ({table, trial, row}));
  const picks = [...rowsOf(older).filter(({trial}) => !isNew.has(trial)), ...rowsOf(newer)]
    .sort((a, b) => a.trial - b.trial);
  const length = Uint32Array.from(picks, ({table, row}) => table.length[row]), start = new Uint32Array(picks.length);
  for (let i = 1; i < picks.length; i++) start[i] = start[i - 1] + length[i - 1];
  /** Columns of either table; `partOf` says where in them the part of a pick is, `places` where it goes. */
  const joined = (kind, size, places, partOf) => {
    const columnOf = (column) => {
      const values = new Float64Array(size).fill(NaN);
      picks.forEach((pick, i) => values.set(pick.table[kind].get(column)?.subarray(...partOf(pick)) || [], places[i]));
      return [column, values];
    };
    return new Map([...new Set([...older[kind].keys(), ...newer[kind].keys()])].map(columnOf));
  };
  const rows = joined('rows', picks.length, [...picks.keys()], ({row}) => [row, row + 1]);
  const reports = ({table, row}) => [table.start[row], table.start[row] + table.length[row]];
  return {rows, points: joined('points', length.reduce((sum, more) => sum + more, 0), start, reports), start, length};
}

/** What is known of a sweep once a payload has come: documents that are present replace, rows replace rows. */
function withPayload(known, {head, columns}) {
  const change = known && !head.full;
  const documents = change ? {...known.documents, ...head.documents} : head.documents;
  const own = tableOf(columns, documents);
  const choices = ({parameters}) => JSON.stringify(parameters.map(({name, options}) => [name, options]).sort());
  // Choices are places in their options: once these are others, older rows are asked for again.
  const boot = change && choices(known.documents) !== choices(documents) ? null : head.boot;
  const {sweep: id, version} = head, table = change ? merged(known.table, own) : own;
  return describe({id, boot, version, documents, table});
}

/** The sweep with what all pictures ask for: columns by their short names, the order of the trials, shades by rank. */
function describe(sweep) {
  const {documents, table} = sweep, n = table.start.length;
  const column = (name) => table.rows.get(name) || new Float64Array(n).fill(NaN);
  for (const name of TRIAL_COLUMNS) sweep[name] = column(name);
  const {metric, mode} = documents.sweep;
  Object.assign(sweep, {n, grouped: table.rows.has('group'), metric, mode});
  sweep.parameters = documents.parameters.map((parameter) => {
    const u = column(`place of ${parameter.name}`), dots = table.rows.get(`dots of ${parameter.name}`) || u;
    return {...parameter, values: column(`value of ${parameter.name}`), u, dots};
  });
  sweep.metrics = documents.metrics.map((metric) => {
    const [last, low, high] = ['last', 'low', 'high'].map((summary) => column(`${summary} of ${metric.name}`));
    return {...metric, last, low, high, y: table.points.get(metric.name) || new Float64Array(0)};
  });
  sweep.rowOf = new Map(Array.from(sweep.trial, (trial, row) => [trial, row]));
  sweep.order = byRank(sweep.value, mode);
  sweep.usable = sweep.order.filter((row) => !Number.isNaN(sweep.value[row])).length;
  sweep.rank = new Float64Array(n);
  sweep.order.forEach((row, place) => { sweep.rank[row] = place; });
  // Of thousands, half would look as if they were good: the more there are, the fewer are strong.
  const steep = sweep.usable > 2000 ? 2.5 : sweep.usable > 300 ? 1.6 : 1;
  const last = Math.max(sweep.usable - 1, 1);
  sweep.shade = sweep.rank.map((place) => (place < sweep.usable ? (1 - place / last) ** steep : 0));
  const winner = sweep.rowOf.get((documents.verdict || {}).trial);
  sweep.best = winner !== undefined ? winner : sweep.usable ? sweep.order[0] : -1;
  return sweep;
}

/** Rows from the best to the worst; those whose value is missing come last, in the order of their numbers. */
function byRank(value, mode) {
  const key = value.map((x) => (Number.isNaN(x) ? Infinity : mode === 'max' ? -x : x));
  // Two of them are compared by < since infinity minus infinity is no number.
  const before = (a, b) => (key[a] < key[b] ? -1 : key[a] > key[b] ? 1 : isNaN(value[a]) - isNaN(value[b]) || a - b);
  return Uint32Array.from(value.keys()).sort(before);
}
