// Settings: what is taken, what is refused and with which words, which source wins, and that file, schema and
// environment tell the same story. Files are real ones in a temporary folder.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { formatMistakes, loadSettings, type Mistake, type SettingsSources } from '../../src/settings/load-settings.ts';
import { options, relayTls, type Settings, settingsSchema } from '../../src/settings/settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'settings-'));
after(() => rmSync(folder, { recursive: true }));
const shipped = (name: string) => new URL(`../../config/${name}`, import.meta.url).pathname;
const defaultFile = shipped('default.yaml');
const developmentFile = shipped('development.yaml');

let filesWritten = 0;
function file(text: string | Uint8Array): string {
  const path = join(folder, `${filesWritten++}.yaml`);
  writeFileSync(path, text);
  return path;
}

/** What has no default, in the form of overrides. */
const required = {
  'web.publicUrl': 'https://reset.school.example',
  'smtp.hostname': 'mx.in.school.example',
  'mail.domain': 'in.school.example',
  'mail.from': 'accounts@school.example',
  'mail.siteName': 'Example School',
  'dns.servers': ['127.0.0.1'],
  'relay.url': 'smtp://127.0.0.1:1025',
};

function settingsOf(sources: Partial<SettingsSources>): Settings {
  const loaded = loadSettings({ files: [], env: {}, ...sources });
  assert.ok(loaded.ok, loaded.ok ? '' : formatMistakes(loaded.mistakes));
  return loaded.settings;
}

function mistakesOf(sources: Partial<SettingsSources>): readonly Mistake[] {
  const loaded = loadSettings({ files: [], env: {}, ...sources });
  assert.ok(!loaded.ok, 'expected mistakes, but the settings were taken');
  return loaded.mistakes;
}

const withRequired = (overrides: Record<string, unknown>) => ({ overrides: { ...required, ...overrides } });

function valueAt(settings: unknown, path: string): unknown {
  return path.split('.').reduce((value: unknown, name) => Object(value)[name], settings);
}

const secret = Buffer.alloc(32, 'q').toString('base64url');
const directorySecret = `whsec_${Buffer.alloc(32, 'q').toString('base64')}`;
const directoryUrl = 'https://accounts.school.example/reset/';

describe('one value', () => {
  const taken: readonly [path: string, given: unknown, want: unknown][] = [
    ['web.listen', '127.0.0.1:0', { host: '127.0.0.1', port: 0 }],
    ['web.listen', 'systemd', 'systemd'],
    ['smtp.listen', 'systemd', 'systemd'],
    ['web.listen', '[::1]:3000', { host: '::1', port: 3000 }],
    ['web.listen', 'localhost:65535', { host: 'localhost', port: 65535 }],
    ['smtp.listen', '0.0.0.0:25', { host: '0.0.0.0', port: 25 }],
    ['web.publicUrl', 'https://Reset.School.example/', 'https://reset.school.example'],
    ['web.publicUrl', 'https://reset.school.example:8443', 'https://reset.school.example:8443'],
    ['web.publicUrl', 'http://127.9.8.7:0', 'http://127.9.8.7:0'],
    ['web.publicUrl', 'http://localhost:3000/', 'http://localhost:3000'],
    ['web.publicUrl', 'http://[::1]:0', 'http://[::1]:0'],
    ['web.testMailboxUrl', null, null],
    ['web.testMailboxUrl', 'http://127.0.0.1:8025/', 'http://127.0.0.1:8025'],
    ['web.color', '#0b6e4f', '#0b6e4f'],
    ['web.color', '#FFEE00', '#ffee00'],
    ['web.trustedProxies', [], []],
    ['web.trustedProxies', ['192.0.2.0/24'], [{ groups: [0, 0, 0, 0, 0, 0xffff, 0xc000, 0x200], bits: 120 }]],
    ['web.logoFile', null, null],
    ['web.logoFile', 'config/our logo.svg', 'config/our logo.svg'],
    ['smtp.hostname', 'MX.School.example', 'mx.school.example'],
    ['mail.from', 'accounts@SCHOOL.example', 'accounts@school.example'],
    ['mail.siteName', 'St. Mary & Sons, No. 1', 'St. Mary & Sons, No. 1'],
    ['mail.siteName', 'Ö'.repeat(60), 'Ö'.repeat(60)],
    ['mail.timeZone', 'Europe/Vienna', 'Europe/Vienna'],
    [
      'dns.servers',
      ['9.9.9.9', '[::1]:5353', '::1'],
      [
        { host: '9.9.9.9', port: 53 },
        { host: '::1', port: 5353 },
        { host: '::1', port: 53 },
      ],
    ],
    [
      'dns.servers',
      ['127.0.0.1:5453', '[::1]'],
      [
        { host: '127.0.0.1', port: 5453 },
        { host: '::1', port: 53 },
      ],
    ],
    ['relay.url', 'smtps://me:p%40ss@relay.school.example:465/', 'smtps://me:p%40ss@relay.school.example:465'],
    ['relay.url', 'smtp://[::1]:1025', 'smtp://[::1]:1025'],
    ['relay.tls', 'off', 'off'],
    [
      'mail.dkimKeys',
      ['RTV2026=/etc/dkim=1.pem', 'a.b-c=k.pem'],
      [
        { selector: 'rtv2026', file: '/etc/dkim=1.pem' },
        { selector: 'a.b-c', file: 'k.pem' },
      ],
    ],
    ['directory.ignoreCaseDomains', [], []],
    [
      'directory.ignoreCaseDomains',
      ['School.example', 'mail.school.example'],
      ['school.example', 'mail.school.example'],
    ],
    ['directory.timeoutSeconds', 30, 30],
    ['keys.source', 'ephemeral', 'ephemeral'],
    ['audit.mailboxes', 'clear', 'clear'],
    ['log.level', 'silent', 'silent'],
    ['limits.messageBytesMax', 65_536, 65_536],
    ['limits.messageBytesMax', 10_485_760, 10_485_760],
  ];
  for (const [path, given, want] of taken) {
    test(`${path} takes ${JSON.stringify(given)}`, () => {
      assert.deepEqual(valueAt(settingsOf(withRequired({ [path]: given })), path), want);
    });
  }

  const refused: readonly [path: string, given: unknown, problem: RegExp][] = [
    ['web.listen', '3000', /not host:port/],
    ['web.listen', ':3000', /not host:port/],
    ['web.listen', '::1:3000', /not host:port/],
    ['web.listen', '127.0.0.1:65536', /port/],
    ['web.listen', '127.0.0.1:-1', /port/],
    ['web.listen', '127.0.0:80', /host/],
    ['web.listen', '[127.0.0.1]:80', /host/],
    ['web.listen', 3000, /not text/],
    ['web.listen', null, /no value/],
    ['web.publicUrl', 'reset.school.example', /not an http/],
    ['web.publicUrl', 'ftp://reset.school.example', /not an http/],
    ['web.publicUrl', 'http://reset.school.example', /not on this machine/],
    ['web.publicUrl', 'http://127.0.0.1.school.example', /not on this machine/],
    ['web.publicUrl', 'http://128.0.0.1', /not on this machine/],
    ['web.publicUrl', 'https://reset.school.example:0', /port 0/],
    ['web.publicUrl', 'https://reset.school.example/reset', /more in it/],
    ['web.publicUrl', 'https://reset.school.example?', /more in it/],
    ['web.publicUrl', 'https://reset.school.example#a', /more in it/],
    ['web.publicUrl', 'https://me@reset.school.example', /more in it/],
    ['web.publicUrl', 'https://reset.school.example\\', /more in it/],
    ['web.publicUrl', 'https://reset.school.example.', /dot at the end/],
    ['web.testMailboxUrl', 'https://127.0.0.1:8025', /not an http URL/],
    ['web.testMailboxUrl', 'http://mailbox.school.example', /not on this machine/],
    ['web.testMailboxUrl', 'http://me@127.0.0.1:8025', /user name/],
    ['web.testMailboxUrl', 'http://127.0.0.1:0', /port 0/],
    ['web.color', '14548f', /#rrggbb/],
    ['web.color', '#14548', /#rrggbb/],
    ['web.color', '#15f', /#rrggbb/],
    ['web.color', '#14548fff', /#rrggbb/],
    ['web.color', '#14548g', /#rrggbb/],
    ['web.color', ' #14548f', /#rrggbb/],
    ['web.color', '#14548f\n', /#rrggbb/],
    ['web.color', '#14548f;}', /#rrggbb/],
    ['web.color', 'navy', /#rrggbb/],
    ['web.color', 'rgb(20, 84, 143)', /#rrggbb/],
    ['web.color', '', /#rrggbb/],
    ['web.color', 145_480, /not text/],
    ['web.color', null, /no value/],
    ['web.trustedProxies', '127.0.0.1', /not a list/],
    ['web.trustedProxies', ['proxy.school.example'], /not an IP address or network/],
    ['web.trustedProxies', ['127.0.0.1', '10.0.0.1/8'], /bits set beyond its prefix/],
    ['web.trustedProxies', ['0.0.0.0/0'], /trust everybody/],
    ['web.trustedProxies', ['::/0'], /trust everybody/],
    ['web.trustedProxies', Array(101).fill('127.0.0.1'), /more than 100 entries/],
    ['web.logoFile', '', /not a file path/],
    ['web.logoFile', ' ', /not a file path/],
    ['web.logoFile', 'logo\0.svg', /not a file path/],
    ['web.logoFile', ['logo.svg'], /not text/],
    ['smtp.hostname', 'mx', /full host name/],
    ['smtp.hostname', 'mx.school.example.', /full host name/],
    ['smtp.hostname', '127.0.0.1', /full host name/],
    ['mail.domain', `${'a.'.repeat(98)}example`, /longer than 200/],
    ['mail.from', 'Accounts <accounts@school.example>', /plain mail address/],
    ['mail.siteName', '', /1 to 60/],
    ['mail.siteName', 'x'.repeat(61), /1 to 60/],
    ['mail.siteName', ' School', /1 to 60/],
    ['mail.siteName', 'Example\nSchool', /control/],
    ['mail.siteName', 'Example\u202eSchool', /control/],
    ['mail.siteName', 'Us @ School', /holds one of/],
    ['mail.siteName', 'Us ＠ School', /holds one of/],
    ['mail.siteName', 'A/B', /holds one of/],
    ['mail.siteName', 'mailto:x', /holds one of/],
    ['mail.siteName', '<b>', /holds one of/],
    ['mail.siteName', 'school.example', /host name/],
    ['mail.siteName', 'Our schule．at', /host name/],
    ['mail.siteName', 'Version 1.2', /host name/],
    ['mail.timeZone', 'Europe/Atlantis', /not a known time zone/],
    ['mail.timeZone', '+01:00', /offset/],
    ['dns.servers', [], /is empty/],
    ['dns.servers', ['::1', '::1', '::1', '::1'], /more than 3/],
    ['dns.servers', ['::1', 'dns.school.example'], /entry 2, which is not an IP address/],
    ['dns.servers', ['127.0.0.1:0'], /port/],
    ['dns.servers', '127.0.0.1', /not a list/],
    ['relay.url', 'https://relay.school.example', /not an smtp/],
    ['relay.url', 'smtp://relay.school.example/path', /more in it/],
    ['relay.url', 'smtp://relay.school.example?tls=no', /more in it/],
    ['relay.url', 'smtp://me:100%@relay.school.example', /%25/],
    ['relay.url', 'smtp://127.0.0.1:0', /port 0/],
    ['relay.url', 'smtp://1.2.3:25', /host/],
    ['relay.tls', 'verify', /none of auto, required, opportunistic, off/],
    ['relay.caFile', '', /not a file path/],
    ['mail.dkimKeys', 'rtv2026=dkim.pem', /not a list/],
    ['mail.dkimKeys', ['dkim.pem'], /entry 1, which is not selector=file/],
    ['mail.dkimKeys', ['a=k.pem', 'b_c=k.pem'], /entry 2, which is not selector=file/],
    ['mail.dkimKeys', ['-a=k.pem'], /not selector=file/],
    ['mail.dkimKeys', ['a='], /entry 1, which is not a file path/],
    ['mail.dkimKeys', ['a=k.pem', 'A=l.pem'], /has a selector twice/],
    ['mail.dkimKeys', Array(5).fill('a=k.pem'), /more than 4/],
    ['smtp.keyFile', ' ', /not a file path/],
    ['data.dir', ' ', /folder path/],
    ['directory.ignoreCaseDomains', 'school.example', /not a list/],
    ['directory.ignoreCaseDomains', ['school.example', 'amy@school.example'], /entry 2, which is not a full host name/],
    ['directory.ignoreCaseDomains', ['school'], /entry 1, which is not a full host name/],
    ['directory.ignoreCaseDomains', Array(101).fill('school.example'), /more than 100/],
    ['directory.ignoreCaseDomains', null, /no value/],
    ['directory.kind', 'ldap', /none of builtin, http/],
    ['directory.url', 'accounts.school.example', /not an http/],
    ['directory.url', 'ldaps://accounts.school.example', /not an http/],
    ['directory.url', 'http://accounts.school.example', /not on this machine/],
    ['directory.url', 'http://127.0.0.1.school.example', /not on this machine/],
    ['directory.url', 'http://127.0.0.1:0', /port 0/],
    ['directory.url', 'https://me:pw@accounts.school.example', /more in it/],
    ['directory.url', 'https://accounts.school.example/?key=1', /more in it/],
    ['directory.url', 'https://accounts.school.example/#a', /more in it/],
    ['directory.timeoutSeconds', 31, /between 1 and 30/],
    ['keys.source', 'vault', /none of file, env, ephemeral/],
    ['audit.mailboxes', 'digests', /none of clear/],
    ['log.level', 'loud', /none of debug/],
    ['limits.messageBytesMax', 65_535, /between 65536 and 10485760/],
    ['limits.messageBytesMax', 10_485_761, /between/],
    ['limits.undoHours', 1.5, /whole number/],
    ['limits.undoHours', '72', /whole number/],
    ['limits.challengeLifetimeMinutes', 4, /between 5 and 1440/],
  ];
  for (const [path, given, problem] of refused) {
    test(`${path} refuses ${JSON.stringify(given)?.slice(0, 50)}`, () => {
      const mistakes = mistakesOf(withRequired({ [path]: given }));
      assert.equal(mistakes.length, 1, formatMistakes(mistakes));
      assert.equal(mistakes[0]?.setting, path);
      assert.equal(mistakes[0]?.place, `override ${path}`);
      assert.match(mistakes[0]?.problem ?? '', problem);
      assert.match(mistakes[0]?.remedy ?? '', /^Give /);
    });
  }
});

describe('sources', () => {
  test('override beats environment beats later file beats earlier file, option by option; lists are replaced', () => {
    const first = file(
      'log: { level: debug }\ndata: { dir: one }\nmail: { timeZone: Asia/Tokyo }\ndns: { servers: ["::1", "::1"] }',
    );
    const second = file('log: { level: info }\ndata: { dir: two }\ndns: { servers: ["::2"] }');
    const settings = settingsOf({
      files: [developmentFile, first, second],
      env: { RTV_LOG_LEVEL: 'warn', RTV_DATA_DIR: 'three', PATH: '/bin', RTV_MAIL_FROM: undefined },
      overrides: { 'log.level': 'error', 'mail.from': undefined, 'mail.timeZone': undefined },
    });
    assert.equal(settings.log.level, 'error');
    assert.equal(settings.data.dir, 'three');
    assert.equal(settings.mail.timeZone, 'Asia/Tokyo');
    assert.deepEqual(settings.dns.servers, [{ host: '::2', port: 53 }]);
    assert.equal(settings.mail.from, 'accounts@school.example');
  });

  test('environment text becomes numbers, null and lists', () => {
    const env = {
      RTV_LIMITS_UNDO_HOURS: '24',
      RTV_WEB_TEST_MAILBOX_URL: '',
      RTV_WEB_COLOR: '#0B6E4F',
      RTV_WEB_LOGO_FILE: '',
      RTV_KEYS_SECRET: 'null',
      RTV_DNS_SERVERS: '9.9.9.9, [::1]:5353',
      RTV_DIRECTORY_IGNORE_CASE_DOMAINS: 'School.example, company.example',
      RTV_WEB_LISTEN: '[::1]:0',
    };
    const settings = settingsOf({ files: [developmentFile], env });
    assert.equal(settings.limits.undoHours, 24);
    assert.equal(settings.web.testMailboxUrl, null);
    assert.equal(settings.web.color, '#0b6e4f');
    assert.equal(settings.web.logoFile, null);
    assert.equal(settings.keys.secret, null);
    assert.deepEqual(settings.dns.servers, [
      { host: '9.9.9.9', port: 53 },
      { host: '::1', port: 5353 },
    ]);
    assert.deepEqual(settings.directory.ignoreCaseDomains, ['school.example', 'company.example']);
    assert.deepEqual(settings.web.listen, { host: '::1', port: 0 });
    const none = settingsOf({ files: [developmentFile], env: { RTV_DIRECTORY_IGNORE_CASE_DOMAINS: '' } });
    assert.deepEqual(none.directory.ignoreCaseDomains, []);
  });

  for (const [name, text, problem] of [
    ['RTV_LIMITS_UNDO_HOURS', '1e2', /whole number/],
    ['RTV_LIMITS_UNDO_HOURS', '', /whole number/],
    ['RTV_LIMITS_UNDO_HOURS', '0', /between/],
    ['RTV_DNS_SERVERS', '', /is empty/],
    ['RTV_DNS_SERVERS', '::1,', /entry 2/],
    ['RTV_LOG_LEVEL', 'null', /none of/],
  ] as const) {
    test(`${name}=${text} is refused`, () => {
      const [mistake, ...more] = mistakesOf({ files: [developmentFile], env: { [name]: text } });
      assert.deepEqual(more, []);
      assert.equal(mistake?.place, `environment variable ${name}`);
      assert.match(mistake?.problem ?? '', problem);
    });
  }

  test('a colour in quotes, a logo without', () => {
    const { web } = settingsOf({
      files: [developmentFile, file('web:\n  color: "#0b6e4f" # green\n  logoFile: logo.svg')],
    });
    assert.deepEqual([web.color, web.logoFile], ['#0b6e4f', 'logo.svg']);
  });

  test('empty sections and an empty file are fine', () => {
    const settings = settingsOf({ files: [developmentFile, file(''), file('# only this\nlimits:\nlog:\n')] });
    assert.equal(settings.log.level, 'warn');
  });

  test('the result is frozen all the way down', () => {
    const settings = settingsOf({ files: [developmentFile] });
    const parts = [settings, settings.web, settings.web.listen, settings.dns.servers, settings.dns.servers[0]];
    for (const part of parts) assert.ok(Object.isFrozen(part));
  });
});

describe('mistakes', () => {
  test('five in a file, one in the environment and what is missing come together, with line and remedy', () => {
    const path = file(
      [
        'web:',
        '  listen: 127.0.0.1',
        '  publicURI: https://reset.school.example',
        'limits:',
        '  # a comment',
        '  undoHours: many',
        '  challengeLifetimeMinutes: 9999',
        'lgo:',
        '  level: info',
        'relay:',
        '  url: smtp://127.0.0.1:25',
      ].join('\n'),
    );
    const mistakes = mistakesOf({ files: [path], env: { RTV_LOG_LEVL: 'info' } });
    const wanted: readonly [place: string, setting: string, remedy: RegExp][] = [
      [`${path}:3`, 'web.publicURI', /web\.publicUrl\?/],
      [`${path}:8`, 'lgo', /Did you mean log\?/],
      ['environment variable RTV_LOG_LEVL', '', /RTV_LOG_LEVEL\?/],
      [`${path}:2`, 'web.listen', /host:port, for example/],
      [`${path}:6`, 'limits.undoHours', /from 1 to 720, without quotes, for example 72/],
      [`${path}:7`, 'limits.challengeLifetimeMinutes', /from 5 to 1440/],
      [`${path}, or environment variable RTV_WEB_PUBLIC_URL`, 'web.publicUrl', /https/],
      [`${path}, or environment variable RTV_SMTP_HOSTNAME`, 'smtp.hostname', /mx\./],
      [`${path}, or environment variable RTV_MAIL_DOMAIN`, 'mail.domain', /in\.school/],
      [`${path}, or environment variable RTV_MAIL_FROM`, 'mail.from', /accounts@/],
      [`${path}, or environment variable RTV_MAIL_SITE_NAME`, 'mail.siteName', /Example/],
      [`${path}, or environment variable RTV_DNS_SERVERS`, 'dns.servers', /127\.0\.0\.1/],
    ];
    assert.deepEqual(
      mistakes.map(({ place, setting }) => [place, setting]),
      wanted.map(([place, setting]) => [place, setting]),
    );
    for (const [index, [, , remedy]] of wanted.entries()) assert.match(mistakes[index]?.remedy ?? '', remedy);

    const text = formatMistakes(mistakes);
    assert.match(text, /^There are 12 mistakes in the settings\.\n/);
    assert.ok(
      text.includes(`\n 4. ${path}:2\n    web.listen is not host:port.\n    Give host:port, for example`),
      text,
    );
    assert.ok(text.includes('\n12. '), text);
  });

  test('a wrong value is a mistake although a later source replaces it', () => {
    const [mistake] = mistakesOf({
      files: [developmentFile, file('log:\n  level: loud')],
      env: { RTV_LOG_LEVEL: 'info' },
    });
    assert.match(mistake?.place ?? '', /:2$/);
  });

  const inFile: readonly [name: string, text: string | Uint8Array, line: number, problem: RegExp, remedy: RegExp][] = [
    ['a syntax error', 'log:\n  level: [info\nweb: 1', 3, /not well-formed/, /brackets/],
    ['a tab', 'log:\n\tlevel: info', 2, /not well-formed/, /indentation/],
    ['a duplicate key', 'log:\n  level: info\n  level: warn', 3, /twice/, /one of the two/],
    ['a second document', 'log:\n  level: info\n---\nweb:', 3, /second document/, /---/],
    ['a tag', 'log:\n  level: !mine info', 2, /tag/, /plain value/],
    ['a list', '- log', 1, /not a list of sections/, /section/],
    ['a text', 'log', 1, /not a list of sections/, /section/],
    ['a section that is text', 'web:\nlog: info', 2, /not a section/, /level/],
    ['a section that is a list', 'log: [info]', 1, /not a section/, /level/],
    ['a merge key', 'log:\n  <<: { level: info }', 2, /no setting/, /level/],
    ['a dotted key', 'log.level: info', 1, /not a known section/, /in two lines/],
    ['a key that is a list', '? [a]\n: b', 1, /no setting/, /web, smtp/],
    ['a key that is a number', '1: b', 1, /no setting/, /web, smtp/],
    [
      'a key of another section',
      'web:\n  siteName: x',
      2,
      /not a known setting/,
      /mail\.siteName, in the section "mail:"/,
    ],
    ['a key like nothing', 'log:\n  xylophone: 1', 2, /not a known setting/, /Known here: level/],
    ['a name from the prototype', 'log:\n  constructor: 1', 2, /not a known setting/, /Known here: level/],
    ['__proto__', '__proto__:\n  level: info', 1, /not a known section/, /Known here: web/],
    ['a map for a value', 'data:\n  dir: { a: 1 }', 2, /not text/, /folder path/],
    ['a key without a value', 'data:\n  dir:', 2, /no value/, /folder path/],
    ['a colour without quotes, which is a comment', 'web:\n  color: #14548f', 2, /no value/, /in quotes .*"#14548f"/],
  ];
  for (const [name, text, line, problem, remedy] of inFile) {
    test(`${name} in a file`, () => {
      const path = file(text);
      const [mistake, ...more] = mistakesOf({ files: [developmentFile, path] });
      assert.deepEqual(more, []);
      assert.equal(mistake?.place, `${path}:${line}`);
      assert.match(mistake?.problem ?? '', problem);
      assert.match(mistake?.remedy ?? '', remedy);
    });
  }

  test('the rest of a file with a duplicate key is still checked', () => {
    const path = file('log:\n  level: info\n  level: warn\ndata:\n  dri: x');
    const places = mistakesOf({ files: [developmentFile, path] }).map(({ place }) => place);
    assert.deepEqual(places, [`${path}:3`, `${path}:5`]);
  });

  test('one mistake is said in the singular', () => {
    const text = formatMistakes(mistakesOf({ files: [developmentFile], env: { RTV_DATA_DIR: '' } }));
    const want = [
      'There is 1 mistake in the settings.',
      '',
      '1. environment variable RTV_DATA_DIR',
      '   data.dir is not a folder path.',
      '   Give a folder path, for example /var/lib/reply-to-verify.',
      '',
    ];
    assert.equal(text, want.join('\n'));
  });

  test('aliases are refused, and a bomb of them ends at once', () => {
    const bomb = ['a: &a0 [x, x]'];
    for (let at = 1; at < 40; at++) bomb.push(`a${at}: &a${at} [*a${at - 1}, *a${at - 1}]`);
    const found = mistakesOf({ files: [developmentFile, file(bomb.join('\n'))] });
    assert.equal(found.filter(({ problem }) => /alias/.test(problem)).length, 39);
    const path = file('data:\n  dir: &here x\nlog:\n  level: *here');
    assert.ok(
      mistakesOf({ files: [developmentFile, path] }).some(
        ({ place, problem }) => place === `${path}:4` && /alias/.test(problem),
      ),
    );
  });

  const wholeFile: readonly [name: string, path: () => string, problem: RegExp][] = [
    ['one that is not there', () => join(folder, 'none.yaml'), /not found/],
    ['a folder', () => folder, /folder/],
    ['one of more than 256 kB', () => file(`#${'x'.repeat(256 * 1024)}`), /larger than 256 kB/],
    ['one that is not UTF-8', () => file(Uint8Array.of(0x23, 0xff)), /YAML text/],
    ['one nested very deeply', () => file(`a: ${'['.repeat(200_000)}`), /YAML/],
  ];
  for (const [name, path, problem] of wholeFile) {
    test(`file: ${name}; what is missing may stand in it`, () => {
      const broken = path();
      const mistakes = mistakesOf({ files: [broken], env: { RTV_LOG_LEVEL: 'loud' } });
      assert.equal(mistakes.length, 2, formatMistakes(mistakes.slice(0, 9)));
      assert.ok(mistakes[0]?.place.startsWith(broken));
      assert.match(mistakes[0]?.problem ?? '', problem);
      assert.equal(mistakes[1]?.setting, 'log.level');
    });
  }

  test('a file of 256 kB is read', () => {
    settingsOf({ files: [developmentFile, file(`#${'x'.repeat(256 * 1024 - 1)}`)] });
  });

  test('unknown names in the environment and overrides cannot write to the terminal', () => {
    const mistakes = mistakesOf({
      files: [developmentFile],
      env: { 'RTV_\u001b[2J': 'x' },
      overrides: { 'web.listn': 1 },
    });
    assert.deepEqual(
      mistakes.map(({ place }) => place),
      ['environment variable RTV_??2J', 'override web.listn'],
    );
    assert.match(mistakes[1]?.remedy ?? '', /web\.listen/);
  });
});

const behindProxy = { 'web.trustedProxies': ['127.0.0.1'] };

describe('rules between options', () => {
  const rules: readonly [
    name: string,
    sources: Partial<SettingsSources>,
    place: RegExp,
    setting: string,
    problem: RegExp,
  ][] = [
    [
      'code outlives page',
      { overrides: { 'limits.codeLifetimeMinutes': 61 } },
      /^override/,
      'limits.codeLifetimeMinutes',
      /longer/,
    ],
    [
      'page shorter than the default code',
      { env: { RTV_LIMITS_CHALLENGE_LIFETIME_MINUTES: '29' } },
      /CHALLENGE/,
      'limits.challengeLifetimeMinutes',
      /limits\.codeLifetimeMinutes: .*longer/,
    ],
    [
      'from at the one-time domain',
      { env: { RTV_MAIL_FROM: 'a@IN.school.example' } },
      /RTV_MAIL_FROM/,
      'mail.from',
      /one-time/,
    ],
    [
      'one-time domain at from',
      { env: { RTV_MAIL_DOMAIN: 'School.example' } },
      /RTV_MAIL_DOMAIN/,
      'mail.domain',
      /one-time/,
    ],
    [
      'smtps, and TLS off',
      { env: { RTV_RELAY_URL: 'smtps://relay.school.example', RTV_RELAY_TLS: 'off' } },
      /RTV_RELAY/,
      'relay.tls',
      /first byte/,
    ],
    [
      'a user without a password',
      { env: { RTV_RELAY_URL: 'smtp://me@relay.school.example' } },
      /RTV_RELAY_URL/,
      'relay.url',
      /relay\.passwordFile and relay\.password: .*no password/,
    ],
    [
      'a password without a user',
      { env: { RTV_RELAY_PASSWORD_FILE: '/secret' } },
      /RTV_RELAY_PASSWORD_FILE/,
      'relay.passwordFile',
      /no user/,
    ],
    [
      'two passwords',
      { env: { RTV_RELAY_URL: 'smtp://me:one@relay.school.example', RTV_RELAY_PASSWORD: 'two' } },
      /RTV_RELAY_PASSWORD/,
      'relay.password',
      /more than one password/,
    ],
    [
      'a password in clear to another machine',
      {
        env: {
          RTV_RELAY_URL: 'smtp://me@relay.school.example',
          RTV_RELAY_PASSWORD: 'one',
          RTV_RELAY_TLS: 'opportunistic',
        },
      },
      /RTV_RELAY_TLS/,
      'relay.tls',
      /could be read/,
    ],
    [
      'an authority where no certificate is looked at',
      { env: { RTV_RELAY_URL: 'smtp://127.0.0.1', RTV_RELAY_CA_FILE: 'ca.pem' } },
      /RTV_RELAY_CA_FILE/,
      'relay.caFile',
      /no certificate is looked at/,
    ],
    [
      'http without a URL',
      { env: { RTV_DIRECTORY_KIND: 'http', RTV_DIRECTORY_SECRET: directorySecret } },
      /RTV_DIRECTORY_KIND/,
      'directory.kind',
      /directory\.url: .*no URL/,
    ],
    [
      'a directory URL without http',
      { env: { RTV_DIRECTORY_URL: directoryUrl } },
      /RTV_DIRECTORY_URL/,
      'directory.url',
      /http is not chosen/,
    ],
    [
      'http without a secret',
      { env: { RTV_DIRECTORY_URL: directoryUrl, RTV_DIRECTORY_KIND: 'http' } },
      /RTV_DIRECTORY_KIND/,
      'directory.kind',
      /directory\.secretFile and directory\.secret: .*no secret/,
    ],
    [
      'a secret in a file and in the environment',
      {
        env: { RTV_DIRECTORY_URL: directoryUrl, RTV_DIRECTORY_SECRET: directorySecret },
        overrides: { 'directory.kind': 'http', 'directory.secretFile': 'secret' },
      },
      /override directory/,
      'directory.secretFile',
      /both are given/,
    ],
    [
      'a directory secret without http',
      { env: { RTV_DIRECTORY_SECRET: directorySecret } },
      /RTV_DIRECTORY_SECRET/,
      'directory.secret',
      /http is not chosen/,
    ],
    [
      'domains that ignore case, with http',
      {
        env: { RTV_DIRECTORY_URL: directoryUrl, RTV_DIRECTORY_SECRET: directorySecret, RTV_DIRECTORY_KIND: 'http' },
        overrides: { 'directory.ignoreCaseDomains': ['school.example'] },
      },
      /override directory\.ignoreCaseDomains/,
      'directory.ignoreCaseDomains',
      /your service/,
    ],
    [
      'typed addresses behind a proxy that is not named',
      { overrides: { 'web.publicUrl': 'https://reset.school.example' } },
      /\.yaml:/,
      'fallback.typedAddress',
      /web\.trustedProxies and web\.certificateFile: .*not named/,
    ],
    [
      'a certificate of the pages without a key',
      { overrides: { 'web.certificateFile': 'a.pem', 'web.publicUrl': 'https://127.0.0.1:0', ...behindProxy } },
      /^override/,
      'web.certificateFile',
      /web\.keyFile: one is given without the other/,
    ],
    [
      'pages with TLS and a URL without',
      { overrides: { 'web.certificateFile': 'a.pem', 'web.keyFile': 'b.pem' } },
      /^override/,
      'web.certificateFile',
      /their URL says http/,
    ],
    [
      'a front that is a proxy as well',
      { overrides: { 'smtp.frontAddresses': ['192.0.2.5'], 'smtp.proxyAddresses': ['192.0.2.4', '192.0.2.5'] } },
      /^override/,
      'smtp.proxyAddresses',
      /an address is in both/,
    ],
    [
      'env without a secret',
      { env: { RTV_KEYS_SOURCE: 'env' } },
      /RTV_KEYS_SOURCE/,
      'keys.source',
      /keys\.secret: .*no secret/,
    ],
    [
      'a secret without env',
      { env: { RTV_KEYS_SECRET: secret } },
      /RTV_KEYS_SECRET/,
      'keys.secret',
      /env is not chosen/,
    ],
  ];
  for (const [name, sources, place, setting, problem] of rules) {
    test(`${name}, with and without another mistake`, () => {
      for (const files of [[developmentFile], [developmentFile, file('data:\n  dir: 1')]]) {
        const mistakes = mistakesOf({ files, ...sources });
        const found = mistakes.find((mistake) => mistake.setting === setting);
        assert.equal(mistakes.length, files.length, formatMistakes(mistakes));
        assert.match(found?.place ?? '', place);
        assert.match(found?.problem ?? '', problem);
      }
    });
  }

  test('at the edge they are kept', () => {
    const overrides = {
      'limits.codeLifetimeMinutes': 60,
      'mail.from': 'a@sub.in.school.example',
      'web.publicUrl': 'https://reset.school.example',
      'web.trustedProxies': ['127.0.0.1'],
      'keys.source': 'env',
    };
    const older = Buffer.alloc(32, 'r').toString('base64url');
    for (const given of [secret, `${secret}, ${older}`]) {
      const { keys } = settingsOf({ files: [developmentFile], env: { RTV_KEYS_SECRET: given }, overrides });
      assert.deepEqual(keys.secret, given.split(', '));
    }
  });

  test('pages with a certificate of their own need no proxy', () => {
    const overrides = {
      'web.publicUrl': 'https://reset.school.example',
      'web.certificateFile': 'a.pem',
      'web.keyFile': 'b.pem',
    };
    assert.equal(settingsOf({ files: [developmentFile], overrides }).web.keyFile, 'b.pem');
  });

  test('a directory behind HTTP, on this machine and elsewhere', () => {
    const env = { RTV_DIRECTORY_SECRET: directorySecret };
    for (const [url, want] of [
      ['https://accounts.school.example', 'https://accounts.school.example/'],
      ['https://accounts.school.example:8443/a/b', 'https://accounts.school.example:8443/a/b/'],
      ['http://[::1]:8080/', 'http://[::1]:8080/'],
    ]) {
      const overrides = { 'directory.kind': 'http', 'directory.url': url };
      const { directory } = settingsOf({ files: [developmentFile], env, overrides });
      assert.deepEqual([directory.url, directory.secret], [want, directorySecret]);
    }
  });

  test('a rule waits until its own options are right', () => {
    const env = { RTV_LIMITS_CODE_LIFETIME_MINUTES: '90', RTV_LIMITS_CHALLENGE_LIFETIME_MINUTES: 'x' };
    assert.equal(mistakesOf({ files: [developmentFile], env }).length, 1);
  });

  test('the schema alone keeps them, too', () => {
    const given: Record<string, Record<string, unknown>> = {};
    for (const { path, section, name } of options.values()) {
      given[section] = { ...given[section], [name]: Object.entries(required).find(([key]) => key === path)?.[1] };
    }
    assert.ok(settingsSchema.safeParse(given).success);
    given.limits = { codeLifetimeMinutes: 61 };
    assert.deepEqual(
      settingsSchema.safeParse(given).error?.issues.map(({ path }) => path.join('.')),
      ['limits.codeLifetimeMinutes'],
    );
  });
});

describe('the secret of a directory', () => {
  for (const [name, given, right] of [
    ['24 bytes', `whsec_${Buffer.alloc(24).toString('base64')}`, true],
    ['64 bytes', `whsec_${Buffer.alloc(64).toString('base64')}`, true],
    ['23 bytes', `whsec_${Buffer.alloc(23).toString('base64')}`, false],
    ['65 bytes', `whsec_${Buffer.alloc(65).toString('base64')}`, false],
    ['another prefix', `whpk_${Buffer.alloc(32).toString('base64')}`, false],
    ['base64url', `whsec_${Buffer.alloc(32, 255).toString('base64url')}`, false],
  ] as const) {
    test(`a directory secret of ${name} is ${right ? 'taken' : 'refused'}`, () => {
      const env = { RTV_DIRECTORY_SECRET: given, RTV_DIRECTORY_KIND: 'http', RTV_DIRECTORY_URL: directoryUrl };
      assert.equal(loadSettings({ files: [developmentFile], env }).ok, right);
    });
  }
});

describe('the way to the relay', () => {
  const ways: readonly [url: string, tls: 'auto' | 'required' | 'opportunistic' | 'off', want: string][] = [
    ['smtp://relay.school.example', 'auto', 'required'],
    ['smtp://10.0.0.1:25', 'auto', 'required'],
    ['smtp://127.0.0.1.school.example:25', 'auto', 'required'],
    ['smtp://127.0.0.1:1025', 'auto', 'opportunistic'],
    ['smtp://127.3.2.1', 'auto', 'opportunistic'],
    ['smtp://[::1]:25', 'auto', 'opportunistic'],
    ['smtp://LocalHost:25', 'auto', 'opportunistic'],
    ['smtp://127.0.0.1:1025', 'required', 'required'],
    ['smtp://relay.school.example', 'opportunistic', 'opportunistic'],
    ['smtp://relay.school.example', 'off', 'off'],
    ['smtps://relay.school.example', 'auto', 'required'],
    ['smtps://127.0.0.1', 'auto', 'required'],
    ['smtps://127.0.0.1', 'required', 'required'],
  ];
  for (const [url, tls, want] of ways) {
    test(`${url}, ${tls}: ${want}`, () => {
      const { relay } = settingsOf({ files: [developmentFile], overrides: { 'relay.url': url, 'relay.tls': tls } });
      assert.equal(relayTls(relay), want);
    });
  }

  test('a user with a password in a file or in the environment is taken, and on this machine also in clear', () => {
    const taken: Partial<SettingsSources>[] = [
      { overrides: { 'relay.url': 'smtp://me@relay.school.example', 'relay.passwordFile': '/secret' } },
      {
        overrides: { 'relay.url': 'smtp://me@127.0.0.1:25', 'relay.tls': 'off' },
        env: { RTV_RELAY_PASSWORD: 'o n=e' },
      },
      { overrides: { 'relay.url': 'smtps://me:one@relay.school.example' } },
    ];
    for (const sources of taken) settingsOf({ files: [developmentFile], ...sources });
  });
});

describe('secrets', () => {
  const password = 'Tr0ub4dor-and-3-more-letters-until-it-is-long';
  const everywhere: readonly [name: string, sources: Partial<SettingsSources>][] = [
    [
      'secret in a file',
      {
        files: [developmentFile, file(`keys:\n  source: env\n  secret: ${password}`)],
        env: { RTV_KEYS_SECRET: secret },
      },
    ],
    ['secret as override', { files: [developmentFile], overrides: { 'keys.secret': password } }],
    [
      'secret with a wrong character',
      { files: [developmentFile], env: { RTV_KEYS_SOURCE: 'env', RTV_KEYS_SECRET: `${password}!` } },
    ],
    [
      'short secret',
      { files: [developmentFile], env: { RTV_KEYS_SOURCE: 'env', RTV_KEYS_SECRET: password.slice(0, 42) } },
    ],
    ['secret for the source', { files: [developmentFile], env: { RTV_KEYS_SOURCE: password } }],
    ['secret without use', { files: [developmentFile], env: { RTV_KEYS_SECRET: password } }],
    ['secret as a key', { files: [developmentFile, file(`keys:\n  ${password}: x\n${password}: y`)] }],
    ['secret as a section', { files: [developmentFile, file(`keys: ${password}`)] }],
    [
      'secret in broken YAML',
      { files: [developmentFile, file(`keys:\n  secret: *${password}\n "${password}" ${password}`)] },
    ],
    ['secret as a tag', { files: [developmentFile, file(`keys:\n  source: !${password} file`)] }],
    [
      'password of the relay',
      { files: [developmentFile], env: { RTV_RELAY_URL: `smtp://me:${password}@relay.school.example/x` } },
    ],
    ['password of the relay as override', { files: [developmentFile], overrides: { 'relay.password': password } }],
    ['password of the relay in a file', { files: [developmentFile, file(`relay:\n  password: ${password}`)] }],
    ['password of the relay in two lines', { files: [developmentFile], env: { RTV_RELAY_PASSWORD: `${password}\nx` } }],
    [
      'password of the relay, in clear',
      {
        files: [developmentFile],
        env: { RTV_RELAY_URL: `smtp://me:${password}@relay.school.example`, RTV_RELAY_TLS: 'off' },
      },
    ],
    [
      'password in the public URL',
      { files: [developmentFile], env: { RTV_WEB_PUBLIC_URL: `https://me:${password}@school.example` } },
    ],
  ];
  for (const [name, sources] of everywhere) {
    test(`${name} is not repeated`, () => {
      const mistakes = mistakesOf(sources);
      const text = formatMistakes(mistakes) + JSON.stringify(mistakes);
      assert.ok(!text.includes(password.slice(0, 12)), text);
      assert.ok(!text.includes(secret), text);
    });
  }

  test('in a file it is a mistake with the way out, also when it would be right', () => {
    const path = file(`keys:\n  source: env\n  secret: ${secret}`);
    const [mistake, ...more] = mistakesOf({ files: [developmentFile, path] });
    assert.deepEqual(more, []);
    assert.equal(mistake?.place, `${path}:3`);
    assert.match(mistake?.problem ?? '', /environment only/);
    assert.match(mistake?.remedy ?? '', /RTV_KEYS_SECRET/);
  });

  test('32 bytes are enough, 31 are not', () => {
    const load = (bytes: number) =>
      loadSettings({
        files: [developmentFile],
        env: { RTV_KEYS_SOURCE: 'env', RTV_KEYS_SECRET: Buffer.alloc(bytes).toString('base64url') },
      });
    assert.equal(load(32).ok, true);
    assert.equal(load(31).ok, false);
  });
});

describe('shipped files', () => {
  test('default.yaml gives the defaults of the schema, and misses exactly what has none', () => {
    assert.deepEqual(settingsOf({ files: [defaultFile], overrides: required }), settingsOf({ overrides: required }));
    const missing = mistakesOf({ files: [defaultFile] });
    assert.deepEqual(
      missing.map(({ setting }) => setting),
      Object.keys(required),
    );
    for (const { problem } of missing) assert.equal(problem, 'is missing');
  });

  test('default.yaml with its commented lines switched on is right', () => {
    const text = readFileSync(defaultFile, 'utf8')
      .replace(/^ {2}# (?=[a-zA-Z]+: (?!.* ))/gm, '  ')
      .replace(/^ {2}# (?=siteName:|servers:)/gm, '  ');
    assert.equal(settingsOf({ files: [file(text)] }).mail.siteName, 'Example School');
  });

  test('development.yaml sets everything for a local run', () => {
    const settings = settingsOf({ files: [defaultFile, developmentFile] });
    assert.equal(settings.web.publicUrl, 'http://127.0.0.1:0', 'whatever port web.listen gets');
    assert.equal(settings.web.testMailboxUrl, 'http://127.0.0.1:8025');
    assert.deepEqual(settings.smtp, {
      listen: { host: '127.0.0.1', port: 2525 },
      hostname: 'mx.in.school.example',
      certificateFile: null,
      keyFile: null,
      proxyAddresses: [],
      frontAddresses: [],
      operator: null,
    });
    assert.deepEqual(settings.dns.servers, [{ host: '127.0.0.1', port: 5453 }]);
    assert.equal(settings.relay.url, 'smtp://127.0.0.1:1025');
    assert.equal(settings.log.level, 'warn');
  });

  test('ports can be left open for tests', () => {
    const overrides = { 'web.listen': '127.0.0.1:0', 'web.publicUrl': 'http://127.0.0.1:0', 'smtp.listen': '[::1]:0' };
    const { web, smtp } = settingsOf({ files: [defaultFile, developmentFile], overrides });
    assert.deepEqual(
      [web.listen, smtp.listen],
      [
        { host: '127.0.0.1', port: 0 },
        { host: '::1', port: 0 },
      ],
    );
    assert.equal(web.publicUrl, 'http://127.0.0.1:0');
  });

  // The names in one block of lines: the comment above a key, and the key, commented out or not.
  const blocks = readFileSync(defaultFile, 'utf8').split(/\n\n|\n(?=[a-z]+:\n)/);
  test('there are options to look for', () => assert.ok(options.size >= 30 && blocks.length >= 30));
  for (const { path, name, environmentName, required: isRequired } of options.values()) {
    test(`${path} stands in default.yaml with ${environmentName}`, () => {
      assert.match(environmentName, /^RTV(_[A-Z]+)+$/);
      const mine = blocks.filter(
        (block) =>
          new RegExp(`\\b${environmentName}\\b[^_]`).test(block) && new RegExp(`^ {2}(# )?${name}:`, 'm').test(block),
      );
      assert.equal(mine.length, 1);
      assert.equal(/\(required\)/.test(mine[0] ?? ''), isRequired);
    });
  }
  test('environment names are built from the paths', () => {
    assert.equal(options.get('web.publicUrl')?.environmentName, 'RTV_WEB_PUBLIC_URL');
    assert.equal(
      options.get('limits.wrongCodesPerMailboxPerDay')?.environmentName,
      'RTV_LIMITS_WRONG_CODES_PER_MAILBOX_PER_DAY',
    );
    assert.equal(new Set([...options.values()].map((each) => each.environmentName)).size, options.size);
  });
});
