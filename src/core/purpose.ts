// The errands one engine runs (DESIGN "Purposes"). The position in the list is what a one-time address packs,
// so entries are only ever appended.

export const purposes = ['reset', 'activate', 'confirm'] as const;

/**
 * What a proof is asked for. `reset`: a new password. `activate`: the first password of an account that somebody else
 * made. `confirm`: nothing but the proof, for a registration elsewhere. What is earned for one is worth nothing for another.
 */
export type Purpose = (typeof purposes)[number];

/** The errands that end in a password. */
export type PasswordPurpose = Exclude<Purpose, 'confirm'>;
