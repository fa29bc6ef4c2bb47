// What the open pages learn about mail that was refused: the latest notice per challenge, in memory and bounded.
// Refused mail must cause no write, and a page that misses its notice only says "waiting".

import type { MailNotice } from './ports.ts';

/** The latest notice per challenge id. */
export interface MailNotices {
  /** @param notice undefined: the mail was accepted, and what was said before is over */
  put(id: string, notice: MailNotice | undefined): void;
  get(id: string): MailNotice | undefined;
}

/** Makes an empty collection. @param max more than this, and the oldest are forgotten */
export function createMailNotices(max = 10_000): MailNotices {
  const notices = new Map<string, MailNotice>();
  return {
    put(id, notice) {
      notices.delete(id);
      if (notice === undefined) return;
      notices.set(id, notice);
      const oldest = notices.size > max ? notices.keys().next().value : undefined;
      if (oldest !== undefined) notices.delete(oldest);
    },
    get: (id) => notices.get(id),
  };
}
