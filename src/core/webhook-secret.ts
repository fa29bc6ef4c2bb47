// The written form of a signing secret of the Standard Webhooks scheme: `whsec_` and 24 to 64 bytes as base64.

/** Tells whether a text is such a secret. */
export function isWebhookSecret(text: string): boolean {
  return /^whsec_[A-Za-z0-9+/]{32,86}={0,2}$/.test(text) && (text.length - 'whsec_'.length) % 4 === 0;
}
