// Somebody in front of the pages: an HTTP client with a cookie jar, which follows no redirect by itself. visit.ts reads
// what the pages say.

import type { Purpose } from '../core/purpose.ts';

/** What a visitor reads from the page of an errand. */
export type OpenPage = {
  readonly status: number;
  readonly html: string;
  readonly nonce: string;
  readonly address: string;
  readonly label: string;
};

/** A browser without scripts. */
export class Visitor {
  readonly cookies = new Map<string, string>();
  readonly #origin: () => string;
  readonly #headers: Readonly<Record<string, string>>;

  /**
   * @param origin  asked for at each request: the service may move
   * @param headers sent with each request
   */
  constructor(origin: () => string, headers: Readonly<Record<string, string>> = {}) {
    this.#origin = origin;
    this.#headers = headers;
  }

  async request(path: string, init: RequestInit & { headers?: Record<string, string> } = {}): Promise<Response> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = { ...this.#headers, ...(cookie === '' ? {} : { cookie }), ...init.headers };
    const response = await fetch(`${this.#origin()}${path}`, { ...init, redirect: 'manual', headers });
    for (const line of response.headers.getSetCookie()) {
      const [name = '', value = ''] = (line.split(';')[0] ?? '').split('=');
      this.cookies.set(name, value);
    }
    return response;
  }

  post(path: string, fields: Record<string, string>): Promise<Response> {
    return this.request(path, { method: 'POST', body: new URLSearchParams(fields) });
  }

  async open(purpose: Purpose = 'reset'): Promise<OpenPage> {
    const response = await this.request(`/${purpose}`);
    return readPage(response.status, await response.text());
  }

  enter(page: Pick<OpenPage, 'nonce'>, code: string, purpose: Purpose = 'reset'): Promise<Response> {
    return this.post(`/${purpose}`, { nonce: page.nonce, code });
  }
}

/** Reads such a page; what is not on it is an empty text. */
export function readPage(status: number, html: string): OpenPage {
  const find = (pattern: RegExp) => pattern.exec(html)?.[1] ?? '';
  return {
    status,
    html,
    nonce: find(/name="nonce" value="([^"]+)"/),
    address: find(/href="mailto:([^?"]+)/),
    label: find(/([BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4})/),
  };
}
