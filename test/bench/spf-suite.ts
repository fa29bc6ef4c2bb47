// `node test/bench/spf-suite.ts FILE.yml`: the published SPF cases (openspf.org, RFC 7208) against what we run: mailauth with
// our settings, our resolver, and a real DNS server for each section's zone. Prints how many hold, and each that does
// not with what was expected. Explanations are not compared: they are the sender's words and are never shown.

import { readFile } from 'node:fs/promises';
import { type DNSResolver, spf } from 'mailauth';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { createDnsResolver } from '../../src/adapters/dns/node-resolver.ts';
import { spfChecks } from '../../src/adapters/mail-auth/mailauth-verifier.ts';
import { startDnsServer } from '../../src/testkit/dns-server.ts';
import type { Zone, ZoneRecords } from '../../src/testkit/zone.ts';

const text = z.union([z.string(), z.array(z.string()).transform((parts) => parts.join(''))]);
const entrySchema = z.union([
  z.literal('TIMEOUT'),
  z.strictObject({ SPF: text }),
  z.strictObject({ TXT: text }),
  z.strictObject({ A: z.string() }),
  z.strictObject({ AAAA: z.string() }),
  z.strictObject({ PTR: z.string() }),
  z.strictObject({ CNAME: z.string() }),
  z.strictObject({ MX: z.tuple([z.number(), z.string()]) }),
]);
const sectionSchema = z.object({
  description: z.string(),
  tests: z.record(
    z.string(),
    z.object({
      helo: z.string(),
      host: z.string(),
      mailfrom: z.string(),
      result: z.union([z.string().transform((only) => [only]), z.array(z.string())]),
    }),
  ),
  zonedata: z.record(z.string(), z.array(entrySchema)),
});
type Entry = z.infer<typeof entrySchema>;
type Section = z.infer<typeof sectionSchema>;

const types = ['TXT', 'A', 'AAAA', 'MX', 'PTR', 'CNAME'] as const;
const queryTimeoutMs = 200; // for names that never answer; all others are on this machine

/** The suite's records of one name as the kit's server knows them. */
function recordsOf(entries: readonly Entry[]): ZoneRecords {
  const found = entries.filter((entry) => entry !== 'TIMEOUT');
  const all = <T>(pick: (entry: Exclude<Entry, 'TIMEOUT'>) => T | undefined) =>
    found.map(pick).filter((value) => value !== undefined);
  const own = all((entry) => ('TXT' in entry ? entry.TXT : undefined));
  // SPF records stand for TXT too, unless the name has TXT of its own; NONE: it has none.
  const texts = own.length > 0 ? own.filter((each) => each !== 'NONE') : all((e) => ('SPF' in e ? e.SPF : undefined));
  const mx = all((e) => ('MX' in e ? { priority: e.MX[0], exchange: e.MX[1] } : undefined));
  const cname = all((e) => ('CNAME' in e ? e.CNAME : undefined))[0];
  const records: ZoneRecords = {
    TXT: texts,
    A: all((e) => ('A' in e ? e.A : undefined)),
    AAAA: all((e) => ('AAAA' in e ? e.AAAA : undefined)),
    PTR: all((e) => ('PTR' in e ? e.PTR : undefined)),
    MX: mx,
    ...(cname === undefined ? {} : { CNAME: cname }),
  };
  if (!entries.includes('TIMEOUT')) return records;
  // What the name has is answered, all else times out.
  return { ...records, fail: 'silent', failOnly: types.filter((type) => (records[type]?.length ?? 0) === 0) };
}

async function runSection({ description, tests, zonedata }: Section): Promise<{ cases: number; differing: string[] }> {
  const zone: Zone = {};
  for (const [name, entries] of Object.entries(zonedata)) zone[name.toLowerCase()] = recordsOf(entries);
  const dns = await startDnsServer({ host: '127.0.0.1', port: 0, zone });
  const resolver = createDnsResolver({ servers: [dns], now: () => Date.now(), limits: { queryTimeoutMs } });
  const differing: string[] = [];
  try {
    for (const [name, { helo, host, mailfrom, result }] of Object.entries(tests)) {
      const lookup = resolver.forMessage();
      const wanted = new Set<string>();
      const noting = (about: string, type: string) => {
        wanted.add(about.toLowerCase());
        return lookup(about, type);
      };
      const question = { ip: host, helo, sender: mailfrom, mta: 'mx.receiver.example', ...spfChecks };
      const verdict = await spf({ ...question, resolver: noting as DNSResolver });
      const got = verdict ? verdict.status.result : 'none';
      if (result.includes(got)) continue;
      const refused = [...wanted].filter((each) => !dns.queries.some((query) => query.name === each));
      const why = refused.length === 0 ? '' : `; names we do not ask for: ${refused.join(', ')}`;
      differing.push(`${description} / ${name}: expected ${result.join(' or ')}, got ${got}${why}`);
    }
  } finally {
    await dns.close();
  }
  return { cases: Object.keys(tests).length, differing };
}

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('usage: node test/bench/spf-suite.ts FILE.yml');
let cases = 0;
const differing: string[] = [];
for (const document of parseAllDocuments(await readFile(file, 'utf8'))) {
  if (document.contents === null) continue; // the header comment
  const section = await runSection(sectionSchema.parse(document.toJS()));
  cases += section.cases;
  differing.push(...section.differing);
}
console.log(`SPF: ${cases - differing.length} of ${cases} published cases hold`);
for (const line of differing) console.log(`  ${line}`);
if (cases === 0) process.exitCode = 1;
