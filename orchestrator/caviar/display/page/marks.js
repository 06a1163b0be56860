// Canvases, the colours that ranks have, many lines or dots on a canvas, and the line nearest to a point.

const SHADES = 24;

/** The element of that name with these properties and children; texts become text, never markup. */
function make(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key === 'text') element.textContent = value;
    else if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, '');
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const byId = (id) => document.getElementById(id);

let palette = null;

/** The colours of the page's style: asked once, and again after the theme has changed. */
function colors() {
  if (!palette) {
    const style = getComputedStyle(document.documentElement);
    const named = (name) => style.getPropertyValue(`--${name}`).trim();
    palette = {font: getComputedStyle(document.body).fontFamily};
    for (const name of ['ink', 'faint', 'line', 'mark', 'pale', 'best', 'band', 'off', 'card', 'warn']) {
      palette[name] = named(name);
    }
    palette.ranks = ramp([palette.pale, named('middle'), palette.mark]);
    palette.values = ramp(['a', 'b', 'c', 'd', 'e'].map((step) => named(`ramp-${step}`)));
  }
  return palette;
}

function ramp(stops) {
  const parts = stops.map((color) => [1, 3, 5].map((i) => parseInt(color.slice(i, i + 2), 16)));
  return Array.from({length: SHADES}, (_, i) => {
    const place = (i / (SHADES - 1)) * (parts.length - 1);
    const left = Math.min(Math.floor(place), parts.length - 2);
    const mix = parts[left].map((from, k) => Math.round(from + (place - left) * (parts[left + 1][k] - from)));
    return `rgb(${mix.join(',')})`;
  });
}

const shadeOf = (shade) => Math.min(Math.floor(shade * SHADES), SHADES - 1);

/** For each row its colour: by rank, or by where it lies on a parameter's scale. */
function rowColors(sweep) {
  const parameter = sweep.parameters.find(({name}) => name === state.color);
  const {ranks, values, off} = colors();
  if (!parameter) return (row) => ranks[shadeOf(sweep.shade[row])];
  return (row) => (Number.isNaN(parameter.u[row]) ? off : values[shadeOf(parameter.u[row])]);
}

/**
 * Two canvases in a box, one over the other: marks are painted on `base`, and what follows the pointer on `over`, so
 * that hovering never paints the marks again. `fit` gives both the size that the box has now.
 */
function layers(box, said) {
  const canvas = (name) => make('canvas', name === 'base' ? {role: 'img', ...said} : {'aria-hidden': 'true'});
  const pair = {base: canvas('base'), over: canvas('over'), box, width: 0, height: 0};
  box.classList.add('layers');
  box.append(pair.base, pair.over);
  return pair;
}

function fit(pair) {
  const ratio = Math.min(window.devicePixelRatio || 1, 2);
  pair.width = pair.box.clientWidth;
  pair.height = pair.box.clientHeight;
  for (const canvas of [pair.base, pair.over]) {
    if (canvas.width !== Math.round(pair.width * ratio) || canvas.height !== Math.round(pair.height * ratio)) {
      canvas.width = Math.round(pair.width * ratio);
      canvas.height = Math.round(pair.height * ratio);
    }
  }
  pair.ratio = ratio;
  return [cleared(pair, pair.base), cleared(pair, pair.over)];
}

/** The context of a canvas, in units of CSS pixels, with nothing on it. */
function cleared(pair, canvas) {
  const context = canvas.getContext('2d');
  context.setTransform(pair.ratio, 0, 0, pair.ratio, 0, 0);
  context.clearRect(0, 0, pair.width, pair.height);
  context.lineJoin = 'round';
  context.lineCap = 'butt';
  return context;
}

function write(context, text, x, y, {color = 'faint', align = 'left', size = 11, bold = false, halo = false} = {}) {
  context.font = `${bold ? '600 ' : ''}${size}px ${colors().font}`;
  context.textAlign = align;
  context.textBaseline = 'middle';
  if (halo) {
    context.strokeStyle = colors().card;
    context.lineWidth = 4;
    context.strokeText(text, x, y);
  }
  context.fillStyle = colors()[color] || color;
  context.fillText(text, x, y);
}

function textWidth(context, size = 11) {
  context.font = `${size}px ${colors().font}`;
  return (text) => context.measureText(text).width;
}

/** A text cut to a width, with an ellipsis. */
function cut(context, text, width, size = 11) {
  const measure = textWidth(context, size);
  if (measure(text) <= width) return text;
  const letters = Array.from(text.slice(0, 200));
  while (letters.length > 1 && measure(`${letters.join('')}…`) > width) letters.pop();
  return `${letters.join('')}…`;
}

/** The room that the labels left of a frame need. */
const labelRoom = (context, ticks) => Math.min(Math.max(...ticks.map(([, label]) => textWidth(context)(label)), 20) + 14, 110);

/** Grid lines and labels of both axes around the frame {left, top, width, height}; ticks are [place in 0…1, label]. */
function drawAxes(context, frame, xTicks, yTicks, {grid = true} = {}) {
  const {left, top, width, height} = frame;
  const measure = textWidth(context);
  context.lineWidth = 1;
  const rows = yTicks.map(([t, label]) => ({at: top + (1 - t) * height, label})).sort((a, b) => a.at - b.at);
  let last = -Infinity;
  for (const {at, label} of rows) {
    if (at < top - 1 || at > top + height + 1) continue;
    if (grid) line(context, left, Math.round(at) + 0.5, left + width, Math.round(at) + 0.5, colors().line);
    if (at - last < 13) continue;
    write(context, cut(context, label, left - 10), left - 8, at, {align: 'right'});
    last = at;
  }
  line(context, left, top + height + 0.5, left + width, top + height + 0.5, colors().line);
  // Of choices none is left out: each has the width of its part.
  const fitting = frame.share ? xTicks.map(([t, label]) => [t, cut(context, label, width / xTicks.length - 4)]) : xTicks;
  for (const {at, label, t} of withRoom(fitting, (t) => left + t * width, measure, frame.share ? 2 : 8)) {
    if (t < -0.001 || t > 1.001) continue;
    // A label at an end stays within the canvas rather than being cut off.
    const half = measure(label) / 2;
    const middle = Math.min(Math.max(at, half), left + width + Math.max(frame.right || 0, 6) - half);
    write(context, label, middle, top + height + 13, {align: 'center'});
  }
}

function line(context, x0, y0, x1, y1, color) {
  context.strokeStyle = color;
  context.beginPath();
  context.moveTo(x0, y0);
  context.lineTo(x1, y1);
  context.stroke();
}

/** Lines of few rows are drawn strong, those of thousands fine. */
const lineWidthOf = (count) => (count <= 60 ? 1.75 : count <= 150 ? 1.25 : 1);

/**
 * Paint some of many lines: line i has the points from start[i] on, length[i] of them, at xs and ys in pixels. `order`
 * says which, the last on top; `color` the colour of each. Points that are missing (NaN) interrupt a line; a line of
 * one point is a dot.
 */
function paintLines(context, {start, length, xs, ys}, order, color, width) {
  context.lineWidth = width;
  for (const i of order) {
    const end = start[i] + length[i];
    context.strokeStyle = color(i);
    context.beginPath();
    let drawn = 0;
    for (let k = start[i]; k < end; k++) {
      const y = ys[k];
      if (y !== y) { drawn = 0; continue; }
      if (drawn++) context.lineTo(xs[k], y);
      else {
        context.moveTo(xs[k], y);
        const alone = k + 1 === end || ys[k + 1] !== ys[k + 1];
        if (alone) context.arc(xs[k], y, 1.5, 0, 2 * Math.PI);
      }
    }
    context.stroke();
  }
}

/**
 * The line nearest to the point (x, y), or −1 when none is within `reach` pixels. The points of a line go from left to
 * right, so only those beside the pointer are looked at: two binary searches and a few pieces for each line. Of lines
 * as near as each other the one that comes first in `order` is taken, the best.
 */
function nearestLine({start, length, xs, ys}, order, x, y, reach) {
  let nearest = -1, least = reach * reach, near = reach;
  for (const i of order) {
    const begin = start[i], end = begin + length[i];
    if (begin === end) continue;
    let k = Math.max(firstFrom(xs, begin, end, x - near) - 1, begin);
    for (; k < end && (k === begin || xs[k - 1] <= x + near); k++) {
      const before = k === begin || ys[k - 1] !== ys[k - 1] ? k : k - 1;
      const d = squareToPiece(x, y, xs[before], ys[before], xs[k], ys[k]);
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

function squareToPiece(x, y, x0, y0, x1, y1) {
  const dx = x1 - x0, dy = y1 - y0, squared = dx * dx + dy * dy;
  const t = squared > 0 ? Math.min(Math.max(((x - x0) * dx + (y - y0) * dy) / squared, 0), 1) : 0;
  const ex = x0 + t * dx - x, ey = y0 + t * dy - y;
  return ex * ex + ey * ey;
}

/** Labels at the right ends of lines, [y, text, colour], moved apart so that none lies on another. */
function endLabels(context, labels, x, top, bottom) {
  const sorted = labels.filter(([y]) => !Number.isNaN(y)).sort((a, b) => a[0] - b[0]);
  let last = top - 14;
  const places = sorted.map(([y]) => { last = Math.max(y, last + 13); return last; });
  for (let i = places.length - 1, limit = bottom; i >= 0; i--, limit = places[i + 1] - 13) places[i] = Math.min(places[i], limit);
  sorted.forEach(([, text, color], i) => write(context, text, x, places[i], {color, bold: true, halo: true}));
}
