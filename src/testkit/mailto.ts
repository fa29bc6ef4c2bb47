// Reads mailto: URIs as a mail program does (RFC 6068): address, subject and body; other fields are ignored (§4).

export type Mailto = { readonly to: string; readonly subject: string; readonly body: string };

/**
 * @param uri from any page or link
 * @returns what to fill in, or undefined when it is not a mailto URI or its percent-encoding is broken
 */
export function parseMailto(uri: string): Mailto | undefined {
  const parts = /^mailto:([^?#]*)(?:\?([^#]*))?/i.exec(uri);
  if (!parts) return undefined;
  try {
    // RFC 6068 §5: a plus sign is a plus sign here, not a blank; so no URLSearchParams.
    const fields = (parts[2] ?? '')
      .split('&')
      .map((field) => /^([^=]*)=(.*)$/s.exec(field))
      .map((pair) => [decodeURIComponent(pair?.[1] ?? '').toLowerCase(), decodeURIComponent(pair?.[2] ?? '')] as const);
    const valuesOf = (name: string) => fields.filter(([key]) => key === name).map(([, value]) => value);
    const to = [...(parts[1] ?? '').split(',').map(decodeURIComponent), ...valuesOf('to')];
    const line = (text: string) => text.replace(/\p{Cc}+/gu, ' ').trim();
    return {
      to: to.map(line).filter(Boolean).join(', '),
      subject: line(valuesOf('subject').at(-1) ?? ''),
      body: valuesOf('body').join('\n').replace(/\r\n?/g, '\n'),
    };
  } catch {
    return undefined; // decodeURIComponent: a lone percent sign, or not UTF-8
  }
}
