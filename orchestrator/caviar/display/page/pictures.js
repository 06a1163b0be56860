// When pictures are drawn: near the viewport, once a frame, after what they show has changed; and what they share.
const RESTS_AFTER = 160, MOST_PINNED = 8;
let sweep = null, pictures = [], frame = 0, resting = 0;

/**
 * Enter a picture: `box` the element that it fills, `needs` the keys of the state that it shows, `draw(picture)` paints
 * it whole, `mark(picture)` what follows the pointer (the hovered and the pinned trials).
 */
function addPicture(picture) {
  Object.assign(picture, {dirty: true, near: false, needs: new Set(picture.needs)});
  pictures.push(picture);
  for (const observer of [seen, sizes]) observer.observe(picture.box);
  return picture;
}

/** Take the pictures out of a box, and all that it holds. */
function clearPictures(box) {
  const within = (picture) => box.contains(picture.box);
  for (const picture of pictures.filter(within)) [seen, sizes].forEach((observer) => observer.unobserve(picture.box));
  pictures = pictures.filter((picture) => !within(picture));
  box.replaceChildren();
}

const pictureIn = (box) => pictures.find((picture) => picture.box === box) || {};
const sizeOf = ({box}) => `${box.clientWidth}×${box.clientHeight}`;
const seen = new IntersectionObserver((entries) => {
  for (const {target, isIntersecting} of entries) pictureIn(target).near = isIntersecting;
  drawSoon();
}, {rootMargin: '300px'});
const sizes = new ResizeObserver((entries) => {
  for (const {target} of entries) {
    const picture = pictureIn(target);
    picture.dirty ||= picture.drawn && picture.drawn !== sizeOf(picture);
  }
  drawSoon();
});

/** The picture in the section of that name: its box with two canvases, and the sentence that says what it shows. */
function pictureOf(id, picture) {
  const section = byId(id), box = section.querySelector('.picture'), said = section.querySelector('.said');
  const pair = layers(box, {'aria-label': section.querySelector('h2').textContent, 'aria-describedby': said.id});
  const say = (sentence) => { said.textContent = sentence; };
  return addPicture({...picture, id, section, box, pair, said, say});
}

const drawSoon = () => { frame = frame || requestAnimationFrame(() => { frame = 0; drawDirty(); }); };

/** Draw what is near and no longer true; before printing all there is. */
function drawDirty(all = false) {
  for (const picture of sweep ? pictures : []) {
    // What has no size is in a section that has nothing to show.
    if (!(all || picture.near) || picture.waits || !picture.box.clientWidth) continue;
    if (picture.dirty) {
      Object.assign(picture, {dirty: false, marked: true, drawn: sizeOf(picture)});
      // A picture that fails leaves the others.
      try { picture.draw(picture); } catch (error) { reportError(error); }
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
const redrawAll = () => { pictures.forEach((one) => Object.assign(one, {dirty: true, waits: false})); drawSoon(); };

const name = (row) => `t${sweep.trial[row]}`;
const parameterOf = (wanted) => sweep.parameters.find((one) => one.name === wanted);
const rowOf = (trial) => (sweep.rowOf.has(trial) ? sweep.rowOf.get(trial) : -1);
const isUsable = (row) => sweep.rank[row] < sweep.usable;
const rankText = (row) => (isUsable(row) ? `rank ${sweep.rank[row] + 1} of ${sweep.usable}` : 'no usable value');

/** The rows that are marked, each once, with its colour: the pinned, the winner, on top the one under the pointer. */
function markedRows() {
  const marks = new Map(state.pinned.map((trial) => [rowOf(trial), 'ink']));
  for (const row of [sweep.best, rowOf(state.hot)]) {
    marks.delete(row);
    marks.set(row, 'best');
  }
  marks.delete(-1);
  return marks;
}

/** A parameter's value of a row, as it is shown. */
function paramText(parameter, row) {
  const value = parameter.values[row];
  if (Number.isNaN(value)) return '–';
  if (parameter.options.length) return String(parameter.options[value]);
  return parameter.kind === 'int' ? String(value) : shown(Number(value.toPrecision(6)));
}

/** Put the small box beside the pointer at (x, y) of the picture's box; it names the trial and its configuration. */
function showHint(box, x, y, row, lines) {
  const hint = byId('hint'), around = box.getBoundingClientRect();
  const all = sweep.parameters.slice(0, 12).map((one) => ({name: one.name, shown: paramText(one, row)}));
  hint.replaceChildren(
    make('p', {}, make('b', {text: name(row)}), ` ${shown(sweep.value[row])} · ${rankText(row)}`),
    ...lines.map((text) => make('p', {text, class: 'faint'})),
    namesList(all.filter((one) => one.shown !== '–')),
  );
  hint.hidden = false;
  const [width, height, right] = [hint.offsetWidth, hint.offsetHeight, around.left + x + 16];
  const left = right + width < document.documentElement.clientWidth ? right : Math.max(right - 32 - width, 4);
  // Above the pointer, where it hides least of a curve that goes on to the right.
  const above = around.top + y - height - 12;
  const top = above > 4 ? above : Math.min(around.top + y + 16, window.innerHeight - height - 4);
  hint.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
}

const hideHint = () => { byId('hint').hidden = true; };
const letGo = () => { hideHint(); set({hot: null}); };

function togglePinned(trial) {
  const others = state.pinned.filter((one) => one !== trial);
  set({pinned: others.length < state.pinned.length ? others : [...others, trial].slice(-MOST_PINNED)});
}

/**
 * Let a picture name the trial under the pointer. `find(x, y)` gives a row or −1, `lines(row, x, y)` what the box
 * adds. A click pins the trial. With the keyboard, arrows go through the trials by rank, Enter pins.
 */
function followPointer(box, find, lines = () => []) {
  const at = (event, use) => {
    const around = box.getBoundingClientRect(), [x, y] = [event.clientX - around.left, event.clientY - around.top];
    if (sweep && !event.buttons) use(find(x, y), x, y);
  };
  box.addEventListener('pointermove', (event) => at(event, (row, x, y) => {
    if (row < 0) return letGo();
    set({hot: sweep.trial[row]});
    return showHint(box, x, y, row, lines(row, x, y));
  }));
  // A finger does not hover: what it touches is told as well as pinned.
  box.addEventListener('click', (event) => at(event, (row, x, y) => {
    if (row < 0) return;
    togglePinned(sweep.trial[row]);
    showHint(box, x, y, row, lines(row, x, y));
  }));
  box.addEventListener('keydown', (event) => event.target === box && stepThrough(event, rankedRows()));
  for (const leaving of ['pointerleave', 'blur']) box.addEventListener(leaving, letGo);
}

/** The rows that have a value, among the selected, the best first. */
const rankedRows = (kept = keptRows(sweep, state.keep)) =>
  Array.from(sweep.order.subarray(0, sweep.usable)).filter((row) => !kept || kept[row]);

/** An arrow's way through some rows, which ends at their ends; Enter pins the trial that it has come to. */
function stepThrough(event, rows) {
  const steps = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -Infinity, End: Infinity};
  if (event.key === 'Enter' && state.hot !== null) togglePinned(state.hot);
  if (!(event.key in steps)) return;
  event.preventDefault();
  const row = rows[clamp(rows.indexOf(rowOf(state.hot)) + steps[event.key], 0, rows.length - 1)];
  if (row !== undefined) set({hot: sweep.trial[row]});
}

/** Name the hot trial to those who cannot see it. */
function sayHot() {
  const row = sweep ? rowOf(state.hot) : -1;
  const config = () => sweep.parameters.slice(0, 8).map((one) => `${one.name} ${paramText(one, row)}`).join(', ');
  byId('live').textContent = row < 0 ? '' : `${name(row)}, ${shown(sweep.value[row])}, ${rankText(row)}; ${config()}`;
}
