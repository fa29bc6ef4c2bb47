// Links that open a new mail, filled in: for the mail program (RFC 6068) and for the webmail of the big providers.
// A webmail that its owner has to log in to first may lose the line ends of the body, and Outlook then turns blanks into
// plus signs: the Subject must hold its label all the same (core/verification-code.ts reads it so).

/** A mail to be written. */
export interface NewMail {
  readonly to: string;
  readonly subject: string;
  /** Lines end with a line feed. */
  readonly body: string;
}

/** Percent-encoded but for letters, digits and `-_.!~*'()`, which stand for themselves in queries (RFC 3986 §3.4). */
function query(fields: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(fields).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  return pairs.join('&');
}

/** The link for the mail program. The address is ours and needs no encoding. */
export function mailtoLink({ to, subject, body }: NewMail): string {
  return `mailto:${to}?${query({ subject, body: body.replaceAll('\n', '\r\n') })}`; // RFC 6068 §5: lines end with %0D%0A
}

/** The links for webmail. */
export function webmailLinks({ to, subject, body }: NewMail) {
  const fields = query({ to, subject, body });
  return {
    gmail: `https://mail.google.com/mail/?view=cm&fs=1&${query({ to, su: subject, body })}`,
    outlookAtWork: `https://outlook.office.com/mail/deeplink/compose?${fields}`,
    outlook: `https://outlook.live.com/mail/0/deeplink/compose?${fields}`,
    yahoo: `https://compose.mail.yahoo.com/?${fields}`,
  } as const;
}
