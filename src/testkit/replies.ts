// Finds the service's reply among what the sink got, and says what else came when it did not.

import { parseMailbox } from '../core/mail-address.ts';
import type { MessageView, ReceivedMessage, Sink } from './sink.ts';

/** Which reply: at least one of the two. */
export type ReplyWanted = {
  /** The mailbox that wrote: replies go to nobody else. */
  readonly to?: string;
  /** The request label of the page, `KQXF-WTMB`. */
  readonly label?: string;
  /** 5,000 unless it says otherwise. */
  readonly timeoutMs?: number;
};

/** A reply as its reader sees it, and as it came. */
export type Reply = ReceivedMessage & MessageView & { readonly code: string; readonly label: string };

/** Makes `Sink.waitForReply`. */
export function replyWaiter(sink: Pick<Sink, 'messages' | 'waitFor'>, closing: AbortSignal): Sink['waitForReply'] {
  return async (wanted) => {
    const { to, label, timeoutMs = 5000 } = wanted ?? {};
    const mailbox = to === undefined ? undefined : parseMailbox(to);
    if ((to === undefined && label === undefined) || (to !== undefined && mailbox === undefined)) {
      throw new TypeError('say whose reply: waitForReply({ to: "alice@school.test" }), or ({ label: page.label })');
    }
    const others = new Set<ReceivedMessage>();
    const fits = (message: ReceivedMessage) =>
      !others.has(message) && (mailbox === undefined || message.envelope.rcptTo.includes(mailbox));
    const end = Date.now() + timeoutMs;
    for (;;) {
      const message = await sink.waitFor(fits, { timeoutMs: Math.max(0, end - Date.now()) }).catch(async () => {
        const when = closing.aborted ? 'before the sink closed' : `within ${timeoutMs} ms`;
        const whose = `${label === undefined ? '' : ` for ${label}`}${mailbox === undefined ? '' : ` to ${mailbox}`}`;
        throw new Error(`no reply${whose} came ${when}; ${await describe(sink.messages)}`);
      });
      const view = await message.view();
      if (view.code !== undefined && view.label !== undefined && (label ?? view.label) === view.label) {
        return { ...message, ...view, code: view.code, label: view.label };
      }
      others.add(message);
    }
  };
}

async function describe(messages: readonly ReceivedMessage[]): Promise<string> {
  if (messages.length === 0) return 'nothing did';
  const last = messages.slice(-5).map(async (message) => {
    const { subject } = await message.view();
    return `“${subject}” to ${message.envelope.rcptTo.join(', ')}`;
  });
  return `${messages.length} others did, the last: ${(await Promise.all(last)).join('; ')}`;
}
