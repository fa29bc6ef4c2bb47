// A visit to the pages as a test tells it: open one, type the code, choose an account, set its password. Reads the HTML by
// the ids that it promises to tests (pages.ts); cookie and nonce stay in here.

import { type Purpose, purposes } from '../core/purpose.ts';
import { elementsOf, unescapeHtml } from './link-finder.ts';
import { Visitor } from './visitor.ts';

/** An account of the mailbox that was proved. */
export type ShownAccount = { readonly name: string; readonly description: string };

/** What a form came to when it was not accepted: the HTTP status, and what the page says. */
export type NotAccepted = { readonly kind: 'refused'; readonly status: number; readonly message: string };

/** What a code came to. */
export type Entered =
  | {
      readonly kind: 'verified';
      readonly mailbox: string;
      readonly accounts: readonly ShownAccount[];
      readonly status?: undefined;
      readonly message?: undefined;
    }
  | (NotAccepted & { readonly mailbox?: undefined; readonly accounts?: undefined });

/** What the live line says. */
export type LiveLine = {
  /** `awaiting-mail`, `mail-arrived`, `mail-refused`, `reply-queued`, `reply-delayed`, `reply-handed-over`, `reply-failed`, ... */
  readonly state: string;
  readonly label: string;
  readonly line: string;
  /** A mail was refused although an answer is out already. */
  readonly refused: string;
  /** For an administrator: how the refused mail was judged. */
  readonly verdict: readonly string[];
};

/** An open page of an errand, with the browser that shows it. */
export interface Page {
  /** The one-time address. */
  readonly address: string;
  /** `KQXF-WTMB`. */
  readonly label: string;
  /** What its button opens: the address, with the prepared Subject and text. */
  readonly mailto: string;
  /** For whatever is not here: it has the cookies of this page. */
  readonly visitor: Visitor;
  /** What the live line says now. */
  look(): Promise<LiveLine>;
  /** The live line as soon as it says so. @throws Error that says what it said instead, at the time limit */
  waitFor(state: string, limit?: { readonly timeoutMs?: number }): Promise<LiveLine>;
  /** Types a code, as people do: blanks and words around it do not matter. */
  enter(code: string): Promise<Entered>;
  /** After the right code of `reset` and `activate`: chooses the account and sets its password. */
  setPassword(account: string, password: string): Promise<{ readonly kind: 'password-set' } | NotAccepted>;
  /** After the right code of `confirm`: presses the button. */
  confirm(): Promise<{ readonly kind: 'confirmed' } | NotAccepted>;
}

/** Opens the page of an errand. @throws Error when there is none, or it shows no address */
export async function openPage(origin: () => string, purpose: Purpose = 'reset'): Promise<Page> {
  const visitor = new Visitor(origin);
  const { status, html, nonce, address, label } = await visitor.open(purpose);
  if (status !== 200 || nonce === '')
    throw new Error(`/${purpose} was answered with ${status}, and shows no address; there are: ${purposes.join(', ')}`);
  /** The answer to a form: where it leads, or itself. */
  const after = async (answer: Response) => {
    const location = answer.status === 303 ? answer.headers.get('location') : null;
    return location === null ? answer : visitor.request(location);
  };
  return {
    address,
    label,
    mailto: attributeOf(html, 'mailto', 'href'),
    visitor,
    look: async () => (await (await visitor.request(`/${purpose}/progress`)).json()) as LiveLine,
    waitFor: (state, { timeoutMs = 5000 } = {}) => follow(visitor, `/${purpose}/events`, state, timeoutMs),
    async enter(code) {
      if (typeof code !== 'string') throw new TypeError('a code is a text: (await kit.sink.waitForReply(...)).code');
      const answer = await after(await visitor.enter({ nonce }, code, purpose));
      const page = await answer.text();
      if (answer.status !== 200) return refused(answer.status, page);
      const accounts = accountsOf(page).map(({ name, description }) => ({ name, description }));
      return { kind: 'verified', mailbox: textOf(page, 'mailbox') ?? '', accounts };
    },
    async setPassword(name, password) {
      const list = await visitor.request(`/${purpose}/accounts`);
      const listed = await list.text();
      if (list.status !== 200) return refused(list.status, listed);
      const account = accountsOf(listed).find((each) => each.name === name)?.id;
      if (account === undefined) {
        const names = accountsOf(listed).map((each) => each.name);
        throw new Error(`the page shows no account ${JSON.stringify(name)}, but: ${names.join(', ') || 'none'}`);
      }
      const form = await after(await visitor.post(`/${purpose}/accounts`, { nonce, account }));
      if (form.status !== 200) return refused(form.status, await form.text());
      const set = await visitor.post(`/${purpose}/password`, { nonce, account, password, repeated: password });
      return set.status === 303 ? { kind: 'password-set' } : refused(set.status, await set.text());
    },
    async confirm() {
      const answer = await visitor.post('/confirm/mailbox', { nonce });
      return answer.status === 303 ? { kind: 'confirmed' } : refused(answer.status, await answer.text());
    },
  };
}

function refused(status: number, page: string): NotAccepted {
  const [message = ''] = ['problem', 'message', 'renewed', 'no-account'].flatMap((id) => textOf(page, id) ?? []);
  return { kind: 'refused', status, message };
}

/** The text of an element without others in it. */
function textOf(page: string, id: string): string | undefined {
  const text = new RegExp(`<[^>]* id="${id}"[^>]*>([^<]*)<`).exec(page)?.[1];
  return text === undefined ? undefined : unescapeHtml(text);
}

function attributeOf(page: string, id: string, name: string): string {
  return (
    elementsOf(page)
      .find(({ attributes }) => attributes.get('id') === id)
      ?.attributes.get(name) ?? ''
  );
}

function accountsOf(page: string): readonly (ShownAccount & { readonly id: string })[] {
  const buttons = page.matchAll(
    /<button[^>]* name="account" value="([^"]*)"><strong[^>]*>([^<]*)<\/strong> <span[^>]*>([^<]*)</g,
  );
  return [...buttons].map((button) => {
    const [, id = '', name = '', description = ''] = button.map(unescapeHtml);
    return { id, name, description };
  });
}

/** Reads the events of a page until it says so. */
async function follow(visitor: Visitor, path: string, state: string, timeoutMs: number): Promise<LiveLine> {
  const signal = AbortSignal.timeout(timeoutMs);
  let last: LiveLine | undefined;
  try {
    const { body } = await visitor.request(path, { signal });
    let rest = '';
    for await (const piece of body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const events = (rest + piece).split('\n\n');
      rest = events.pop() ?? '';
      for (const event of events) {
        if (!event.startsWith('data: ')) continue;
        last = JSON.parse(event.slice('data: '.length)) as LiveLine;
        if (last.state === state) return last;
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  const said = last === undefined ? 'nothing' : `${last.state}: “${last.line}”`;
  throw new Error(`the page did not come to ${JSON.stringify(state)} within ${timeoutMs} ms; last it said ${said}`);
}
