// Builds the service from settings: the only place that names concrete adapters. Development and production differ in
// nothing but their settings. Everything is opened in `start` and closed in reverse order in `stop`.

import { X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { extname, join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { type BuiltinDirectory, openBuiltinDirectory } from './adapters/accounts/builtin-directory.ts';
import { oneTimePasswords } from './adapters/accounts/one-time-passwords.ts';
import { type AdminClient, type AdminOf, createAdminClient, openAdminSocket } from './adapters/admin/admin-socket.ts';
import { type AdminServerOptions, createAdminServer } from './adapters/admin-http/admin-server.ts';
import { openAuditFile } from './adapters/audit/audit-file.ts';
import { createHttpDirectory, parseDirectorySecret } from './adapters/directory-http/http-directory.ts';
import { createDnsResolver } from './adapters/dns/node-resolver.ts';
import { createNetworkLimits } from './adapters/limits/network-limits.ts';
import { createMailauthVerifier, verifyBySize } from './adapters/mail-auth/mailauth-verifier.ts';
import { type LookUp, openVerifierThread } from './adapters/mail-auth/verifier-thread.ts';
import { type DkimKey, parseDkimKey } from './adapters/mail-out/dkim-signer.ts';
import { createNodemailerSender, type MailSenderOptions } from './adapters/mail-out/nodemailer-sender.ts';
import { createPrometheusMetrics } from './adapters/metrics/prometheus.ts';
import { loadCommonPasswords } from './adapters/passwords/common-passwords.ts';
import { createSmtpListener, type SmtpListenerOptions } from './adapters/smtp-in/smtp-listener.ts';
import { accepted, edgeReplies, passedOn, smtpReplies } from './adapters/smtp-in/smtp-replies.ts';
import { claimDataFolder, FolderInUseError } from './adapters/store/data-folder.ts';
import { DurableFile, removeLeftovers } from './adapters/store/durable-file.ts';
import { prepareSegments, type SegmentFiles, segmentFiles } from './adapters/store/segment-files.ts';
import { openChallengeStore, openChangeStore } from './adapters/store/stored-records.ts';
import { inheritedSocket, type ListenTarget } from './adapters/system/inherited-sockets.ts';
import { createJsonLog } from './adapters/system/json-log.ts';
import { keyPath, openKeyring, readKeyring, writtenKeys } from './adapters/system/keyring.ts';
import { createRandomPool, createSecrets } from './adapters/system/node-secrets.ts';
import { readOperator } from './adapters/system/operator.ts';
import { createSealer } from './adapters/system/sealer.ts';
import { readSecretFile } from './adapters/system/secret-file.ts';
import { systemClock } from './adapters/system/system-clock.ts';
import { watchCertificate } from './adapters/tls/certificate-files.ts';
import { en } from './adapters/web/texts-en.ts';
import { createWebServer, type WebServerOptions } from './adapters/web/web-server.ts';
import { auditAdmin } from './app/audit-admin.ts';
import { announceChanges, createChallengeNews } from './app/challenge-news.ts';
import { mailboxDigest } from './app/challenge-tokens.ts';
import { createConfirmMailbox } from './app/confirm-mailbox.ts';
import { createEnrolSecondFactor } from './app/enrol-second-factor.ts';
import { createExplainMail, type MailAnswers, notedLookups } from './app/explain-mail.ts';
import { createFollowChallenge } from './app/follow-challenge.ts';
import { createInviteAccount } from './app/invite-account.ts';
import { countEvents, noMetrics, timeReplies } from './app/measure.ts';
import { createOpenChallenge } from './app/open-challenge.ts';
import { Outbox } from './app/outbox.ts';
import type {
  AccountCommands,
  AppLimits,
  Asked,
  Audit,
  Clock,
  Directory,
  ExplainMail,
  InviteAccount,
  KeyAdmin,
  Log,
  MailSender,
  MailVerifier,
  Metrics,
  Probed,
  Sealer,
  WatchCertificate,
} from './app/ports.ts';
import { createReceiveMail, type ReceiveMailOptions } from './app/receive-mail.ts';
import { createRedeemCode } from './app/redeem-code.ts';
import { createResetPassword } from './app/reset-password.ts';
import { createRelease, createRotateKeys, type KeyLimits } from './app/rotate-keys.ts';
import { createSendNotices } from './app/send-notices.ts';
import { createSendReplies } from './app/send-replies.ts';
import { startSweeping } from './app/sweep-expired.ts';
import { createTypeAddress, type TypeAddressOptions } from './app/type-address.ts';
import { createUndoChange } from './app/undo-change.ts';
import { createHealth } from './app/watch-health.ts';
import { fileProblem } from './core/file-problem.ts';
import type { Mailbox } from './core/mail-address.ts';
import { relayTls, type Settings } from './settings/settings.ts';

/** Ports that were got. */
export interface Addresses {
  readonly web: { readonly host: string; readonly port: number };
  readonly smtp: { readonly host: string; readonly port: number };
  /** Null where `admin.listen` is. */
  readonly admin: { readonly host: string; readonly port: number } | null;
}

export interface Service {
  /** @throws what an adapter throws: a port or a folder that is taken, a damaged file. Nothing stays open then. */
  start(): Promise<Addresses>;
  /** No new work; what is under way ends, within ten seconds; what is queued stays on disk. */
  stop(): Promise<void>;
}

const minuteMs = 60_000;
const accountsName = 'accounts.json';
const auditName = 'audit.jsonl';
// Of the ten seconds that an end may take: the edges have five, a relay that hangs has this much.
const handOverMs = 3_000;

type Close = () => Promise<void> | void;

/** Builds the service. @param clock tests bring their own */
export function createService(settings: Settings, clock: Clock = systemClock): Service {
  const closers: Close[] = [];

  /** Closes all of it, whatever happens to a part. @throws the first thing that happened */
  async function stop(): Promise<void> {
    const failures: unknown[] = [];
    for (let close = closers.pop(); close !== undefined; close = closers.pop()) {
      try {
        await close();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  return {
    start: () =>
      open(settings, clock, closers).catch(async (error: unknown) => {
        await stop().catch(() => {}); // what went wrong first is what helps
        throw error;
      }),
    stop,
  };
}

/** Opens everything in the order in which it is needed. @param closers gets what ends each part, as it is opened */
async function open(settings: Settings, clock: Clock, closers: Close[]): Promise<Addresses> {
  const { listen } = settings.admin;
  const measured = listen === null ? undefined : createPrometheusMetrics();
  const metrics: Metrics = measured ?? noMetrics;
  const log = countEvents(createJsonLog(settings.log.level), metrics);
  const verifier = openVerifier(settings, { clock, metrics });
  closers.push(() => verifier.close());
  closers.push(await claimDataFolder(settings.data.dir));
  const stores: Probed[] = [];
  const health = createHealth({ clock, log, stores, verifierIsUp: verifier.isUp });
  // Opened first and closed last: whoever asks is told that the service is starting or stopping.
  const adminPort =
    measured && listen && (await openAdmin({ listen, problems: health.problems, metrics: measured }, log, closers));

  const data = await openData(settings, { clock, log, metrics }, closers);
  stores.push(...data.probed);
  const mail = await openMail(settings, { ...data, clock, log, metrics, verifier }, closers);
  const all = { ...data, ...mail, clock, log, metrics };
  await openCommands(settings, all, closers);
  const ports = await openEdges(settings, all, closers);
  await Promise.all([mail.replies.start(), mail.notices.start()]);
  closers.push(() => health.enter('stopping'));
  health.enter('running');
  const addresses: Addresses = {
    ...ports,
    admin: listen && { host: listen.host, port: adminPort ?? listen.port },
  };
  const { publicUrl, certificateFile, trustedProxies } = settings.web;
  if (publicUrl.startsWith('https:') && certificateFile === null && trustedProxies.length === 0) {
    // What ends TLS in front of us is then the one who asks for every page.
    log.warn('limit', { outcome: 'one-network', remedy: 'name the proxy in web.trustedProxies' });
  }
  const told = { web: written(addresses.web), smtp: written(addresses.smtp) };
  log.info('started', addresses.admin === null ? told : { ...told, admin: written(addresses.admin) });
  return addresses;
}

/**
 * Mail is checked beside the event loop. Where there is one processor for all, a thread gains nothing and costs a sixth more:
 * there it gets large mail only, for which nobody else shall have to wait.
 */
function openVerifier({ smtp: { hostname }, dns: { servers } }: Settings, { clock, metrics }: Omit<Basics, 'log'>) {
  // `.ts` in a checkout, `.js` in the package: as this file.
  const farEnd = new URL(`./verify-mail${extname(import.meta.url)}`, import.meta.url);
  const now = () => clock.now();
  const looked = ({ outcome, ms }: LookUp) => metrics.dnsAnswered(outcome, ms);
  const thread = openVerifierThread(farEnd, { hostname, servers, now, looked });
  if (availableParallelism() > 1) return thread;
  const resolver = createDnsResolver({ servers, now, answered: (outcome, ms) => looked({ outcome, ms }) });
  return { ...thread, ...verifyBySize(createMailauthVerifier(hostname, resolver.forMessage), thread) };
}

async function openAdmin(options: AdminServerOptions, log: Log, closers: Close[]): Promise<number> {
  const server = createAdminServer(options, log);
  const port = await server.start();
  closers.push(() => server.stop());
  return port;
}

/** Everything that is kept, and the keys to it. The data folder is claimed by the caller. */
async function openData(settings: Settings, { clock, log, metrics }: Basics, closers: Close[]) {
  const folder = settings.data.dir;
  const keyring = await openOwnKeyring(settings, clock);
  const secrets = createSecrets(keyring);
  await removeLeftovers(folder);
  const { mailboxes } = settings.audit;
  const digest = (mailbox: Mailbox) => mailboxDigest(secrets, mailbox);
  const shownAs = { mailboxes: mailboxes === 'digest' ? digest : mailboxes };
  const audit = openAuditFile(join(folder, auditName), { ...shownAs, clock, log });
  closers.push(() => audit.close().catch((error: unknown) => log.error('audit', { outcome: 'lost' }, error)));
  const news = createChallengeNews();
  const challenges = await openChallengeStore(await ownSegments(folder, 'challenges'));
  const store = announceChanges(challenges, news.changed);
  closers.push(() => store.close());
  const changes = await openChangeStore(await ownSegments(folder, 'changes'));
  closers.push(() => changes.close());
  // What is sealed with a key in memory only could not be opened after a restart.
  const sealer = settings.keys.source === 'ephemeral' ? undefined : createSealer(keyring);
  const directory = await openDirectory(settings, { clock, log, sealer }, closers);
  const release = createRelease({ secrets, changes, directory, clock });
  const keys = createRotateKeys({ chain: keyring, clock, log, release }, keyLimits(settings));
  metrics.watch('keys', () => keyring.keys.length);
  closers.push(() => keys.stop());
  keys.start();
  closers.push(startSweeping({ store, clock, log }), startSweeping({ store: changes, clock, log }));
  return { secrets, audit, news, store, changes, directory, keys, probed: [challenges, changes] };
}

/** What an administrator's commands are obeyed by. */
async function openCommands(settings: Settings, data: Data & Awaited<ReturnType<typeof openMail>>, closers: Close[]) {
  const { secrets, audit, directory, keys, clock, log, sender } = data;
  const adminOf = isAdministered(directory)
    ? adminFor(directory, createInviteAccount({ accounts: directory, sender, secrets, log }), audit, clock)
    : undefined;
  closers.push(await openAdminSocket(settings.data.dir, { adminOf, keys }, log));
}

interface Basics {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

type Data = Basics & Awaited<ReturnType<typeof openData>>;

/** Mail that comes in, and mail that goes out. */
async function openMail(settings: Settings, data: Data & { readonly verifier: MailVerifier }, closers: Close[]) {
  const { secrets, audit, news, store, changes, directory, clock, log, metrics, verifier } = data;
  const timed = timeReplies(metrics, clock);
  const sender = timed.mailSender(createNodemailerSender(await readSenderOptions(settings, log)));
  closers.push(() => sender.close());
  const outbox = new Outbox({ secrets, clock, log });
  const lookUps = new Outbox({ secrets, clock, log });
  const limits = appLimits(settings);
  const replies = createSendReplies({ secrets, store, sender, directory, clock, log, news, outbox, lookUps }, limits);
  const notices = createSendNotices({ secrets, changes, sender, clock, log, directory, outbox });
  metrics.watch('replies-waiting', () => outbox.waiting('reply') + lookUps.waiting('reply'));
  metrics.watch('notices-waiting', () => outbox.waiting('notice'));
  closers.push(() => atMost(handOverMs, Promise.all([outbox.stop(), lookUps.stop()])));
  const mail = createReceiveMail(
    { secrets, store, verifier, clock, news, sender, audit, replyQueued: replies.queued },
    mailOptions(settings),
  );
  return { sender, replies, notices, mail: timed.receiveMail(mail) };
}

/** What the world talks to. Resolves to the ports that were got. */
async function openEdges(settings: Settings, data: Data & Awaited<ReturnType<typeof openMail>>, closers: Close[]) {
  const { secrets, audit, news, store, changes, directory, clock, log, metrics, mail, replies, notices } = data;
  const limits = appLimits(settings);
  const isCommonPassword = await loadCommonPasswords();
  const rateLimits = createNetworkLimits({ clock, log }, perMinute(settings));
  const smtp = createSmtpListener(
    { mail, rateLimits, clock, log },
    smtpOptions(settings, edgeOf(settings, 'smtp', { clock, log })),
  );
  const useCases = {
    openChallenge: createOpenChallenge({ secrets, store, clock, news }, limits),
    followChallenge: createFollowChallenge({ secrets, store, clock, news }, limits),
    redeemCode: createRedeemCode({ secrets, store, clock, audit }, limits),
    resetPassword: createResetPassword(
      { secrets, store, changes, clock, directory, isCommonPassword, noticeQueued: notices.queued, audit },
      limits,
      settings.mail.siteName,
    ),
    confirmMailbox: createConfirmMailbox({ secrets, store, clock, directory, audit }),
    enrolSecondFactor: createEnrolSecondFactor(
      { secrets, store, clock, directory, oneTimePasswords, audit },
      settings.mail.siteName,
    ),
    typeAddress: createTypeAddress(
      { secrets, store, clock, audit, replyQueued: replies.queued },
      typingOptions(settings),
    ),
    undoChange: createUndoChange({ secrets, changes, clock, directory, audit }),
  };
  const web = await createWebServer(
    { ...useCases, rateLimits, clock, log },
    webOptions(settings, edgeOf(settings, 'web', { clock, log })),
  );
  metrics.watch('smtp-connections', smtp.connections);
  metrics.watch('live-lines', web.liveLines);
  const smtpAddress = await smtp.start();
  // Both at once: whoever holds one of them open must not keep the other one open too.
  const edges = [() => smtp.stop()];
  closers.push(async () => void (await Promise.all(edges.map((stop) => stop()))));
  const webAddress = await web.start();
  edges.push(() => web.stop());
  return { smtp: smtpAddress, web: webAddress };
}

/** Waits for it, but no longer than that. */
async function atMost(ms: number, work: Promise<unknown>): Promise<void> {
  const over = new AbortController();
  const late = after(ms, undefined, { signal: over.signal }).catch(() => {});
  await Promise.race([work, late]).finally(() => over.abort());
}

type StoreName = 'challenges' | 'changes';

function segmentsOf(folder: string, name: StoreName): SegmentFiles {
  return segmentFiles(join(folder, name), join(folder, `${name}.json`));
}

/** The same, for the owner of the data folder. */
async function ownSegments(folder: string, name: StoreName): Promise<SegmentFiles> {
  await prepareSegments(join(folder, name));
  return segmentsOf(folder, name);
}

/** Opens the accounts, wherever they live. The data folder is claimed by the caller. */
async function openDirectory(
  settings: Settings,
  { clock, log, sealer }: { readonly clock: Clock; readonly log: Log; readonly sealer: Sealer | undefined },
  closers: Close[],
): Promise<Directory | BuiltinDirectory> {
  const { kind, url, secret, secretFile, timeoutSeconds } = settings.directory;
  if (kind === 'http' && url !== null) {
    const path = secretFile ?? '';
    const key = secret ?? parseDirectorySecret(await readSecretFile('directory.secretFile', path), path);
    const directory = createHttpDirectory({ url, secret: key, timeoutMs: timeoutSeconds * 1000, clock, log });
    closers.push(() => directory.close());
    return directory;
  }
  const directory = await openOwnDirectory(settings, clock, sealer);
  closers.push(() => directory.close());
  closers.push(startSweeping({ store: directory, clock, log }));
  return directory;
}

function isAdministered(directory: Directory | BuiltinDirectory): directory is BuiltinDirectory {
  return 'setMailboxes' in directory;
}

/** What a command asks of the running service is audited in the name of whoever it says that it is. */
function adminFor(directory: BuiltinDirectory, invite: InviteAccount, audit: Audit, clock: Clock): AdminOf {
  const admin = commandsOf(directory, invite);
  return (operator) =>
    operator === undefined ? admin : auditAdmin({ admin, audit, clock }, { ...operator, said: true });
}

function openOwnKeyring({ keys, data }: Settings, clock: Clock) {
  const file = new DurableFile(keyPath(data.dir), { write: writtenKeys });
  return openKeyring(keyringOptions(keys, data.dir), clock.now(), (content) => file.write(content));
}

function keyringOptions({ source, secret }: Settings['keys'], folder: string) {
  return { source, secret: secret ?? [], folder };
}

function keyLimits(settings: Settings): KeyLimits {
  const { challengeLifetimeMs, grantLifetimeMs } = appLimits(settings);
  // A minute for what is under way while a key is written, or when a page ends.
  const pageLifeMs = challengeLifetimeMs + grantLifetimeMs + minuteMs;
  return { pageLifeMs, maxAgeMs: settings.keys.maxAgeDays * 24 * 60 * minuteMs };
}

async function openOwnDirectory(
  { data, directory, limits }: Settings,
  clock: Clock,
  sealer: Sealer | undefined,
): Promise<BuiltinDirectory> {
  const path = join(data.dir, accountsName);
  const wrongSecondFactors = [
    { max: limits.wrongSecondFactorsPerQuarterHour, windowMs: 15 * minuteMs },
    { max: limits.wrongSecondFactorsPerDay, windowMs: 24 * 60 * minuteMs },
  ];
  const { ignoreCaseDomains } = directory;
  const options = { now: () => clock.now(), ignoreCaseDomains, wrongSecondFactors, sealer };
  return openBuiltinDirectory(new DurableFile(path), path, options);
}

/** What an administrator does, with the accounts that are open. */
function commandsOf(directory: BuiltinDirectory, invite: InviteAccount): AccountCommands {
  return {
    list: () => directory.list(),
    find: (name) => directory.find(name),
    check: (accounts) => directory.check(accounts),
    add: (accounts) => directory.add(accounts),
    setState: (name, state) => directory.setState(name, state),
    dropSecondFactor: (name) => directory.dropSecondFactor(name),
    setMailboxes: (name, mailboxes, evenIfFrozen) => directory.setMailboxes(name, mailboxes, evenIfFrozen),
    remove: (name) => directory.remove(name),
    invite,
  };
}

/** The accounts, and how to let go of them. */
export interface OpenedAccounts extends AccountCommands {
  close(): Promise<void>;
}

const triesApartMs = 50;

interface Patience {
  /** How long to wait while somebody has the folder who takes no commands: another command, a service that is just starting. */
  readonly waitMs?: number;
  readonly mayMakeFolder: boolean;
}

/**
 * Opens the accounts for a command: through the service when it is running, by itself when the data folder is free.
 * @throws Error, with the remedy, when they cannot be opened
 */
export async function openAccounts(settings: Settings, patience: Patience): Promise<OpenedAccounts> {
  if (settings.directory.kind === 'http') {
    throw new Error('The accounts live in your own directory (directory.kind is http): look after them there.');
  }
  return openBeside(settings.data.dir, patience, (release) => openOwnAccounts(settings, release));
}

/** The keys, and how to let go of them. */
export interface OpenedKeys extends KeyAdmin {
  close(): Promise<void>;
}

/** Opens the keys for a command, as `openAccounts` opens the accounts. */
export function openKeys(settings: Settings, { waitMs }: Pick<Patience, 'waitMs'> = {}): Promise<OpenedKeys> {
  const patience = { mayMakeFolder: false, ...(waitMs === undefined ? {} : { waitMs }) };
  return openBeside(settings.data.dir, patience, async (close) => {
    try {
      const chain = await openOwnKeyring(settings, systemClock);
      if (settings.keys.source === 'ephemeral') throw new Error('keys.source is ephemeral, and no service is running.');
      // What older keys are still good for is looked after by the service.
      const ports = { chain, clock: systemClock, log: createJsonLog('silent'), release: async () => [] };
      return { rotate: createRotateKeys(ports, keyLimits(settings)).rotate, close };
    } catch (error) {
      await close();
      throw error;
    }
  });
}

/**
 * Opens something for a command.
 * @param openOwn claimed the folder when it is called; gives it back by `release`
 */
async function openBeside<Opened>(
  folder: string,
  { waitMs = 10_000, mayMakeFolder }: Patience,
  openOwn: (release: () => Promise<void>) => Promise<Opened>,
): Promise<Opened | (AdminClient & { close(): Promise<void> })> {
  const service = createAdminClient(folder, readOperator());
  for (let triesLeft = Math.ceil(waitMs / triesApartMs); ; triesLeft -= 1) {
    if (await service.isThere()) return { ...service, close: async () => {} };
    await checkOwners(folder, mayMakeFolder);
    try {
      return await openOwn(await claimDataFolder(folder));
    } catch (error) {
      const { code } = Object(error) as { readonly code?: unknown };
      if (code === 'EACCES' || code === 'EPERM') {
        throw new Error(`${folder} may not be used by this user. Run this as the user that the service runs as.`);
      }
      if (!(error instanceof FolderInUseError)) throw error;
      if (triesLeft <= 0) throw new Error(foreignOwner(folder, error.owner));
    }
    await after(triesApartMs);
  }
}

async function openOwnAccounts(settings: Settings, release: () => Promise<void>): Promise<OpenedAccounts> {
  try {
    await removeLeftovers(settings.data.dir);
    const directory = await openOwnDirectory(settings, systemClock, undefined);
    // No event of an administrator names a mailbox, so this needs no key for a digest.
    const mailboxes = settings.audit.mailboxes === 'clear' ? 'clear' : 'off';
    const log = createJsonLog('silent'); // the command itself tells what became of an invitation
    const audit = openAuditFile(join(settings.data.dir, auditName), { mailboxes, clock: systemClock, log });
    // Opened with the first invitation: no other command needs the relay's password or our keys.
    let opened: Promise<MailSender> | undefined;
    const sender: Pick<MailSender, 'sendInvitation'> = {
      async sendInvitation(invitation) {
        opened ??= readSenderOptions(settings, log).then(createNodemailerSender);
        return (await opened).sendInvitation(invitation);
      },
    };
    const secrets = { randomBytes: createRandomPool() };
    const invite = createInviteAccount({ accounts: directory, sender, secrets, log });
    const admin = commandsOf(directory, invite);
    return {
      ...auditAdmin({ admin, audit, clock: systemClock }, { ...readOperator(), said: false }),
      async close() {
        (await opened?.catch(() => undefined))?.close();
        await directory.close();
        await audit.close().finally(release);
      },
    };
  } catch (error) {
    await release();
    throw error;
  }
}

/** @throws Error when there is no folder, or root would leave files behind that the service may not read */
async function checkOwners(folder: string, mayMakeFolder: boolean): Promise<void> {
  const found = await Promise.all(
    [folder, join(folder, accountsName)].map((path) => stat(path).catch(() => undefined)),
  );
  if (found[0] === undefined && !mayMakeFolder) {
    throw new Error(`There is no folder ${folder} (data.dir). Is --config the file of the service?`);
  }
  const owner = found.find((each) => each !== undefined && each.uid !== 0)?.uid;
  if (process.geteuid?.() === 0 && owner !== undefined) {
    throw new Error(
      `${folder} belongs to user ${owner} and no service runs in it. Run this as that user, not as root.`,
    );
  }
}

function foreignOwner(folder: string, owner: string): string {
  return (
    `${folder} is in use by ${owner}, which takes no commands. If that is another such command, wait until it has ended. ` +
    'If it is the service, it hangs or is of an older version: restart it.'
  );
}

/**
 * Opens what `explain` needs, beside a running service: the data folder is read and not claimed, and nothing is made.
 * @throws Error, with the remedy, when the key or the store cannot be read
 */
export async function openExplainMail(settings: Settings, clock: Clock = systemClock): Promise<ExplainMail> {
  const folder = settings.data.dir;
  const secrets = createSecrets(await readKeyring(keyringOptions(settings.keys, folder)));
  const store = await openChallengeStore(segmentsOf(folder, 'challenges'));
  const resolver = createDnsResolver({ servers: settings.dns.servers, now: () => clock.now() });
  return createExplainMail(
    {
      secrets,
      store: { read: (id, now) => store.read(id, now) },
      verifierNoting: (questions) =>
        createMailauthVerifier(settings.smtp.hostname, () => notedLookups(resolver.forMessage(), questions)),
      clock,
      answers: mailAnswers,
    },
    { ...mailOptions(settings), messageBytesMax: settings.limits.messageBytesMax },
  );
}

/** The tables of the two edges; the pages in English. */
const mailAnswers: MailAnswers = {
  smtp(reason, authorDomain) {
    if (reason === 'passed-on') return `250 ${passedOn}`;
    if (reason === 'believed' || reason === 'already-answered') return `250 ${accepted}`;
    const known = {
      'far-too-big': edgeReplies['far-too-big'],
      'checks-failed': edgeReplies['not-now'],
      ...smtpReplies,
    };
    const { code, text } = known[reason];
    const domain = reason === 'not-authenticated' && authorDomain !== undefined ? ` domain ${authorDomain}` : '';
    return `${code} ${text}${domain}`;
  },
  page: (sentence) =>
    sentence === 'answer-queued' ? en.progress['reply-queued'] : en.mailRefused[sentence]('some minutes'),
};

function mailOptions(settings: Settings): ReceiveMailOptions {
  return {
    ...settings.mail,
    operator: settings.smtp.operator,
    checkTimeoutMs: settings.limits.messageCheckSeconds * 1000,
    policy: { spfWithoutDmarc: settings.mail.spfWithoutDmarc === 'accept' },
    limits: appLimits(settings),
  };
}

function appLimits({ limits }: Settings): AppLimits {
  return {
    challengeLifetimeMs: limits.challengeLifetimeMinutes * minuteMs,
    codeLifetimeMs: limits.codeLifetimeMinutes * minuteMs,
    grantLifetimeMs: limits.grantLifetimeMinutes * minuteMs,
    wrongCodesMax: limits.wrongCodesPerChallenge,
    wrongCodesPerMailboxPerDayMax: limits.wrongCodesPerMailboxPerDay,
    wrongCodesPerNetworkPerDayMax: limits.wrongCodesPerNetworkPerDay,
    undoLifetimeMs: limits.undoHours * 60 * minuteMs,
    addressFreezeMs: limits.addressFreezeDays * 24 * 60 * minuteMs,
    sendersMax: limits.sendersPerChallenge,
    messagesMax: limits.messagesPerChallenge,
    dkimSignaturesMax: limits.dkimSignaturesMax,
    repliesPerDomainPerHourMax: limits.repliesPerDomainPerHour,
    repliesPerMailbox: {
      perMinuteMax: limits.repliesPerMailboxPerMinute,
      perHourMax: limits.repliesPerMailboxPerHour,
      perDayMax: limits.repliesPerMailboxPerDay,
    },
  };
}

function typingOptions(settings: Settings): TypeAddressOptions {
  const { mail, limits } = settings;
  return {
    ...mail,
    limits: appLimits(settings),
    perAddressPerDayMax: limits.typedPerAddressPerDay,
    perNetworkPerHourMax: limits.typedPerNetworkPerHour,
    perNetworkPerDayMax: limits.typedPerNetworkPerDay,
    perDayMax: limits.typedPerDay,
  };
}

function perMinute({ limits }: Settings): Readonly<Record<Asked, number>> {
  return {
    page: limits.pagesPerNetworkPerMinute,
    piece: limits.pagesPerNetworkPerMinute,
    form: limits.formsPerNetworkPerMinute,
    message: limits.messagesPerNetworkPerMinute,
  };
}

/** The way to the relay, and our keys. @throws Error, with the place and the remedy, when a file that it names is not what it should be */
export async function readSenderOptions({ relay, smtp, mail }: Settings, log: Log): Promise<MailSenderOptions> {
  const { passwordFile, caFile } = relay;
  const dkimKey = async ({ selector, file }: Settings['mail']['dkimKeys'][number]): Promise<DkimKey> => {
    const pem = await readSecretFile('mail.dkimKeys', file);
    return {
      selector,
      key: parseDkimKey(pem, file, (bits) => log.warn('dkim', { outcome: 'weak-key', selector, bits })),
    };
  };
  return {
    relayUrl: relay.url,
    password: passwordFile === null ? relay.password : await readSecretFile('relay.passwordFile', passwordFile),
    tls: relayTls(relay),
    ca: caFile === null ? null : await readAuthority(caFile),
    hostname: smtp.hostname,
    dkimKeys: await Promise.all(mail.dkimKeys.map(dkimKey)),
    from: mail.from,
    siteName: mail.siteName,
    timeZone: mail.timeZone,
  };
}

async function readAuthority(path: string): Promise<string> {
  const pem = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new Error(`relay.caFile: ${path} ${fileProblem(error)}.`);
  });
  try {
    new X509Certificate(pem);
  } catch {
    throw new Error(`relay.caFile: ${path} holds no certificate in PEM.`);
  }
  return pem;
}

/** Where an edge listens, and its certificate. */
interface Edge {
  readonly listen: ListenTarget;
  readonly certificate: WatchCertificate | undefined;
}

/** @throws Error when a socket was to come from systemd and did not */
function edgeOf(settings: Settings, edge: 'smtp' | 'web', ports: { readonly clock: Clock; readonly log: Log }): Edge {
  const { listen, certificateFile: certificate, keyFile: key } = settings[edge];
  return {
    listen: listen === 'systemd' ? inheritedSocket(edge, process.env, process.pid) : listen,
    certificate: certificate === null || key === null ? undefined : watchCertificate({ certificate, key }, edge, ports),
  };
}

function smtpOptions({ smtp, limits }: Settings, edge: Edge): SmtpListenerOptions {
  return {
    ...edge,
    hostname: smtp.hostname,
    messageBytesMax: limits.messageBytesMax,
    connectionsMax: limits.smtpConnectionsMax,
    connectionsPerAddressMax: limits.smtpConnectionsPerAddressMax,
    proxyAddresses: smtp.proxyAddresses,
    frontAddresses: smtp.frontAddresses,
  };
}

function webOptions(settings: Settings, edge: Edge): WebServerOptions {
  const { web, mail, fallback } = settings;
  const limits = appLimits(settings);
  return {
    ...web,
    ...edge,
    streamsPerNetworkMax: settings.limits.streamsPerNetworkMax,
    mailDomain: mail.domain,
    siteName: mail.siteName,
    timeZone: mail.timeZone,
    mayTypeAddress: fallback.typedAddress === 'on',
    challengeLifetimeMs: limits.challengeLifetimeMs,
    grantLifetimeMs: limits.grantLifetimeMs,
  };
}

/** `host:port`, brackets around IPv6 (RFC 3986 §3.2.2). */
export function written({ host, port }: { readonly host: string; readonly port: number }): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
