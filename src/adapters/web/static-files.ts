// The pieces that are the same for everybody: style sheet, script, logo. Read at the start, served from memory, packed
// beforehand, under names that change with what is in them. Pages are never packed: they hold the nonce next to text
// that others choose, and the size of packed text tells about secrets in it (the BREACH attack).

import { createHash } from 'node:crypto';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import type Router from '@koa/router';

export interface StaticFile {
  /** Where browsers find it, for example `/assets/style-0123456789ab.css`. */
  readonly path: string;
  /** Media type. */
  readonly type: string;
  readonly bytes: Buffer;
  /** Content-Security-Policy in place of that of the pages. */
  readonly policy?: string;
}

const folder = '/assets/';

/** Whether a path is that of a piece, if there is one. */
export function isStaticPath(path: string): boolean {
  return path.startsWith(folder);
}

/**
 * Names a piece by its content.
 * @param name for example `style.css`
 * @param type media type
 */
export function staticFile(name: string, type: string, content: string | Buffer): StaticFile {
  const bytes = Buffer.from(content);
  const digest = createHash('sha256').update(bytes).digest('hex').slice(0, 12);
  return { path: `${folder}${name.replace('.', `-${digest}.`)}`, type, bytes };
}

/** Adds a route for each piece. */
export function serveStaticFiles(router: Router, files: readonly StaticFile[]): void {
  for (const { path, type, bytes, policy } of files) {
    const packed = /^text\/|\+xml/.test(type) ? { br: brotliCompressSync(bytes), gzip: gzipSync(bytes) } : undefined;
    router.get(path, (ctx) => {
      ctx.set('Cache-Control', 'public, max-age=31536000, immutable'); // the name changes with the content
      ctx.type = type;
      if (policy !== undefined) ctx.set('Content-Security-Policy', policy);
      ctx.vary('Accept-Encoding');
      const understood = ctx.acceptsEncodings();
      const encoding = (['br', 'gzip'] as const).find((one) => packed !== undefined && understood.includes(one));
      if (encoding !== undefined) ctx.set('Content-Encoding', encoding);
      ctx.body = (encoding && packed?.[encoding]) ?? bytes;
    });
  }
}
