// The operating-system user of this process, for the audit.

import { userInfo } from 'node:os';
import type { Operator } from '../../app/ports.ts';

/** Who runs this. What `sudo` says is in the environment, where that user could have put it as well. */
export function readOperator(): Operator {
  const sudoUser = process.env.SUDO_USER ?? null;
  const uid = process.getuid?.() ?? -1;
  try {
    return { uid, user: userInfo().username, sudoUser };
  } catch {
    return { uid, user: null, sudoUser }; // in a container a number need not have a name
  }
}
