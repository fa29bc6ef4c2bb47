// What the listener refuses by itself has one name, the same in the table, the answer and the log; a flood of refusals is
// no flood of log lines.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { createSmtpListener } from '../../src/adapters/smtp-in/smtp-listener.ts';
import { edgeReplies } from '../../src/adapters/smtp-in/smtp-replies.ts';
import { edgeRefusals, refuse } from '../../src/core/refusal.ts';
import { collectLog, ManualClock } from '../app/support.ts';
import { unlimited } from '../support/limits.ts';

async function start(t: TestContext) {
  const log = collectLog();
  const clock = new ManualClock();
  const listener = createSmtpListener(
    {
      mail: {
        admitRecipient: async () => refuse('address-unknown'),
        refuseTooBig: () => refuse('message-too-big'),
        receive: async () => refuse('not-authenticated'),
      },
      rateLimits: unlimited,
      clock,
      log,
    },
    {
      listen: { host: '127.0.0.1', port: 0 },
      hostname: 'mx.in.school.example',
      messageBytesMax: 65_536,
      connectionsMax: 10,
      connectionsPerAddressMax: 1,
      proxyAddresses: [],
      frontAddresses: [],
      certificate: undefined,
    },
  );
  const { port } = await listener.start();
  t.after(() => listener.stop());
  /** Says something on a connection and resolves with all that was answered when it ends. */
  const talk = (text: string) =>
    new Promise<string>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      let got = '';
      socket.on('error', () => {});
      socket.on('data', (data) => {
        if (got === '') socket.write(text);
        got += data.toString();
      });
      socket.on('close', () => resolve(got));
    });
  return { log, clock, talk, port };
}

test('every name has a row and an answer with its enhanced code', () => {
  assert.deepEqual(Object.keys(edgeReplies).toSorted(), Object.keys(edgeRefusals).toSorted());
  for (const { code, text } of Object.values(edgeReplies)) {
    assert.match(`${code} ${text}`, /^([45])\d\d \1\.\d\.\d+ [A-Z]/);
  }
});

test('MAIL and RCPT that are refused are in the log under their names', async (t) => {
  const { log, talk } = await start(t);
  const lines = ['EHLO a.example', 'MAIL FROM:<a@b.example> SMTPUTF8', 'MAIL FROM:<a@b.example> SIZE=99999999', 'QUIT'];
  const got = await talk(`${lines.join('\r\n')}\r\n`);
  assert.match(got, /^553 5\.6\.7 /m);
  assert.match(got, /^552 5\.3\.4 /m);
  assert.deepEqual(
    log.events.map(({ fields }) => fields.reason),
    ['utf8-not-offered', 'size-too-big'],
  );
});

test('a hundred connections too many are one line, and the next minute tells how many there were', async (t) => {
  const { log, clock, talk, port } = await start(t);
  const first = connect(port, '127.0.0.1');
  await new Promise((resolve) => first.once('data', resolve));
  const refused = () => log.events.filter(({ fields }) => fields.reason === 'too-many-connections');
  const answers = await Promise.all(Array.from({ length: 100 }, () => talk('')));
  assert.ok(answers.every((answer) => answer.startsWith('421 4.7.0 ')));
  assert.equal(refused().length, 1);
  clock.advance(60_000);
  await talk('');
  assert.deepEqual(
    refused().map(({ fields }) => fields.times),
    [1, 100],
  );
  first.destroy();
});
