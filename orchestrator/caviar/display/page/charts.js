// The pictures that do not follow the selection: their options come with the data, and ECharts draws them.
const CHARTS = ['importance', 'best_so_far', 'tuning_curve', 'retest', 'utilisation'];
let library = null, loaded = null;

/** ECharts, inflated from the page when it is first needed and run as the inline script that the policy allows. */
function charting() {
  library = library || inflate(fromBase64(byId('echarts').textContent)).then((code) => {
    document.head.append(make('script', {text: new TextDecoder().decode(code)}));
    return (loaded = window.echarts);
  });
  return library;
}

/** The option with what only the page knows: "--mark" becomes the colour of today's theme, ticks become functions. */
function resolved(value) {
  if (Array.isArray(value)) return value.map(resolved);
  if (typeof value === 'string') return harmless(value.startsWith('--') ? colors()[value.slice(2)] || value : value);
  if (value === null || typeof value !== 'object') return value;
  const {ticks, ...rest} = value;
  const made = Object.fromEntries(Object.entries(rest).map(([name, one]) => [name, resolved(one)]));
  return ticks ? withTicks(made, ticks) : made;
}

/**
 * ECharts keeps texts as keys of plain objects, where `__proto__` would change every object there is: names that these
 * have of themselves get a character without a width.
 */
const harmless = (text) => (text in Object.prototype ? `${text}\u200b` : text);

/** The axis with labels at places of ours: ticks are [place, label]. */
function withTicks({axisTick, axisLabel, splitLine, ...axis}, ticks) {
  const labels = new Map(ticks), customValues = ticks.map(([place]) => place);
  const formatter = (place) => harmless(labels.get(place) || '');
  return {...axis, axisTick: {...axisTick, customValues}, axisLabel: {...axisLabel, customValues, formatter},
    splitLine: {...splitLine, customValues}};
}

/** Draw the option of the data in a box: what else stands in it than ECharts knows is for the words around. */
async function drawChart(box, {said, title, height, ...option}) {
  // At once where it can be: paper does not wait.
  const {init, getInstanceByDom} = loaded || await charting(), {xAxis = {}, yAxis = {}} = option;
  if (!box.isConnected || !box.clientWidth) return;
  const chart = getInstanceByDom(box) || init(box, null, {renderer: 'canvas'});
  // ECharts does not measure labels at places of ours, so the frame is told how much room they need.
  const labels = (yAxis.ticks || []).concat((yAxis.data || []).map((label) => [0, String(label)]));
  const left = labelRoom(make('canvas').getContext('2d'), labels), textStyle = {fontFamily: colors().font};
  const frame = {left, right: 22, top: yAxis.name ? 28 : 8, bottom: xAxis.name ? 44 : 24};
  chart.resize();
  chart.setOption({animation: false, textStyle, grid: frame, ...resolved(option)}, {notMerge: true});
  chart.getZr().flush();
}

/** One chart of the data in the section of its name, where there is one. */
function startChart(id) {
  const box = byId(id).querySelector('.picture');
  const draw = () => {
    const option = sweep.documents.charts[id];
    box.style.minHeight = `${Math.max(option?.height || 0, 220)}px`;
    return option && drawChart(box, option);
  };
  addPicture({box, needs: [], draw});
}

/** Isolation is one small chart a parameter. */
function addIsolation(box, option) {
  const picture = make('div', {class: 'picture', role: 'img', 'aria-label': option.said}), {title} = option;
  box.append(make('figure', {class: 'small'}, make('figcaption', {}, make('b', {text: title, title})), picture));
  addPicture({box: picture, needs: [], draw: () => drawChart(picture, option)});
}
