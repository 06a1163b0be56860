// Learning curves: one line a trial, or one with a band where a configuration was trained with several seeds.

const X_NAMES = {step: 'step', compute: 'seconds of the trial', seconds: 'time since the sweep began'};
let drawnCurves = null;

/** The curves of a metric as lines of values: rows, start, length, x, y, and for groups of seeds low and high. */
function curveLines(sweep, metric, {x, smooth, seeds}) {
  const key = `${metric.name} ${x} ${smooth} ${seeds}`;
  if (sweep.lines && sweep.lines.key === key) return sweep.lines;
  const {start, length} = sweep.table;
  let y = metric.y || new Float64Array(0);
  if (smooth > 0) {
    const plain = y;
    y = new Float64Array(y.length);
    for (let row = 0; row < sweep.n; row++) smoothed(plain, start[row], length[row], smooth, y);
  }
  const rows = Array.from(sweep.order).filter((row) => length[row] && metric.y);
  const lines = {
    key, rows, y, x: xValues(sweep, x), start: Uint32Array.from(rows, (row) => start[row]),
    length: Uint32Array.from(rows, (row) => length[row]), band: null,
  };
  sweep.lines = seeds === 'band' && sweep.grouped ? {...groupedLines(sweep, lines), key} : lines;
  return sweep.lines;
}

function xValues(sweep, x) {
  const steps = sweep.table.points.get(' step') || new Float64Array(0);
  const seconds = sweep.table.points.get(' seconds');
  if (x === 'step' || !seconds) return steps;
  if (x === 'compute') return seconds;
  const clock = new Float64Array(seconds.length);
  const {start, length} = sweep.table;
  for (let row = 0; row < sweep.n; row++) {
    for (let k = start[row]; k < start[row] + length[row]; k++) clock[k] = seconds[k] + sweep.started[row];
  }
  return clock;
}

/** One line a configuration: the mean of its seeds at the steps that all of them have reached, from least to most. */
function groupedLines(sweep, lines) {
  const members = new Map();
  lines.rows.forEach((row, i) => members.set(sweep.group[row], [...(members.get(sweep.group[row]) || []), i]));
  const made = {rows: [], start: [], length: [], seeds: [], x: [], y: [], band: {low: [], high: []}};
  for (const group of members.values()) {
    const at = new Map();
    for (const i of group) {
      for (let k = lines.start[i]; k < lines.start[i] + lines.length[i]; k++) {
        const step = sweep.table.points.get(' step')[k];
        const y = lines.y[k];
        if (!Number.isNaN(y)) at.set(step, [...(at.get(step) || []), [lines.x[k], y]]);
      }
    }
    const most = Math.max(0, ...Array.from(at.values(), (all) => all.length));
    const steps = Array.from(at.keys()).filter((step) => at.get(step).length === most).sort((a, b) => a - b);
    made.rows.push(lines.rows[group[0]]);
    made.seeds.push(group.length);
    made.start.push(made.x.length);
    made.length.push(steps.length);
    for (const step of steps) {
      const [xs, ys] = [0, 1].map((part) => at.get(step).map((point) => point[part]));
      made.x.push(mean(xs));
      made.y.push(mean(ys));
      made.band.low.push(Math.min(...ys));
      made.band.high.push(Math.max(...ys));
    }
  }
  return made;
}

const mean = (xs) => xs.reduce((sum, x) => sum + x / xs.length, 0);

const shownMetric = () => sweep.metrics.find(({name}) => name === state.metric) || sweep.metrics[0];

/** The scale of y: the axis for the eye, without far outliers; logarithmic as asked, if there are positive values. */
function curveScale(metric, values) {
  const axis = {...metric.axis};
  // The best ends of curves are what is looked for, so they are no outliers.
  if (metric.mode) {
    const best = metric.last[sweep.best];
    if (best < axis.low) axis.low = best;
    if (best > axis.high) axis.high = best;
  }
  const log = state.logy === null ? axis.log : state.logy;
  if (!log) return roomyScale([axis.low, axis.high], false, 0.02);
  const positive = values.filter((y) => y > 0);
  const low = axis.low > 0 ? axis.low : positive.reduce((least, y) => Math.min(least, y), Infinity);
  return low < axis.high ? roomyScale([low, axis.high], true, 0.02) : roomyScale([axis.low, axis.high], false, 0.02);
}

function xScale(x) {
  let low = Infinity, high = -Infinity, positive = Infinity;
  for (const value of x) {
    if (value < low) low = value;
    if (value > high) high = value;
    if (value > 0 && value < positive) positive = value;
  }
  if (!(low <= high)) [low, high] = [0, 1];
  const label = state.x === 'step' ? shown : duration;
  if (low === high) return scaleOf(low - 1, high + 1, false, (tick) => (tick === low ? label(tick) : ''));
  return state.logx && positive < high ? scaleOf(low > 0 ? low : positive / 2, high, true, label) : scaleOf(low, high, false, label);
}

function drawCurves(picture) {
  const metric = shownMetric();
  const [base] = fit(picture.pair);
  if (!metric || !metric.y || !metric.y.length) return nothing(picture, 'curves', 'No trial has reported a value yet.');
  const lines = curveLines(sweep, metric, state);
  const {width, height} = picture.pair;
  const scale = {x: xScale(lines.x), y: curveScale(metric, lines.y)};
  const left = labelRoom(base, scale.y.ticks(7));
  const frame = {left, top: 10, width: width - left - 54, height: height - 34, right: 54};
  const xs = Float32Array.from(lines.x, (x) => frame.left + Math.max(scale.x.at(x), 0) * frame.width);
  // Far outliers are kept near the canvas: numbers beyond that only cost time.
  const ys = Float32Array.from(lines.y, (y) => frame.top + (1 - Math.min(Math.max(scale.y.at(y), -9), 9)) * frame.height);
  drawnCurves = {...lines, xs, ys, frame, scale, metric, kept: keptRows(sweep, state.keep)};
  const most = Math.max(2, Math.floor(frame.width / 70));
  drawAxes(base, frame, scale.x.ticks(most), scale.y.ticks(7));
  inFrame(base, frame, () => {
    const all = lines.rows.map((_, i) => lines.rows.length - 1 - i);
    const isKept = (i) => !drawnCurves.kept || drawnCurves.kept[lines.rows[i]];
    const width = lineWidthOf(all.length);
    const color = rowColors(sweep);
    paintLines(base, drawnCurves, all.filter((i) => !isKept(i)), () => colors().off, 1);
    paintLines(base, drawnCurves, all.filter(isKept), (i) => color(lines.rows[i]), width);
  });
  drawnCurves.order = lines.rows.map((_, i) => i).filter((i) => !drawnCurves.kept || drawnCurves.kept[lines.rows[i]]);
  return sayCurves(picture, metric, lines);
}

function inFrame(context, {left, top, width, height}, paint) {
  context.save();
  context.beginPath();
  context.rect(left, top - 4, width + 3, height + 5);
  context.clip();
  paint();
  context.restore();
}

function sayCurves(picture, metric, lines) {
  const best = sweep.best < 0 ? '' : ` ${name(sweep.best)} is the best, orange.`;
  const what = lines.band ? `${counted(lines.rows.length, 'configuration')}, the mean of the seeds of each` : counted(lines.rows.length, 'trial');
  const by = state.color === 'rank' ? 'The stronger the colour, the better the rank' : `Coloured by ${state.color}`;
  const {high} = drawnCurves.scale.y;
  const cutOff = lines.y.some((y) => y > high * 1.001) ? ` Values over ${shown(high)} lie outside.` : '';
  const band = lines.band ? ' The band goes from the lowest to the highest seed.' : '';
  picture.say(`${metric.name} by ${X_NAMES[state.x] || state.x}: ${what}. ${by}.${best}${band}${cutOff}`);
}

function markCurves(picture) {
  const over = cleared(picture.pair, picture.pair.over);
  if (!drawnCurves || !sweep.metrics.length) return;
  const {frame, rows, start, length, xs, ys, band, scale} = drawnCurves;
  const labels = [];
  const lineOf = new Map(rows.map((row, i) => [band ? sweep.group[row] : row, i]));
  inFrame(over, frame, () => {
    for (const [row, color] of markedRows()) {
      const i = lineOf.get(band ? sweep.group[row] : row);
      if (i === undefined) continue;
      if (band) paintBand(over, i, colors()[color]);
      paintLines(over, drawnCurves, [i], () => colors().card, 5);
      paintLines(over, drawnCurves, [i], () => colors()[color], row === hotRow() ? 3 : 2.25);
      const last = start[i] + length[i] - 1;
      labels.push([ys[last], name(row), color]);
    }
  });
  endLabels(over, labels, frame.left + frame.width + 6, frame.top + 6, frame.top + frame.height);
  function paintBand(context, i, color) {
    const y = (value) => frame.top + (1 - Math.min(Math.max(scale.y.at(value), -9), 9)) * frame.height;
    const points = Array.from({length: length[i]}, (_, k) => start[i] + k);
    context.beginPath();
    points.forEach((k) => context.lineTo(xs[k], y(band.high[k])));
    points.reverse().forEach((k) => context.lineTo(xs[k], y(band.low[k])));
    context.globalAlpha = 0.18;
    context.fillStyle = color;
    context.fill();
    context.globalAlpha = 1;
  }
}

/** The row whose curve is nearest to a point of the picture, or −1. */
function nearestCurve(x, y) {
  if (!drawnCurves) return -1;
  const i = nearestLine(drawnCurves, drawnCurves.order, x, y, 30);
  return i < 0 ? -1 : drawnCurves.rows[i];
}

/** What the box by the pointer adds: the value of the metric at the report next to the pointer. */
function atPointer(row, x) {
  const i = drawnCurves.rows.indexOf(row);
  if (i < 0) return [];
  const begin = drawnCurves.start[i], end = begin + drawnCurves.length[i];
  let k = Math.min(firstFrom(drawnCurves.xs, begin, end, x), end - 1);
  if (k > begin && x - drawnCurves.xs[k - 1] < drawnCurves.xs[k] - x) k--;
  const at = state.x === 'step' ? `step ${shown(drawnCurves.x[k])}` : duration(drawnCurves.x[k]);
  const seeds = drawnCurves.seeds ? ` (mean of ${drawnCurves.seeds[i]} seeds)` : '';
  return [`${drawnCurves.metric.name} ${shown(drawnCurves.y[k])} at ${at}${seeds}`];
}

function startCurves() {
  const picture = pictureOf('curves', {
    needs: ['metric', 'x', 'smooth', 'logx', 'logy', 'seeds', 'keep', 'color'], draw: drawCurves, mark: markCurves,
  });
  followPointer(picture.box, nearestCurve, atPointer);
}
