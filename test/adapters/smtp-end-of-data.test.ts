// Only CRLF.CRLF ends a message (RFC 5321 §4.1.1.4), whatever mixture of CR, LF, NUL and dots is sent, whole, byte by
// byte or torn anywhere: else a sender's server and ours would disagree on where one mail ends and the next begins.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type SmtpClient, startListener, type TestListener, until } from '../support/smtp.ts';

let server: TestListener;
before(async () => {
  server = await startListener();
});
after(() => server.listener.stop());

/** Small and repeatable (mulberry32). @returns 0 to below `end` */
function seeded(seed: number): (end: number) => number {
  let state = seed;
  return (end) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % end;
  };
}

/**
 * RFC 5321 §4.5.2 in its own words: lines end with CRLF and nothing else; a line of one dot ends the message, else a
 * leading dot goes. smtp-server takes away the first of two dots only, and also behind a bare LF.
 * @returns the message, and how many octets it took
 */
function unstuffed(data: string): { message: string; length: number } | undefined {
  const lines = data.split('\r\n');
  const end = lines.indexOf('.');
  if (end < 0 || end === lines.length - 1) return undefined;
  const message = lines.slice(0, end).map((line) => `${line.startsWith('.') ? line.slice(1) : line}\r\n`);
  return { message: message.join(''), length: lines.slice(0, end + 1).join('\r\n').length + 2 };
}

/**
 * What smtp-server does where the RFC says nothing: of two dots behind a bare LF the first goes, unless they are the second
 * and third octet of all; a single dot before text stays. Such messages are refused, or were not stuffed by their sender.
 */
function asSmtpServerDoes(data: string): string {
  return data.replace(/^\.(?=\.)/, '').replace(/(?<!^)\n\.(?=\.)/g, '\n');
}

const evil = 'MAIL FROM:<evil@b.example>\r\nRCPT TO:<evil@in.school.example>\r\nDATA\r\nevil\r\n.\r\n';

// What a server sends that stuffs dots as the RFC wants; and what one sends that does not care.
const stuffed = ['\r', '\r\n', '..', '\0', 'x', '\r\n..', '\r\n..\r\n', '\r..\r', '\r\r\n..\r'];
const careless = [...stuffed, '\n', '.', '\r.\r', '\n.\n', '\r\n.\n', '\n.\r\n', '\n..'];

/** Octets that nearly end a message, and among them what must never be a command. */
function mixture(pieces: readonly string[], next: (end: number) => number): string {
  const piece = () => (next(9) === 0 ? evil.replace('\r\n.\r\n', '\r\n..\r\n') : pieces[next(pieces.length)]);
  const data = `${Array.from({ length: 4 + next(24) }, piece).join('')}\r\n.\r\n`;
  // What ends it all by accident ends it here.
  return data.slice(0, unstuffed(data)?.length);
}

/** Pieces of a text, torn at random places. */
function torn(data: string, next: (end: number) => number): string[] {
  const pieces: string[] = [];
  for (let at = 0; at < data.length; ) {
    const length = 1 + next(6);
    pieces.push(data.slice(at, at + length));
    at += length;
  }
  return pieces;
}

/** Hands over each piece in a packet of its own: the next when the system has taken this one, and the server has run. */
async function writePieces(client: SmtpClient, pieces: readonly string[]): Promise<void> {
  client.socket.setNoDelay(true);
  for (const piece of pieces) {
    await new Promise<void>((resolve) => client.socket.write(Buffer.from(piece, 'latin1'), () => resolve()));
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

async function deliver(client: SmtpClient, pieces: readonly string[]): Promise<Buffer> {
  const lines = ['MAIL FROM:<good@b.example>', 'RCPT TO:<good@in.school.example>', 'DATA'];
  const before = server.mails.length;
  assert.deepEqual(await client.statuses(lines), ['250', '250', '354']);
  await writePieces(client, pieces);
  const answer = await client.reply();
  assert.equal(answer.status, '250 2.0.0');
  // Whatever else was taken for a command would be answered before this one.
  assert.equal((await client.say('NOOP')).lines[0], 'OK');
  assert.equal(server.mails.length, before + 1);
  return server.mails.at(-1)?.message ?? Buffer.of();
}

function noneSmuggled(): void {
  assert.ok(server.mails.every(({ envelope }) => envelope.mailFrom === 'good@b.example'));
  assert.ok(server.recipients.every(({ recipient }) => recipient === 'good@in.school.example'));
}

describe('the reference', () => {
  it('is right itself', () => {
    const read = (data: string) => unstuffed(data)?.message;
    assert.equal(read('a\r\n.\r\n'), 'a\r\n');
    assert.equal(read('.\r\n'), '');
    assert.equal(read('..\r\n.\r\n'), '.\r\n');
    assert.equal(read('.a\r\n\r\n..b\r\n.\r\n'), 'a\r\n\r\n.b\r\n');
    for (const open of ['a\n.\n', 'a\r.\r', 'a\r\n.\n', 'a\n.\r\n', 'a\r\n.\r', 'a\r\n..\r\n', '']) {
      assert.equal(read(open), undefined, JSON.stringify(open));
    }
  });
});

describe('the end of a message', () => {
  const nearly = [
    '\n.\n',
    '\r.\r',
    '\r\n.\n',
    '\n.\r\n',
    '\r\n.\r',
    '\r\r\n.\r\r\n',
    '\n\n.\n\n',
    '\r\n\0.\r\n',
    '\r\n.\0\r\n',
    '\n.\r',
    '\r\n.\r\0\n',
    '\r\n..\r\n',
  ];
  const ways: readonly (readonly [string, (data: string) => string[]])[] = [
    ['whole', (data) => [data]],
    ['byte by byte', (data) => [...data]],
  ];
  for (const [name, cut] of ways) {
    it(`is nothing that only looks like it, sent ${name}`, async () => {
      const client = await server.greeted();
      for (const each of nearly) {
        const data = `Subject: x\r\n\r\nx${each}${evil.slice(0, -5)}\r\n.\r\n`;
        assert.equal(
          (await deliver(client, cut(data))).toString('latin1'),
          asSmtpServerDoes(data.slice(0, -3)),
          JSON.stringify(each),
        );
      }
      noneSmuggled();
      await client.quit();
    });
  }

  it('is found wherever packets are torn', async () => {
    const client = await server.greeted();
    const data = '..\r\n...\r\n.\n..\r\n\r\n..\r\r\n..x\r\n.\r\n';
    for (let at = 1; at < data.length; at++) {
      const message = await deliver(client, [data.slice(0, at), data.slice(at)]);
      assert.equal(message.toString('latin1'), asSmtpServerDoes(data.slice(0, -3)), `torn at ${at}`);
    }
    await client.quit();
  });

  for (const first of [1, 13, 25, 37, 49, 61, 73, 85]) {
    it(`is found in mixtures ${first} to ${first + 11}, whole, torn and byte by byte`, async () => {
      const client = await server.greeted(`127.0.0.${first + 1}`);
      for (let seed = first; seed < first + 12; seed++) {
        const next = seeded(seed);
        const byTheBook = seed % 2 === 1;
        const data = mixture(byTheBook ? stuffed : careless, next);
        const want = byTheBook ? unstuffed(data)?.message : asSmtpServerDoes(data.slice(0, -3));
        for (const pieces of [[data], torn(data, next), [...data]]) {
          const message = (await deliver(client, pieces)).toString('latin1');
          assert.equal(message, want, `${seed}: ${JSON.stringify(data)}`);
        }
      }
      noneSmuggled();
      client.reset();
    });
  }

  it('is followed by commands only when it was one', async () => {
    const client = await server.greeted('127.0.0.9');
    const mail = 'MAIL FROM:<good@b.example>\r\nRCPT TO:<good@in.school.example>\r\nDATA\r\n';
    const before = server.mails.length;
    client.write(`${mail}one\r\n.\r\n${mail}two\n.\n${evil.replaceAll('\r\n', '\n')}\r\n.\r\nQUIT\r\n`);
    const one = ['250', '250', '354', '250 2.0.0'];
    assert.deepEqual(await client.rest(), [...one, ...one, '221']);
    await until(() => server.mails.length === before + 2);
    noneSmuggled();
  });
});
