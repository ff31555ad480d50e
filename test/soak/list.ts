// Every claim, in the order of the promises table.

import type { Claim } from './claim.ts';
import { kills } from './kills.ts';

export const CLAIMS: readonly Claim[] = [kills];
