// The pages of the test mailbox as HTML: inbox, message, form, what was sent, faults, error. No decisions and no inline style;
// what script adds is in mailbox-page.js.

import { type Html, html } from '../core/html.ts';
import { type Fault, faultKinds, faultMoments, faultText } from './faults.ts';
import type { Identity } from './identities.ts';
import type { listFaults, listMessages, listSent, MessageSummary, Wanted } from './mailbox-api.ts';
import type { Mailto } from './mailto.ts';
import type { Scenario } from './scenarios.ts';
import { type Authentication, type SentMail, signatureWords } from './sent-mail.ts';
import type { MessageView, ReceivedMessage } from './sink.ts';

/** What the form shows again after a mistake. `scenario` is '' for none. */
export type Draft = Mailto & { readonly identity: string; readonly scenario: string };

const proofWords = { dkim: 'signed (DKIM)', spf: 'known server (SPF)', nothing: 'proves nothing' } as const;

function labelOf(identity: Identity): string {
  return identity.proves === 'nothing' ? 'The forger' : identity.name;
}

const sections = [
  ['/', 'Messages'],
  ['/sent', 'Sent'],
  ['/faults', 'Faults'],
] as const;
type Section = (typeof sections)[number][0];

/** A whole page. `renewSeconds`: without script the browser loads it again by itself. */
function layout(title: string, content: Html, section?: Section, renewSeconds?: number): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
${renewSeconds !== undefined && html`<noscript><meta http-equiv="refresh" content="${renewSeconds}"></noscript>`}
<title>${title} – Test mailbox</title>
<link rel="stylesheet" href="/style.css">
<script type="module" src="/page.js"></script>
</head>
<body>
<header>
<p class="brand"><a href="/">Test mailbox</a></p>
<nav aria-label="Test mailbox"><ul>${sections.map(([path, name]) => html`<li><a href="${path}"${path === section && html` aria-current="true"`}>${name}</a></li>`)}</ul></nav>
<p class="notice">For trying things out: no mail leaves this machine, and the people are made up.</p>
</header>
<main>
${content}
</main>
</body>
</html>
`.markup;
}

function timeOf(iso: string, name?: string): Html {
  const text = iso && new Date(iso).toLocaleTimeString('en-GB');
  return html`<time datetime="${iso}"${name !== undefined && html` data-of="${name}"`}>${text}</time>`;
}

/** A part of an item that script fills in with the field of that name. `none` stands there when it is empty. */
function part(name: string, text: string, none = ''): Html {
  return html`<span data-of="${name}" data-none="${none}">${text || none}</span>`;
}

function messageItem(message: MessageSummary | undefined): Html {
  const { id = '', subject = '', from = '', rcptTo = [], receivedAt = '', code } = message ?? {};
  return html`<li data-id="${id}"><a href="/message/${id}">
<strong>${part('subject', subject, '(no subject)')}</strong>
<span class="line">from ${part('from', from, '(nobody)')}</span>
<span class="line">for ${part('rcptTo', rcptTo.join(', '))}, ${timeOf(receivedAt, 'receivedAt')} <b>${part('code', code ?? '')}</b></span>
</a></li>`;
}

type Struck = ReturnType<typeof listFaults>['struck'][number];

function strikeItem(strike: Struck | undefined): Html {
  const { id = '', at = '', rule = '', recipients = [] } = strike ?? {};
  return html`<li data-id="${id}">${timeOf(at, 'at')} <code>${part('rule', rule)}</code>
<span class="line">for ${part('recipients', recipients.join(', '), 'nobody yet')}</span></li>`;
}

/** A list with how much is in it. With `from` script renews it: where to ask, and under which key the items are. */
function liveList(
  { name, count, from }: { readonly name: string; readonly count: string; readonly from: string | undefined },
  items: readonly Html[],
  blank: Html,
): Html {
  return html`<p id="count" class="muted" role="status">${count}</p>
<p id="state" class="problem" role="status" hidden>The sink does not answer. This page stands still until it is back.</p>
<ol id="${name}" class="cards"${from !== undefined && html` data-from="${from}"`}${items.length === 0 && html` hidden`}>${items}</ol>
<template id="item">${blank}</template>`;
}

/** What stands in the inbox: newest first; `identity` undefined means everybody's. */
export type Inbox = {
  readonly identities: readonly Identity[];
  readonly identity: Identity | undefined;
  readonly wanted: Wanted;
  readonly list: Awaited<ReturnType<typeof listMessages>>;
  readonly shownMax: number;
  readonly renews: boolean;
  /** How many rules for faults there are. */
  readonly faults: number;
};

function inboxList({ identity, wanted, list, shownMax, renews }: Inbox): Html {
  if (identity?.proves === 'nothing') {
    return html`<p>The forger has no mailbox here: what is sent to ${identity.mailbox} arrives at the real Amy Pond.</p>`;
  }
  const where = identity ? { identity: identity.key } : wanted.to ? { to: wanted.to } : {};
  const query = new URLSearchParams({ ...where, ...(wanted.q && { q: wanted.q }) });
  const still = new URLSearchParams([...query, ['pause', '1']]);
  const from = `/api/messages?${new URLSearchParams({ ...wanted, limit: String(shownMax) })}`;
  const items = list.messages.map(messageItem);
  return html`
<form id="search" method="get" action="/" role="search">
${Object.entries(where).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}
<label for="q">Search</label> <input id="q" name="q" type="search" value="${wanted.q}"> <button class="quiet">Search</button></form>
${liveList({ name: 'messages', count: list.count, from: renews ? from : undefined }, items, messageItem(undefined))}
<p class="muted">${
    renews
      ? html`New messages appear by themselves. <a href="/?${still.toString()}">Stop that</a>`
      : html`This page stands still. <a href="/?${query.toString()}">Let new messages appear</a>`
  }</p>
<form method="post" action="/delete"><button class="quiet" id="delete">Delete all messages</button></form>`;
}

function inboxLink(identity: Identity, current: Identity | undefined): Html {
  return html`<li><a href="/?identity=${identity.key}"${identity === current && html` aria-current="page"`}>${labelOf(identity)}</a></li>`;
}

/** The list of messages, with the ways to the other inboxes and to a new message. */
export function inboxPage(inbox: Inbox): string {
  const { identities, identity, wanted, list, renews, faults } = inbox;
  const everybodys = wanted.to ? `Messages for ${wanted.to}` : 'All messages';
  const title = identity ? `Inbox of ${labelOf(identity)}` : everybodys;
  const content = html`
<nav aria-label="Inboxes"><ul class="tabs">
<li><a href="/"${identity === undefined && html` aria-current="page"`}>All</a></li>
${identities.map((one) => inboxLink(one, identity))}
</ul></nav>
<h1>${title}</h1>
${identity && html`<p class="muted">${identity.proves === 'nothing' && 'uses '}${identity.mailbox}. ${identity.note}</p>`}
${faults > 0 && html`<p id="faulty" class="problem">Something goes wrong on purpose: see <a href="/faults">Faults</a>.</p>`}
<p><a class="button" id="write" href="/compose${identity && html`?identity=${identity.key}`}">Write a message</a></p>
${inboxList(inbox)}`;
  return layout(list.total > 0 ? `(${list.total}) ${title}` : title, content, '/', renews ? 2 : undefined);
}

function codeLine(code: string): Html {
  return html`<p class="code"><b id="code">${code}</b> <button type="button" class="quiet" data-copy="${code}" hidden>Copy</button> <span role="status"></span></p>`;
}

/** One message as text, with its main headers. */
export function messagePage(message: ReceivedMessage, view: MessageView, owner: Identity | undefined): string {
  const automatic = view.headers.find(({ name }) => name === 'auto-submitted')?.value;
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['From', view.from],
    ['To', view.to],
    ['Date', view.headers.find(({ name }) => name === 'date')?.value],
    ['In reply to', view.inReplyTo],
    ['Auto-Submitted', automatic],
    [
      'Envelope',
      `from <${message.envelope.mailFrom}> to ${message.envelope.rcptTo.map((rcpt) => `<${rcpt}>`).join(', ')}`,
    ],
  ];
  return layout(
    view.subject || 'Message',
    html`
<p><a href="/${owner && html`?identity=${owner.key}`}">← ${owner ? `Inbox of ${owner.name}` : 'All messages'}</a></p>
<article>
<h1>${view.subject || '(no subject)'}</h1>
${rowsOf(rows)}
${view.code !== undefined && codeLine(view.code)}
<pre id="text">
${view.text || '(no text)'}</pre>
</article>
<details id="headers"><summary>All headers</summary>
${rowsOf(view.headers.map(({ name, value }) => [name, value]))}</details>
<p><a id="raw" href="/message/${message.id}/raw">Show the raw source</a> (${message.raw.length} bytes)</p>`,
    '/',
  );
}

function rowsOf(rows: readonly (readonly [name: string, value: Html | string | undefined])[]): Html {
  return html`<dl>${rows.map(([name, value]) => value !== undefined && value !== '' && html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

function identityChoice(identity: Identity, chosen: string): Html {
  return html`<label class="choice"><input type="radio" name="identity" value="${identity.key}" required${identity.key === chosen && html` checked`}>
<span><strong>${labelOf(identity)}</strong> <span class="badge ${identity.proves}">${proofWords[identity.proves]}</span><br>
<span class="address">${identity.mailbox}</span><br><span class="muted">${identity.note}</span></span></label>`;
}

/** The form for a new message. `problem` says what is wrong with what was typed. */
export function composePage(
  identities: readonly Identity[],
  scenarios: readonly Scenario[],
  draft: Draft,
  problem?: string,
): string {
  return layout(
    'New message',
    html`
<p><a href="/">← All messages</a></p>
<h1>New message</h1>
${problem && html`<p class="problem" id="problem" role="alert">${problem}</p>`}
<form id="compose" method="post" action="/send">
<fieldset><legend>Who are you?</legend>
${identities.map((one) => identityChoice(one, draft.identity))}
</fieldset>
<label for="to">To</label>
<input id="to" name="to" type="text" inputmode="email" autocomplete="off" autocapitalize="none" spellcheck="false" required value="${draft.to}">
<label for="subject">Subject</label>
<input id="subject" name="subject" type="text" autocomplete="off" value="${draft.subject}">
<label for="body">Text</label>
<textarea id="body" name="body" rows="8">
${draft.body}</textarea>
<label for="scenario">Scenario</label>
<select id="scenario" name="scenario" aria-describedby="scenario-help">
<option value="">None: as this person’s mail server sends it</option>
${scenarios.map((one) => scenarioChoice(one, draft.scenario))}
</select>
<p id="scenario-help" class="muted">What happens to the mail on its way, for people whose mail is signed.</p>
<button id="send" type="submit">Send</button>
</form>`,
  );
}

function scenarioChoice({ name, what, code }: Scenario, chosen: string): Html {
  return html`<option value="${name}"${name === chosen && html` selected`}>${name} (${code}): ${what}</option>`;
}

type SentList = ReturnType<typeof listSent>['sent'];

/** What was sent from here, by the form or by a program. */
export function sentListPage(sent: SentList): string {
  const items = sent.map(
    ({ id, sentAt, from, rcptTo, scenario, accepted, code, text }) => html`<li><a href="/sent/${id}">
<strong>${from}</strong>
<span class="line">to ${rcptTo.join(', ')}, ${timeOf(sentAt)}</span>
${scenario !== null && html`<span class="line">scenario ${scenario}</span>`}
<span class="line ${accepted ? 'good' : 'bad'}">${code} ${text}</span>
</a></li>`,
  );
  const list = html`<ol class="cards">${items}</ol>`;
  const none = html`<p class="muted">Nothing was sent yet. <a href="/compose">Write a message</a></p>`;
  return layout('Sent', html`<h1>Sent</h1>${items.length > 0 ? list : none}`, '/sent');
}

function authenticationRows({ spf, dkim, dmarc }: Authentication): Html {
  const signatures = dkim.map((each) => html`${signatureWords(each)}<br>`);
  return rowsOf([
    ['SPF', `${spf.result} for ${spf.domain}`],
    ['DKIM', signatures.length > 0 ? html`${signatures}` : 'not signed'],
    ['DMARC', `${dmarc.result} (policy: ${dmarc.policy})`],
  ]);
}

/** What became of a message that was sent, what it was, and where a reply would appear. */
export function sentPage(mail: SentMail, authentication: Authentication): string {
  const { id, person, from, envelope, scenario, accepted, code, text } = mail;
  const forged = person.proves === 'nothing';
  const owner = forged ? 'the real Amy Pond' : person.name;
  const meaning =
    code < 500
      ? 'A real mail server would try again later.'
      : 'A real mail program would show this as an error report.';
  const outlook = accepted ? `A reply, if one comes, appears in the inbox of ${owner} (${from}).` : meaning;
  const title = accepted ? 'The message was accepted' : 'The message was not accepted';
  return layout(
    title,
    html`
<h1>${title}</h1>
<p>The mail server of <span class="address">${envelope.rcptTo.join(', ')}</span> answered:</p>
<pre id="smtp-answer" class="${accepted ? 'good' : 'bad'}" role="status">${code} ${text}</pre>
<p>${outlook}${forged && accepted && ' The forger cannot read it.'}</p>
<p><a class="button" id="inbox" href="/?${new URLSearchParams({ to: from }).toString()}">Open the inbox of ${owner}</a></p>
<article>
<h2>What was sent</h2>
${
  scenario &&
  html`<p id="scenario">Scenario <b>${scenario.name}</b>: ${scenario.what} It must come to <b>${scenario.expect}</b> (${scenario.code}).</p>`
}
${rowsOf([
  ['Author', from],
  ['Envelope', `from <${envelope.mailFrom}> to ${envelope.rcptTo.map((rcpt) => `<${rcpt}>`).join(', ')}`],
])}
${authenticationRows(authentication)}
<p class="muted">SPF, DKIM and DMARC as the test mailbox itself sees them; the service has its own rules on top.</p>
</article>
<p><a href="/sent/${id}/raw">Show the raw source</a></p>
<p><a href="/compose?identity=${person.key}">Write another message</a></p>`,
    '/sent',
  );
}

const presets: readonly (readonly [words: string, fault: Fault])[] = [
  ['Say “not now” the first time (greylisting)', { at: 'rcpt', does: 'defer', times: 1 }],
  ['Refuse all recipients', { at: 'rcpt', does: 'refuse' }],
  ['Take the mail, but hang up before the answer, once', { at: 'kept', does: 'drop', times: 1 }],
  ['Answer after 10 seconds', { at: 'end', does: 'delay', seconds: 10 }],
];

const momentWords = {
  mail: 'at MAIL',
  rcpt: 'at RCPT',
  data: 'at DATA',
  end: 'at the end of the message',
  kept: 'when the message is kept, before the answer',
} as const;
const kindWords = { refuse: 'refuse (5xx)', defer: 'not now (4xx)', delay: 'wait', drop: 'hang up' } as const;

/** A rule as it is typed, and what is wrong with it. */
export type FaultDraft = { readonly typed: Readonly<Record<string, string>>; readonly problem: string };

function choice<Value extends string>(
  name: string,
  words: Readonly<Record<Value, string>>,
  values: readonly Value[],
  chosen: string | undefined,
): Html {
  const options = values.map(
    (value) => html`<option value="${value}"${value === chosen && html` selected`}>${words[value]}</option>`,
  );
  return html`<select id="${name}" name="${name}">${options}</select>`;
}

const faultFields = {
  to: 'Only for this address',
  times: 'So often for each recipient',
  chance: 'Chance (0 to 1)',
  seconds: 'Seconds to wait',
  answer: 'Answer, such as 451 4.2.2 mailbox full',
} as const;

function faultForm({ typed, problem }: FaultDraft): Html {
  const fields = Object.entries(faultFields).map(
    ([name, words]) => html`<label for="${name}">${words}</label>
<input id="${name}" name="${name}" type="text" autocomplete="off" autocapitalize="none" spellcheck="false" value="${typed[name] ?? ''}">`,
  );
  return html`<details${problem !== '' && html` open`}><summary>Something else</summary>
${problem !== '' && html`<p class="problem" id="problem" role="alert">${problem}</p>`}
<form id="rule" method="post" action="/faults">
<label for="at">When</label>
${choice('at', momentWords, faultMoments, typed.at)}
<label for="does">What</label>
${choice('does', kindWords, faultKinds, typed.does)}
<p class="muted">The rest may stay empty: then it is so for everybody, and always.</p>
${fields}
<button>Let it go wrong</button>
</form></details>`;
}

function presetForm([words, fault]: (typeof presets)[number]): Html {
  const fields = Object.entries(fault).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  );
  return html`<li><form method="post" action="/faults">${fields}<button class="quiet">${words}</button></form></li>`;
}

function faultRules(faults: readonly Fault[]): Html {
  if (faults.length === 0) return html`<p id="rules">Nothing: all mail is taken.</p>`;
  return html`<ol id="rules">${faults.map((fault) => html`<li><code>${faultText(fault)}</code></li>`)}</ol>
<form method="post" action="/faults/clear"><button id="clear">Nothing any more</button></form>`;
}

/** Which faults are set, ways to set more, and what went wrong. */
export function faultsPage(
  { faults, struck, count }: ReturnType<typeof listFaults>,
  draft: FaultDraft = { typed: {}, problem: '' },
): string {
  return layout(
    'Faults',
    html`
<h1>Faults</h1>
<p>What goes wrong, on purpose, when mail is handed to this test mailbox. Set one, ask for a reply, and see what the service
and its page make of it.</p>
${faultRules(faults)}
<h2>Let this go wrong</h2>
<ul class="presets">${presets.map(presetForm)}</ul>
${faultForm(draft)}
<h2>What went wrong</h2>
${liveList({ name: 'struck', count, from: '/api/faults' }, struck.map(strikeItem), strikeItem(undefined))}`,
    '/faults',
  );
}

/** A small page for everything that went wrong. */
export function errorPage(title: string, explanation: string): string {
  return layout(title, html`<h1>${title}</h1><p>${explanation}</p><p><a href="/">Back to the messages</a></p>`);
}
