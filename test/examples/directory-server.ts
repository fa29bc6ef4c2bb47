// An organisation's own directory: what config/directory.openapi.yaml asks for, with accounts in a Map. To be read.
// In a real one the Map is a database, `obey` one transaction, a body has at most 64 KiB, and the answers are kept
// for an hour: so a call that is made again, by us or by whoever listened, is obeyed once.

import { createServer, type Server } from 'node:http';
import { text } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';
import { checkFactor, type ExampleAccount, hash, isPassword, keyOf } from './example-accounts.ts';

/** What a request may hold; which of it, the path tells. */
type Asked = Record<'mailbox' | 'accountId' | 'securityVersion' | 'password' | 'changeId', string> &
  Record<'attemptId' | 'typed', string> &
  Record<'at' | 'undoUntil' | 'addressFrozenUntil', number>;

/** @param anyCase domains whose local parts are the same in any case */
export function exampleDirectory(
  accounts: Map<string, ExampleAccount>,
  secret: string,
  anyCase: readonly string[] = [],
): Server {
  const webhook = new Webhook(secret);
  const answers = new Map<string, object>();

  function obey(path: string, asked: Asked): object | undefined {
    const uses = ({ mailboxes }: ExampleAccount) =>
      mailboxes.some((each) => keyOf(each, anyCase) === keyOf(asked.mailbox, anyCase));
    const account = accounts.get(asked.accountId);
    const undoable = account?.previous.filter(({ until }) => asked.at < until) ?? [];
    switch (path) {
      case '/accounts/find': {
        const found = [...accounts.values()].filter(uses);
        const told = found.map(({ id, name, description, state, version, password, secondFactor }) => {
          const more = { hasPassword: password !== null, secondFactor: secondFactor === null ? 'none' : 'enrolled' };
          return { id, name, description, state, securityVersion: String(version), ...more };
        });
        return { accounts: told };
      }
      case '/accounts/set-password': {
        if (account?.previous.at(-1)?.changeId === asked.changeId)
          return { outcome: isPassword(asked.password, account.password) ? 'done' : 'account-changed' };
        if (account?.state !== 'active' || String(account.version) !== asked.securityVersion || !uses(account))
          return { outcome: 'account-changed' };
        const until = asked.undoUntil;
        account.previous = undoable.map((each) => ({ ...each, until: Math.max(each.until, until) }));
        const { password, secondFactor } = account;
        account.previous.push({ changeId: asked.changeId, until, password, secondFactor });
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
        account.secondFactor = undoable[0]?.secondFactor ?? null;
        account.previous = [];
        account.version += 1;
        account.sessionsEndedAt = asked.at;
        if (account.state === 'active') account.state = 'frozen';
        return { outcome: 'done' };
      }
      case '/accounts/verify-second-factor': {
        const isSame = account?.state === 'active' && String(account.version) === asked.securityVersion;
        if (!isSame || account.secondFactor === null) return { outcome: 'account-changed' };
        return checkFactor(account.secondFactor, asked.attemptId, asked.typed, asked.at);
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
