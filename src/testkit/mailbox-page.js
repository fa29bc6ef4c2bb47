// What script adds to the test mailbox: lists that renew themselves, and buttons that copy. Without it pages are loaded anew
// and codes are copied by hand. It makes no markup: items are copies of the page's own template, filled in with text.

for (const button of document.querySelectorAll('[data-copy]')) {
  button.hidden = false;
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.nextElementSibling.textContent = 'Copied.';
  });
}

const list = document.querySelector('[data-from]');
const [template, count, state] = ['item', 'count', 'state'].map((id) => document.getElementById(id));

function makeItem(values) {
  const item = template.content.cloneNode(true).firstElementChild;
  item.dataset.id = values.id;
  for (const link of item.querySelectorAll('a')) link.href += values.id;
  for (const part of item.querySelectorAll('[data-of]')) {
    const text = [values[part.dataset.of] ?? ''].flat().join(', ');
    part.textContent = text || part.dataset.none || '';
    if (part.tagName !== 'TIME') continue;
    part.dateTime = text;
    part.textContent = new Date(text).toLocaleTimeString('en-GB');
  }
  return item;
}

/** Puts in what is new and takes out what is gone; what stays is not touched, nor the focus on it. */
function show(items) {
  const ids = new Set(items.map(({ id }) => id));
  for (const item of [...list.children]) if (!ids.has(item.dataset.id)) item.remove();
  let place = list.firstElementChild;
  for (const values of items) {
    if (place?.dataset.id === values.id) place = place.nextElementSibling;
    else list.insertBefore(makeItem(values), place);
  }
  list.hidden = items.length === 0;
}

async function renew() {
  const answer = await (await fetch(list.dataset.from)).json();
  show(answer[list.id]);
  if (count.textContent !== answer.count) count.textContent = answer.count;
  document.title = document.title.replace(/^(\(\d+\) )?/, answer.total > 0 ? `(${answer.total}) ` : '');
}

let source;
let renewing;
let again = false;

// One look at a time, and one more when something has happened meanwhile: a thousand mails are not a thousand looks.
function changed() {
  again = renewing !== undefined;
  renewing ??= renew()
    .catch(() => {})
    .finally(() => {
      renewing = undefined;
      if (again) changed();
    });
}

// Not in the background: a browser has six connections for all tabs of a site.
function follow() {
  source?.close();
  if (document.visibilityState !== 'visible') return;
  source = new EventSource('/events');
  source.onopen = () => {
    state.hidden = true;
    changed();
  };
  source.onmessage = changed;
  source.onerror = () => {
    state.hidden = false;
  };
}

if (list) {
  addEventListener('visibilitychange', follow);
  addEventListener('pagehide', () => source?.close());
  addEventListener('pageshow', follow);
}
