// When pictures are drawn: near the viewport, once a frame, after what they show has changed; and the box by the pointer.

let sweep = null;
const pictures = [];
const RESTS_AFTER = 160;

/**
 * Enter a picture: `box` the element that it fills, `needs` the keys of the state that it shows, `draw(picture)` paints
 * it whole, `mark(picture)` what follows the pointer (the hovered and the pinned trials).
 */
function addPicture(picture) {
  Object.assign(picture, {dirty: true, marked: true, near: false, needs: new Set(picture.needs)});
  pictures.push(picture);
  seen.observe(picture.box);
  sizes.observe(picture.box);
  return picture;
}

const seen = new IntersectionObserver((entries) => {
  for (const {target, isIntersecting} of entries) pictureIn(target).near = isIntersecting;
  drawSoon();
}, {rootMargin: '300px'});

const sizes = new ResizeObserver((entries) => {
  for (const {target, contentRect: {width, height}} of entries) {
    const picture = pictureIn(target);
    if (picture.drawn === undefined || picture.drawn === `${width}×${height}`) continue;
    picture.dirty = true;
  }
  drawSoon();
});

const pictureIn = (box) => pictures.find((picture) => picture.box === box);

let frame = 0, resting = 0;

function drawSoon() {
  frame = frame || requestAnimationFrame(() => { frame = 0; drawDirty(); });
}

/** Draw what is near and no longer true; before printing all there is. */
function drawDirty(all = false) {
  if (!sweep) return;
  for (const picture of pictures) {
    const shows = all || picture.near;
    if (!shows || picture.waits) continue;
    if (picture.dirty) {
      picture.dirty = false;
      picture.drawn = `${picture.box.clientWidth}×${picture.box.clientHeight}`;
      picture.draw(picture);
      picture.marked = true;
    }
    if (picture.marked && picture.mark) picture.mark(picture);
    picture.marked = false;
  }
}

/** What a change of the state makes untrue. Under a drag only the touched picture follows, until the hand rests. */
function redraw(changed, touched) {
  for (const picture of pictures) {
    const follows = [...changed].some((key) => picture.needs.has(key));
    picture.dirty ||= follows;
    picture.marked ||= changed.has('hot') || changed.has('pinned');
    picture.waits = touched !== null && picture !== touched && (follows || picture.waits);
  }
  if (touched) {
    clearTimeout(resting);
    resting = setTimeout(() => { for (const picture of pictures) picture.waits = false; drawSoon(); }, RESTS_AFTER);
  }
  drawSoon();
}

/** All is drawn anew: another sweep, another theme, newer data. */
function redrawAll() {
  for (const picture of pictures) Object.assign(picture, {dirty: true, waits: false});
  drawSoon();
}

const name = (row) => `t${sweep.trial[row]}`;
const hotRow = () => (sweep.rowOf.has(state.hot) ? sweep.rowOf.get(state.hot) : -1);
const pinnedRows = () => state.pinned.filter((trial) => sweep.rowOf.has(trial)).map((trial) => sweep.rowOf.get(trial));

/** The rows that are marked, each once, with its colour: the pinned, the winner, and on top the one under the pointer. */
function markedRows() {
  const marks = new Map(pinnedRows().map((row) => [row, 'ink']));
  for (const row of [sweep.best, hotRow()]) {
    marks.delete(row);
    if (row >= 0) marks.set(row, 'best');
  }
  return marks;
}

const rankText = (row) => (sweep.rank[row] < sweep.usable ? `rank ${sweep.rank[row] + 1} of ${sweep.usable}` : 'no usable value');

/** A parameter's value of a row, as it is shown. */
function paramText(parameter, row) {
  const value = parameter.values[row];
  if (Number.isNaN(value)) return '–';
  return parameter.options.length ? String(parameter.options[value]) : shown(Number(value.toPrecision(6)));
}

/** Put the small box beside the pointer at (x, y) of the picture's box; it names the trial and its configuration. */
function showHint(box, x, y, row, lines = []) {
  const hint = byId('hint');
  const facts = sweep.parameters.slice(0, 12).map((one) => [one.name, paramText(one, row)]).filter(([, text]) => text !== '–');
  const more = sweep.parameters.length > 12 ? [[`and ${sweep.parameters.length - 12} more`, '']] : [];
  hint.replaceChildren(
    make('p', {}, make('b', {text: name(row)}), ` ${shown(sweep.value[row])} · ${rankText(row)}`),
    ...lines.map((text) => make('p', {text, class: 'faint'})),
    make('dl', {}, ...[...facts, ...more].flatMap(([key, text]) => [make('dt', {text: key}), make('dd', {text})])),
  );
  hint.hidden = false;
  const frame = box.getBoundingClientRect();
  const [width, height] = [hint.offsetWidth, hint.offsetHeight];
  const right = frame.left + x + 16 + width < document.documentElement.clientWidth;
  const left = right ? frame.left + x + 16 : Math.max(frame.left + x - 16 - width, 4);
  // Above the pointer, where it hides least of a curve that goes on to the right.
  const above = frame.top + y - height - 12;
  const top = above > 4 ? above : Math.min(frame.top + y + 16, window.innerHeight - height - 4);
  hint.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
}

const hideHint = () => { byId('hint').hidden = true; };

/** Say to those who cannot see it which trial is under the pointer or chosen by the keys. */
function sayTrial(row) {
  const config = sweep.parameters.slice(0, 8).map((one) => `${one.name} ${paramText(one, row)}`).join(', ');
  byId('live').textContent = `${name(row)}, ${shown(sweep.value[row])}, ${rankText(row)}; ${config}`;
}

function togglePinned(trial) {
  const others = state.pinned.filter((one) => one !== trial);
  set({pinned: others.length < state.pinned.length ? others : [...others, trial].slice(-8)});
}

/**
 * Let a picture name the trial under the pointer. `find(x, y)` gives a row or −1, `lines(row, x)` what the box adds.
 * A click pins the trial. With the keyboard, arrows go through the trials by rank, Enter pins.
 */
function followPointer(box, find, lines = () => []) {
  const place = (event) => {
    const frame = box.getBoundingClientRect();
    return [event.clientX - frame.left, event.clientY - frame.top];
  };
  box.addEventListener('pointermove', (event) => {
    if (!sweep || event.buttons) return;
    const [x, y] = place(event);
    const row = find(x, y);
    set({hot: row < 0 ? null : sweep.trial[row]});
    if (row < 0) hideHint();
    else showHint(box, x, y, row, lines(row, x));
  });
  box.addEventListener('pointerleave', () => { hideHint(); set({hot: null}); });
  box.addEventListener('click', (event) => {
    const row = find(...place(event));
    if (row >= 0) togglePinned(sweep.trial[row]);
  });
  box.addEventListener('keydown', (event) => event.target === box && stepByRank(event));
  box.addEventListener('blur', () => set({hot: null}));
}

function stepByRank(event) {
  const steps = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -Infinity, End: Infinity};
  if (event.key === 'Enter' && state.hot !== null) return togglePinned(state.hot);
  if (!(event.key in steps) || !sweep.usable) return undefined;
  event.preventDefault();
  const kept = keptRows(sweep, state.keep);
  const ranked = Array.from(sweep.order.subarray(0, sweep.usable)).filter((row) => !kept || kept[row]);
  const now = ranked.indexOf(hotRow());
  const next = Math.min(Math.max(now + steps[event.key], 0), ranked.length - 1);
  if (!ranked.length) return undefined;
  set({hot: sweep.trial[ranked[next]]});
  return sayTrial(ranked[next]);
}

/** The picture in the section of that name: its box with two canvases, and the sentence that says what it shows. */
function pictureOf(id, picture) {
  const section = byId(id);
  const [box, said] = [section.querySelector('.picture'), section.querySelector('.said')];
  const title = section.querySelector('h2').textContent;
  picture.pair = layers(box, {'aria-label': title, 'aria-describedby': said.id});
  picture.say = (sentence) => { said.textContent = sentence; box.hidden = false; };
  picture.silent = (sentence) => { said.textContent = sentence; box.hidden = true; };
  return addPicture({...picture, box});
}

/** There is nothing to show: say why, as the data says it or else as we know it. */
function nothing(picture, key, otherwise) {
  picture.silent((sweep.documents.absent || {})[key] || otherwise);
}
