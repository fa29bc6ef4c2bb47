// What script adds where a password is typed: a button that shows what was typed, in both fields.

const button = document.getElementById('show');
const fields = document.querySelectorAll('input.password');
const words = { hidden: button.textContent, shown: button.dataset.shown };

button.hidden = false;
button.addEventListener('click', () => {
  const shown = button.getAttribute('aria-pressed') !== 'true';
  button.setAttribute('aria-pressed', String(shown));
  button.textContent = shown ? words.shown : words.hidden;
  for (const field of fields) field.type = shown ? 'text' : 'password';
});

// What is remembered of a form, or read over a shoulder, must be dots again.
let sent = false;
addEventListener('submit', (event) => {
  if (sent) event.preventDefault(); // of a double click the browser would show the answer to the second
  sent = true;
  for (const field of fields) field.type = 'password';
});
addEventListener('pageshow', () => {
  sent = false;
});
