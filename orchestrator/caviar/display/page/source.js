// Where the data is from: the page itself (a report), or a server that is asked every two seconds (the board).

const POLL_MS = 2000;
const HIDDEN_POLL_MS = 15000;
let known = null;

/** The sweep of that place among those that the page holds. */
async function embeddedSweep(place) {
  return withPayload(null, readPayload(await inflate(fromBase64(byId(`sweep-${place}`).textContent))));
}

/**
 * The token of the link: taken from the fragment into the storage of this tab and out of the address, so that it is in
 * no bookmark, history or screenshot.
 */
function takeToken() {
  const given = /(?:^#|&)token=([^&]*)/.exec(location.hash);
  if (given) {
    ifAllowed(() => sessionStorage.setItem('caviar-token', decodeURIComponent(given[1])));
    ifAllowed(() => history.replaceState(null, '', `#${location.hash.slice(1).replace(/(^|&)token=[^&]*/, '')}`));
  }
  return ifAllowed(() => sessionStorage.getItem('caviar-token')) || (given ? decodeURIComponent(given[1]) : '');
}

/** Ask the board: null when nothing has changed; an error says what a person can do. */
async function ask(path, since) {
  const query = since && since.boot ? `?boot=${encodeURIComponent(since.boot)}&since=${encodeURIComponent(since.version)}` : '';
  let answer;
  try {
    answer = await fetch(path + query, {headers: {Authorization: `Bearer ${token}`}, cache: 'no-store'});
  } catch {
    throw new Error('The board does not answer: it was stopped, or the connection is lost. This page goes on when it is back.');
  }
  if (answer.status === 204) return null;
  if (answer.ok) return answer;
  const told = await answer.json().catch(() => ({}));
  throw Object.assign(new Error(told.error || `The board answered ${answer.status}.`), {status: answer.status});
}

let token = '';

/** The sweep as the board knows it now, or null when it is as it was. */
async function askedSweep(id, before) {
  const answer = await ask(`/api/sweeps/${encodeURIComponent(id)}`, before);
  if (!answer) return null;
  const payload = readPayload(await inflate(await answer.arrayBuffer()));
  return withPayload(before && before.boot === payload.head.boot ? before : null, payload);
}

/** Ask again and again, slower while nobody looks; `round` returns when it is done, errors are told and outlived. */
function poll(round) {
  let timer = 0, asking = false;
  const again = async () => {
    clearTimeout(timer);
    if (!asking) {
      asking = true;
      await round().then(() => tellTrouble(''), (error) => tellTrouble(error.message));
      asking = false;
    }
    timer = setTimeout(again, document.hidden ? HIDDEN_POLL_MS : POLL_MS);
  };
  document.addEventListener('visibilitychange', () => document.hidden || again());
  again();
  return again;
}

function tellTrouble(sentence) {
  byId('trouble').textContent = sentence;
  byId('trouble').hidden = !sentence;
}
