// What a machine could open or submit in a mail or a page: the eyes of scanner.ts. Finds too much rather than too little,
// and judges nothing. The texts may be anything, also broken HTML: it reads tags by pattern, as cheap filters do.

import { simpleParser } from 'mailparser';

/** A piece of a mail or a page. `where`: `body`, the name of a header in lower case, or the path of a page. */
export type Text = { readonly where: string; readonly text: string };

/** Something to open. An `attribute` is relative to its page; a `host` may have a port and a path. */
export type Finding = Text & { readonly kind: 'url' | 'address' | 'host' | 'path' | 'attribute' | 'form' };

type Field = readonly [name: string, value: string];

/** A form with its controls. `choices` are what one click sends: buttons, options, boxes. Only hidden `fields` have a value. */
export type Form = { readonly actions: string[]; readonly fields: Field[]; readonly choices: Field[] };

type Element = { readonly tag: string; readonly attributes: ReadonlyMap<string, string> };

// The first that fits at a place takes it. A scheme needs no slashes, but "Re: x" and "GMT+5:30" are none. Lengths and
// what may stand before are limited, lest a long word is read anew from each of its letters.
const kinds = ['url', 'address', 'host', 'path'] as const;
const hostName = String.raw`(?<![\p{L}\p{N}_-])(?:[\p{L}\p{N}_-]{1,63}\.)+\p{L}[\p{L}\p{N}-]+`;
const linkLike = new RegExp(
  [
    String.raw`(?<url>(?:\b[a-z][a-z0-9+.-]{1,30}:[a-z+/]|//[\p{L}\p{N}])[^\s<>"']*)`,
    String.raw`(?<address>(?<![^\s<>"'(),:;=])[^\s<>"'(),:;=]{1,64}@\[?[\p{L}\p{N}.-]+)`,
    String.raw`(?<host>(?:${hostName}|\d{1,3}(?:\.\d{1,3}){3}|\blocalhost\b)(?::\d+)?(?:[/?#][^\s<>"']*)?)`,
    String.raw`(?<path>(?<![^\s"'(=])/[\w~%?.-][^\s<>"']*)`,
  ].join('|'),
  'giu',
);
const linkAttributes = ['href', 'src', 'action', 'formaction', 'data', 'ping', 'poster', 'cite'];
const clickable = /^(?:submit|image|radio|checkbox)$/i;
const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** Undoes numeric references and those of markup itself. */
export function unescapeHtml(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]{1,5})|#(\d{1,6})|(amp|lt|gt|quot|apos));/gi, (_, hex, decimal, name) =>
    name === undefined ? String.fromCodePoint(Number(decimal ?? `0x${hex}`)) : (entities[name.toLowerCase()] ?? ''),
  );
}

function decodePercent(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (bytes) => Buffer.from(bytes.replaceAll('%', ''), 'hex').toString());
}

/** The tags of a text that may be HTML, in order; `/form` for an end tag. Names are in lower case. */
export function elementsOf(html: string): readonly Element[] {
  return [...html.matchAll(/<(\/?[a-z][a-z0-9]*)((?:"[^"]*"|'[^']*'|[^"'>])*)>/gi)].map(([, tag = '', rest = '']) => {
    const pairs = rest.matchAll(/([^\s=/"'>]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?/g);
    const attributes = [...pairs].map(([, name = '', ...values]) => {
      return [name.toLowerCase(), unescapeHtml(values.find((value) => value !== undefined) ?? '')] as const;
    });
    return { tag: tag.toLowerCase(), attributes: new Map(attributes) };
  });
}

// A link may carry another one in its query, and a mailto in its body.
function plainLinks({ where, text }: Text): Finding[] {
  return [...text.matchAll(linkLike)].flatMap(({ groups = {} }) => {
    const kind = kinds.find((each) => groups[each] !== undefined) ?? 'url';
    const link = (groups[kind] ?? '').replace(/[.,;:!?)\]]+$/, '');
    const carried = link.split(/[?&=#]/).slice(1);
    return [
      { kind, where, text: link },
      ...carried.flatMap((part) => plainLinks({ where, text: decodePercent(part) })),
    ];
  });
}

/** All that looks like a link, in text or in markup, and the targets of forms. */
export function findLinks({ where, text }: Text): readonly Finding[] {
  const attributes = elementsOf(text).flatMap((element) =>
    linkAttributes.flatMap((name) => element.attributes.get(name) ?? []),
  );
  const refreshes = [...text.matchAll(/\burl\s*=\s*['"]?([^\s"'>;]+)/gi)].map(([, target = '']) => target);
  const relative = [...attributes, ...refreshes].map((link) => ({ kind: 'attribute', where, text: link }) as const);
  const forms = findForms(text).flatMap(({ actions }) => actions);
  return [
    ...plainLinks({ where, text: unescapeHtml(text) }),
    ...relative,
    ...forms.map((action) => ({ kind: 'form', where, text: action }) as const),
  ];
}

/** All forms, with the controls inside them and those elsewhere that name them. An action may be '': the page itself. */
export function findForms(html: string): readonly Form[] {
  const forms = new Map<string, Form>();
  const formOf = (id: string) => {
    const form = forms.get(id) ?? { actions: [], fields: [], choices: [] };
    forms.set(id, form);
    return form;
  };
  let [around, owner, select] = ['', '', ''];
  for (const [at, { tag, attributes }] of elementsOf(html).entries()) {
    const own = (name: string) => attributes.get(name) ?? '';
    if (tag === '/form') around = '';
    if (tag === 'form') {
      around = attributes.get('id') ?? `form ${at}`;
      formOf(around).actions.push(own('action'));
    }
    if (!['input', 'textarea', 'select', 'option', 'button'].includes(tag)) continue;
    if (tag === 'select') select = own('name');
    if (tag !== 'option') owner = attributes.get('form') ?? around;
    const chosen = tag === 'option' || tag === 'button' || clickable.test(own('type'));
    const { actions, fields, choices } = formOf(owner);
    if (chosen) choices.push([tag === 'option' ? select : own('name'), own('value')]);
    else fields.push([own('name'), own('type') === 'hidden' ? own('value') : '']);
    if (attributes.has('formaction')) actions.push(own('formaction'));
  }
  return [...forms.values()].filter(({ actions }) => actions.length > 0);
}

/** A message in every way a filter looks at it: decoded, and as it came. The body is first, since it has the code. */
export async function textsOfMail(raw: string | Buffer): Promise<readonly Text[]> {
  const mail = await simpleParser(raw, { skipTextToHtml: true, skipImageLinks: true });
  const parts = mail.attachments.map(({ content }) => content.toString());
  const wire = raw.toString().replace(/^.*?\r?\n\r?\n/s, '');
  const bodies = [mail.text ?? '', mail.html || '', ...parts, wire].map((text) => ({ where: 'body', text }));
  const shown = [
    { where: 'subject', text: mail.subject ?? '' },
    { where: 'from', text: mail.from?.text ?? '' },
  ];
  const headers = mail.headerLines.map(({ key, line }) => ({
    where: key,
    text: line.slice(line.indexOf(':') + 1).replace(/\r?\n(?=[ \t])/g, ''),
  }));
  return [...bodies, ...shown, ...headers];
}
