// What `doctor` says of ports, relay, certificates, clock and folder: everything right, and each thing wrong.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type CertificateFacts,
  checkClock,
  checkFolder,
  checkMailCertificate,
  checkMailPort,
  checkOpenFiles,
  checkRelay,
  checkSite,
  type FolderFacts,
  type GreetingFacts,
  type SiteFacts,
} from '../../src/core/host-checks.ts';
import type { SetupCheck } from '../../src/core/setup-check.ts';

const dayMs = 24 * 60 * 60_000;
const now = Date.UTC(2030, 0, 1);
const hostname = 'mx.in.school.example';
const url = 'https://reset.school.example';
const time = { validFrom: now - dayMs, validTo: now + 60 * dayMs, end: 'Mar 2 2030' };

const port = (facts: GreetingFacts) => checkMailPort(hostname, '192.0.2.1', 25, facts);
const certificate = (changes: Partial<Extract<CertificateFacts, { kind: 'read' }>> = {}) =>
  checkMailCertificate(hostname, { kind: 'read', fitsName: true, ...time, ...changes }, false, now);
const site = (changes: Partial<Extract<SiteFacts, { kind: 'answered' }>> = {}) => {
  const good = { kind: 'answered', status: 200, isOurs: true, isCompressed: false, certificate: time } as const;
  return checkSite(url, { ...good, ...changes }, now);
};
const siteFailed = (code: string, isCertificate = false) =>
  checkSite(url, { kind: 'failed', code, isCertificate }, now);
const relay = (encrypted: boolean, isHere = false) =>
  checkRelay('relay.school.example:587', { kind: 'ready', encrypted, authenticated: true }, isHere);
const relayFailed = (at: 'connection' | 'tls' | 'login') =>
  checkRelay('relay.school.example:587', { kind: 'failed', at, detail: 'E' }, false);
const folder = (changes: Partial<Extract<FolderFacts, { kind: 'there' }>> = {}) => {
  const good = { kind: 'there', isOwn: true, isWritable: true, openToOthers: [], freeBytes: 2 ** 34 } as const;
  return checkFolder('/data', { ...good, ...changes });
};
const others = (aheadMs: number) => [{ whose: 'reset.school.example', aheadMs }];

const rows: readonly [what: string, check: SetupCheck, state: string, said: RegExp][] = [
  ['our greeting', port({ kind: 'greeted', text: `220 ${hostname} ESMTP reply-to-verify` }), 'ok', /answers as mx\.in/],
  ["somebody else's", port({ kind: 'greeted', text: '220 mail.school.example ESMTP' }), 'to-do', /somebody else/],
  ['a name that only begins like it', port({ kind: 'greeted', text: `220 ${hostname}.b.example ` }), 'to-do', /else/],
  ['no greeting', port({ kind: 'silent' }), 'unknown', /says nothing/],
  ['port closed', port({ kind: 'failed', code: 'ECONNREFUSED' }), 'to-do', /is closed/],
  ['port not reached', port({ kind: 'failed', code: 'ETIMEDOUT' }), 'unknown', /not reached from here \(ETIMEDOUT\)/],

  ['relay', relay(true), 'ok', /encrypted, logged in\. Nothing was sent/],
  ['relay in clear', relay(false), 'to-do', /not encrypted/],
  ['relay in clear, on this machine', relay(false, true), 'ok', /not encrypted/],
  ['relay away', relayFailed('connection'), 'to-do', /connection \(E\)/],
  ['relay without good TLS', relayFailed('tls'), 'to-do', /tls \(E\)/],
  ['relay refuses the login', relayFailed('login'), 'to-do', /login \(E\)/],

  ['certificate', certificate(), 'ok', /valid until Mar 2 2030/],
  ['for another name', certificate({ fitsName: false }), 'to-do', /is not for mx\.in/],
  ['not valid yet', certificate({ validFrom: now + 1 }), 'to-do', /not valid yet/],
  ['expired', certificate({ validTo: now }), 'to-do', /has expired/],
  ['soon to expire', certificate({ validTo: now + 13 * dayMs }), 'to-do', /valid until/],
  ['none', checkMailCertificate(hostname, undefined, false, now), 'to-do', /None is set/],
  ['none behind a front', checkMailCertificate(hostname, undefined, true, now), 'ok', /none is needed/],
  [
    'not readable',
    checkMailCertificate(hostname, { kind: 'failed', problem: 'a.pem was not found' }, false, now),
    'to-do',
    /a\.pem was not found/,
  ],

  ['pages', site(), 'ok', /shows our page, seen from this machine.*valid until/],
  ['pages without TLS', site({ certificate: undefined }), 'ok', /shows our page/],
  ['another page', site({ isOurs: false }), 'to-do', /does not show our page \(status 200\)/],
  ['an error of the proxy', site({ status: 502, isOurs: false }), 'to-do', /status 502/],
  ['compressed by the proxy', site({ isCompressed: true }), 'to-do', /is compressed/],
  ['certificate of the pages', site({ certificate: { ...time, validTo: now } }), 'to-do', /has expired/],
  ['certificate nobody trusts', siteFailed('CERT_HAS_EXPIRED', true), 'to-do', /Browsers refuse/],
  ['pages closed', siteFailed('ECONNREFUSED'), 'to-do', /Nobody listens/],
  ['pages not reached', siteFailed('ENOTFOUND'), 'unknown', /not reached from here \(ENOTFOUND\)/],

  ['clock kept', checkClock({ synchronized: true, others: others(900) }), 'ok', /time service keeps/],
  ['clock not kept', checkClock({ synchronized: false, others: others(0) }), 'to-do', /No time service/],
  ['clock ahead', checkClock({ synchronized: true, others: others(31_000) }), 'to-do', /31 s ahead of/],
  ['clock behind', checkClock({ synchronized: undefined, others: others(-90_000) }), 'to-do', /90 s behind/],
  ['clock like the site', checkClock({ synchronized: undefined, others: others(500) }), 'unknown', /may be this very/],
  ['clock alone', checkClock({ synchronized: undefined, others: [] }), 'unknown', /nothing to compare/],

  ['folder', folder(), 'ok', /can be written/],
  ['folder open', folder({ openToOthers: ['/data', '/data/keys.json'] }), 'to-do', /Others can read .* and /],
  ['folder full', folder({ freeBytes: 100 * 2 ** 20 }), 'to-do', /100 MiB left/],
  ['folder of somebody else', folder({ isOwn: false, isWritable: false }), 'unknown', /another user/],
  ['folder read-only', folder({ isWritable: false }), 'to-do', /cannot be written/],
  ['no folder', checkFolder('/data', { kind: 'missing' }), 'unknown', /no \/data yet/],
  ['folder out of sight', checkFolder('/data', { kind: 'failed', code: 'EACCES' }), 'unknown', /EACCES/],

  ['files', checkOpenFiles(8192), 'ok', /8192/],
  ['few files', checkOpenFiles(1024), 'to-do', /1024/],
  ['nobody there', checkOpenFiles(undefined), 'unknown', /not running/],
];

describe('checks of the host', () => {
  for (const [what, check, state, said] of rows) {
    test(what, () => {
      assert.equal(check.state, state);
      assert.match(check.found, said);
      assert.equal(check.remedy === '', state === 'ok');
    });
  }
});
