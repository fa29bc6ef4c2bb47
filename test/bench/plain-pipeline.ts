// The peer of the mail benchmark: smtp-server, mailauth and nodemailer in one line, as an afternoon's work would be. It
// keeps nothing, limits nothing and answers whatever passes DMARC; the same libraries in the same versions.
// Arguments: port of the DNS server, port of the relay.

import { Resolver } from 'node:dns/promises';
import { buffer } from 'node:stream/consumers';
import { authenticate } from 'mailauth';
import { createTransport } from 'nodemailer';
import { SMTPServer } from 'smtp-server';

const [dnsPort, relayPort] = process.argv.slice(2).map(Number);
const dns = new Resolver();
dns.setServers([`127.0.0.1:${dnsPort}`]);
const transport = createTransport({ host: '127.0.0.1', port: relayPort ?? 0, pool: true, maxConnections: 5 });

const server = new SMTPServer({
  disabledCommands: ['AUTH', 'STARTTLS'],
  disableReverseLookup: true,
  logger: false,
  onData(stream, session, done) {
    answer().then(() => done(), done);

    async function answer(): Promise<void> {
      const message = await buffer(stream);
      const sender = session.envelope.mailFrom === false ? '' : session.envelope.mailFrom.address;
      const { dmarc } = await authenticate(message, {
        ip: session.remoteAddress,
        helo: session.hostNameAppearsAs,
        sender,
        mta: 'mx.in.school.example',
        resolver: (name, type) => dns.resolve(name, type) as Promise<string[][]>,
        disableArc: true,
        disableBimi: true,
      });
      const result = dmarc ? dmarc.status.result : 'none';
      if (result !== 'pass') throw new Error('not authenticated');
      const reply = { from: 'accounts@school.example', to: sender, subject: 'Re: New password', text: '4821 7730\n' };
      // As with us: accepted first, handed over then.
      void transport.sendMail({ ...reply, envelope: { from: '', to: sender } }).catch(() => {});
    }
  },
});
server.on('error', () => {});
server.listen(0, '127.0.0.1', () => {
  const address = server.server.address();
  console.log(`listening on 127.0.0.1:${typeof address === 'object' ? address?.port : ''}`);
});
process.on('SIGTERM', () => process.exit(0));
