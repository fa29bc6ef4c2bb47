// The headers that every answer carries, each with its reason.

const contentSecurityPolicy = [
  "default-src 'none'", // nothing that is not named below
  "style-src 'self'", // our one style sheet; no inline style
  "script-src 'self'", // our one script; nothing inline, nothing evaluated
  "require-trusted-types-for 'script'", // and no script ever turns a text into markup:
  "trusted-types 'none'", // there is nobody who may bless one
  "connect-src 'self'", // the live line
  "img-src 'self'", // the QR code and the logo
  "form-action 'self'", // injected markup could not send the code elsewhere
  "base-uri 'none'", // nor change where our forms go
  "frame-ancestors 'none'", // nobody lays our page under theirs
].join('; ');

export const securityHeaders: Readonly<Record<string, string>> = {
  'Content-Security-Policy': contentSecurityPolicy,
  // The page holds the nonce: no cache may keep it. Static files say otherwise for themselves.
  'Cache-Control': 'no-store',
  // No address of ours in anybody's log. Browsers then send `Origin: null` with our own forms: see page-routes.ts.
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff', // text stays text
  'X-Frame-Options': 'DENY', // for browsers that do not know frame-ancestors
  'Cross-Origin-Opener-Policy': 'same-origin', // a page that opened ours keeps no handle on it
  'Cross-Origin-Resource-Policy': 'same-origin', // no other site reads our answers
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=()', // nothing of the kind is needed
  'X-Robots-Tag': 'noindex', // a one-time address has no place in an index
};

/** Only where the site is served by TLS: browsers ignore it elsewhere (RFC 6797 §8.1). */
export const strictTransportSecurity = 'max-age=31536000';
