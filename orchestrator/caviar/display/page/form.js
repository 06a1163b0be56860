// The form by which a trial is acted on: on a board that was started with --edit, and nowhere else.

/** Ask the board what is to be known of a trial, or, with a body, for an act on it. */
async function askTrial(trial, body) {
  const path = `/api/sweeps/${encodeURIComponent(state.sweep)}/trials/${encodeURIComponent(trial)}`;
  return (await ask(path, null, body)).json();
}

/** All fields as they are; the values of parameters, whose names may be any, stand apart from the others. */
function filledIn(form) {
  const values = Array.from(byId('act-values').querySelectorAll('input'), ({id, value}) => [id.slice(4), value]);
  return {form: Object.fromEntries(new FormData(form)), set: Object.fromEntries(values)};
}

/** Say how the trial stands, and name the parameters that may change; what was typed stays. */
async function tellForm() {
  const trial = byId('act-trial'), {running} = sweep.documents;
  trial.value ||= running.length ? running[0].trial : '';
  const wanted = trial.value, none = (error) => ({said: error.message, parameters: [], steps: []});
  if (!wanted) return;
  const {said, parameters, steps} = await askTrial(wanted).catch(none);
  if (trial.value !== wanted) return;
  byId('act-facts').textContent = said;
  fill('act-steps', steps, () => steps.map((value) => make('option', {value})));
  fill('act-values', parameters.map(({name: key, live}) => [key, live]), (all) => all.map(([key, live]) => (
    make('label', {class: live ? null : 'still'}, key, make('input', {id: `set ${key}`}), make('small')))));
  byId('act-values').querySelectorAll('small').forEach((small, i) => { small.textContent = parameters[i].now; });
}

/** The trial to act on is the one that was pinned last, or whose number is typed. */
function startForm(askNow) {
  const form = byId('act-form'), trial = byId('act-trial'), said = byId('act-said');
  trial.addEventListener('change', tellForm);
  onSweep.push(tellForm);
  watchers.push((changed) => {
    if (changed.has('sweep')) trial.value = '';
    else if (changed.has('pinned')) {
      trial.value = state.pinned.at(-1) ?? trial.value;
      tellForm();
    }
  });
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (form.ariaBusy) return;
    [form.ariaBusy, said.textContent] = ['true', 'asked …'];
    said.textContent = await askTrial(trial.value, filledIn(form)).then(
      (answer) => { form.reset(); return answer.said; }, (error) => error.message);
    form.ariaBusy = null;
    askNow();
  });
}
