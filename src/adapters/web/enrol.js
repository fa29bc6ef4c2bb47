// What script adds where an app is enrolled: copying its key, and printing the recovery codes.

const byId = (id) => document.getElementById(id);
const [copy, print] = [byId('copy'), byId('print')];

if (copy !== null) {
  copy.hidden = false;
  copy.addEventListener('click', async () => {
    const key = byId('key');
    try {
      await navigator.clipboard.writeText(key.dataset.key);
      byId('copied').textContent = byId('copied').dataset.text;
    } catch {
      getSelection().selectAllChildren(key); // an old browser, or no permission: the rest is done by hand
    }
  });
}

if (print !== null) {
  print.hidden = false;
  print.addEventListener('click', () => window.print());
}

// Of a double click the browser would show the answer to the second.
let sent = false;
addEventListener('submit', (event) => {
  if (sent) event.preventDefault();
  sent = true;
});
addEventListener('pageshow', () => {
  sent = false;
});
