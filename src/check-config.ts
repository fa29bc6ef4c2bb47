// The command `check-config`: whether the service would start with these settings, and what they mean. It asks nobody and
// changes nothing. No secret is shown, nor whether one is good.

import { type CommandContext, type CommandRun, type Outcome, runSimpleCommand } from './command.ts';
import { written } from './compose.ts';
import { checkFiles } from './inspection.ts';
import type { Settings } from './settings/settings.ts';

const checkUsage = `Usage:
  reply-to-verify check-config [--config FILE] [--json]

Says all mistakes in the settings and in the files they name (certificates, secrets, logo), or that
all is fine, and what the settings mean. Run it as the user of the service, who has to read those files.

  --config FILE   settings on top of config/default.yaml and below the environment, as for serve
  --json          one JSON document instead of text; in a checkout say: npm run --silent check-config -- ...

Exit code: 0 fine, 1 mistakes, 2 wrong usage.`;

/** Runs the command. */
export function runCheckConfig(context: CommandContext): Promise<CommandRun> {
  return runSimpleCommand(context, { usage: checkUsage }, check);
}

async function check(settings: Settings): Promise<Outcome> {
  const problems = await checkFiles(settings);
  const meaning = meaningOf(settings);
  const lines = Object.entries(meaning).map(([name, text]) => `  ${name.padEnd(10)}${text}`);
  if (problems.length === 0) {
    return { exitCode: 0, text: ['The settings are fine.', '', ...lines].join('\n'), json: { mistakes: [], meaning } };
  }
  const text = ['The settings are well written, but:', '', ...problems.map((each) => `  - ${each}`), '', ...lines];
  return { exitCode: 1, text: text.join('\n'), json: { mistakes: problems.map((problem) => ({ problem })), meaning } };
}

/** What the settings mean, in a line for each part. */
function meaningOf({ web, smtp, mail, dns, relay, data, directory, keys }: Settings): Readonly<Record<string, string>> {
  const { username, host } = new URL(relay.url);
  const place = (listen: Settings['web']['listen']) => (listen === 'systemd' ? 'a socket of systemd' : written(listen));
  const proxy = web.trustedProxies.length === 0 ? 'a proxy adds; name it in web.trustedProxies' : 'a proxy adds';
  const pagesTls = web.certificateFile === null ? `without TLS, which ${proxy}` : 'with TLS';
  const pages = web.publicUrl.startsWith('https:') ? pagesTls : 'for this machine only';
  const starttls = smtp.certificateFile === null ? 'without STARTTLS' : 'with STARTTLS';
  const fronts = [
    ...smtp.proxyAddresses.map((address) => `${address} (PROXY headers)`),
    ...smtp.frontAddresses.map((address) => `${address} (no SPF)`),
  ];
  const keySources = { file: `${data.dir}/keys.json`, env: 'RTV_KEYS_SECRET', ephemeral: 'in memory only' };
  return {
    Pages: `${web.publicUrl}, served at ${place(web.listen)} ${pages}`,
    Mail: `for ${mail.domain}, received at ${place(smtp.listen)} as ${smtp.hostname}, ${starttls}`,
    ...(fronts.length === 0 ? {} : { Fronts: fronts.join(', ') }),
    Replies: `from ${mail.from} (${mail.siteName}) through ${host}${username === '' ? '' : ', with a login'}`,
    DNS: dns.servers.map(written).join(', '),
    Accounts: directory.kind === 'http' ? `behind ${directory.url}` : `${data.dir}/accounts.json`,
    Key: keySources[keys.source],
    Data: data.dir,
  };
}
