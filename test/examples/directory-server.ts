// An organisation's own directory in a hundred lines: what config/directory.openapi.yaml asks for, with accounts in a Map.
// To be read. In a real one the Map is a database, `obey` one transaction, a body has at most 64 KiB, and the answers are kept
// for an hour: so a call that is made again, by us or by whoever listened, is obeyed once.

import { randomBytes, scryptSync, timingSafeEqual } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { text } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';

export interface ExampleAccount {
  readonly id: string;
  name: string;
  description: string;
  mailboxes: string[];
  state: 'active' | 'locked' | 'frozen';
  version: number;
  password: Buffer | null;
  /** What was before each change that can still be undone, oldest first. */
  previous: { changeId: string; password: Buffer | null; until: number }[];
  passwordChangedAt: number | null;
  sessionsEndedAt: number | null;
  addressFrozenUntil: number | null;
}

/** What a request may hold; which of it, the path tells. */
type Asked = Record<'mailbox' | 'accountId' | 'securityVersion' | 'password' | 'changeId', string> &
  Record<'at' | 'undoUntil' | 'addressFrozenUntil', number>;

const hash = (password: string, salt = randomBytes(16)) => Buffer.concat([salt, scryptSync(password, salt, 32)]);
/** Whether it is the password of a hash. */
export const isPassword = (typed: string, of: Buffer | null) =>
  of !== null && timingSafeEqual(of, hash(typed, Buffer.from(of.subarray(0, 16))));

/** @param anyCase domains whose local parts are the same in any case */
export function exampleDirectory(
  accounts: Map<string, ExampleAccount>,
  secret: string,
  anyCase: readonly string[] = [],
): Server {
  const webhook = new Webhook(secret);
  const answers = new Map<string, object>();

  function keyOf(mailbox: string): string {
    const [local = '', domain = ''] = mailbox.split(/@(?=[^@]*$)/);
    const isAnyCase = anyCase.some((each) => each.toLowerCase() === domain.toLowerCase());
    return `${isAnyCase ? local.toLowerCase() : local}@${domain.toLowerCase()}`;
  }

  function obey(path: string, asked: Asked): object | undefined {
    const uses = ({ mailboxes }: ExampleAccount) => mailboxes.some((each) => keyOf(each) === keyOf(asked.mailbox));
    const account = accounts.get(asked.accountId);
    const undoable = account?.previous.filter(({ until }) => asked.at < until) ?? [];
    switch (path) {
      case '/accounts/find': {
        const found = [...accounts.values()].filter(uses).map(({ id, name, description, state, version, password }) => {
          const hasPassword = password !== null;
          return { id, name, description, state, securityVersion: String(version), hasPassword, secondFactor: 'none' };
        });
        return { accounts: found };
      }
      case '/accounts/set-password': {
        if (account?.previous.at(-1)?.changeId === asked.changeId)
          return { outcome: isPassword(asked.password, account.password) ? 'done' : 'account-changed' };
        if (account?.state !== 'active' || String(account.version) !== asked.securityVersion || !uses(account))
          return { outcome: 'account-changed' };
        const until = asked.undoUntil;
        account.previous = undoable.map((each) => ({ ...each, until: Math.max(each.until, until) }));
        account.previous.push({ changeId: asked.changeId, password: account.password, until });
        account.password = hash(asked.password);
        account.version += 1;
        account.passwordChangedAt = asked.at;
        account.sessionsEndedAt = asked.at; // a session that began before is worth nothing any more
        account.addressFrozenUntil = asked.addressFrozenUntil;
        return { outcome: 'done' };
      }
      case '/accounts/revert-password': {
        if (account === undefined || !undoable.some(({ changeId }) => changeId === asked.changeId))
          return { outcome: 'too-late' };
        account.password = undoable[0]?.password ?? null;
        account.previous = [];
        account.version += 1;
        account.sessionsEndedAt = asked.at;
        if (account.state === 'active') account.state = 'frozen';
        return { outcome: 'done' };
      }
      case '/mailboxes/confirm':
        return { outcome: [...accounts.values()].some(uses) ? 'done' : 'no-account' };
      case '/events':
        return {};
    }
    return undefined;
  }

  return createServer(async (request, response) => {
    const reply = (status: number, body: object) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    const body = await text(request);
    const id = String(request.headers['webhook-id']);
    try {
      webhook.verify(body, { ...request.headers } as Record<string, string>);
    } catch {
      reply(401, {}); // not from reply-to-verify, changed on its way, or sent too long ago
      return;
    }
    // The same id again is the same call: its answer was lost.
    const answer = answers.get(id) ?? obey(request.url ?? '', JSON.parse(body));
    if (answer !== undefined) answers.set(id, answer);
    reply(answer === undefined ? 404 : 200, answer ?? {});
  });
}
