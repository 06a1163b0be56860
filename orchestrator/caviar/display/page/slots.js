// Who ran when: a bar a trial in the lane of its slot.
let bars = [];

function drawSlots(picture) {
  const {pair, box} = picture;
  bars = [];
  const ran = Array.from(sweep.order).filter((row) => !Number.isNaN(sweep.started[row] + sweep.slot[row]));
  const slots = 1 + ran.reduce((most, row) => Math.max(most, sweep.slot[row]), 0);
  box.style.height = `${clamp(slots * 22, 44, 420) + 34}px`;
  const base = fit(pair), until = sweep.documents.sweep.elapsed_s || 0;
  const kept = keptRows(sweep, state.keep), color = rowColors();
  const end = (row) => (Number.isNaN(sweep.ended[row]) ? Math.max(until, sweep.started[row]) : sweep.ended[row]);
  const scale = scaleOf(0, ran.reduce((last, row) => Math.max(last, end(row)), 1e-3), false, duration);
  const frame = {left: 62, top: 6, width: pair.width - 78, height: pair.height - 34, right: 16};
  const tall = frame.height / slots, height = Math.max(tall - 3, 1);
  const lanes = Array.from({length: slots}, (_, i) => [1 - (i + 0.5) / slots, `slot ${i}`]);
  drawAxes(base, frame, scale.ticks(Math.floor(frame.width / 80)), lanes, false);
  for (const row of ran) {
    const [x, to] = [sweep.started[row], end(row)].map((s) => frame.left + scale.at(s) * frame.width);
    const y = frame.top + sweep.slot[row] * tall + 1, width = Math.max(to - x - 0.75, 0.75);
    bars.push({row, x, y, width, height});
    base.fillStyle = isUsable(row) && (!kept || kept[row]) ? color(row) : colors().off;
    base.fillRect(x, y, width, height);
    // Without a usable value: told apart without a colour of its own.
    if (!isUsable(row)) line(base, x, y + height / 2, x + width, y + height / 2, colors().faint);
  }
  const struck = ran.filter((row) => !isUsable(row)).length;
  picture.say(sentences(`Each bar is a trial, the stronger the better its rank; ${counted(slots, 'slot')}.`,
    struck > 0 && `Struck through: ${struck} without a usable value.`));
}

function markSlots({pair}) {
  const over = cleared(pair, pair.over), marks = markedRows();
  for (const {row, x, y, width, height} of bars.filter((bar) => marks.has(bar.row))) {
    over.fillStyle = colors()[marks.get(row)];
    over.fillRect(x, y, Math.max(width, 2), height);
  }
}

function startSlots() {
  const picture = pictureOf('slots', {needs: ['keep', 'color'], draw: drawSlots, mark: markSlots});
  followPointer(picture.box, (x, y) => {
    const over = (at, from, length) => at >= from - 1 && at <= from + length + 1;
    return (bars.find((bar) => over(x, bar.x, bar.width) && over(y, bar.y, bar.height)) || {row: -1}).row;
  }, (row) => [`${duration(sweep.seconds[row])} from ${duration(sweep.started[row])} on`]);
}
