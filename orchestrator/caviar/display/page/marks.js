// Canvases, the colours that ranks have, many lines on a canvas, and the line nearest to a point.
const SHADES = 24;
const byId = (id) => document.getElementById(id);

/** The element of that name with these properties and children; texts become text, never markup. */
function make(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key === 'text') element.textContent = value;
    else if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else if ((value ?? false) !== false) element.setAttribute(key, value === true ? '' : value);
  }
  element.append(...children.filter((child) => child || child === 0));
  return element;
}

let palette = null;

/** The colours of the page's style: asked once, and again after the theme has changed. */
function colors() {
  if (!palette) {
    const style = getComputedStyle(document.documentElement);
    const named = (name) => style.getPropertyValue(`--${name}`).trim();
    const names = ['ink', 'faint', 'line', 'mark', 'pale', 'best', 'band', 'off', 'card', 'warn'];
    palette = {font: getComputedStyle(document.body).fontFamily,
      ...Object.fromEntries(names.map((name) => [name, named(name)]))};
    palette.ranks = ramp([palette.pale, named('middle'), palette.mark]);
    palette.values = ramp(['a', 'b', 'c', 'd', 'e'].map((step) => named(`ramp-${step}`)));
  }
  return palette;
}

function ramp(stops) {
  const parts = stops.map((color) => [1, 3, 5].map((i) => parseInt(color.slice(i, i + 2), 16)));
  return Array.from({length: SHADES}, (_, i) => {
    const place = (i / (SHADES - 1)) * (parts.length - 1), left = Math.min(Math.floor(place), parts.length - 2);
    const mixed = parts[left].map((from, k) => Math.round(from + (place - left) * (parts[left + 1][k] - from)));
    return `rgb(${mixed.join(',')})`;
  });
}

const shadeOf = (shade) => Math.min(Math.floor(shade * SHADES), SHADES - 1);

/** For each row its colour: by rank, or by where it lies on a parameter's scale. */
function rowColors() {
  const parameter = parameterOf(state.color), {ranks, values, off} = colors();
  if (!parameter) return (row) => ranks[shadeOf(sweep.shade[row])];
  return (row) => (Number.isNaN(parameter.u[row]) ? off : values[shadeOf(parameter.u[row])]);
}

/**
 * Two canvases in a box, one over the other: marks are painted on `base`, and what follows the pointer on `over`, so
 * that hovering never paints the marks again.
 */
function layers(box, label) {
  box.classList.add('layers');
  const pair = {box, base: make('canvas', {role: 'img', ...label}), over: make('canvas', {'aria-hidden': 'true'})};
  box.append(pair.base, pair.over);
  return pair;
}

/** Give both canvases the size that their box has now; the context of the first, with nothing on either. */
function fit(pair) {
  pair.ratio = Math.min(window.devicePixelRatio || 1, 2);
  [pair.width, pair.height] = [pair.box.clientWidth, pair.box.clientHeight];
  for (const canvas of [pair.base, pair.over]) {
    [canvas.width, canvas.height] = [Math.round(pair.width * pair.ratio), Math.round(pair.height * pair.ratio)];
  }
  return cleared(pair, pair.base);
}

/** The context of a canvas, in units of CSS pixels, with nothing on it. */
function cleared(pair, canvas) {
  const context = canvas.getContext('2d');
  context.setTransform(pair.ratio, 0, 0, pair.ratio, 0, 0);
  context.clearRect(0, 0, pair.width, pair.height);
  context.lineJoin = 'round';
  return context;
}

function write(context, text, x, y, {color = 'faint', align = 'left', size = 11, bold = false, halo = false} = {}) {
  const face = {font: `${bold ? '600 ' : ''}${size}px ${colors().font}`, textAlign: align, textBaseline: 'middle'};
  Object.assign(context, face, {fillStyle: colors()[color], strokeStyle: colors().card, lineWidth: 4});
  if (halo) context.strokeText(text, x, y);
  context.fillText(text, x, y);
}

function textWidth(context, size = 11) {
  context.font = `${size}px ${colors().font}`;
  return (text) => context.measureText(text).width;
}

/** A text cut to a width, with an ellipsis. */
function cut(context, text, width) {
  const measure = textWidth(context);
  if (measure(text) <= width) return text;
  const letters = Array.from(text.slice(0, 200));
  while (letters.length > 1 && measure(`${letters.join('')}…`) > width) letters.pop();
  return `${letters.join('')}…`;
}

/** The room that the labels left of a frame need. */
const labelRoom = (context, ticks) =>
  14 + clamp(Math.max(...ticks.map(([, label]) => textWidth(context)(label))), 20, 96);

/** Grid lines and labels of both axes around the frame {left, top, width, height}; ticks are [place, label]. */
function drawAxes(context, frame, xTicks, yTicks, grid = true) {
  const {left, top, width, height} = frame, bottom = top + height + 0.5;
  const inside = ([t]) => t > -0.001 && t < 1.001;
  for (const {at, label} of withRoom(yTicks.filter(inside), (t) => top + (1 - t) * height, () => 12, 1)) {
    if (grid) line(context, left, Math.round(at) + 0.5, left + width, Math.round(at) + 0.5, colors().line);
    write(context, cut(context, label, left - 10), left - 8, at, {align: 'right'});
  }
  line(context, left, bottom, left + width, bottom, colors().line);
  // Of choices none is left out: each has the width of its part.
  const room = frame.share ? width / xTicks.length - 4 : Infinity;
  const columns = xTicks.filter(inside).map(([t, label]) => [t, cut(context, label, room)]);
  const measure = textWidth(context);
  for (const {at, label} of withRoom(columns, (t) => left + t * width, measure, frame.share ? 2 : 8)) {
    // A label at an end stays within the canvas rather than being cut off.
    const half = measure(label) / 2;
    write(context, label, clamp(at, half, left + width + (frame.right || 6) - half), bottom + 13, {align: 'center'});
  }
}

function line(context, x0, y0, x1, y1, color) {
  Object.assign(context, {strokeStyle: color, lineWidth: 1});
  context.beginPath();
  context.moveTo(x0, y0);
  context.lineTo(x1, y1);
  context.stroke();
}

/** Lines of few rows are drawn strong, those of hundreds fine. */
const lineWidthOf = (count) => (count <= 60 ? 1.75 : count <= 150 ? 1.25 : 1);

/**
 * Paint some of many lines: line i has the points from start[i] on, length[i] of them, at xs and ys in pixels. `order`
 * says which, the last on top; `color` the colour of each. Points that are missing (NaN) interrupt a line; a point
 * alone is a dot.
 */
function paintLines(context, {start, length, xs, ys}, order, color, width) {
  // Round joins of fine lines cannot be seen, and of thousands of lines they cost a tenth.
  Object.assign(context, {lineWidth: width, lineJoin: width > 1 ? 'round' : 'bevel'});
  for (const i of order) {
    context.strokeStyle = color(i);
    context.beginPath();
    for (let k = start[i], drawn = false; k < start[i] + length[i]; k++) {
      const y = ys[k], there = y === y;
      if (there && drawn) context.lineTo(xs[k], y);
      else if (there) {
        context.moveTo(xs[k], y);
        if (k + 1 === start[i] + length[i] || ys[k + 1] !== ys[k + 1]) context.arc(xs[k], y, 1.5, 0, 2 * Math.PI);
      }
      drawn = there;
    }
    context.stroke();
  }
}

/**
 * The line nearest to the point (x, y), or −1 when none is within `reach` pixels. The points of a line go from left
 * to right, so only those beside the pointer are looked at: a binary search and a few pieces for each line. Of lines as
 * near as each other the one that comes first in `order` is taken, the best.
 */
function nearestLine({start, length, xs, ys}, order, x, y, reach) {
  let nearest = -1, least = reach * reach, near = reach;
  for (const i of order) {
    const begin = start[i], end = begin + length[i];
    const first = Math.max(firstFrom(xs, begin, end, x - near) - 1, begin);
    for (let k = first; k < end && (k === begin || xs[k - 1] <= x + near); k++) {
      const before = k === begin || ys[k - 1] !== ys[k - 1] ? k : k - 1;
      const dx = xs[k] - xs[before], dy = ys[k] - ys[before], squared = dx * dx + dy * dy;
      const t = squared > 0 ? clamp(((x - xs[before]) * dx + (y - ys[before]) * dy) / squared, 0, 1) : 0;
      const d = (xs[before] + t * dx - x) ** 2 + (ys[before] + t * dy - y) ** 2;
      if (d < least) { least = d; near = Math.sqrt(d); nearest = i; }
    }
  }
  return nearest;
}

/** The first of xs[begin … end) that is not less than x. */
function firstFrom(xs, begin, end, x) {
  while (begin < end) {
    const middle = (begin + end) >> 1;
    if (xs[middle] < x) begin = middle + 1;
    else end = middle;
  }
  return begin;
}

/** Paint a line over all others, on a halo of the ground's colour; gives what `endLabels` needs of it. */
function paintMarked(context, lines, i, row, color) {
  paintLines(context, lines, [i], () => colors().card, 5);
  paintLines(context, lines, [i], () => colors()[color], sweep.trial[row] === state.hot ? 3 : 2.25);
  return [lines.ys[lines.start[i] + lines.length[i] - 1], name(row), color];
}

/** Labels at the right ends of lines, [y, text, colour], moved apart so that none lies on another. */
function endLabels(context, labels, x, top, bottom) {
  const sorted = labels.filter(([y]) => !Number.isNaN(y)).sort((a, b) => a[0] - b[0]), places = [];
  sorted.forEach(([y], i) => { places[i] = Math.max(y, i ? places[i - 1] + 13 : top); });
  places.reduceRight((limit, y, i) => (places[i] = Math.min(y, limit)) - 13, bottom);
  sorted.forEach(([, text, color], i) => write(context, text, x, places[i], {color, bold: true, halo: true}));
}
