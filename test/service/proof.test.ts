// The proof on the wire: who gets a code, which code works where, and for whom. Real HTTP, SMTP, DNS and DKIM.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { IdentityKey } from '../../src/testkit/identities.ts';
import type { OpenPage } from '../../src/testkit/visitor.ts';
import { codeIn, replyTo, startWorld, Visitor, type World } from '../support/world.ts';

const amy = 'amy.pond@school.example';
const rory = 'rory.williams@school.example';

let world: World;

before(async () => {
  world = await startWorld();
});
after(() => world.close());

/** Opens a page, sends the mail as somebody, and reads the code from the reply. */
async function getCode(visitor: Visitor, identity: IdentityKey = 'amy', mailbox = amy): Promise<[OpenPage, string]> {
  const page = await visitor.open();
  const sent = await world.kit.send(identity, { to: page.address, subject: `Please ${page.label}` });
  assert.equal(sent.code, 250, sent.text);
  return [page, await codeIn(await replyTo(world, mailbox, page.label))];
}

/** What left through the relay for a request. */
function repliesFor({ label }: OpenPage): number {
  return world.kit.sink.messages.filter(({ raw }) => raw.toString('latin1').includes(label)).length;
}

/** Five other digits than the code's, all different. */
function wrongCodes(code: string): string[] {
  const number = Number(code.replace(' ', ''));
  return [1, 2, 3, 4, 5].map((step) => String((number + step) % 100_000_000).padStart(8, '0'));
}

describe('a code', () => {
  it('leads to the accounts of the mailbox that wrote', async () => {
    const visitor = new Visitor(world);
    const [page, code] = await getCode(visitor);
    const redeemed = await visitor.enter(page, code);
    assert.equal(redeemed.status, 303);
    assert.equal(redeemed.headers.get('location'), '/reset/accounts');
    const accounts = await visitor.request('/reset/accounts');
    assert.equal(accounts.status, 200);
    assert.match(await accounts.text(), /amy\.pond@school\.example.*apond.*amy\.chess/s);
  });

  it('is accepted as people type and paste it', async () => {
    const visitor = new Visitor(world);
    const [page, code] = await getCode(visitor);
    assert.equal((await visitor.enter(page, ` Ihr Code: ${code.replace(' ', '-')} `)).status, 303);
  });

  it('comes for SPF alone as well', async () => {
    const visitor = new Visitor(world);
    const [page, code] = await getCode(visitor, 'jo', 'jo.grant@company.example');
    assert.equal((await visitor.enter(page, code)).status, 303);
  });

  it('is refused in another challenge', async () => {
    const [one, other] = [new Visitor(world), new Visitor(world)];
    const [, code] = await getCode(one);
    const [otherPage] = await getCode(other);
    assert.equal((await other.enter(otherPage, code)).status, 422);
  });

  it('is refused with the nonce of another page, and without one', async () => {
    const visitor = new Visitor(world);
    const [, code] = await getCode(visitor);
    const foreign = await new Visitor(world).open();
    assert.equal((await visitor.enter(foreign, code)).status, 403);
    assert.equal((await visitor.post('/reset', { code })).status, 403);
  });

  it('is refused without the cookie of its page', async () => {
    const [page, code] = await getCode(new Visitor(world));
    assert.equal((await new Visitor(world).enter(page, code)).status, 403);
  });

  it('works once, and a double click leads on', async () => {
    const visitor = new Visitor(world);
    const [page, code] = await getCode(visitor);
    const clicks = await Promise.all([visitor.enter(page, code), visitor.enter(page, code)]);
    assert.deepEqual(
      clicks.map(({ status }) => status),
      [303, 303],
    );
    const grants = clicks.map((click) => click.headers.getSetCookie().find((line) => line.startsWith('rtv-grant=')));
    assert.ok(grants[0] !== undefined);
    assert.equal(grants[0], grants[1], 'both answers carry the same grant, whichever the browser keeps');
    assert.equal((await visitor.request('/reset/accounts')).status, 200);
    const other = new Visitor(world);
    assert.equal((await other.enter(page, code)).status, 403, 'no cookie');
    await other.open();
    assert.equal((await other.enter(page, code)).status, 403, 'a cookie of its own');
    assert.equal((await other.request('/reset/accounts')).status, 403);
  });

  it('that is wrong five times ends the challenge, right code included', async () => {
    const visitor = new Visitor(world);
    const [page, code] = await getCode(visitor);
    const answers = [];
    for (const wrong of wrongCodes(code)) answers.push(await visitor.enter(page, wrong));
    assert.deepEqual(
      answers.map(({ status }) => status),
      [422, 422, 422, 422, 403],
    );
    assert.match((await answers[3]?.text()) ?? '', /one more try/);
    assert.equal((await visitor.enter(page, code)).status, 403);
    assert.match((await visitor.open()).html, /Too many wrong codes/);
    const late = await world.kit.send('amy', { to: page.address });
    assert.deepEqual([late.code, late.text.slice(0, 5)], [550, '5.1.1']);
  });

  it('that is wrong counts once however often a reload sends it', async () => {
    const visitor = new Visitor(world);
    const [page, code] = await getCode(visitor);
    const [wrong = ''] = wrongCodes(code);
    const answers = [];
    for (let times = 0; times < 7; times++) answers.push((await visitor.enter(page, wrong)).status);
    assert.deepEqual(answers, Array(7).fill(422));
    assert.equal((await visitor.enter(page, code)).status, 303);
  });

  it('is counted right when twenty wrong ones race', async () => {
    const visitor = new Visitor(world);
    const [page, code] = await getCode(visitor);
    const wrong = Array.from({ length: 20 }, (_, at) => String(at).padStart(8, '0')).filter((other) => other !== code);
    const statuses = (await Promise.all(wrong.map((each) => visitor.enter(page, each)))).map(({ status }) => status);
    assert.equal(statuses.filter((status) => status === 422).length, 4);
    assert.equal((await visitor.enter(page, code)).status, 403);
  });

  it('is the same for a second mail, and each of two senders has its own', async () => {
    const visitor = new Visitor(world);
    const [page, first] = await getCode(visitor);
    const seen = world.kit.sink.messages.length;
    await world.kit.send('amy', { to: page.address, subject: page.label });
    await world.kit.send('rory', { to: page.address, subject: page.label });
    const own = await codeIn(await replyTo(world, rory, page.label));
    const again = await world.kit.sink.waitFor(
      (message) => message.envelope.rcptTo.includes(amy) && world.kit.sink.messages.indexOf(message) >= seen,
      { timeoutMs: 5000 },
    );
    assert.equal(await codeIn(again), first);
    assert.notEqual(own, first);
    assert.equal((await visitor.enter(page, own)).status, 303);
    assert.match(
      await (await visitor.request('/reset/accounts')).text(),
      /rory\.williams/,
      'the code decides who it is',
    );
  });
});

describe('no reply goes out', () => {
  it('for unsigned mail of the same From', async () => {
    const page = await new Visitor(world).open();
    const sent = await world.kit.send('forger', { to: page.address, subject: page.label });
    assert.equal(sent.code, 550);
    assert.match(sent.text, /^5\.7\.26 .*domain school\.example$/);
    assert.equal(repliesFor(page), 0);
  });

  it('for a mail signed for another challenge', async () => {
    const [one, other] = [await new Visitor(world).open(), await new Visitor(world).open()];
    const replayed = await world.kit.send('amy', { to: one.address, subject: one.label, rcptTo: other.address });
    assert.equal(replayed.code, 550);
    assert.match(replayed.text, /^5\.7\.1 /);
    assert.equal(repliesFor(one) + repliesFor(other), 0);
  });

  it('for an old mail whose To was rewritten, because To was not signed', async () => {
    const [one, other] = [await new Visitor(world).open(), await new Visitor(world).open()];
    const fields = ['from', 'subject', 'date', 'message-id'];
    const { raw } = await world.kit.send('amy', { to: one.address, subject: one.label, sign: { fields } });
    const rewritten = raw.toString('latin1').replaceAll(one.address, other.address);
    const sent = await world.kit.send('amy', { to: other.address, raw: rewritten });
    assert.equal(sent.code, 550);
    assert.match(sent.text, /^5\.7\.26 /);
    assert.equal(repliesFor(other), 0);
  });

  it('for two From fields, a NUL in a signature, an answer, a robot', async () => {
    const page = await new Visitor(world).open();
    const mail = { to: page.address, subject: page.label };
    const signed = (await world.kit.send('amy', mail)).raw.toString('latin1');
    await replyTo(world, amy, page.label);
    const nul = signed.replace('d=school.example', 'd=evil.example\0.school.example');
    assert.notEqual(nul, signed);
    const answers = [
      await world.kit.send('amy', { ...mail, headers: { From: [`Amy <${amy}>`, 'Eve <eve@evil.example>'] } }),
      await world.kit.send('amy', { ...mail, raw: nul }),
      await world.kit.send('amy', { ...mail, headers: { 'In-Reply-To': '<1@evil.example>' } }),
      await world.kit.send('amy', { ...mail, headers: { 'Auto-Submitted': 'auto-replied' } }),
    ];
    assert.deepEqual(
      answers.map(({ code, text }) => `${code} ${text.split(' ')[0]}`),
      ['550 5.6.0', '554 5.6.0', '550 5.7.1', '550 5.7.1'],
    );
    assert.equal(repliesFor(page), 1, 'only the honest one was answered');
  });

  it('twice for one message, delivered twice', async () => {
    const page = await new Visitor(world).open();
    const mail = { to: page.address, subject: page.label };
    const { raw } = await world.kit.send('amy', mail);
    await replyTo(world, amy, page.label);
    assert.equal((await world.kit.send('amy', { ...mail, raw })).code, 250);
    await world.service.stop();
    assert.equal(repliesFor(page), 1);
    await world.restart();
  });

  it('to addresses that are not ours, and mail without a sender', async () => {
    const { address } = await new Visitor(world).open();
    const [localPart = '', domain = ''] = address.split('@');
    const changed = `${localPart.slice(0, -1)}${localPart.endsWith('0') ? '1' : '0'}@${domain}`;
    const to = async (rcptTo: string, mailFrom = amy) => {
      const { code, text } = await world.kit.send('amy', { to: address, rcptTo, mailFrom });
      return `${code} ${text.split(' ')[0]}`;
    };
    assert.equal(await to(changed), '550 5.1.1');
    assert.equal(await to(`postmaster@${domain}`), '550 5.1.1');
    assert.equal(await to(`${localPart}+tag@${domain}`), '550 5.1.1');
    assert.equal(await to('somebody@elsewhere.example'), '550 5.7.1');
    assert.equal(await to(address, ''), '550 5.7.1');
    assert.equal(await to(address.toUpperCase()), '250 2.0.0', 'case does not matter');
  });
});

describe('the reply', () => {
  it('holds nothing link-like, has no code in its headers, and bounces to nobody', async () => {
    const page = await new Visitor(world).open();
    await world.kit.send('amy', { to: page.address, subject: `Bitte ${page.label} http://evil.example/x` });
    const reply = await replyTo(world, amy, page.label);
    assert.deepEqual(reply.envelope, { mailFrom: '', rcptTo: [amy] });
    const { text } = await reply.view();
    assert.doesNotMatch(text, /:\/\/|www\.|@|[a-z0-9]\.[a-z]{2}/i);
    const headers = reply.raw.toString('latin1').split('\r\n\r\n')[0] ?? '';
    const code = await codeIn(reply);
    assert.ok(!headers.includes(code) && !headers.includes(code.replace(' ', '')));
    assert.doesNotMatch(headers, /evil|^(?:cc|bcc|reply-to|precedence):/im);
    assert.match(headers, /^Auto-Submitted: auto-replied$/m);
    assert.match(headers, new RegExp(`^Subject: Re: New password ${page.label}$`, 'm'));
  });

  it('speaks the language of the page', async () => {
    const page = await new Visitor(world, { 'accept-language': 'fr-CA, en;q=0.5' }).open();
    assert.match(page.html, /<html lang="fr" /);
    await world.kit.send('amy', { to: page.address, subject: page.label });
    assert.match((await (await replyTo(world, amy, page.label)).view()).text, /nouveau mot de passe/);
  });
});
