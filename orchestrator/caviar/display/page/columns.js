// A payload's bytes as columns, columns as a table of trials, and a change merged into what is already known.

const TYPES = {u8: Uint8Array, u16: Uint16Array, u32: Uint32Array, i32: Int32Array, f32: Float32Array, f64: Float64Array};
const MISSING = {u8: 0xff, u16: 0xffff, u32: 0xffffffff, i32: -1};
const STEPS_OF_A_SCALE = 65534;
const TRIAL_COLUMNS = ['trial', 'state', 'step', 'value', 'started', 'ended', 'slot', 'seconds', 'group', 'failure',
  'attempts'];

/** The bytes that a base64 text stands for. */
function fromBase64(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const packed = atob(text.trim());
  const bytes = new Uint8Array(packed.length);
  for (let i = 0; i < packed.length; i++) bytes[i] = packed.charCodeAt(i);
  return bytes;
}

/** The bytes that were gzipped, as an ArrayBuffer. */
function inflate(bytes) {
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).arrayBuffer();
}

/** Head and columns of an inflated payload; a column is a typed array as it was stored, missing values not yet told. */
function readPayload(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  if (head.format !== 1) throw new Error(`this page reads format 1, and the data has format ${head.format}`);
  const first = Math.ceil((4 + length) / 8) * 8;
  const columns = new Map();
  for (const column of head.columns) {
    columns.set(column.name, {type: column.type, values: readColumn(buffer, first + column.at, column)});
  }
  return {head, columns};
}

function readColumn(buffer, at, {type, count, delta, planes}) {
  const Type = TYPES[type];
  let values;
  if (planes) {
    const size = Type.BYTES_PER_ELEMENT;
    const stored = new Uint8Array(buffer, at, count * size);
    const bytes = new Uint8Array(count * size);
    for (let plane = 0; plane < size; plane++) {
      for (let i = 0, from = plane * count; i < count; i++) bytes[i * size + plane] = stored[from + i];
    }
    values = new Type(bytes.buffer);
  } else {
    values = new Type(buffer.slice(at, at + count * Type.BYTES_PER_ELEMENT));
  }
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
  const {values} = column;
  const numbers = new Float64Array(values.length);
  const [from, to] = log ? [Math.log(low), Math.log(high)] : [low, high];
  for (let i = 0; i < numbers.length; i++) {
    const t = values[i] / STEPS_OF_A_SCALE;
    // Each end by its own share: to - from may be more than a float holds.
    numbers[i] = values[i] === MISSING.u16 ? NaN : log ? Math.exp(from + t * (to - from)) : from * (1 - t) + to * t;
  }
  return numbers;
}

/**
 * A table: `rows` holds one number a trial, `points` one number a report, and the reports of row i are those from
 * start[i] on, length[i] of them. What belongs to a parameter or metric is found by its name, since their order may be
 * another one in the next payload.
 */
function tableOf(columns, documents) {
  const rows = new Map(), points = new Map();
  const put = (to, name, column) => column && to.set(name, numbersOf(column));
  for (const name of TRIAL_COLUMNS) put(rows, name, columns.get(name));
  documents.parameters.forEach((parameter, k) => {
    put(rows, `value of ${parameter.name}`, columns.get(`p${k}`));
    const u = columns.get(`u${k}`);
    if (u) rows.set(`place of ${parameter.name}`, fromScale(u, {low: 0, high: 1}));
  });
  documents.metrics.forEach((metric, k) => {
    for (const summary of ['last', 'low', 'high']) {
      put(rows, `${summary} of ${metric.name}`, columns.get(`${summary}:${k}`));
    }
    const curve = columns.get(`curve:m${k}`);
    if (curve) points.set(metric.name, fromScale(curve, metric.scale));
  });
  put(points, ' step', columns.get('curve:step'));
  const seconds = columns.get('curve:seconds');
  if (seconds) points.set(' seconds', fromScale(seconds, {low: 0, high: (documents.seconds || {}).high || 0}));
  return {rows, points, ...extents(rows.get('trial'), columns)};
}

/** Where the reports of each row begin, and how many there are. */
function extents(trials, columns) {
  const start = new Uint32Array(trials.length), length = new Uint32Array(trials.length);
  const row = new Map(Array.from(trials, (trial, i) => [trial, i]));
  const curves = columns.has('curve:trial') ? columns.get('curve:trial').values : [];
  for (let i = 0, at = 0; i < curves.length; i++) {
    const count = columns.get('curve:length').values[i];
    const mine = row.get(curves[i]);
    if (mine !== undefined) [start[mine], length[mine]] = [at, count];
    at += count;
  }
  return {start, length};
}

/** The two tables as one; a trial that is in both is taken from the newer. Rows are in the order of their numbers. */
function merged(older, newer) {
  const isNew = new Set(newer.rows.get('trial'));
  const picks = [];
  older.rows.get('trial').forEach((trial, row) => isNew.has(trial) || picks.push({table: older, row, trial}));
  newer.rows.get('trial').forEach((trial, row) => picks.push({table: newer, row, trial}));
  picks.sort((a, b) => a.trial - b.trial);
  const rows = new Map(), points = new Map();
  for (const name of new Set([...older.rows.keys(), ...newer.rows.keys()])) {
    rows.set(name, Float64Array.from(picks, ({table, row}) => (table.rows.has(name) ? table.rows.get(name)[row] : NaN)));
  }
  const length = Uint32Array.from(picks, ({table, row}) => table.length[row]);
  const start = new Uint32Array(picks.length);
  for (let i = 1; i < picks.length; i++) start[i] = start[i - 1] + length[i - 1];
  const count = length.reduce((sum, more) => sum + more, 0);
  for (const name of new Set([...older.points.keys(), ...newer.points.keys()])) {
    const all = new Float64Array(count).fill(NaN);
    picks.forEach(({table, row}, i) => {
      const own = table.points.get(name);
      if (own) all.set(own.subarray(table.start[row], table.start[row] + table.length[row]), start[i]);
    });
    points.set(name, all);
  }
  return {rows, points, start, length};
}

/** What is known of a sweep once a payload has come: documents that are present replace, rows replace rows. */
function withPayload(known, {head, columns}) {
  const documents = head.full || !known ? head.documents : {...known.documents, ...head.documents};
  let table = tableOf(columns, documents);
  if (!head.full && known) table = merged(withOptions(known, documents), table);
  return describe({id: head.sweep, boot: head.boot, version: head.version, documents, table});
}

/** The known table with choices as places in the options of today, should those have changed. */
function withOptions({table, documents}, today) {
  const rows = new Map(table.rows);
  for (const {name, options} of today.parameters) {
    const before = (documents.parameters.find((parameter) => parameter.name === name) || {}).options || [];
    if (!options.length || String(before) === String(options) || !rows.has(`value of ${name}`)) continue;
    rows.set(`value of ${name}`, rows.get(`value of ${name}`).map((i) => (i in before ? options.indexOf(before[i]) : NaN)));
  }
  return {...table, rows};
}

/** The sweep with what all pictures ask for: columns by their short names, the order of the trials, shades by rank. */
function describe(sweep) {
  const {documents, table} = sweep;
  const none = new Float64Array(table.start.length).fill(NaN);
  const column = (name) => table.rows.get(name) || none;
  for (const name of TRIAL_COLUMNS) sweep[name] = column(name);
  sweep.n = table.start.length;
  sweep.grouped = table.rows.has('group');
  sweep.parameters = documents.parameters.map((parameter) => {
    const u = column(`place of ${parameter.name}`);
    return {...parameter, values: column(`value of ${parameter.name}`), u, spreadU: spread(u, sweep.trial)};
  });
  sweep.metrics = documents.metrics.map((metric) => ({
    ...metric, last: column(`last of ${metric.name}`), low: column(`low of ${metric.name}`),
    high: column(`high of ${metric.name}`), y: table.points.get(metric.name) || null,
  }));
  sweep.rowOf = new Map(Array.from(sweep.trial, (trial, row) => [trial, row]));
  sweep.order = byRank(sweep.value, documents.sweep.mode);
  sweep.usable = sweep.order.filter((row) => !Number.isNaN(sweep.value[row])).length;
  sweep.rank = new Float64Array(sweep.n);
  sweep.order.forEach((row, place) => { sweep.rank[row] = place; });
  // Of thousands, half would look as if they were good: the more there are, the fewer are strong.
  const steep = sweep.usable > 2000 ? 2.5 : sweep.usable > 300 ? 1.6 : 1;
  sweep.shade = sweep.rank.map((place) => (place < sweep.usable ? (1 - place / Math.max(sweep.usable - 1, 1)) ** steep : 0));
  const winner = documents.verdict && documents.verdict.trial;
  sweep.best = sweep.rowOf.has(winner) ? sweep.rowOf.get(winner) : sweep.usable ? sweep.order[0] : -1;
  return sweep;
}

/** Where dots are drawn: those of a few places (choices, small integers) are spread, or they would lie on one another. */
function spread(u, trial) {
  const places = Array.from(new Set(u)).filter((x) => !Number.isNaN(x)).sort((a, b) => a - b);
  if (places.length > 20 || places.length === u.length) return u;
  const gap = places.slice(1).reduce((least, x, i) => Math.min(least, x - places[i]), places.length > 1 ? 1 : 0.5);
  return u.map((x, i) => Math.min(Math.max(x + (scattered(trial[i]) - 0.5) * gap * 0.6, 0), 1));
}

/** Rows from the best to the worst; those whose value is missing come last, in the order of their numbers. */
function byRank(value, mode) {
  const sign = mode === 'max' ? -1 : 1;
  const key = value.map((x) => (Number.isNaN(x) ? Infinity : sign * x));
  // Two of them are compared by < since infinity minus infinity is no number.
  return Uint32Array.from(value.keys()).sort((a, b) => (key[a] < key[b] ? -1 : key[a] > key[b] ? 1 : a - b));
}
