// What was done to trials while they trained: marks on their curves, and the branches that ended with a rollback.
let drawnMarks = [];

/** Whether branches that ended are drawn: they are known by step, as they were reported, in the sweep's own metric. */
const showsEnded = ({name: shownName}) => (
  shownName === sweep.documents.acts.metric && state.x === 'step' && !state.smooth);

/** The branches that ended, faint. */
function paintEnded(context, {metric, across, place}) {
  context.setLineDash([5, 4]);
  for (const {points} of showsEnded(metric) ? sweep.documents.acts.branches : []) {
    const xs = points.map(([step]) => across(step)), ys = points.map(([, value]) => place(value));
    paintLines(context, {start: [0], length: [xs.length], xs, ys}, [0], () => colors().faint, 1);
  }
  context.setLineDash([]);
}

/** Where a mark is: at the last report up to its step, or on a branch that ended; null: on nothing that is drawn. */
function markPlace({trial, step, value}, {metric, lineOf, start, length, steps, xs, ys, across, place}) {
  const i = lineOf(rowOf(trial));
  if (value !== null) return showsEnded(metric) ? {x: across(step), y: place(value)} : null;
  if (i === undefined) return null;
  let k = Math.max(firstFrom(steps, start[i], start[i] + length[i], step + 1) - 1, start[i]);
  while (k > start[i] && Number.isNaN(ys[k])) k--;
  return {x: xs[k], y: ys[k]};
}

/** Find where the marks are on the curves as they are drawn now; what lies outside is at the edge. */
function placeMarks(curves) {
  const {top, height} = curves.frame, {marks} = sweep.documents.acts;
  const found = marks.map((mark) => [mark, markPlace(mark, curves)]);
  drawnMarks = found.filter(([, at]) => at).map(([mark, {x, y}]) => ({...mark, x, y: clamp(y, top, top + height)}));
}

function paintMarks(context) {
  const look = {color: 'ink', align: 'center', size: 13, halo: true};
  for (const {symbols, x, y} of drawnMarks) write(context, symbols, x, y, look);
}

/** The mark under the pointer. */
const markAt = (x, y) => drawnMarks.find((one) => Math.hypot(one.x - x, one.y - y) < 9);

const tellActs = ({documents: {acts}}) => fill('acts-list', acts.rows, (rows) => rows.map(textRow));
