// The pages of the test mailbox as HTML: inbox, message, form, answer, error. No decisions, no script, no inline style.

import { type Html, html } from '../core/html.ts';
import type { Identity } from './identities.ts';
import type { Mailto } from './mailto.ts';
import type { MessageView, ReceivedMessage } from './sink.ts';
import type { SmtpAnswer } from './smtp-client.ts';

/** What the form shows again after a mistake. */
export type Draft = Mailto & { readonly identity: string };

const proofWords = { dkim: 'signed (DKIM)', spf: 'known server (SPF)', nothing: 'proves nothing' } as const;

function labelOf(identity: Identity): string {
  return identity.proves === 'nothing' ? 'The forger' : identity.name;
}

/** A whole page. `renewSeconds` lets the browser load it again by itself. */
export function layout(title: string, content: Html, renewSeconds?: number): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
${renewSeconds !== undefined && html`<meta http-equiv="refresh" content="${renewSeconds}">`}
<title>${title} – Test mailbox</title>
<link rel="stylesheet" href="/style.css">
</head>
<body>
<header>
<p class="brand"><a href="/">Test mailbox</a></p>
<p class="notice">For trying things out: no mail leaves this machine, and the people are made up.</p>
</header>
<main>
${content}
</main>
</body>
</html>
`.markup;
}

function inboxLink(identity: Identity, current: Identity | undefined): Html {
  return html`<li><a href="/?identity=${identity.key}"${identity === current && html` aria-current="page"`}>${labelOf(identity)}</a></li>`;
}

function timeOf(date: Date): Html {
  return html`<time datetime="${date.toISOString()}">${date.toLocaleTimeString('en-GB')}</time>`;
}

function listItem(message: ReceivedMessage, view: MessageView): Html {
  return html`<li><a href="/message/${message.id}">
<span class="subject">${view.subject || '(no subject)'}</span>
<span class="line">from ${view.from || '(nobody)'}</span>
<span class="line">for ${message.envelope.rcptTo.join(', ')}, ${timeOf(message.receivedAt)}</span>
</a></li>`;
}

/** What stands in the inbox: newest first; `identity` undefined means everybody's. */
export type Inbox = {
  readonly identities: readonly Identity[];
  readonly identity: Identity | undefined;
  readonly messages: readonly { readonly message: ReceivedMessage; readonly view: MessageView }[];
  readonly renews: boolean;
};

/** The list of messages, with the ways to the other inboxes and to a new message. */
export function inboxPage({ identities, identity, messages, renews }: Inbox): string {
  const forger = identity?.proves === 'nothing';
  const title = identity ? `Inbox of ${labelOf(identity)}` : 'All messages';
  const self = identity ? `/?identity=${identity.key}` : '/';
  const still = identity ? `${self}&pause=1` : '/?pause=1';
  const content = html`
<nav aria-label="Inboxes"><ul class="tabs">
<li><a href="/"${identity === undefined && html` aria-current="page"`}>All</a></li>
${identities.map((one) => inboxLink(one, identity))}
</ul></nav>
<h1>${title}</h1>
${identity && html`<p class="muted">${forger ? 'uses ' : ''}${identity.mailbox}. ${identity.note}</p>`}
${forger && html`<p>The forger has no mailbox here: what is sent to ${identity.mailbox} arrives at the real Amy Pond.</p>`}
<p><a class="button" id="write" href="/compose${identity && html`?identity=${identity.key}`}">Write a message</a></p>
${
  messages.length > 0
    ? html`<ol id="messages">${messages.map(({ message, view }) => listItem(message, view))}</ol>`
    : html`<p id="empty" class="empty">Nothing here yet.</p>`
}
<p class="muted">${
    renews
      ? html`New messages appear by themselves. <a href="${still}">Stop renewing</a>`
      : html`This page stands still. <a href="${self}">Renew it every 2 seconds</a>`
  }</p>`;
  return layout(messages.length > 0 ? `${title} (${messages.length})` : title, content, renews ? 2 : undefined);
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
<dl>${rows.map(([name, value]) => (value ? html`<div><dt>${name}</dt><dd>${value}</dd></div>` : html``))}</dl>
<pre id="text">
${view.text || '(no text)'}</pre>
</article>
<p><a id="raw" href="/message/${message.id}/raw">Show the raw source</a></p>`,
  );
}

function identityChoice(identity: Identity, chosen: string): Html {
  return html`<label class="choice"><input type="radio" name="identity" value="${identity.key}" required${identity.key === chosen && html` checked`}>
<span><strong>${labelOf(identity)}</strong> <span class="badge ${identity.proves}">${proofWords[identity.proves]}</span><br>
<span class="address">${identity.mailbox}</span><br><span class="muted">${identity.note}</span></span></label>`;
}

/** The form for a new message. `problem` says what is wrong with what was typed. */
export function composePage(identities: readonly Identity[], draft: Draft, problem?: string): string {
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
<button id="send" type="submit">Send</button>
</form>`,
  );
}

/** What became of a message that was sent, and where a reply would appear. */
export function sentPage(identity: Identity, to: string, answer: SmtpAnswer): string {
  const forged = identity.proves === 'nothing';
  const owner = forged ? 'the real Amy Pond' : identity.name;
  const meaning =
    answer.code < 500
      ? 'A real mail server would try again later.'
      : 'A real mail program would show this as an error report.';
  const outlook = answer.accepted
    ? `A reply, if one comes, appears in the inbox of ${owner} (${identity.mailbox}).`
    : meaning;
  const title = answer.accepted ? 'The message was accepted' : 'The message was not accepted';
  return layout(
    title,
    html`
<h1>${title}</h1>
<p>The mail server of <span class="address">${to}</span> answered:</p>
<pre id="smtp-answer" class="${answer.accepted ? 'good' : 'bad'}" role="status">${answer.code} ${answer.text}</pre>
<p>${outlook}${forged && answer.accepted && ' The forger cannot read it.'}</p>
<p><a class="button" id="inbox" href="/?identity=${forged ? 'amy' : identity.key}">Open the inbox of ${owner}</a></p>
<p><a href="/compose?identity=${identity.key}">Write another message</a></p>`,
  );
}

/** A small page for everything that went wrong. */
export function errorPage(title: string, explanation: string): string {
  return layout(title, html`<h1>${title}</h1><p>${explanation}</p><p><a href="/">Back to the messages</a></p>`);
}
