// The cookies and their attributes. `__Host-`: only over TLS, only from this host, for all of it (RFC 6265bis §4.1.3.2).

import type { Context } from 'koa';
import type { Purpose } from '../../core/purpose.ts';

export interface CookieOptions {
  readonly challengeLifetimeMs: number;
  readonly grantLifetimeMs: number;
  /** Whether browsers reach us by TLS, which usually ends at a proxy before us. */
  readonly secure: boolean;
}

export interface CookieJar {
  /** Attacker-chosen; undefined when there is none. */
  get(ctx: Context, name: CookieName): string | undefined;
  set(ctx: Context, name: CookieName, value: string): void;
}

/** Each errand has its own, so that two of them in two tabs do not disturb each other. */
export type CookieName = `challenge-${Purpose}` | `grant-${Purpose}` | 'locale';

export function createCookieJar({ challengeLifetimeMs, grantLifetimeMs, secure }: CookieOptions): CookieJar {
  const prefix = secure ? '__Host-' : '';
  const attributes = { httpOnly: true, sameSite: 'lax', secure, path: '/', overwrite: true } as const;
  const named = (name: string, maxAge?: number) =>
    [`${prefix}rtv-${name}`, { ...attributes, ...(maxAge === undefined ? {} : { maxAge }) }] as const;
  // Outlives its challenge by a week, so that whoever comes back to an old page hears that it has ended, and not that
  // their browser keeps no cookies.
  const challengeMs = challengeLifetimeMs + 7 * 24 * 3_600_000;
  const cookies: Readonly<Record<CookieName, ReturnType<typeof named>>> = {
    'challenge-reset': named('challenge', challengeMs),
    'challenge-activate': named('challenge-activate', challengeMs),
    'challenge-confirm': named('challenge-confirm', challengeMs),
    'grant-reset': named('grant', grantLifetimeMs),
    'grant-activate': named('grant-activate', grantLifetimeMs),
    'grant-confirm': named('grant-confirm', grantLifetimeMs),
    locale: named('locale'), // until the browser is closed: the next person may speak another language
  };
  return {
    get: (ctx, name) => ctx.cookies.get(cookies[name][0]),
    set(ctx, name, value) {
      ctx.cookies.secure = secure;
      const [full, options] = cookies[name];
      ctx.cookies.set(full, value, options);
    },
  };
}
