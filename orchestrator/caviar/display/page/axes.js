// One dot a trial: each parameter on its sampling scale against the value, and pairs of parameters against each other.

const EDGE = 0.05;
let shownAxes = 12;

/**
 * Dots in a frame of a canvas: us and vs are places in [0, 1] of each row. The worst are drawn first; those that are
 * not selected lie under all others.
 */
function paintDots(context, frame, us, vs, kept) {
  const color = rowColors(sweep);
  const radius = sweep.n > 3000 ? 1.1 : sweep.n > 600 ? 1.6 : 2.4;
  const {order} = sweep;
  for (const selected of kept ? [false, true] : [true]) {
    for (let i = order.length - 1; i >= 0; i--) {
      const row = order[i];
      if (kept && Boolean(kept[row]) !== selected) continue;
      const u = us[row], v = vs[row];
      if (u !== u || v !== v) continue;
      context.fillStyle = selected ? color(row) : colors().off;
      const x = frame.left + u * frame.width, y = frame.top + (1 - v) * frame.height;
      if (radius < 1.5) context.fillRect(x - radius, y - radius, 2 * radius, 2 * radius);
      else {
        context.beginPath();
        context.arc(x, y, radius, 0, 2 * Math.PI);
        context.fill();
      }
    }
  }
}

/** A ring around each marked trial. */
function ringDots(context, frame, us, vs) {
  for (const [row, color] of markedRows()) {
    if (Number.isNaN(us[row]) || Number.isNaN(vs[row])) continue;
    const x = frame.left + us[row] * frame.width, y = frame.top + (1 - vs[row]) * frame.height;
    for (const [radius, fill] of [[6, 'card'], [5, color], [2.75, 'card'], [1.75, color]]) {
      context.fillStyle = colors()[fill];
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.fill();
    }
  }
}

/** The row whose dot is nearest to a point, or −1 when none is within ten pixels. */
function nearestDot(frame, us, vs, kept, x, y) {
  let nearest = -1, least = 100;
  for (const row of sweep.order) {
    if (kept && !kept[row]) continue;
    const dx = frame.left + us[row] * frame.width - x, dy = frame.top + (1 - vs[row]) * frame.height - y;
    const d = dx * dx + dy * dy;
    if (d < least) { least = d; nearest = row; }
  }
  return nearest;
}

/** A small picture of dots in a box of its own: `about(sweep)` gives {us, vs, xTicks, yTicks, under, over}. */
function dotPicture(parent, title, aside, about) {
  const said = {'aria-label': title};
  const box = make('div', {class: 'picture', tabindex: 0, role: 'group', 'aria-label': title});
  parent.append(make('figure', {class: 'small'}, make('figcaption', {}, make('b', {text: title, title}), make('span', {text: aside})), box));
  const pair = layers(box, said);
  let now = null;
  const picture = addPicture({
    box, needs: ['keep', 'color', 'logy'], pair,
    draw() {
      const [base] = fit(pair);
      now = {kept: keptRows(sweep, state.keep), ...about(sweep)};
      const {us, vs, xTicks, yTicks} = now;
      const left = labelRoom(base, yTicks);
      const frame = now.frame = {left, top: 6, width: pair.width - left - 12, height: pair.height - 30, right: 12, share: now.share};
      if (now.edges) {
        base.fillStyle = colors().band;
        for (const from of [0, 1 - EDGE]) base.fillRect(frame.left + from * frame.width, frame.top, EDGE * frame.width, frame.height);
      }
      drawAxes(base, frame, xTicks, yTicks);
      paintDots(base, frame, us, vs, now.kept);
      paintBestLine(base, frame, now);
      pair.base.setAttribute('aria-label', `${title}: ${now.sentence}`);
    },
    mark() { if (now) ringDots(cleared(pair, pair.over), now.frame, now.us, now.vs); },
  });
  followPointer(box, (x, y) => (now ? nearestDot(now.frame, now.us, now.vs, now.kept, x, y) : -1));
  return picture;
}

/** The best in each tenth, and on the axis where the good ones lie. */
function paintBestLine(context, frame, {line: best, good, kept}) {
  if (good && good[0] !== null && good[0] !== undefined) {
    context.fillStyle = colors().mark;
    context.fillRect(frame.left + good[0] * frame.width, frame.top + frame.height - 1, (good[1] - good[0]) * frame.width, 3);
  }
  const points = (best && best(kept)) || [];
  context.strokeStyle = colors().faint;
  context.lineWidth = 1.5;
  context.beginPath();
  for (const [u, v] of points) context.lineTo(frame.left + u * frame.width, frame.top + (1 - v) * frame.height);
  context.stroke();
}

/** The small pictures of a section are made anew when the parameters are others, or more of them are asked for. */
function startAxes() {
  const box = byId('axes').querySelector('.many');
  byId('axes-more').addEventListener('click', () => { shownAxes = Infinity; fillAxes(); });
  let made = '';
  function fillAxes() {
    const names = sweep.parameters.slice(0, shownAxes).map((one) => one.name);
    byId('axes-more').hidden = sweep.parameters.length <= shownAxes;
    byId('axes-more').textContent = `show all ${sweep.parameters.length}`;
    if (made === JSON.stringify(names)) return;
    made = JSON.stringify(names);
    clearPictures(box);
    names.forEach((name) => addAxis(box, name));
    drawSoon();
  }
  return () => {
    box.hidden = !sweep.usable;
    fillAxes();
    const absent = !sweep.parameters.length ? 'This sweep has no parameters.' : !sweep.usable ? 'No trial has a usable value yet.' : '';
    byId('axes').querySelector('.said').textContent = absent
      || 'One dot a trial, the stronger the better; the line joins the best in each tenth of the scale, the bar on the axis is where good ones lie, the outer 5 % are shaded.';
  };
}

function clearPictures(box) {
  for (let i = pictures.length - 1; i >= 0; i--) {
    if (!box.contains(pictures[i].box)) continue;
    seen.unobserve(pictures[i].box);
    sizes.unobserve(pictures[i].box);
    pictures.splice(i, 1);
  }
  box.replaceChildren();
}

const parameterOf = (name) => sweep.parameters.find((one) => one.name === name);

function addAxis(box, name) {
  const {scale, importance} = parameterOf(name);
  const aside = [importance ? `${Math.round(importance * 100)} %` : '', scale && scale !== 'linear' ? scale.replace('_', ' ') : ''];
  dotPicture(box, name, aside.filter(Boolean).join(' · '), () => {
    const parameter = parameterOf(name);
    const scale = valueScale(sweep);
    const choice = parameter.kind === 'choice';
    const within = (x) => Math.min(Math.max(scale.at(x), 0), 1);
    const vs = sweep.value.map(within);
    return {
      us: parameter.spreadU, vs, xTicks: parameter.ticks, yTicks: scale.ticks(5), edges: !choice, share: choice, good: [parameter.low_u, parameter.high_u],
      line: (kept) => !choice && bestInTenths(parameter.u, sweep.value, sweep.documents.sweep.mode, kept).map(([u, x]) => [u, within(x)]),
      sentence: axisSentence(parameter),
    };
  });
}

function axisSentence(parameter) {
  const best = sweep.best < 0 ? '' : `; the best, ${name(sweep.best)}, has ${paramText(parameter, sweep.best)}`;
  return `${counted(sweep.usable, 'trial')} by value${best}`;
}

function startPairs() {
  const box = byId('pairs').querySelector('.many');
  return () => {
    const {pairs = [], absent = {}} = sweep.documents;
    clearPictures(box);
    for (const [j, k] of pairs) {
      const [a, b] = [sweep.parameters[j], sweep.parameters[k]].map((one) => one.name);
      dotPicture(box, `${b} by ${a}`, '', () => ({
        us: parameterOf(a).spreadU, vs: parameterOf(b).spreadU, xTicks: parameterOf(a).ticks, yTicks: parameterOf(b).ticks,
        sentence: `${counted(sweep.n, 'trial')}, the stronger the better`,
      }));
    }
    byId('pairs').querySelector('.said').textContent = pairs.length
      ? 'The parameters that matter against each other; one dot a trial, the stronger the better.'
      : absent.pairs || 'There are no two parameters that matter.';
  };
}
