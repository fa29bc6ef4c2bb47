// The promise of every mail that the service sends: it holds nothing that a mail filter could open. The eyes are those of
// the link scanner, which find too much rather than too little.

import { AssertionError } from 'node:assert';
import { elementsOf, findLinks, textsOfMail } from './link-finder.ts';

// They name mailboxes and messages, which have a domain each.
const named = ['from', 'to', 'message-id', 'in-reply-to', 'references', 'return-path'];
// Written by mail servers, for mail servers.
const traces = ['received', 'dkim-signature'];

/**
 * Asserts that a mail holds no link, address, host name or path, no markup and no image, in whichever part or header.
 * @param mail as it came over the wire, or a message of the sink
 * @throws AssertionError that lists what there is
 */
export async function assertNothingToOpen(mail: string | Buffer | { readonly raw: string | Buffer }): Promise<void> {
  const raw = typeof mail === 'object' && 'raw' in mail ? mail.raw : mail;
  if (typeof raw !== 'string' && !Buffer.isBuffer(raw)) {
    throw new TypeError('assertNothingToOpen takes a message of the sink, or the octets of one');
  }
  const texts = (await textsOfMail(raw)).filter(({ where }) => !traces.includes(where));
  const links = texts.flatMap(findLinks).filter(({ where, kind }) => !named.includes(where) || kind !== 'address');
  const bodies = texts.filter(({ where }) => where === 'body');
  const found = [
    ...links.map(({ kind, where, text }) => `${kind} in ${where}: ${text}`),
    ...bodies.flatMap(({ text }) => elementsOf(text)).map(({ tag }) => `markup in body: <${tag}>`),
    ...texts.flatMap(({ where, text }) =>
      where === 'content-type' && !/^text\/plain\b/i.test(text.trim()) ? [`not plain text: ${text.trim()}`] : [],
    ),
  ];
  if (found.length === 0) return;
  const message = `the mail holds something to open:\n${[...new Set(found)].join('\n')}`;
  throw new AssertionError({ message, actual: found, expected: [], operator: 'assertNothingToOpen' });
}
