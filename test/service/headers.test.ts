// The headers that protect the pages, on every kind of answer; and the cookies.

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startWorld, Visitor, type World } from '../support/world.ts';

const policy = [
  "default-src 'none'",
  "style-src 'self'",
  "script-src 'self'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
  "connect-src 'self'",
  "img-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

let world: World;
before(async () => {
  world = await startWorld();
});
after(() => world.close());

async function assertProtected(answer: Response, what: string): Promise<void> {
  const headers = (name: string) => answer.headers.get(name);
  assert.equal(headers('content-security-policy'), policy, what);
  assert.equal(headers('referrer-policy'), 'no-referrer', what);
  assert.equal(headers('x-content-type-options'), 'nosniff', what);
  assert.equal(headers('x-frame-options'), 'DENY', what);
  assert.equal(headers('cross-origin-opener-policy'), 'same-origin', what);
  assert.equal(headers('cross-origin-resource-policy'), 'same-origin', what);
  assert.equal(headers('permissions-policy'), 'camera=(), geolocation=(), microphone=()', what);
  assert.equal(headers('x-robots-tag'), 'noindex', what);
  assert.equal(headers('x-powered-by'), null, what);
  const isStatic = what.startsWith('/assets/');
  assert.equal(headers('cache-control'), isStatic ? 'public, max-age=31536000, immutable' : 'no-store', what);
  await answer.body?.cancel();
}

describe('every answer', () => {
  it('carries the headers, whatever it is', async () => {
    const visitor = new Visitor(world);
    const { html } = await visitor.open();
    const assets = [...html.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)].map(([, path]) => path ?? '');
    const paths = [
      '/',
      '/reset',
      '/reset/accounts',
      '/reset/progress',
      '/reset/events',
      '/reset/mail.svg',
      '/favicon.ico',
    ];
    for (const path of [...paths, ...assets, '/nothing', '/reset/new', '/%']) {
      await assertProtected(await visitor.request(path), path);
    }
    await assertProtected(await visitor.request('/reset', { method: 'DELETE' }), '405');
    await assertProtected(await visitor.request('/reset', { method: 'POST', body: 'x' }), '415');
    await assertProtected(await visitor.post('/reset', { code: '1'.repeat(5000) }), '413');
    await assertProtected(await visitor.post('/reset', { nonce: 'x', code: '1' }), '403');
    await assertProtected(await visitor.post('/language', { locale: 'de' }), '303');
    await assertProtected(await visitor.post('/reset/new', {}), '303');
  });
});

describe('cookies', () => {
  it('are out of reach of scripts and other sites, and bound to the host by TLS where there is TLS', async () => {
    const secure = await startWorld({
      'web.publicUrl': 'https://reset.school.example',
      'web.trustedProxies': ['127.0.0.1'],
    });
    try {
      const answer = await fetch(`${secure.webUrl}/reset`);
      assert.equal(answer.headers.get('strict-transport-security'), 'max-age=31536000');
      const [cookie = ''] = answer.headers.getSetCookie();
      assert.match(cookie, /^__Host-rtv-challenge=[\w-]{54}; path=\/; expires=[^;]+; samesite=lax; secure; httponly$/);
      const chosen = await fetch(`${secure.webUrl}/language`, {
        method: 'POST',
        body: new URLSearchParams({ locale: 'fr' }),
        redirect: 'manual',
      });
      assert.deepEqual(chosen.headers.getSetCookie(), ['__Host-rtv-locale=fr; path=/; samesite=lax; secure; httponly']);
    } finally {
      await secure.close();
    }
    const plain = await fetch(`${world.webUrl}/reset`);
    assert.equal(plain.headers.get('strict-transport-security'), null);
    assert.match(plain.headers.getSetCookie()[0] ?? '', /^rtv-challenge=.*; samesite=lax; httponly$/);
  });
});

describe('the organisation', () => {
  it('has its colour and its logo on every page, and a logo that is none stops the start', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rtv-logo-'));
    const logo = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><rect width="1" height="1"/></svg>';
    const file = join(folder, 'logo.svg');
    await writeFile(file, logo);
    const own = await startWorld({ 'web.color': '#7a1f5c', 'web.logoFile': file });
    try {
      for (const path of ['/reset', '/nothing']) {
        const html = await (await fetch(`${own.webUrl}${path}`)).text();
        const image = /<img src="(\/assets\/logo-\w+\.svg)" alt="">/.exec(html)?.[1];
        const served = await fetch(`${own.webUrl}${image}`);
        assert.equal(await served.text(), logo);
        assert.equal(served.headers.get('content-type'), 'image/svg+xml');
        assert.match(served.headers.get('content-security-policy') ?? '', /^default-src 'none'; .*; sandbox$/);
        const style = /href="(\/assets\/style-\w+\.css)"/.exec(html)?.[1];
        assert.match(await (await fetch(`${own.webUrl}${style}`)).text(), /:root\{--accent:#7a1f5c;/);
      }
    } finally {
      await own.close();
    }
    await writeFile(file, 'no picture');
    await assert.rejects(startWorld({ 'web.logoFile': file }), /web\.logoFile.*whatever its name says/s);
    await rm(folder, { recursive: true });
  });
});
