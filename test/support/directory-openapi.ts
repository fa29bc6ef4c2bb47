// The OpenAPI description of the organisation's own directory, made of the very schemas that hold its answers:
// config/directory.openapi.yaml. `npm run openapi` writes it anew; a test compares.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { z } from 'zod';
import {
  createDocument,
  type ZodOpenApiObject,
  type ZodOpenApiOperationObject,
  type ZodOpenApiResponsesObject,
} from 'zod-openapi';
import { type Endpoint, endpoints } from '../../src/adapters/directory-http/http-schemas.ts';

/** Where the description is kept. */
export const descriptionPath = join(import.meta.dirname, '../../config/directory.openapi.yaml');

const about = `What reply-to-verify asks of your own directory of accounts, when \`directory.kind\` is \`http\`. You build it, we call it.
\`test/examples/directory-server.ts\` is a small one that keeps all of this.

**Who is asking.** Every call is signed as [Standard Webhooks](https://www.standardwebhooks.com) describes, with the secret of
\`directory.secretFile\`: \`webhook-signature\` holds \`v1,\` and the base64 of HMAC-SHA-256 over \`id.timestamp.body\`. Libraries for many
languages do it. Refuse with 401 what is not signed, or was signed more than five minutes ago. For a new secret, take both for a while.

**Answers are not signed.** TLS vouches for them: use https, and http on the same machine only. Redirects are not followed.

**The same call again.** When an answer does not come, the call is made again with the same \`webhook-id\`, after 0.2 and after
1 second, also while you may still be at work on it. Do what is asked once, and answer each time the same: keep answers by \`webhook-id\`
for an hour. Each call is done wholly or not at all, and is kept for good when you answer.

**Time.** \`directory.timeoutSeconds\` (5) for a try, twice that and 2 seconds for a call; a person is waiting. At most 128 calls are
open at once.

**Status.** 200 with \`application/json\` and the agreed body, at most 1 MiB; more fields than agreed are ignored. Any 4xx, and 503, say
that nothing was done; 429, 502, 503 and 504 are asked again. After everything else, and after an answer that cannot be understood, nobody
knows what was done: then the person is asked to try again, which makes the same change under the same \`changeId\`.

**Secrets.** Bodies hold passwords and mail addresses: keep them out of logs.`;

const refusals: ZodOpenApiResponsesObject = {
  '401': { id: 'NotSigned', description: 'The signature is wrong, or too old. Nothing was done.' },
  '429': { id: 'TooMany', description: 'Too many calls. Nothing was done; asked again at once.' },
  '503': { id: 'NotNow', description: 'Not now. Nothing was done; asked again at once.' },
};

const signature = z.object({
  'webhook-id': z.string().meta({
    description: 'Names the call; the same for all its tries.',
    param: { id: 'id' },
    example: 'msg_5f0c6a1e8b7d4c3f9a2e1d0c5b8a7f64',
  }),
  'webhook-timestamp': z.string().meta({
    description: 'Seconds since 1970, of this try.',
    param: { id: 'timestamp' },
    example: '1795168800',
  }),
  'webhook-signature': z.string().meta({
    description: 'Signatures, separated by blanks; one of them must be right.',
    param: { id: 'signature' },
    example: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  }),
});

function operationOf([name, { summary, description, request, answer }]: [string, Endpoint]): ZodOpenApiOperationObject {
  return {
    operationId: name,
    summary,
    description,
    requestParams: { header: signature },
    requestBody: { required: true, content: { 'application/json': { schema: request } } },
    responses: { '200': { description: 'Done.', content: { 'application/json': { schema: answer } } }, ...refusals },
  };
}

/** The description as it should be. */
export function describeDirectoryCalls(): string {
  const description = about.replace(/(?<!\n)\n(?!\n)/g, ' ');
  const api: ZodOpenApiObject = {
    openapi: '3.1.1',
    info: { title: 'Directory of accounts', version: '1', description },
    servers: [{ url: 'https://accounts.school.example/reset', description: 'What you name in directory.url.' }],
    paths: Object.fromEntries(
      Object.entries(endpoints).map((each) => [`/${each[1].path}`, { post: operationOf(each) }]),
    ),
  };
  // Fields that were not agreed are let through, in both directions.
  const document = createDocument(api, { override: ({ jsonSchema }) => void delete jsonSchema.additionalProperties });
  const head = '# Made of src/adapters/directory-http/http-schemas.ts by: npm run openapi\n';
  return head + stringify(document, { lineWidth: 120, aliasDuplicateObjects: false });
}

if (import.meta.main) writeFileSync(descriptionPath, describeDirectoryCalls());
