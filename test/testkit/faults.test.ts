// The faults of the sink: how rules are read and which of them strike, as tables; then every kind at every moment, as a
// sender meets it.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import {
  chooseFaults,
  type Fault,
  type FaultMoment,
  faultKinds,
  faultMoments,
  faultText,
  readFault,
  readFaultText,
} from '../../src/testkit/faults.ts';
import { type Sink, startSink } from '../../src/testkit/sink.ts';
import { deliver } from '../../src/testkit/smtp-client.ts';

const amy = 'amy@school.example';
const rory = 'rory@school.example';

async function start(t: TestContext, random?: () => number): Promise<Sink> {
  const sink = await startSink({ host: '127.0.0.1', port: 0, ...(random && { random }) });
  t.after(() => sink.close());
  return sink;
}

/** The answer as code and enhanced code; `hung up` when there was none. */
async function send({ port }: Sink, rcptTo: string | string[] = amy): Promise<string> {
  const mail = { mailFrom: 'a@b.example', rcptTo, raw: 'x\r\n', helo: 'mx.b.example' };
  return deliver({ host: '127.0.0.1', port, ...mail }).then(
    ({ code, text }) => `${code} ${text.split(' ')[0]}`,
    () => 'hung up',
  );
}

test('a rule is written in a line, as fields of a form and as JSON, and a wrong one is explained', () => {
  const good: [string, Fault][] = [
    ['rcpt defer', { at: 'rcpt', does: 'defer' }],
    ['rcpt defer to=amy@school.example times=1', { at: 'rcpt', does: 'defer', to: amy, times: 1 }],
    [
      'end refuse chance=0.5 answer=552 5.2.2 full a=b',
      { at: 'end', does: 'refuse', chance: 0.5, answer: '552 5.2.2 full a=b' },
    ],
    ['mail delay seconds=0.2', { at: 'mail', does: 'delay', seconds: 0.2 }],
    ['kept drop chance=0', { at: 'kept', does: 'drop', chance: 0 }],
  ];
  for (const [line, fault] of good) {
    assert.deepEqual(readFaultText(line), fault);
    assert.equal(faultText(fault), line);
    assert.deepEqual(readFault(JSON.parse(JSON.stringify(fault))), fault);
    const asForm = { to: '', chance: '', times: '', ...fault };
    assert.deepEqual(
      readFault(Object.fromEntries(Object.entries(asForm).map(([name, value]) => [name, `${value}`]))),
      fault,
    );
  }
  const wrong: [string, RegExp][] = [
    ['', /^at is one of mail, rcpt, data, end, kept; does is one of refuse, defer, delay, drop\.$/],
    ['rcpt', /^does is/],
    ['defer rcpt', /^at is/],
    ['rcpt defer often', /^a rule has at and does, and may have to,/],
    ['rcpt defer times', /^times is a whole number/],
    ['rcpt defer times=0', /^times is/],
    ['rcpt defer times=1.5', /^times is/],
    ['rcpt defer chance=2', /^chance is a number from 0 to 1\.$/],
    ['rcpt defer chance=half', /^chance is/],
    ['rcpt delay seconds=601', /^seconds is/],
    ['rcpt defer seconds=1', /^seconds are for a delay/],
    ['mail defer to=amy@school.example', /^at mail no recipient is known/],
    ['rcpt defer to=amy', /^to is a mail address/],
    ['rcpt defer answer=550 no', /^an answer begins with 5 for refuse and with 4 for defer/],
    ['rcpt drop answer=451 no', /^an answer begins/],
    ['rcpt defer answer=250 ok', /^answer is what an SMTP server says/],
  ];
  for (const [line, problem] of wrong) {
    const read = readFaultText(line);
    assert.match('problem' in read ? read.problem : '', problem, line);
  }
  for (const nonsense of [undefined, null, 'rcpt defer', 5, [], ['rcpt']]) assert.ok('problem' in readFault(nonsense));
});

test('the first rule that fits strikes, and delays before it', () => {
  const defer: Fault = { at: 'rcpt', does: 'defer', times: 2 };
  const delay: Fault = { at: 'rcpt', does: 'delay' };
  const forAmy: Fault = { at: 'rcpt', does: 'refuse', to: 'Amy@School.example' };
  const seldom: Fault = { at: 'rcpt', does: 'drop', chance: 0.25 };
  const cases: [string, Fault[], FaultMoment, string[], number, number, Fault[]][] = [
    ['nothing', [], 'rcpt', [amy], 0, 0, []],
    ['another moment', [defer], 'end', [amy], 0, 0, []],
    ['nobody there', [defer], 'rcpt', [], 0, 0, []],
    ['fits', [defer], 'rcpt', [amy], 1, 0, [defer]],
    ['often enough', [defer], 'rcpt', [amy], 2, 0, []],
    ['in any case', [forAmy], 'rcpt', [amy], 9, 0, [forAmy]],
    ['somebody else', [forAmy, defer], 'rcpt', [rory], 0, 0, [defer]],
    ['one of several', [forAmy], 'rcpt', [rory, amy], 0, 0, [forAmy]],
    ['by chance', [seldom], 'rcpt', [amy], 0, 0.249, [seldom]],
    ['not by chance', [seldom, defer], 'rcpt', [amy], 0, 0.25, [defer]],
    ['the first', [defer, forAmy], 'rcpt', [amy], 0, 0, [defer]],
    ['delays add up', [delay, delay, forAmy, delay], 'rcpt', [amy], 0, 0, [delay, delay, forAmy]],
  ];
  for (const [name, faults, at, recipients, struck, random, expected] of cases) {
    const strikes = chooseFaults(
      faults,
      at,
      recipients,
      () => struck,
      () => random,
    );
    assert.deepEqual(
      strikes.map(({ fault }) => fault),
      expected,
      name,
    );
  }
  const unasked = () => assert.fail('no chance was to be taken');
  assert.deepEqual(
    chooseFaults([defer], 'rcpt', [amy], () => 0, unasked),
    [{ fault: defer, recipients: [amy] }],
  );
  assert.deepEqual(
    chooseFaults([seldom], 'end', [amy], () => 0, unasked),
    [],
  );
  const onlyRory = chooseFaults([defer], 'rcpt', [amy, rory], (_fault, rcpt) => (rcpt === amy ? 2 : 0), unasked);
  assert.deepEqual(onlyRory, [{ fault: defer, recipients: [rory] }]);
});

test('every kind at every moment: what the sender hears, and whether the mail is here', async (t) => {
  const sink = await start(t);
  for (const at of faultMoments) {
    for (const does of faultKinds) {
      sink.faults = [{ at, does, ...(does === 'delay' && { seconds: 0.02 }) }];
      const [before, from] = [sink.messages.length, performance.now()];
      const heard = await send(sink);
      const expected = { refuse: '550 5.1.1', defer: '451 4.7.1', delay: '250 2.0.0', drop: 'hung up' };
      assert.equal(heard, expected[does], `${does} at ${at}`);
      assert.equal(sink.messages.length - before, at === 'kept' || does === 'delay' ? 1 : 0, `${does} at ${at}`);
      if (does === 'delay') assert.ok(performance.now() - from >= 19, at);
    }
  }
  assert.deepEqual(
    sink.struck.map(({ fault, recipients }) => `${faultText(fault)} for ${recipients}`),
    faultMoments.flatMap((at) => {
      const who = at === 'mail' ? '' : amy;
      return [
        `${at} refuse for ${who}`,
        `${at} defer for ${who}`,
        `${at} delay seconds=0.02 for ${who}`,
        `${at} drop for ${who}`,
      ];
    }),
  );
  sink.faults = [{ at: 'end', does: 'refuse', answer: '552 5.2.2 mailbox full' }];
  assert.equal(await send(sink), '552 5.2.2');
  sink.faults = [];
  assert.equal(await send(sink), '250 2.0.0');
});

test('greylisting: each recipient is deferred the first time, and a rule that is set anew counts anew', async (t) => {
  const sink = await start(t);
  for (const at of ['rcpt', 'data', 'end'] as const) {
    sink.faults = [{ at, does: 'defer', times: 1 }];
    const heard = [];
    for (const who of [amy, amy, rory, 'Rory@School.example', amy]) heard.push(await send(sink, who));
    assert.deepEqual(heard, ['451 4.7.1', '250 2.0.0', '451 4.7.1', '250 2.0.0', '250 2.0.0'], at);
  }
  sink.faults = [{ at: 'end', does: 'defer', times: 1 }];
  assert.deepEqual([await send(sink, [amy, rory]), await send(sink, [rory, amy])], ['451 4.7.1', '250 2.0.0']);
});

test('one recipient of several is refused, and chance is what the test says', async (t) => {
  const draws = [0.9, 0.1, 0.5, 0.49];
  const sink = await start(t, () => draws.shift() ?? assert.fail('one draw for each recipient'));
  sink.faults = [{ at: 'rcpt', does: 'refuse', to: rory }];
  assert.equal(await send(sink, [amy, rory]), '550 5.1.1');
  assert.equal(await send(sink, [amy]), '250 2.0.0');
  sink.faults = [{ at: 'rcpt', does: 'defer', chance: 0.5 }];
  const heard = [await send(sink), await send(sink), await send(sink), await send(sink)];
  assert.deepEqual(heard, ['250 2.0.0', '451 4.7.1', '250 2.0.0', '451 4.7.1']);
});

test('a sink that closes in the middle of a delay leaves nothing behind', async () => {
  const sink = await startSink({ host: '127.0.0.1', port: 0 });
  sink.faults = [{ at: 'mail', does: 'delay', seconds: 600 }];
  const sent = send(sink);
  while (sink.struck.length === 0) await new Promise(setImmediate);
  await sink.close();
  assert.equal(await sent, 'hung up');
});
