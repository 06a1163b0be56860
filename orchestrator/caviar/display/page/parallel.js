// Parallel coordinates: one line a trial through all parameters to the value; dragging along an axis selects.

const MOST_AXES = 12;
const MANY = 2000;
let drawnParallel = null;

/** The axes from left to right: the most important parameters, then the value, its best end on top. */
function parallelAxes(sweep) {
  const scale = valueScale(sweep);
  const value = {
    name: sweep.documents.sweep.metric, label: sweep.documents.sweep.metric, u: valuePlaces(sweep), spreadU: valuePlaces(sweep), ticks: scale.ticks(8),
    flip: sweep.documents.sweep.mode !== 'max', text: (u) => shown(scale.value(u)), value: true,
  };
  const parameters = sweep.parameters.slice(0, window.innerWidth < 600 ? 4 : MOST_AXES);
  return [...parameters.map((one) => ({...one, label: one.name, text: (u) => nearTick(one, u)})), value];
}

/** What an axis reads at a place, roughly: the label of the tick next to it. */
function nearTick({ticks}, u) {
  const near = ticks.reduce((best, tick) => (best && Math.abs(best[0] - u) <= Math.abs(tick[0] - u) ? best : tick), null);
  return near ? `about ${near[1]}` : shown(u);
}

function layoutParallel(picture) {
  const [base] = fit(picture.pair);
  const {width, height} = picture.pair;
  const axes = parallelAxes(sweep);
  const narrow = width < 600;
  const frame = {left: narrow ? 24 : 34, top: 44, width: width - (narrow ? 24 + 70 : 34 + 100), height: height - 44 - 14};
  const gap = frame.width / (axes.length - 1);
  axes.forEach((axis, k) => {
    axis.x = frame.left + k * gap;
    axis.y = (u) => frame.top + (axis.flip ? u : 1 - u) * frame.height;
  });
  return {base, axes, frame, gap, ...throughAxes(axes), key: `${width}×${height}`};
}

/** The lines as points, as curves are: bent between two axes, so that they can be followed, and straight by thousands. */
function throughAxes(axes) {
  const parts = sweep.n > MANY ? 1 : 10;
  const count = (axes.length - 1) * parts + 1;
  const xs = new Float32Array(sweep.n * count), ys = new Float32Array(sweep.n * count);
  for (let k = 0; k < count; k++) {
    const left = axes[Math.floor(k / parts)], right = axes[Math.ceil(k / parts)];
    const t = (k % parts) / parts, bent = t * t * (3 - 2 * t);
    const x = left.x + t * (right.x - left.x);
    for (let row = 0; row < sweep.n; row++) {
      const y0 = left.y(left.spreadU[row]), y1 = right.y(right.spreadU[row]);
      xs[row * count + k] = x;
      ys[row * count + k] = y0 + bent * (y1 - y0);
    }
  }
  const start = Uint32Array.from({length: sweep.n}, (_, row) => row * count);
  return {xs, ys, start, length: new Uint32Array(sweep.n).fill(count)};
}

/** The faint lines of all trials: painted once, for a selection does not change them. */
function backdrop(picture, drawn, order) {
  if (picture.backdrop && picture.backdropKey === `${drawn.key} ${sweep.version} ${sweep.id} ${colors().off}`) return picture.backdrop;
  picture.backdropKey = `${drawn.key} ${sweep.version} ${sweep.id} ${colors().off}`;
  picture.backdrop = make('canvas');
  Object.assign(picture.backdrop, {width: picture.pair.base.width, height: picture.pair.base.height});
  const context = picture.backdrop.getContext('2d');
  context.setTransform(picture.pair.ratio, 0, 0, picture.pair.ratio, 0, 0);
  paintLines(context, drawn, order, () => colors().off, 0.7);
  return picture.backdrop;
}

function drawParallel(picture) {
  if (!sweep.parameters.length || !sweep.n) return nothing(picture, 'parallel', 'No trial has begun yet.');
  picture.box.hidden = false;
  const drawn = layoutParallel(picture);
  const worstFirst = Array.from(sweep.order).reverse();
  const kept = keptRows(sweep, state.keep);
  const ranked = worstFirst.filter((row) => !kept || kept[row]);
  // Among thousands only the best tenth is told apart; the others are the ground that it stands on.
  const most = Math.max(Math.ceil(sweep.usable / 10), 100);
  const strong = ranked.length > MANY ? ranked.slice(-most) : ranked;
  drawnParallel = {...drawn, kept, strong: Array.from(strong).reverse()};
  const {base} = drawn;
  base.setTransform(1, 0, 0, 1, 0, 0);
  if (kept || strong.length < worstFirst.length) base.drawImage(backdrop(picture, drawn, worstFirst), 0, 0);
  base.setTransform(picture.pair.ratio, 0, 0, picture.pair.ratio, 0, 0);
  const place = new Map(strong.map((row, i) => [row, i / strong.length]));
  const color = strong.length < ranked.length && state.color === 'rank'
    ? (row) => colors().ranks[shadeOf(place.get(row) ** 2)] : rowColors(sweep);
  paintLines(base, drawn, strong, color, strong.length > 400 ? 0.7 : lineWidthOf(strong.length));
  drawn.axes.forEach((axis) => drawParallelAxis(base, drawn, axis));
  placeHandles(picture, drawn);
  return sayParallel(picture, ranked, strong);
}

function drawParallelAxis(context, {frame, gap}, axis) {
  context.lineWidth = 1;
  line(context, axis.x, frame.top, axis.x, frame.top + frame.height, colors().faint);
  const ticks = axis.ticks.map(([u, label]) => [axis.y(u), label]).sort((a, b) => a[0] - b[0]);
  let last = -Infinity;
  for (const [y, label] of ticks) {
    if (y - last < 15 || y < frame.top - 1 || y > frame.top + frame.height + 1) continue;
    // A halo of the ground's colour: labels are read over any number of lines.
    write(context, cut(context, label, gap - 16), axis.x + 6, y, {halo: true, color: 'ink', size: 10.5});
    last = y;
  }
  const range = state.keep[axis.name];
  if (!range) return;
  const [top, bottom] = range.map(axis.y).sort((a, b) => a - b);
  context.fillStyle = colors().ink;
  context.globalAlpha = 0.22;
  context.fillRect(axis.x - 7, top, 14, bottom - top);
  context.globalAlpha = 1;
  context.fillRect(axis.x - 7, top - 1, 14, 2);
  context.fillRect(axis.x - 7, bottom - 1, 14, 2);
}

function sayParallel(picture, ranked, strong) {
  const left = sweep.parameters.length - (drawnParallel.axes.length - 1);
  const best = strong.length < ranked.length ? ` Of ${ranked.length} trials the best ${strong.length} are drawn strong.` : '';
  const more = left > 0 ? ` ${left} less important parameters are left out here; the table has them.` : '';
  const selected = drawnParallel.kept ? ` ${ranked.length} of ${sweep.n} are selected.` : '';
  picture.say(`Each line is a trial; the best values are on top of the last axis. Drag along an axis to select: all pictures follow.${best}${more}${selected}`);
}

function markParallel(picture) {
  const over = cleared(picture.pair, picture.pair.over);
  if (!drawnParallel || picture.box.hidden) return;
  const labels = [];
  const {axes, ys, start, length, frame} = drawnParallel;
  for (const [row, color] of markedRows()) {
    paintLines(over, drawnParallel, [row], () => colors().card, 5);
    paintLines(over, drawnParallel, [row], () => colors()[color], row === hotRow() ? 3 : 2.25);
    labels.push([ys[start[row] + length[row] - 1], name(row), color]);
  }
  for (const axis of axes) drawParallelAxis(over, drawnParallel, axis);
  endLabels(over, labels, axes.at(-1).x + (picture.pair.width < 600 ? 34 : 48), frame.top, frame.top + frame.height);
}

/**
 * The names over the axes are controls: arrows move what is selected, with Shift they widen and narrow it, Delete or
 * Escape lets go. They are made once, so that the one that has the focus keeps it.
 */
function placeHandles(picture, {axes, gap}) {
  const key = axes.map((axis) => axis.name).join('\n');
  if (picture.handles !== key) {
    picture.handles = key;
    picture.box.querySelectorAll('button').forEach((button) => button.remove());
    for (const axis of axes) {
      picture.box.append(make('button', {
        class: 'axis', text: axis.label, title: axis.label, role: 'slider', 'aria-label': `select by ${axis.label}`,
        'aria-valuemin': 0, 'aria-valuemax': 100, onkeydown: (event) => moveRange(event, axis.name),
      }));
    }
  }
  picture.box.querySelectorAll('button').forEach((button, k) => {
    const axis = axes[k], range = state.keep[axis.name];
    button.style.left = `${axis.x}px`;
    button.style.maxWidth = `${gap - 6}px`;
    button.classList.toggle('chosen', Boolean(range));
    button.setAttribute('aria-valuenow', Math.round(50 * (range ? range[0] + range[1] : 1)));
    button.setAttribute('aria-valuetext', range ? `${axis.text(range[0])} to ${axis.text(range[1])}` : 'all');
  });
}

function moveRange(event, name) {
  const up = {ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1}[event.key];
  if (event.key === 'Delete' || event.key === 'Backspace') return keep(name, null);
  if (!up) return undefined;
  event.preventDefault();
  const [low, high] = state.keep[name] || [0.4, 0.6];
  const by = (drawnParallel.axes.find((axis) => axis.name === name).flip ? -up : up) * 0.05;
  if (!state.keep[name]) return keep(name, [low, high]);
  const [from, to] = event.shiftKey ? [low - Math.abs(by) * up, high + Math.abs(by) * up] : [low + by, high + by];
  return from < to && (event.shiftKey || (from >= -0.001 && to <= 1.001)) ? keep(name, [Math.max(from, 0), Math.min(to, 1)]) : undefined;
}

/** Select on an axis, or with null let it go. */
function keep(name, range, touched = null) {
  const ranges = Object.assign(Object.create(null), state.keep);
  if (range) ranges[name] = range;
  else delete ranges[name];
  set({keep: ranges}, touched);
}

function startParallel() {
  const picture = pictureOf('parallel', {needs: ['keep', 'color'], draw: drawParallel, mark: markParallel});
  const {box} = picture;
  let drag = null;
  const place = (axis, y) => {
    const t = Math.min(Math.max((y - drawnParallel.frame.top) / drawnParallel.frame.height, 0), 1);
    return axis.flip ? t : 1 - t;
  };
  box.addEventListener('pointerdown', (event) => {
    if (!drawnParallel || event.target.tagName === 'BUTTON') return;
    const axis = drawnParallel.axes.find((one) => Math.abs(one.x - event.offsetX) < 16);
    if (!axis) return;
    drag = {axis, from: place(axis, event.offsetY), moved: false};
    box.setPointerCapture(event.pointerId);
    hideHint();
  });
  box.addEventListener('pointermove', (event) => {
    if (!drag) return;
    const frame = box.getBoundingClientRect();
    const to = place(drag.axis, event.clientY - frame.top);
    drag.moved ||= Math.abs(to - drag.from) > 0.01;
    if (drag.moved) keep(drag.axis.name, [Math.min(drag.from, to), Math.max(drag.from, to)], picture);
  });
  const release = () => {
    if (drag && !drag.moved) keep(drag.axis.name, null);
    drag = null;
  };
  box.addEventListener('pointerup', release);
  box.addEventListener('pointercancel', release);
  followPointer(box, (x, y) => (drawnParallel ? nearestLine(drawnParallel, drawnParallel.strong, x, y, 14) : -1));
}
