// Who ran when: a bar a trial in the lane of its slot; of very many trials, how many slots were busy.

let bars = [];

function drawSlots(picture) {
  const chart = (sweep.documents.charts || {}).utilisation;
  picture.pair.base.hidden = picture.pair.over.hidden = Boolean(chart);
  picture.lane.hidden = !chart;
  if (chart) {
    picture.say(chart.said || 'How many trials ran at a time.');
    return drawChart(picture.lane, chart);
  }
  const ran = Array.from(sweep.order).filter((row) => !Number.isNaN(sweep.started[row]));
  if (!ran.length) return nothing(picture, 'slots', 'No trial has begun yet.');
  const slots = 1 + ran.reduce((most, row) => Math.max(most, sweep.slot[row] || 0), 0);
  picture.box.style.height = `${Math.min(Math.max(slots * 22, 44), 420) + 34}px`;
  const [base] = fit(picture.pair);
  const until = sweep.documents.sweep.elapsed_s || 0;
  const end = (row) => (Number.isNaN(sweep.ended[row]) ? Math.max(until, sweep.started[row]) : sweep.ended[row]);
  const scale = scaleOf(0, ran.reduce((last, row) => Math.max(last, end(row)), 1), false, duration);
  const frame = {left: 56, top: 6, width: picture.pair.width - 72, height: picture.pair.height - 34, right: 16};
  const tall = frame.height / slots;
  const every = Math.ceil(14 / tall);
  const lanes = Array.from({length: slots}, (_, i) => i).filter((i) => i % every === 0);
  drawAxes(base, frame, scale.ticks(Math.floor(frame.width / 80)), lanes.map((i) => [1 - (i + 0.5) / slots, `slot ${i}`]), {grid: false});
  const kept = keptRows(sweep, state.keep);
  const color = rowColors(sweep);
  bars = ran.map((row) => ({
    row, x: frame.left + scale.at(sweep.started[row]) * frame.width, y: frame.top + (sweep.slot[row] || 0) * tall + 1,
    width: Math.max((scale.at(end(row)) - scale.at(sweep.started[row])) * frame.width - 0.75, 0.75), height: Math.max(tall - 3, 1),
  }));
  for (const {row, x, y, width, height} of bars) {
    const counts = sweep.rank[row] < sweep.usable && (!kept || kept[row]);
    base.fillStyle = counts ? color(row) : colors().off;
    base.fillRect(x, y, width, height);
    if (sweep.rank[row] >= sweep.usable) strike(base, x, y, width, height);
  }
  const failed = ran.length - sweep.usable;
  const crossed = failed > 0 ? ` ${failed} without a usable value are struck through.` : '';
  return picture.say(`Each bar is a trial, the stronger the better its rank; ${counted(slots, 'slot')}.${crossed}`);
}

/** A line through a bar: without a usable value, told apart without a colour of its own. */
function strike(context, x, y, width, height) {
  context.lineWidth = 1;
  line(context, x, y + height / 2, x + width, y + height / 2, colors().faint);
}

function markSlots(picture) {
  const over = cleared(picture.pair, picture.pair.over);
  const marks = markedRows();
  for (const {row, x, y, width, height} of bars) {
    if (!marks.has(row)) continue;
    over.fillStyle = colors()[marks.get(row)];
    over.fillRect(x, y, Math.max(width, 2), height);
  }
}

function startSlots() {
  const picture = pictureOf('slots', {needs: ['keep', 'color'], draw: drawSlots, mark: markSlots});
  picture.lane = make('div', {class: 'chart', hidden: true});
  picture.box.append(picture.lane);
  followPointer(picture.box, (x, y) => {
    if (!picture.lane.hidden) return -1;
    const bar = bars.find((one) => x >= one.x - 1 && x <= one.x + one.width + 1 && y >= one.y && y <= one.y + one.height);
    return bar ? bar.row : -1;
  }, (row) => [`${duration(sweep.seconds[row])} from ${duration(sweep.started[row])} on`]);
}
