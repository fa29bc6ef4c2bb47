// Put together by us, mailauth finds what it finds put together by itself: of every fixture that comes so far, all of the
// findings, and again when its keys are known already.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type DNSResolver, authenticate as front } from 'mailauth';
import { createDnsResolver } from '../../src/adapters/dns/node-resolver.ts';
import { type Authenticated, createAuthenticate } from '../../src/adapters/mail-auth/authenticate.ts';
import { spfChecks } from '../../src/adapters/mail-auth/mailauth-verifier.ts';
import { readMessageHeader } from '../../src/core/message-header.ts';
import { startDnsServer } from '../../src/testkit/dns-server.ts';
import { composeFixture, fill, readFixtures } from '../support/fixtures.ts';
import { appLimits } from '../support/limits.ts';

const fixtures = readFixtures();
const page = { address: 'k7m29qxfk7m29qxfk7m29qxfk7m29qxf@in.school.example', label: 'BCDF-GHJK' };
const facts = { page, other: page, n: 1 };
const ours = createAuthenticate();

let dns: Awaited<ReturnType<typeof startDnsServer>>;
before(async () => {
  const zone = Object.assign({}, ...fixtures.map(({ zone }) => zone));
  dns = await startDnsServer({ host: '127.0.0.1', port: 0, zone });
});
after(() => dns.close());

/** All of it but the key, which we keep in another form. */
function comparable({ dkim, spf, dmarc }: Authenticated) {
  const results = dkim.results.map(({ publicKey, ...signature }) => ({
    ...signature,
    hasKey: publicKey !== undefined,
  }));
  return { headerFrom: dkim.headerFrom, fromFields: dkim.fromFields, results, spf, dmarc };
}

/** Both ask the same, so each question is asked once. */
function resolverFor(): DNSResolver {
  const { forMessage } = createDnsResolver({ servers: [dns], now: () => 0, limits: { queryTimeoutMs: 1_000 } });
  const lookup = forMessage();
  const answers = new Map<string, ReturnType<typeof lookup>>();
  return async (name, type) => {
    const answer = answers.get(`${type} ${name}`) ?? lookup(name, type);
    answers.set(`${type} ${name}`, answer);
    return structuredClone(await answer) as string[][];
  };
}

async function checkSame(message: Buffer, connection: { ip: string; helo: string; sender: string }): Promise<void> {
  const options = {
    ...connection,
    ...spfChecks,
    mta: 'mx.in.school.example',
    minBitLength: 1024,
    resolver: resolverFor(),
  };
  const wanted = comparable(await front(message, { ...options, disableArc: true, disableBimi: true }));
  for (const { withSpf, ...first } of [await ours(message, options), await ours(message, options)]) {
    // SPF can only add to it.
    const passed = first.dmarc && first.dmarc.status.result === 'pass';
    if (passed) assert.equal(Object(wanted.dmarc).status.result, 'pass');
    assert.deepEqual(comparable(await withSpf()), wanted);
  }
}

describe('every fixture', { concurrency: true }, () => {
  for (const fixture of fixtures) {
    const message = composeFixture(fixture, facts);
    // Mail with such a header is refused before.
    if (readMessageHeader(message, appLimits.dkimSignaturesMax).kind === 'refused') continue;
    const { client, helo, mailFrom } = fixture.scenario.send;
    const connection = { ip: client ?? '192.0.2.1', helo, sender: fill(mailFrom, facts) };
    test(fixture.name, () => checkSame(message, connection));
  }
});

for (const helo of ['', '192.0.2.9']) {
  test(`a client whose name is "${helo}"`, () =>
    checkSame(Buffer.from('From: <amy@school.example>\r\n\r\n'), { ip: '192.0.2.9', helo, sender: '' }));
}

test('a signature of a parent domain that is broken, where only the domain itself may sign', async () => {
  const strict = fixtures.find(({ name }) => name === 'real-strict-alignment-parent-signature');
  assert.ok(strict);
  const { client, helo, mailFrom } = strict.scenario.send;
  const message = Buffer.concat([composeFixture(strict, facts), Buffer.from('One line more.\r\n')]);
  await checkSame(message, { ip: client ?? '', helo, sender: fill(mailFrom, facts) });
});
