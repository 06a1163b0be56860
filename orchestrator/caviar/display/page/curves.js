// Learning curves: one line a trial, or one with a band where a configuration was trained with several seeds.
const X_NAMES = {step: 'step', compute: 'time since the trial began', seconds: 'time since the sweep began'};
let drawnCurves = null;
const shownMetric = () => sweep.metrics.find((one) => one.name === state.metric && one.y.length) || sweep.metrics[0];

/**
 * The curves of a metric as lines, the best first: rows, start, length, steps, x, y; of groups also low and high.
 * `lineOf` gives the line of a row, or of its group.
 */
function curveLines(metric) {
  const key = [metric.name, state.x, state.smooth, state.seeds].join(' ');
  if (sweep.lines && sweep.lines.key === key) return sweep.lines;
  const {start, length} = sweep.table, rows = Array.from(sweep.order).filter((row) => length[row] && metric.y.length);
  const y = state.smooth ? new Float64Array(metric.y.length) : metric.y;
  if (state.smooth) for (const row of rows) smoothed(metric.y, start[row], length[row], state.smooth, y);
  const own = {start: rows.map((row) => start[row]), length: rows.map((row) => length[row])};
  const lines = {rows, ...own, steps: sweep.table.points.get(' step'), x: xValues(), y};
  const grouped = state.seeds && sweep.grouped, made = grouped ? groupedLines(lines) : lines;
  const nameOf = (row) => (grouped ? sweep.group[row] : row);
  const byName = new Map(made.rows.map((row, i) => [nameOf(row), i]));
  sweep.lines = {...made, key, lineOf: (row) => byName.get(nameOf(row))};
  return sweep.lines;
}

function xValues() {
  const {points, start, length} = sweep.table, seconds = points.get(' seconds');
  if (state.x === 'step' || !seconds) return points.get(' step') || new Float64Array(0);
  if (state.x === 'compute') return seconds;
  const clock = seconds.slice();
  for (let row = 0; row < sweep.n; row++) {
    for (let k = start[row]; k < start[row] + length[row]; k++) clock[k] += sweep.started[row];
  }
  return clock;
}

/** One line a configuration: the mean of its seeds at the steps that all of them reached, and from least to most. */
function groupedLines(lines) {
  const {steps} = lines, mean = (xs) => xs.reduce((sum, x) => sum + x / xs.length, 0);
  const made = {rows: [], start: [], length: [], seeds: [], steps: [], x: [], y: [], low: [], high: []};
  for (const members of Map.groupBy(lines.rows.keys(), (i) => sweep.group[lines.rows[i]]).values()) {
    const all = members.flatMap((i) => Array.from({length: lines.length[i]}, (_, k) => lines.start[i] + k));
    const at = Array.from(Map.groupBy(all.filter((k) => !Number.isNaN(lines.y[k])), (k) => steps[k]));
    const most = at.reduce((count, [, reports]) => Math.max(count, reports.length), 0);
    const full = at.filter(([, reports]) => reports.length === most).sort(([a], [b]) => a - b);
    const [xs, ys] = [lines.x, lines.y].map((values) => full.map(([, reports]) => reports.map((k) => values[k])));
    const own = {rows: [lines.rows[members[0]]], seeds: [members.length], start: [made.x.length], length: [ys.length]};
    Object.assign(own, {steps: full.map(([step]) => step), x: xs.map(mean), y: ys.map(mean)});
    Object.assign(own, {low: ys.map((all) => Math.min(...all)), high: ys.map((all) => Math.max(...all))});
    for (const [key, values] of Object.entries(own)) made[key].push(...values);
  }
  return made;
}

/** The scale of y: logarithmic where that suits, or as it is asked for, if there are positive values. */
function curveScale({axis: {log, ends, log_ends: logEnds}}) {
  const asked = (state.logy ?? log) && logEnds !== null;
  return scaleOf(...(asked ? logEnds : ends), asked);
}

function xScale(lines) {
  const [low, high, positive] = lines.span ||= extent(lines.x);
  const label = state.x === 'step' ? shown : duration;
  if (low === high) return scaleOf(low - 1, high + 1, false, (tick) => (tick === low ? label(tick) : ''));
  if (!state.logx || !(positive < high)) return scaleOf(low, high, false, label);
  return scaleOf(low > 0 ? low : positive / 2, high, true, label);
}

function drawCurves(picture) {
  const metric = shownMetric(), lines = curveLines(metric);
  const base = fit(picture.pair), scale = {x: xScale(lines), y: curveScale(metric)};
  const left = labelRoom(base, scale.y.ticks(7)), {width, height} = picture.pair;
  const frame = {left, top: 10, width: width - left - 54, height: height - 34, right: 54};
  // Far outliers are kept near the canvas: numbers beyond that only cost time.
  const place = (y) => 10 + (1 - clamp(scale.y.at(y), -9, 9)) * frame.height;
  const across = (x) => left + (scale.x.log && x <= 0 ? 0 : Math.max(scale.x.at(x), 0)) * frame.width;
  const xs = placed(lines, 'x', scale.x, frame, across), ys = placed(lines, 'y', scale.y, frame, place);
  const kept = keptRows(sweep, state.keep), order = lines.rows.map((_, i) => i), color = rowColors();
  const isKept = (i) => !kept || kept[lines.rows[i]];
  drawnCurves = {...lines, xs, ys, frame, across, place, metric, order: order.filter(isKept)};
  drawAxes(base, frame, scale.x.ticks(Math.max(2, Math.floor(frame.width / 70))), scale.y.ticks(7));
  inFrame(base, frame);
  paintEnded(base, drawnCurves);
  paintLines(base, drawnCurves, order.filter((i) => !isKept(i)), () => colors().off, 1);
  paintLines(base, drawnCurves, drawnCurves.order.toReversed(), (i) => color(lines.rows[i]), lineWidthOf(order.length));
  base.restore();
  placeMarks(drawnCurves);
  return picture.say(curvesSentence(metric, lines, scale.y.high * 1.001));
}

/** Where the points of lines are along one axis, found anew only when the axis or the frame is another. */
function placed(lines, axis, {low, high, log}, {left, width, height}, place) {
  const key = [low, high, log, left, width, height].join(' '), slot = `${axis}Placed`;
  if (lines[slot]?.key === key) return lines[slot].places;
  lines[slot] = {key, places: new Float64Array(lines[axis].length)};
  for (let k = 0; k < lines[axis].length; k++) lines[slot].places[k] = place(lines[axis][k]);
  return lines[slot].places;
}

/** What is painted until `restore` stays within the frame. Clipping between two pixels would double what lines cost. */
function inFrame(context, {left, top, width, height}) {
  const {a: ratio} = context.getTransform(), whole = (x) => Math.round(x * ratio) / ratio;
  context.save();
  context.beginPath();
  context.rect(whole(left), whole(top - 4), whole(width + 3), whole(height + 5));
  context.clip();
}

function curvesSentence(metric, {rows, low, y}, high) {
  const what = counted(rows.length, low ? 'configuration' : 'trial');
  return sentences(`${metric.name} by ${X_NAMES[state.x] || state.x}: ${what}.`,
    low && 'Each line is the mean of its seeds, the band goes from the lowest to the highest.',
    parameterOf(state.color) ? `Coloured by ${state.color}.` : 'The stronger the colour, the better the rank.',
    sweep.best >= 0 && `${name(sweep.best)} is the best, orange.`,
    y.some((value) => value > high) && `Values over ${shown(high)} lie outside.`);
}

function markCurves({pair}) {
  const over = cleared(pair, pair.over), labels = [];
  if (!drawnCurves) return;
  const {frame, low, lineOf} = drawnCurves;
  inFrame(over, frame);
  for (const [row, color] of markedRows()) {
    const i = lineOf(row);
    if (i === undefined) continue;
    if (low) paintBand(over, i, colors()[color]);
    labels.push(paintMarked(over, drawnCurves, i, row, color));
  }
  over.restore();
  paintMarks(over);
  endLabels(over, labels, frame.left + frame.width + 6, frame.top + 6, frame.top + frame.height);
}

function paintBand(context, i, color) {
  const {start, length, xs, low, high, place} = drawnCurves;
  const points = Array.from({length: length[i]}, (_, k) => start[i] + k);
  context.beginPath();
  points.forEach((k) => context.lineTo(xs[k], place(high[k])));
  points.reverse().forEach((k) => context.lineTo(xs[k], place(low[k])));
  Object.assign(context, {globalAlpha: 0.18, fillStyle: color});
  context.fill();
  context.globalAlpha = 1;
}

/** What the box by the pointer adds: the value of the metric at the report next to the pointer, and what was done. */
function atPointer(row, x, y) {
  const {start, length, xs, seeds, metric, lineOf} = drawnCurves, i = lineOf(row);
  const begin = start[i], end = begin + length[i];
  let k = Math.min(firstFrom(xs, begin, end, x), end - 1);
  if (k > begin && x - xs[k - 1] < xs[k] - x) k--;
  const at = state.x === 'step' ? `step ${shown(drawnCurves.x[k])}` : duration(drawnCurves.x[k]);
  const mean = seeds ? ` (mean of ${counted(seeds[i], 'seed')})` : '';
  return [`${metric.name} ${shown(drawnCurves.y[k])} at ${at}${mean}`, ...(markAt(x, y)?.said || [])];
}

function startCurves() {
  const needs = ['metric', 'x', 'smooth', 'logx', 'logy', 'seeds', 'keep', 'color'];
  const picture = pictureOf('curves', {needs, draw: drawCurves, mark: markCurves});
  followPointer(picture.box, (x, y) => {
    const marked = markAt(x, y);
    if (marked) return rowOf(marked.trial);
    const i = drawnCurves ? nearestLine(drawnCurves, drawnCurves.order, x, y, 30) : -1;
    return i < 0 ? -1 : drawnCurves.rows[i];
  }, atPointer);
}
