import { together } from '../support/together.ts';

together('service-3');
