// The pictures that do not follow the selection: their options come with the data, and ECharts draws them.

const CHARTS = ['importance', 'best_so_far', 'tuning_curve', 'isolation', 'retest'];
let library = null;

/** ECharts, inflated from the page when it is first needed and run as the inline script that the policy allows. */
function charting() {
  library = library || inflate(fromBase64(byId('echarts').textContent)).then((code) => {
    document.head.append(make('script', {text: new TextDecoder().decode(code)}));
    return window.echarts;
  });
  return library;
}

const AXIS_KEYS = ['xAxis', 'yAxis'];

/**
 * The option with what only the page knows: "--mark" becomes the colour of today's theme, and an axis with `ticks`
 * [[place, label], …] shows these labels at these places.
 */
function resolved(value, key = '') {
  if (Array.isArray(value)) return value.map((one) => resolved(one, key));
  if (typeof value === 'string') return value.startsWith('--') ? colors()[value.slice(2)] || value : value;
  if (value === null || typeof value !== 'object') return value;
  const {ticks, ...rest} = value;
  const made = Object.fromEntries(Object.entries(rest).map(([name, one]) => [name, resolved(one, name)]));
  return AXIS_KEYS.includes(key) ? styledAxis(made, ticks, key) : made;
}

function styledAxis(axis, ticks, key) {
  const places = ticks && ticks.map(([place]) => place);
  const labels = new Map(ticks);
  const at = places ? {customValues: places} : {};
  return {
    ...axis,
    nameLocation: axis.nameLocation || (key === 'xAxis' ? 'middle' : 'end'), nameGap: key === 'xAxis' ? 26 : 10,
    nameTextStyle: {color: colors().faint, fontSize: 11, align: key === 'yAxis' ? 'left' : 'center', padding: key === 'yAxis' ? [0, 0, 0, -30] : 0, ...axis.nameTextStyle},
    axisLine: {lineStyle: {color: colors().line}, ...axis.axisLine},
    axisTick: {show: false, ...axis.axisTick, ...at},
    axisLabel: {
      color: colors().faint, fontSize: 11, hideOverlap: true, overflow: 'truncate', width: key === 'yAxis' ? 100 : undefined, interval: key === 'yAxis' ? 0 : 'auto', ...axis.axisLabel, ...at,
      ...(ticks ? {formatter: (place) => (labels.has(place) ? labels.get(place) : '')} : {}),
    },
    splitLine: {...axis.splitLine, lineStyle: {color: colors().line, ...(axis.splitLine || {}).lineStyle}, ...at},
  };
}

async function drawChart(box, option) {
  const {init, getInstanceByDom} = await charting();
  if (!box.isConnected || !box.clientWidth) return;
  const chart = getInstanceByDom(box) || init(box, null, {renderer: 'canvas'});
  chart.resize();
  chart.setOption({
    animation: false, textStyle: {fontFamily: colors().font, color: colors().faint}, grid: gridOf(option), ...resolved(option),
  }, {notMerge: true});
}

/** The frame of a chart, with room for its labels and for the names of its axes: ECharts measures no labels of ours. */
function gridOf({xAxis = {}, yAxis = {}}) {
  const labels = (yAxis.ticks || []).map(([, label]) => label).concat(yAxis.data || []).map((label) => [0, String(label)]);
  const left = labelRoom(make('canvas').getContext('2d'), labels);
  return {left, right: 22, top: yAxis.name ? 28 : 8, bottom: xAxis.name ? 44 : 24};
}

/** One chart of the data in the section of its name; the sentence under its title comes with it. */
function startChart(id) {
  const section = byId(id);
  const [box, said] = [section.querySelector('.picture'), section.querySelector('.said')];
  box.setAttribute('role', 'img');
  box.setAttribute('aria-label', section.querySelector('h2').textContent);
  box.setAttribute('aria-describedby', said.id);
  addPicture({
    box, needs: [], silent: (text) => { said.textContent = text; box.hidden = true; },
    draw() {
      const option = (sweep.documents.charts || {})[id];
      if (!option) return nothing(this, id, 'There is nothing to show yet.');
      box.hidden = false;
      said.textContent = option.said || said.dataset.how || '';
      const {said: _, height, ...rest} = option;
      if (height) box.style.height = `${height}px`;
      return drawChart(box, rest);
    },
  });
}

/** Isolation is one small chart a parameter. */
function startIsolation() {
  const section = byId('isolation');
  const box = section.querySelector('.many');
  return () => {
    const charts = (sweep.documents.charts || {}).isolation || [];
    clearPictures(box);
    for (const {name: parameter, said, yAxis, ...rest} of charts) {
      const option = {...rest, yAxis: {...yAxis, name: ''}};
      const inner = make('div', {class: 'picture', role: 'img', 'aria-label': `${parameter}: ${said || section.dataset.how}`});
      box.append(make('figure', {class: 'small'}, make('figcaption', {}, make('b', {text: parameter})), inner));
      addPicture({box: inner, needs: [], draw: () => drawChart(inner, option)});
    }
    section.querySelector('.said').textContent = charts.length ? section.querySelector('.said').dataset.how
      : (sweep.documents.absent || {}).isolation || 'There is nothing to show yet.';
  };
}
