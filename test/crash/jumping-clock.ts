// Loaded before the service: its clock jumps back and forth by up to two minutes, as one that is set right all the time.

import { randomNumbers } from './random-numbers.ts';

const random = randomNumbers(Number(process.env.JUMPS));
const now = Date.now;
let offsetMs = 0;
Date.now = () => now() + offsetMs;
setInterval(() => {
  offsetMs = Math.round((random() - 0.5) * 240_000);
}, 40).unref();
