// Parallel coordinates: one line a trial through all parameters to the value; dragging along an axis selects.
const MOST_AXES = 12, MANY = 2000;
let drawnParallel = null;

/** The axes from left to right: the most important parameters, then the value, its best end on top. */
function parallelAxes({left, top, width, height}, narrow) {
  const scale = valueScale(sweep), u = valuePlaces(sweep);
  const value = {name: sweep.metric, u, dots: u, ticks: scale.ticks(8), text: (t) => shown(scale.value(t))};
  // What a parameter's axis reads at a place, roughly, is the label of the tick next to it.
  const text = (ticks) => (t) => `about ${ticks.toSorted((a, b) => Math.abs(a[0] - t) - Math.abs(b[0] - t))[0]?.[1]}`;
  const some = sweep.parameters.slice(0, narrow ? 4 : MOST_AXES).map((one) => ({...one, text: text(one.ticks)}));
  return [...some, value].map((axis, k) => {
    const flip = axis === value && sweep.mode !== 'max', x = left + (k * width) / some.length;
    return {...axis, flip, x, y: (t) => top + (flip ? t : 1 - t) * height};
  });
}

/** The lines as points, as curves are: bent between axes, so that they can be followed, and straight by thousands. */
function throughAxes(axes) {
  const parts = sweep.n > MANY ? 1 : Math.max(10, Math.round((axes[1].x - axes[0].x) / 8));
  const count = (axes.length - 1) * parts + 1;
  const xs = new Float32Array(sweep.n * count), ys = new Float32Array(sweep.n * count);
  for (let k = 0; k < count; k++) {
    const left = axes[Math.floor(k / parts)], right = axes[Math.ceil(k / parts)], t = (k % parts) / parts;
    for (let row = 0; row < sweep.n; row++) {
      const y = left.y(left.dots[row]);
      xs[row * count + k] = left.x + t * (right.x - left.x);
      ys[row * count + k] = y + t * t * (3 - 2 * t) * (right.y(right.dots[row]) - y);
    }
  }
  const start = Uint32Array.from({length: sweep.n}, (_, row) => row * count);
  return {xs, ys, start, length: new Uint32Array(sweep.n).fill(count)};
}

/** The lines, and a ground of all of them, faint: made once for a size, for a selection changes neither. */
function groundOf(picture, axes) {
  const {width, height, ratio, base} = picture.pair;
  const key = [width, height, ratio, sweep.version, sweep.id, colors().off].join(' ');
  if (picture.groundKey === key) return picture.ground;
  const lines = throughAxes(axes), canvas = make('canvas', {width: base.width, height: base.height});
  paintLines(cleared(picture.pair, canvas), lines, sweep.order.toReversed(), () => colors().off, 0.7);
  return Object.assign(picture, {groundKey: key, ground: {lines, canvas}}).ground;
}

function drawParallel(picture) {
  const base = fit(picture.pair), {width, height} = picture.pair, narrow = width < 600;
  const frame = {left: narrow ? 24 : 34, top: 44, width: width - (narrow ? 94 : 134), height: height - 58};
  const axes = parallelAxes(frame, narrow), {lines, canvas} = groundOf(picture, axes);
  const kept = keptRows(sweep, state.keep), ranked = Array.from(sweep.order).filter((row) => !kept || kept[row]);
  // Among thousands only the best tenth is told apart; the others are the ground that it stands on.
  const strong = ranked.length > MANY ? ranked.slice(0, Math.max(Math.ceil(sweep.usable / 10), 100)) : ranked;
  const few = strong.length < ranked.length, place = new Map(strong.map((row, i) => [row, 1 - i / strong.length]));
  drawnParallel = {...lines, frame, axes, gap: axes[1].x - axes[0].x, strong};
  if (strong.length < sweep.n) base.drawImage(canvas, 0, 0, width, height);
  const color = few && !parameterOf(state.color) ? (row) => colors().ranks[shadeOf(place.get(row) ** 2)] : rowColors();
  paintLines(base, lines, strong.toReversed(), color, strong.length > 400 ? 0.7 : lineWidthOf(strong.length));
  axes.forEach((axis) => drawParallelAxis(base, axis));
  placeHandles(picture);
  const left = sweep.parameters.length - axes.length + 1;
  return picture.say(sentences(picture.said.dataset.how,
    few && `Of ${counted(ranked.length, 'trial')} the best ${strong.length} are drawn strong.`,
    kept && `${ranked.length} of ${sweep.n} are selected.`,
    left > 0 && `${counted(left, 'less important parameter')} can be seen in the table only.`));
}

function drawParallelAxis(context, {x, y, ticks, name}) {
  const {frame: {top, height}, gap} = drawnParallel;
  line(context, x, top, x, top + height, colors().faint);
  for (const {at, label} of withRoom(ticks, y, () => 12, 3)) {
    // A halo of the ground's colour: labels are read over any number of lines.
    write(context, cut(context, label, gap - 16), x + 6, at, {halo: true, color: 'ink', size: 10.5});
  }
  if (!state.keep[name]) return;
  const [from, to] = state.keep[name].map(y).sort((a, b) => a - b);
  Object.assign(context, {fillStyle: colors().ink, globalAlpha: 0.22});
  context.fillRect(x - 7, from, 14, to - from);
  context.globalAlpha = 1;
  for (const end of [from, to]) context.fillRect(x - 7, end - 1, 14, 2);
}

function markParallel({pair}) {
  const over = cleared(pair, pair.over), labels = [];
  if (!drawnParallel) return;
  const {axes, frame} = drawnParallel;
  for (const [row, color] of markedRows()) labels.push(paintMarked(over, drawnParallel, row, row, color));
  for (const axis of axes) drawParallelAxis(over, axis);
  endLabels(over, labels, axes.at(-1).x + (pair.width < 600 ? 34 : 48), frame.top, frame.top + frame.height);
}

/**
 * The names over the axes are controls: arrows move what is selected, with Shift they widen and narrow it, Delete lets
 * go. They are made once, so that the one that has the focus keeps it.
 */
function placeHandles(picture) {
  const {axes, gap} = drawnParallel, key = JSON.stringify(axes.map((axis) => axis.name));
  const handles = () => picture.box.querySelectorAll('button');
  if (picture.handles !== key) {
    picture.handles = key;
    handles().forEach((handle) => handle.remove());
    picture.box.append(...axes.map(({name}) => make('button', {
      class: 'axis', text: name, title: name, role: 'slider', 'aria-label': `select by ${name}`,
      'aria-valuemin': 0, 'aria-valuemax': 100, onkeydown: (event) => moveRange(event, name),
    })));
  }
  handles().forEach((handle, k) => {
    const {name, x, text} = axes[k], range = state.keep[name];
    Object.assign(handle.style, {left: `${x}px`, maxWidth: `${gap - 6}px`});
    handle.classList.toggle('chosen', Boolean(range));
    handle.setAttribute('aria-valuenow', Math.round(50 * (range ? range[0] + range[1] : 1)));
    handle.setAttribute('aria-valuetext', range ? `${text(range[0])} to ${text(range[1])}` : 'all');
  });
}

function moveRange(event, name) {
  if (event.key === 'Delete' || event.key === 'Backspace') keep(name, null);
  const up = {ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1}[event.key];
  if (!up) return;
  event.preventDefault();
  const {flip} = drawnParallel.axes.find((axis) => axis.name === name);
  const by = up * (flip && !event.shiftKey ? -0.05 : 0.05);
  const [low, high] = state.keep[name] || [0.4 - by, 0.6 - by];
  const [from, to] = [low + (event.shiftKey ? -by : by), high + by];
  if (from < to && (event.shiftKey || (from > -0.001 && to < 1.001))) keep(name, [clamp(from, 0, 1), clamp(to, 0, 1)]);
}

/** Select on an axis, or with null let it go. */
function keep(name, range, touched = null) {
  const ranges = Object.assign(Object.create(null), state.keep, {[name]: range});
  if (!range) delete ranges[name];
  set({keep: ranges}, touched);
}

function startParallel() {
  const picture = pictureOf('parallel', {needs: ['keep', 'color'], draw: drawParallel, mark: markParallel});
  const {box} = picture;
  let drag = null, dragged = false;
  const place = ({flip}, event) => {
    const {top, height} = drawnParallel.frame, y = event.clientY - box.getBoundingClientRect().top;
    const t = clamp((y - top) / height, 0, 1);
    return flip ? t : 1 - t;
  };
  box.addEventListener('pointerdown', (event) => {
    const x = event.clientX - box.getBoundingClientRect().left;
    const axis = (drawnParallel ? drawnParallel.axes : []).find((one) => Math.abs(one.x - x) < 16);
    if (!axis || event.target.tagName === 'BUTTON') return;
    drag = {axis, from: place(axis, event), moved: false};
    box.setPointerCapture(event.pointerId);
    hideHint();
  });
  box.addEventListener('pointermove', (event) => {
    if (!drag) return;
    const ends = [drag.from, place(drag.axis, event)].sort((a, b) => a - b);
    drag.moved ||= ends[1] - ends[0] > 0.01;
    if (drag.moved) keep(drag.axis.name, ends, picture);
  });
  const release = () => {
    if (drag && !drag.moved) keep(drag.axis.name, null);
    [drag, dragged] = [null, Boolean(drag)];
  };
  // The click that ends a drag pins nothing.
  box.addEventListener('click', (event) => { if (dragged) event.stopImmediatePropagation(); dragged = false; });
  for (const end of ['pointerup', 'pointercancel']) box.addEventListener(end, release);
  followPointer(box, (x, y) => (drawnParallel ? nearestLine(drawnParallel, drawnParallel.strong, x, y, 14) : -1));
}
