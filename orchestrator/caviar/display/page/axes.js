// One dot a trial: each parameter on its sampling scale against the value, and pairs of parameters against each other.
const EDGE = 0.05;
let mostAxes = 12;

/** Dots at places us and vs in [0, 1] of each row, the worst first; what is not selected lies under all others. */
function paintDots(context, {us, vs, kept, place}) {
  const color = rowColors(), radius = sweep.n > 3000 ? 1.1 : sweep.n > 600 ? 1.6 : 2.4;
  for (const selected of kept ? [0, 1] : [1]) {
    for (let i = sweep.order.length - 1; i >= 0; i--) {
      const row = sweep.order[i];
      if ((kept && kept[row] !== selected) || us[row] !== us[row] || vs[row] !== vs[row]) continue;
      context.fillStyle = selected ? color(row) : colors().off;
      dot(context, ...place(row), radius);
    }
  }
}

function dot(context, x, y, radius) {
  // Of thousands of small dots nobody sees that they are square, and they cost a fifth.
  if (radius < 1.5) return context.fillRect(x - radius, y - radius, 2 * radius, 2 * radius);
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  return context.fill();
}

/** A small picture of dots in a box of its own: `about()` gives {us, vs, xTicks, yTicks, sentence} and more. */
function dotPicture(parent, title, aside, about) {
  const box = make('div', {class: 'picture', tabindex: 0, role: 'group', 'aria-label': title});
  const caption = make('figcaption', {}, make('b', {text: title, title}), make('span', {text: aside}));
  parent.append(make('figure', {class: 'small'}, caption, box));
  const pair = layers(box, {'aria-label': title});
  let now = null;
  const draw = () => {
    const base = fit(pair);
    now = {kept: keptRows(sweep, state.keep), ...about()};
    const left = labelRoom(base, now.yTicks), {edges, good, line: best} = now;
    const frame = {left, top: 6, width: pair.width - left - 12, height: pair.height - 30, right: 12, share: now.share};
    const x = (u) => left + u * frame.width, y = (v) => frame.top + (1 - v) * frame.height;
    const start = Uint32Array.from(sweep.order.keys()), length = start.slice().fill(1);
    now.dots = {start, length, xs: now.us.map(x), ys: now.vs.map(y)};
    now.place = (row) => [now.dots.xs[row], now.dots.ys[row]];
    base.fillStyle = colors().band;
    for (const from of edges ? [0, 1 - EDGE] : []) base.fillRect(x(from), frame.top, EDGE * frame.width, frame.height);
    drawAxes(base, frame, now.xTicks, now.yTicks);
    paintDots(base, now);
    base.fillStyle = colors().mark;
    if (good) base.fillRect(x(good[0]), y(0) - 1, x(good[1]) - x(good[0]), 3);
    Object.assign(base, {strokeStyle: colors().faint, lineWidth: 1.5});
    base.beginPath();
    for (const [u, v] of best ? best(now.kept) : []) base.lineTo(x(u), y(v));
    base.stroke();
    pair.base.setAttribute('aria-label', `${title}: ${now.sentence}`);
  };
  const mark = () => {
    const over = cleared(pair, pair.over);
    for (const [row, color] of markedRows()) {
      for (const [radius, fill] of [[6, 'card'], [5, color], [2.75, 'card'], [1.75, color]]) {
        over.fillStyle = colors()[fill];
        dot(over, ...now.place(row), radius);
      }
    }
  };
  addPicture({box, needs: ['keep', 'color', 'logy'], draw, mark});
  const isKept = (row) => !now.kept || now.kept[row];
  followPointer(box, (x, y) => (now ? nearestLine(now.dots, sweep.order.filter(isKept), x, y, 10) : -1));
}

/** The small pictures of a section: one for each of `list()`, made anew when these are others. */
function startMany(id, list, add) {
  const box = byId(id).querySelector('.many');
  let made = '';
  return () => {
    const all = list(), key = JSON.stringify(all);
    if (made === key) return;
    made = key;
    clearPictures(box);
    for (const one of all) add(box, one);
  };
}

function startAxes() {
  const names = () => (sweep.usable ? sweep.parameters : []).slice(0, mostAxes).map((one) => one.name);
  const more = byId('axes-more'), fillMany = startMany('axes', names, addAxis);
  const fillAxes = () => {
    fillMany();
    more.hidden = !sweep.usable || sweep.parameters.length <= mostAxes;
    more.textContent = `show all ${sweep.parameters.length}`;
  };
  more.addEventListener('click', () => { mostAxes = Infinity; fillAxes(); });
  return fillAxes;
}

function addAxis(box, name) {
  dotPicture(box, name, parameterOf(name).aside, () => {
    const one = parameterOf(name), values = valueScale(sweep), choice = one.kind === 'choice';
    const tenths = (kept) => bestInTenths(one.u, sweep.value, sweep.mode, kept);
    return {
      us: one.dots, vs: valuePlaces(sweep), xTicks: one.ticks, yTicks: values.ticks(5), edges: !choice,
      share: choice, line: !choice && ((kept) => tenths(kept).map(([u, x]) => [u, clamp(values.at(x), 0, 1)])),
      good: Number.isFinite(one.low_u) && [one.low_u, one.high_u],
      sentence: `${counted(sweep.usable, 'trial')} by value; the best has ${paramText(one, sweep.best)}`,
    };
  });
}

const pairNames = () => sweep.documents.pairs.map((pair) => pair.map((k) => sweep.parameters[k].name));

function addPair(box, [a, b]) {
  dotPicture(box, `${b} by ${a}`, '', () => {
    const [x, y] = [parameterOf(a), parameterOf(b)], sentence = `${counted(sweep.n, 'trial')}, the stronger the better`;
    return {us: x.dots, vs: y.dots, xTicks: x.ticks, yTicks: y.ticks, share: x.kind === 'choice', sentence};
  });
}
