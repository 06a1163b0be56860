// Where the data is from: the page itself (a report), or a server that is asked every two seconds (the board).
const POLL_MS = 2000, HIDDEN_POLL_MS = 15000;
let token = '';

/** The sweep of that place among those that the page holds. */
const embeddedSweep = async (place) => (
  withPayload(null, readPayload(await inflate(fromBase64(byId(`sweep-${place}`).textContent)))));

/**
 * The token of the link: taken from the fragment into the storage of this tab and out of the address, so that it is in
 * no bookmark, history or screenshot.
 */
function takeToken() {
  const told = new URLSearchParams(location.hash.slice(1)), given = told.get('token');
  told.delete('token');
  if (given) {
    ifAllowed(() => sessionStorage.setItem('caviar-token', given));
    ifAllowed(() => history.replaceState(null, '', `#${told}`));
  }
  return given || ifAllowed(() => sessionStorage.getItem('caviar-token')) || '';
}

/**
 * Ask the board what is newer than `known`: null when nothing is; an error says what a person can do. With a body it is
 * asked for an act.
 */
async function ask(path, known, body) {
  const since = known?.boot ? `?${new URLSearchParams({boot: known.boot, since: known.version})}` : '';
  const headers = {Authorization: `Bearer ${token}`, ...(body && {'Content-Type': 'application/json'})};
  const sent = body && {method: 'POST', body: JSON.stringify(body)};
  const answer = await fetch(path + since, {...sent, headers, cache: 'no-store'})
    .catch(() => { throw new Error(byId('trouble').dataset.away); });
  if (answer.ok) return answer.status === 204 ? null : answer;
  throw new Error((await answer.json().catch(() => ({}))).error || `The board answered ${answer.status}.`);
}

/** The sweep as the board knows it now, or null when it is as it was. */
async function askedSweep(id, before) {
  const answer = await ask(`/api/sweeps/${encodeURIComponent(id)}`, before);
  return answer && withPayload(before, readPayload(await inflate(await answer.arrayBuffer())));
}

/** Ask again and again, slower while nobody looks; an error of `round` is told and outlived. Gives a way to ask now. */
function poll(round) {
  let timer = 0, turn = 0;
  const again = async () => {
    const mine = turn += 1;
    clearTimeout(timer);
    await round().then(() => tellTrouble(''), (error) => tellTrouble(error.message));
    if (mine === turn) timer = setTimeout(again, document.hidden ? HIDDEN_POLL_MS : POLL_MS);
  };
  document.addEventListener('visibilitychange', () => document.hidden || again());
  again();
  return again;
}

const tellTrouble = (sentence) => Object.assign(byId('trouble'), {textContent: sentence, hidden: !sentence});
