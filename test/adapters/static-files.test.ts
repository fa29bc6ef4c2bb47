// The static pieces over real HTTP: packed for whoever understands it, the same bytes for everybody, kept for ever under
// a name that changes with them.

import assert from 'node:assert/strict';
import { createServer, type IncomingHttpHeaders, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import Router from '@koa/router';
import Koa from 'koa';
import { type StaticFile, serveStaticFiles, staticFile } from '../../src/adapters/web/static-files.ts';
import { table } from '../support/core-table.ts';

const style = staticFile('style.css', 'text/css', 'body { margin: 0; }\n'.repeat(50));
const script = staticFile('page.js', 'text/javascript', `const grüße = '“ä”';\n`.repeat(50));
const svg = staticFile('logo.svg', 'image/svg+xml', `<svg xmlns="http://www.w3.org/2000/svg">${' '.repeat(500)}</svg>`);
const logo: StaticFile = { ...svg, path: svg.path.replace('logo', 'brand'), policy: "default-src 'none'; sandbox" };
const png = staticFile('logo.png', 'image/png', Buffer.alloc(500, 7));
const empty = staticFile('empty.css', 'text/css', '');
const files = [style, script, svg, logo, png, empty];
const pagePolicy = "default-src 'self'";

let server: Server;
before(async () => {
  const app = new Koa();
  const router = new Router();
  serveStaticFiles(router, files);
  app.use((ctx, next) => {
    ctx.set({ 'Content-Security-Policy': pagePolicy, 'Cache-Control': 'no-store' });
    return next();
  });
  app.use(router.routes());
  server = createServer(app.callback());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
after(() => server.close());

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Asks as exactly as it is told to: fetch would add an Accept-Encoding and unpack by itself. */
function ask(path: string, acceptEncoding?: string, method = 'GET'): Promise<Answer> {
  const headers = acceptEncoding === undefined ? {} : { 'accept-encoding': acceptEncoding };
  const { port } = server.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    const asking = request({ host: '127.0.0.1', port, path, method, headers, agent: false });
    asking.on('error', reject).on('response', (response) => {
      const { statusCode: status, headers: given } = response;
      buffer(response).then((body) => resolve({ status, headers: given, body }), reject);
    });
    asking.end();
  });
}

function unpack({ headers, body }: Answer): Buffer {
  const encoding = headers['content-encoding'];
  if (encoding === 'br') return brotliDecompressSync(body);
  if (encoding === 'gzip') return gunzipSync(body);
  assert.equal(encoding, undefined);
  return body;
}

const encodings: readonly (readonly [accepted: string | undefined, encoding: string | undefined])[] = [
  [undefined, undefined],
  ['', undefined],
  ['br', 'br'],
  ['gzip', 'gzip'],
  ['gzip, deflate, br, zstd', 'br'],
  ['gzip, deflate', 'gzip'],
  ['deflate', undefined],
  ['identity', undefined],
  ['br;q=0', undefined],
  ['br;q=0, gzip', 'gzip'],
  ['br;q=0, gzip;q=0', undefined],
  ['gzip;q=1.0, br;q=0.1', 'br'],
  ['br;q=0.0, *', undefined],
  ['*', undefined],
  ['*;q=0', undefined],
  ['gzip;q=abc', undefined],
  ['x,'.repeat(2000), undefined],
];
describe('packed as the browser understands it', { concurrency: true }, () => {
  for (const [accepted, encoding] of encodings) {
    test(`${accepted?.slice(0, 40) ?? 'nothing said'}: ${encoding ?? 'as it is'}`, async () => {
      for (const file of [style, script, svg]) {
        const answer = await ask(file.path, accepted);
        assert.equal(answer.status, 200);
        assert.equal(answer.headers['content-encoding'], encoding);
        assert.equal(answer.headers.vary, 'Accept-Encoding');
        assert.equal(answer.headers['content-length'], String(answer.body.length));
        assert.deepEqual(unpack(answer), file.bytes);
        if (encoding !== undefined) assert.ok(answer.body.length < file.bytes.length / 2);
      }
    });
  }

  test('images and other packed things are not packed again', async () => {
    const answer = await ask(png.path, 'br, gzip');
    assert.equal(answer.headers['content-encoding'], undefined);
    assert.deepEqual(answer.body, png.bytes);
  });

  test('a piece with nothing in it is a piece', async () => {
    for (const accepted of ['br', 'gzip', undefined]) {
      const answer = await ask(empty.path, accepted);
      assert.deepEqual([answer.status, unpack(answer).length], [200, 0]);
    }
  });
});

describe('its answer', { concurrency: true }, () => {
  const types: readonly (readonly [StaticFile, string])[] = [
    [style, 'text/css; charset=utf-8'],
    [script, 'text/javascript; charset=utf-8'],
    [svg, 'image/svg+xml'],
    [png, 'image/png'],
  ];
  for (const [file, type] of types) {
    test(`is ${type}, kept for a year and never asked for again`, async () => {
      const { headers } = await ask(file.path, 'br');
      assert.equal(headers['content-type'], type);
      assert.equal(headers['cache-control'], 'public, max-age=31536000, immutable');
    });
  }

  test('has the policy of the pages, or its own in place of it', async () => {
    const policies = await Promise.all([svg, logo].map(async ({ path }) => (await ask(path)).headers));
    assert.deepEqual(
      policies.map((headers) => headers['content-security-policy']),
      [pagePolicy, logo.policy],
    );
  });

  test('to HEAD is the same without a body', async () => {
    const [got, asked] = [await ask(style.path, 'br'), await ask(style.path, 'br', 'HEAD')];
    assert.equal(asked.body.length, 0);
    const { date: _date, ...expected } = got.headers;
    const { date: _other, ...headers } = asked.headers;
    assert.deepEqual(headers, expected);
  });

  test('is only to be had under its very name', async () => {
    for (const path of [style.path.replace('.css', ''), '/assets/style.css', '/assets/', `${style.path}x`]) {
      assert.equal((await ask(path)).status, 404, path);
    }
  });
});

const pathOf = ([name, content]: readonly [string, string | Buffer]) => staticFile(name, 'text/css', content).path;
table('the name', pathOf, [
  ['of nothing', ['style.css', ''], '/assets/style-e3b0c44298fc.css'],
  ['of a text', ['style.css', 'abc'], '/assets/style-ba7816bf8f01.css'],
  ['of the same as bytes', ['style.css', Buffer.from('abc')], '/assets/style-ba7816bf8f01.css'],
  ['of another text', ['style.css', 'abd'], '/assets/style-a52d159f262b.css'],
  ['of something else with it', ['page.js', 'abc'], '/assets/page-ba7816bf8f01.js'],
]);

test('a piece keeps its bytes, whatever becomes of those it was made from', () => {
  const bytes = Buffer.from('abc');
  const file = staticFile('a.png', 'image/png', bytes);
  bytes.fill(0);
  assert.deepEqual(file, { path: '/assets/a-ba7816bf8f01.png', type: 'image/png', bytes: Buffer.from('abc') });
});
