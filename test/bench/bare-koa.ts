// The peer of the page benchmark: a Koa that answers every request with the bytes of one file, and does nothing else.

import { readFile } from 'node:fs/promises';
import Koa from 'koa';

const body = await readFile(process.argv[2] ?? '', 'utf8');
const app = new Koa();
app.use((ctx) => {
  ctx.type = 'html';
  ctx.body = body;
});
const server = app.listen(0, '127.0.0.1', () => {
  const address = server.address();
  console.log(`listening on 127.0.0.1:${typeof address === 'object' ? address?.port : ''}`);
});
process.on('SIGTERM', () => process.exit(0));
