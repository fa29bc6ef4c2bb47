// The audit on a real disk: what a line looks like, that lines are only ever added, whole ones, whatever happens to the file
// or to the disk, and that nobody has to wait for it.

import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { type AuditFileOptions, openAuditFile } from '../../src/adapters/audit/audit-file.ts';
import type { AuditEvent } from '../../src/app/ports.ts';
import { amy, collectLog, ManualClock, secondMs } from '../app/support.ts';
import { onSmallDisk } from '../support/disks.ts';

const at = Date.UTC(2026, 0, 15, 9, 30, 20);
const opened: AuditEvent = {
  event: 'opened-by-mail',
  at,
  label: 'KQXF-WTMB',
  purpose: 'reset',
  mailbox: amy,
  authentication: { by: 'signature', domain: 'school.example', selector: 's1' },
  smtpAddress: '192.0.2.1',
};
const numbered = (count: number): AuditEvent => ({
  event: 'accounts-imported',
  at,
  count,
  operator: { uid: 1000, user: 'op', sudoUser: null, said: false },
});

async function open(t: TestContext, options: Partial<AuditFileOptions> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'rtv-audit-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'audit.jsonl');
  const [clock, log] = [new ManualClock(), collectLog()];
  const start = () => openAuditFile(path, { mailboxes: 'clear', clock, log, ...options });
  return { folder, path, clock, log, start, audit: start() };
}

/** The lines of a file, all of them whole. */
async function linesOf(path: string): Promise<Record<string, unknown>[]> {
  const text = await readFile(path, 'latin1');
  assert.match(text, /^(?:[ -~]+\n)*$/, 'printable ASCII in whole lines');
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

/** Waits until a file has so many lines. */
async function untilLines(path: string, count: number): Promise<void> {
  const have = async () => (await readFile(path, 'latin1').catch(() => '')).split('\n').length - 1;
  while ((await have()) < count) await new Promise(setImmediate);
}

const counts = (lines: readonly Record<string, unknown>[]) => lines.map(({ count }) => count);

describe('a line', { concurrency: true }, () => {
  test('is JSON, says when and what, and the file is for its owner alone', async (t) => {
    const { path, audit } = await open(t);
    audit.note(opened);
    await audit.close();
    assert.equal(
      await readFile(path, 'utf8'),
      '{"at":"2026-01-15T09:30:20.000Z","event":"opened-by-mail","label":"KQXF-WTMB","purpose":"reset",' +
        '"authentication":{"by":"signature","domain":"school.example","selector":"s1"},' +
        '"smtpAddress":"192.0.2.1","mailbox":"amy.pond@school.example"}\n',
    );
    assert.equal((await stat(path)).mode & 0o777, 0o600);
  });

  test('tells a mailbox as it is, as a digest, or not at all, and a name that is a mail address like one', async (t) => {
    const by = (mailboxes: AuditFileOptions['mailboxes']) => open(t, { mailboxes });
    const client = { remoteAddress: '192.0.2.1', clientHint: { browser: 'other', system: 'other' } } as const;
    for (const [mailboxes, expected, account] of [
      ['clear', { mailbox: amy }, { id: '1', name: amy }],
      ['off', {}, { id: '1' }],
      [() => 'cafe', { mailboxDigest: 'cafe' }, { id: '1' }],
    ] as const) {
      const { path, audit } = await by(mailboxes);
      const about = { at, label: 'KQXF-WTMB', purpose: 'reset', mailbox: amy, ...client } as const;
      audit.note({ event: 'password-set', ...about, account: { id: '1', name: amy } });
      audit.note({ event: 'password-set', ...about, account: { id: '2', name: 'apond' } });
      await audit.close();
      const lines = await linesOf(path);
      const { mailbox: _, ...rest } = about;
      const want = { ...rest, at: new Date(at).toISOString(), event: 'password-set', ...expected };
      assert.deepEqual(lines, [
        { ...want, account },
        { ...want, account: { id: '2', name: 'apond' } },
      ]);
    }
  });

  test('takes what a stranger wrote for text, and only so much of it', async (t) => {
    const { path, audit } = await open(t);
    const odd = '\u001b[2J\u202egnp\r\n{"event":"verified"}\u007f\u0085é🐘\ud800"\\';
    audit.note({ ...opened, authentication: { by: 'signature', domain: odd, selector: 'x'.repeat(70_000) } });
    await audit.close();
    const [line, ...more] = await linesOf(path);
    assert.deepEqual(
      [line?.authentication, more],
      [{ by: 'signature', domain: odd, selector: 'x'.repeat(255) }, []],
      'and it comes out as it went in',
    );
  });

  test('many at once are written once each, in order', async (t) => {
    const { path, audit } = await open(t);
    for (let count = 0; count < 3_000; count += 1) {
      audit.note(numbered(count));
      if (count % 100 === 0) await new Promise(setImmediate);
    }
    await audit.close();
    assert.deepEqual(
      counts(await linesOf(path)),
      Array.from({ length: 3_000 }, (_, count) => count),
    );
  });
});

describe('the file', { concurrency: true }, () => {
  test('is added to, after a restart as well, and keeps the mode that an operator gave it', async (t) => {
    const { path, audit, start } = await open(t);
    audit.note(numbered(1));
    await audit.close();
    await chmod(path, 0o640);
    const next = start();
    next.note(numbered(2));
    await next.close();
    assert.deepEqual(counts(await linesOf(path)), [1, 2]);
    assert.equal((await stat(path)).mode & 0o777, 0o640);
  });

  test('may be rotated or removed while it is in use', async (t) => {
    const { path, audit } = await open(t);
    audit.note(numbered(1));
    await untilLines(path, 1);
    await rename(path, `${path}.1`);
    audit.note(numbered(2));
    await untilLines(path, 1);
    await rm(path);
    audit.note(numbered(3));
    await audit.close();
    assert.deepEqual([counts(await linesOf(`${path}.1`)), counts(await linesOf(path))], [[1], [3]]);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
  });

  test('that ends in half a line goes on with a fresh one', async (t) => {
    const { path, audit } = await open(t);
    await writeFile(path, '{"at":"2026-01-15T09:30:20.000Z","event":"x"}\n{"at":"2026-01');
    audit.note(numbered(1));
    audit.note(numbered(2));
    await audit.close();
    const [before, torn, ...lines] = (await readFile(path, 'utf8')).split('\n');
    assert.deepEqual([before?.length, torn], [45, '{"at":"2026-01'], 'and what stood there stays');
    assert.deepEqual(counts(lines.slice(0, -1).map((line) => JSON.parse(line))), [1, 2]);
  });
});

describe('a disk that takes nothing', { concurrency: true }, () => {
  test('is told once, holds nobody up, and gets all lines when it is well again', async (t) => {
    const { path, clock, log, audit } = await open(t);
    await symlink('/dev/full', path); // every write ends in "no space left"
    for (let count = 0; count < 5; count += 1) audit.note(numbered(count));
    await log.waitFor(({ level }) => level === 'error');
    audit.note(numbered(5));
    for (let tries = 0; tries < 3; tries += 1) {
      while (!clock.waiting.includes(10 * secondMs)) await new Promise(setImmediate);
      clock.advance(10 * secondMs);
    }
    while (!clock.waiting.includes(10 * secondMs)) await new Promise(setImmediate);
    await rm(path);
    clock.advance(10 * secondMs);
    await log.waitFor(({ level }) => level === 'info');
    assert.deepEqual(counts(await linesOf(path)), [0, 1, 2, 3, 4, 5]);
    assert.deepEqual(
      log.events.map(({ level, event, fields }) => [level, event, fields.outcome]),
      [
        ['error', 'audit', 'not-written'],
        ['info', 'audit', 'written-again'],
      ],
    );
    audit.note(numbered(6));
    await audit.close();
    assert.equal((await linesOf(path)).length, 7);
  });

  test('has lines wait for it, but not without end, and then the file says how many are missing', async (t) => {
    const { path, clock, log, audit } = await open(t);
    await symlink('/dev/full', path);
    for (let count = 0; count < 10_003; count += 1) audit.note(numbered(count));
    await log.waitFor(({ level }) => level === 'error');
    while (!clock.waiting.includes(10 * secondMs)) await new Promise(setImmediate);
    await rm(path);
    clock.advance(10 * secondMs);
    await audit.close();
    const lines = await linesOf(path);
    assert.equal(lines.length, 10_001);
    const { at: _, ...last } = lines.at(-1) ?? {};
    assert.deepEqual(last, { event: 'lines-lost', count: 3 });
  });

  test('at the end is an error for whoever closes', async (t) => {
    const { path, audit } = await open(t);
    await symlink('/dev/full', path);
    audit.note(opened);
    await assert.rejects(audit.close(), /^Error: 1 lines of .*audit\.jsonl could not be written\.$/);
  });

  test('that is full in the middle of a line keeps no half of it', async (t) => {
    const { folder, path } = await open(t);
    const url = (name: string) => JSON.stringify(new URL(name, import.meta.url).href);
    const code = `
      import { readFileSync, renameSync } from 'node:fs';
      import { openAuditFile } from ${url('../../src/adapters/audit/audit-file.ts')};
      import { collectLog, ManualClock } from ${url('../app/support.ts')};
      const [clock, log, path] = [new ManualClock(), collectLog(), ${JSON.stringify(path)}];
      const audit = openAuditFile(path, { mailboxes: 'off', clock, log });
      const lines = () => readFileSync(path, { encoding: 'utf8', flag: 'a+' }).split('\\n').length - 1;
      for (let count = 0; log.events.length === 0; count += 1) {
        audit.note({ ...${JSON.stringify(numbered(0))}, count });
        while (lines() === count && log.events.length === 0) await new Promise(setImmediate);
      }
      while (clock.waiting.length === 0) await new Promise(setImmediate);
      console.log(log.events[0].cause.code);
      renameSync(path, path + '.1');
      clock.advance(10_000);
      await audit.close();
    `;
    assert.equal(await onSmallDisk(1, code), 'EFBIG\n');
    const [full, next] = [await linesOf(join(folder, 'audit.jsonl.1')), await linesOf(path)];
    assert.ok(full.length > 0 && next.length > 0);
    assert.deepEqual(counts([...full, ...next]), [...full, ...next].keys().toArray(), 'all of them, once');
  });
});
