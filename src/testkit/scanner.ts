// A link scanner as bad as they come: opens whatever looks like a link in mails and pages, submits every form with every
// button, and goes on with what comes back. It stands for a mail filter, or, with the person's cookies, for a proxy that
// breaks TLS open and plays back what it saw. What it never has is the nonce of a page that somebody else opened: a
// field of that name gets everything but that, also when the page comes back to it because of those cookies.
// Nothing is looked up: every request goes to the one origin it was given, with the path of what was found.

import { elementsOf, type Finding, type Form, findForms, findLinks, type Text, textsOfMail } from './link-finder.ts';

export type ScanOptions = {
  /** Gets all requests, whichever host was found. */
  readonly origin: string;
  /** Path of a page that the robot opens as a stranger first: cookies and a nonce of its own come from there. */
  readonly ownPage: string;
  /** Messages as they went over the wire. */
  readonly mails: readonly (string | Buffer)[];
  /** Pages as somebody saw them, and at which path. */
  readonly pages: readonly { readonly path: string; readonly html: string }[];
  /** The person's cookies, or none. They are sent with every request, and never changed. */
  readonly cookies: ReadonlyMap<string, string>;
  /** After so many it gives up. */
  readonly requestsMax?: number;
};

/** `target`: path and query. `body`: the form as it was posted, else ''. */
export type ScanRequest = { readonly method: string; readonly target: string; readonly body: string };

export type ScanReport = {
  /** In the mails and pages that were given, and in what came back. */
  readonly found: readonly Finding[];
  readonly requests: readonly (ScanRequest & { readonly status: number })[];
  /** How often what was answered: `POST 403` to 12. */
  readonly counts: Readonly<Record<string, number>>;
  /** What was sent in fields called nonce; undefined: they were left out. The last one is of the robot's own page. */
  readonly nonces: readonly (string | undefined)[];
  /** Gave up before everything was opened. */
  readonly cutShort: boolean;
};

const targetLengthMax = 2000;
const guess = '12345678';

/** Path and query, the only part of a finding that is used; a name alone leads to the front page. */
function targetOf({ kind, where, text }: Finding): string {
  const written = kind === 'host' || kind === 'address' ? `http://${text}` : text;
  const url = URL.parse(written, `http://origin.invalid${where.startsWith('/') ? where : '/'}`);
  return `/${url?.pathname.replace(/^\//, '') ?? ''}${url?.search ?? ''}`.slice(0, targetLengthMax);
}

/** Every way to fill a form: with each code, by each choice or none, with each nonce. Hidden fields stay as they are. */
function fillings({ fields, choices }: Form, codes: readonly string[], nonces: ScanReport['nonces']): string[] {
  const all = [...fields, ...choices];
  const tried = all.some(([name]) => name === 'nonce') ? nonces : [undefined];
  return codes.flatMap((code) =>
    [undefined, ...choices].flatMap((choice) =>
      tried.map((nonce) => {
        const form = new URLSearchParams();
        for (const [name, value] of fields) form.append(name, value || code);
        if (choice !== undefined) form.set(...choice);
        form.delete('');
        form.delete('nonce');
        if (nonce !== undefined) form.set('nonce', nonce);
        return form.toString();
      }),
    ),
  );
}

/** What there is to ask because of a text: first to open, then to submit. */
function requestsFor(text: Text, codes: readonly string[], nonces: ScanReport['nonces']): readonly ScanRequest[] {
  const { where } = text;
  const opened = findLinks(text).flatMap((finding) =>
    ['HEAD', 'GET', 'OPTIONS'].map((method) => ({ method, target: targetOf(finding), body: '' })),
  );
  const posted = findForms(text.text).flatMap((form) =>
    form.actions.flatMap((action) => {
      const target = targetOf({ kind: 'form', where, text: action });
      return fillings(form, codes, nonces).flatMap((filled) => [
        { method: 'POST', target, body: filled },
        { method: 'GET', target: `${target.replace(/\?.*/, '')}?${filled}`, body: '' },
      ]);
    }),
  );
  return [...opened, ...posted];
}

function keepCookies(jar: Map<string, string>, response: Response): void {
  for (const line of response.headers.getSetCookie()) {
    const [, name = '', value = ''] = /^([^=;]*)=([^;]*)/.exec(line) ?? [];
    jar.set(name, value);
  }
}

/** The text of an answer; of a stream of events, which may never end, the first piece. */
async function textOf(response: Response): Promise<string> {
  if (response.headers.get('content-type')?.startsWith('text/event-stream') !== true) return response.text();
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  const first = await reader?.read();
  await reader?.cancel();
  return first?.value ?? '';
}

/**
 * Opens and submits whatever there is in mails and pages, breadth first, each request once, one after the other.
 * @returns what was found, asked and answered
 * @throws when the origin does not answer
 */
export async function scan(options: ScanOptions): Promise<ScanReport> {
  const { origin, ownPage, mails, pages, requestsMax = 1000 } = options;
  const jar = new Map<string, string>();
  const own = await fetch(`${origin}${ownPage}`, { redirect: 'manual' });
  keepCookies(jar, own);
  // A new challenge on the way must not make the robot forget whose page it is after.
  const fixed = new Map([...jar, ...options.cookies]);
  const ownNonce = elementsOf(await own.text()).find(({ attributes }) => attributes.get('name') === 'nonce');
  const nonces = [undefined, '', 'A'.repeat(43), ownNonce?.attributes.get('value')];

  const fromMails = (await Promise.all(mails.map(textsOfMail))).flat();
  const texts = [...fromMails, ...pages.map(({ path, html }) => ({ where: path, text: html }))];
  const digits = texts.flatMap(({ text }) => text.match(/\b\d{4}[ -]?\d{4}\b/g) ?? []);
  const codes = [...new Set([...digits.map((code) => code.replace(/\D/, '')), guess])];

  const read = new Set<string>();
  const found = new Map<string, Finding>();
  const queue = new Map<string, ScanRequest>(); // going through it, one meets what was added on the way
  const add = (text: Text) => {
    const once = JSON.stringify(text);
    if (read.has(once)) return;
    read.add(once);
    for (const finding of findLinks(text)) found.set(JSON.stringify(finding), finding);
    for (const request of requestsFor(text, codes, nonces)) {
      const key = JSON.stringify(request);
      if (!queue.has(key)) queue.set(key, request);
    }
  };
  texts.forEach(add);

  const requests: (ScanRequest & { status: number })[] = [];
  for (const request of queue.values()) {
    if (requests.length === requestsMax) break;
    const { method, target, body } = request;
    const cookie = [...new Map([...jar, ...fixed])].map(([name, value]) => `${name}=${value}`).join('; ');
    const form = method === 'POST' && { body: new URLSearchParams(body) };
    const response = await fetch(`${origin}${target}`, { method, redirect: 'manual', headers: { cookie }, ...form });
    keepCookies(jar, response);
    requests.push({ ...request, status: response.status });
    const where = target.replace(/\?.*/, '');
    add({ where, text: await textOf(response) });
    add({ where, text: `url=${response.headers.get('location') ?? ''}` });
  }
  const groups = Object.groupBy(requests, ({ method, status }) => `${method} ${status}`);
  const counts = Object.fromEntries(Object.entries(groups).map(([name, list = []]) => [name, list.length]));
  return { found: [...found.values()], requests, counts, nonces, cutShort: requests.length < queue.size };
}
