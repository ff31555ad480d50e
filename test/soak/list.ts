// Every claim, in the order of the promises table.

import { alarms } from './alarms.ts';
import type { Claim } from './claim.ts';
import { clock } from './clock.ts';
import { disk } from './disk.ts';
import { injection } from './injection.ts';
import { kills } from './kills.ts';
import { neighbours } from './neighbours.ts';
import { rows } from './rows.ts';
import { secrets } from './secrets.ts';
import { stuck } from './stuck.ts';
import { together } from './together.ts';

export const CLAIMS: readonly Claim[] = [rows, kills, disk, together, stuck, clock, neighbours, secrets, injection, alarms];
