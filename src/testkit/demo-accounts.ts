// Accounts for trying out: one mailbox with two accounts, some with one, and a test identity with none at all.

/** In the form in which people write them down for the built-in directory: version 1 of its file. */
export const demoAccounts = [
  { name: 'apond', description: 'Pupil, class 7b', mailboxes: ['amy.pond@school.example'] },
  { name: 'amy.chess', description: 'Chess club', mailboxes: ['amy.pond@school.example'] },
  { name: 'ssmith', description: 'Teacher', mailboxes: ['ms.smith@school.example'] },
  { name: 'jgrant', description: 'Company account', mailboxes: ['jo.grant@company.example'] },
] as const;
