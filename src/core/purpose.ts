// The errands one engine runs (DESIGN "Purposes"). The position in the list is what a one-time address packs,
// so entries are only ever appended.

export const purposes = ['reset'] as const;

/** What a proof is asked for. */
export type Purpose = (typeof purposes)[number];
