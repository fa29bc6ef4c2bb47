// A kit that runs in another process, through the HTTP interface of its mailbox page: mail is written there, because its DNS
// must vouch for it, and replies arrive there.

import type { detailsOf, listMessages, SentSummary } from './mailbox-api.ts';
import type { Authentication } from './sent-mail.ts';

/** A mail that was sent, the answer to it, and what it was. */
export type SentReport = SentSummary & { readonly authentication: Authentication };

export type RemoteMessage = Awaited<ReturnType<typeof detailsOf>>;

/** `to`: an address, or the mailto link of a page. */
export type MailToSend = Readonly<
  Record<'from' | 'to', string> & Partial<Record<'subject' | 'body' | 'scenario' | 'server', string | undefined>>
>;

/** All of it throws Errors for people: nobody is there, or what the kit says is wrong. */
export type RemoteSink = {
  send(mail: MailToSend): Promise<SentReport>;
  /** The first message for that label, already there or still to come. */
  wait(label: string, timeoutMs: number): Promise<RemoteMessage>;
  /** The newest ones, and how many there are. */
  list(limit: number): ReturnType<typeof listMessages>;
  /** A message as it went over the wire. */
  raw(id: string): Promise<Buffer>;
};

/** The kit with this mailbox page. */
export function sinkAt({ origin }: URL): RemoteSink {
  const ask = async (path: string, init: RequestInit = {}): Promise<Response> => {
    const response = await fetch(`${origin}${path}`, init).catch(() => {
      throw new Error(
        `Nobody answers at ${origin}. Start a kit there (reply-to-verify sink, or develop), or name its mailbox page with --sink.`,
      );
    });
    if (response.ok) return response;
    const problem = Object(await response.json().catch(() => undefined)).problem;
    throw new Error(
      typeof problem === 'string' ? problem : `${origin} is no mailbox page of the test kit. Name it with --sink.`,
    );
  };
  // The same kit speaks on both sides.
  const json = async <Answer>(path: string, init?: RequestInit) => (await (await ask(path, init)).json()) as Answer;
  return {
    send: (mail) =>
      json('/api/sent', {
        method: 'POST',
        body: JSON.stringify(mail),
        headers: { 'content-type': 'application/json' },
      }),
    wait: (label, timeoutMs) => json(`/api/messages/wait?label=${label}&timeoutMs=${timeoutMs}`),
    list: (limit) => json(`/api/messages?limit=${limit}`),
    raw: async (id) => Buffer.from(await (await ask(`/message/${id}/raw`)).arrayBuffer()),
  };
}
