// What script adds to the reset page: the line that moves by itself, copying, pasting, times of the reader's own zone.
// Without it the page does the same by hand. It makes no markup: all words come from the server, as text.

const byId = (id) => document.getElementById(id);
const [live, line, refused, verdict, form, code] = ['progress', 'line', 'refused', 'verdict', 'code-form', 'code'].map(
  byId,
);
const renewed = byId('renewed') !== null;
const page = form.getAttribute('action');

byId('copy').hidden = false;
byId('paste-help').hidden = false;
byId('look-again').hidden = true;

for (const time of document.querySelectorAll('time')) {
  const form = { hour: '2-digit', minute: '2-digit' };
  const locale = document.documentElement.lang === 'en' ? 'en-GB' : document.documentElement.lang;
  time.textContent = new Date(time.dateTime).toLocaleTimeString(locale, form);
}

// ---- the address: whatever is copied of it is all of it, as mail programs want it ----

const address = byId('address');
const putAddress = (event) => {
  event.clipboardData.setData('text/plain', address.dataset.address);
  event.preventDefault();
};
address.addEventListener('copy', putAddress);
byId('copy').addEventListener('click', async () => {
  try {
    await navigator.clipboard.writeText(address.dataset.address);
  } catch {
    // An old browser, or no permission.
    document.addEventListener('copy', putAddress, { once: true });
    document.execCommand('copy');
  }
  byId('copied').textContent = byId('copied').dataset.text;
});

// ---- the code: pasted alone or in a sentence, it is entered at once ----

code.addEventListener('paste', (event) => {
  const codes = event.clipboardData.getData('text').match(/(?<![0-9])[0-9]{4}[ \u00a0-]?[0-9]{4}(?![0-9])/g);
  if (new Set(codes).size !== 1) return;
  event.preventDefault();
  code.value = codes[0];
  form.requestSubmit();
});

// ---- the live line: events, or a question every few seconds where they do not come through ----

const pauseMaxMs = 15_000;
let source;
let timer;
let pauseMs;
let failed = 0; // questions in a row
let broken = 0; // connections in a row

function show(view) {
  byId('no-connection').hidden = true;
  // Another tab has begun another request: the code for what this one shows would not be taken any more.
  if (view.label !== '' && view.label !== byId('label').textContent) {
    stop();
    return location.replace(page);
  }
  if (view.over) stop();
  // The page that follows is a new one, or says how it ended. Not if this one is new already: cookies do not stay here.
  const newAlready = view.state === 'page-ended' && renewed;
  if (view.over && view.state !== 'cookie-missing' && !newAlready) return location.replace(page);
  const before = live.dataset.state;
  const isNews = before !== view.state || line.textContent !== view.line || refused.textContent !== view.refused;
  live.dataset.state = view.state;
  live.dataset.tone = view.tone;
  // The same text again would be read out again.
  if (line.textContent !== view.line) line.textContent = view.line;
  if (refused.textContent !== view.refused) refused.textContent = view.refused;
  refused.hidden = view.refused === '';
  verdict.hidden = view.verdict.length === 0;
  verdict.querySelector('ul').replaceChildren(
    ...view.verdict.map((each) => {
      const item = document.createElement('li');
      item.textContent = each;
      return item;
    }),
  );
  // News that is out of sight is none: the line is below the first screen on phones and small laptops.
  if (isNews) live.scrollIntoView({ block: 'center' });
  if (['reply-handed-over', 'code-requested'].includes(view.state) && before !== view.state) code.focus();
}

async function ask() {
  try {
    const answer = await fetch(`${page}/progress`);
    if (!answer.ok) throw new Error(String(answer.status));
    const isBack = failed > 0;
    failed = 0;
    show(await answer.json());
    if (isBack && pauseMs !== undefined) return start(); // and so may be the events
  } catch {
    failed += 1;
    byId('no-connection').hidden = failed < 3;
  }
  if (pauseMs === undefined) return; // stopped meanwhile
  pauseMs = Math.min(pauseMs * 1.3, pauseMaxMs);
  timer = setTimeout(ask, pauseMs);
}

function askByItself() {
  stop();
  pauseMs = 2000;
  void ask();
}

function start() {
  stop();
  source = new EventSource(`${page}/events`);
  source.onmessage = ({ data }) => {
    clearTimeout(timer);
    failed = 0;
    broken = 0;
    show(JSON.parse(data));
  };
  source.onerror = () => {
    broken += 1;
    if (source?.readyState === EventSource.CLOSED || broken > 1) askByItself();
  };
  // Some proxies hold events back until they end, which these do not.
  timer = setTimeout(askByItself, 5000);
}

function stop() {
  source?.close();
  source = undefined;
  clearTimeout(timer);
  pauseMs = undefined;
}

// The answer to a form must not be overtaken by the news of what the form did.
addEventListener('submit', stop);
addEventListener('pagehide', stop);
addEventListener('visibilitychange', () => {
  const isAsking = source !== undefined || pauseMs !== undefined;
  if (isAsking && document.visibilityState === 'visible') start();
});
addEventListener('pageshow', ({ persisted }) => persisted && start());
start();
