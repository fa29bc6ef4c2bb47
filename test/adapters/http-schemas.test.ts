// The description for the organisation says what the client does: it is made of the same schemas.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { endpoints } from '../../src/adapters/directory-http/http-schemas.ts';
import { describeDirectoryCalls, descriptionPath } from '../support/directory-openapi.ts';

const description = readFileSync(descriptionPath, 'utf8');

test('config/directory.openapi.yaml is what the schemas give; if not: npm run openapi', () => {
  assert.equal(description, describeDirectoryCalls());
});

test('it names every call, its signature, its answers and an example of each field that is shared', () => {
  const { openapi, paths, components } = parse(description);
  assert.match(openapi, /^3\.1\./);
  assert.deepEqual(
    Object.keys(paths),
    Object.values(endpoints).map(({ path }) => `/${path}`),
  );
  for (const { post } of Object.values<{ post: { parameters: { $ref: string }[]; responses: object } }>(paths)) {
    const names = post.parameters.map(({ $ref }) => components.parameters[$ref.split('/').at(-1) ?? ''].name);
    assert.deepEqual(names, ['webhook-id', 'webhook-timestamp', 'webhook-signature']);
    assert.deepEqual(Object.keys(post.responses), ['200', '401', '429', '503']);
  }
  assert.match(description, /example: amy\.pond@school\.example/);
  assert.doesNotMatch(description, /@(?!school\.example)[a-z]+\./);
});
