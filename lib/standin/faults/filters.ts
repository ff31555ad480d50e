// Faults of mail filters, and of what an MTA does while its filter cannot be had.

import type { DefaultAction } from '../milter/client.ts';
import { imposeAt } from './doors.ts';
import { componentOf, type Fault, type Truth, together, toggled, truthAt } from './faults.ts';
import { components, pathThrough } from './places.ts';

function filterFault(imitates: string, action: DefaultAction, kind: 'stopped' | 'frozen', states: Truth['states']): Fault {
  return {
    imitates,
    places: machinery => components(machinery, 'filter'),
    truth: (machinery, place) =>
      truthAt(pathThrough(machinery, place), {
        components: [componentOf(place)],
        protocols: ['milter'],
        phases: kind === 'stopped' ? ['connect'] : ['negotiate'],
        states,
      }),
    impose: async (machinery, place) => {
      const users = [...machinery.mtas.values()].flatMap(mta => (mta.filter === undefined ? [] : [mta.filter]));
      const before = users.map(use => use.defaultAction);
      const setAction = toggled(
        () => {
          for (const use of users) use.defaultAction = action;
        },
        () => {
          users.forEach((use, i) => {
            use.defaultAction = before[i] ?? 'tempfail';
          });
        },
      );
      return together([setAction, await imposeAt(machinery, place, () => ({ kind }))]);
    },
  };
}

/** A verdict of the filter that is not about the message. */
function filterVerdict(imitates: string, reply: string, told: Pick<Truth, 'states' | 'arrivals'>): Fault {
  return {
    imitates,
    places: machinery => components(machinery, 'filter'),
    truth: (machinery, place) => {
      const { mta, account } = pathThrough(machinery, place);
      const alsoPossible = told.arrivals.includes('lost')
        ? ([`mta/${mta}`, `store/${account}`] as const)
        : ([`mta/${mta}`] as const);
      return truthAt(pathThrough(machinery, place), {
        components: [componentOf(place), ...alsoPossible],
        protocols: ['milter', 'smtp', 'lmtp'],
        phases: ['final', 'arrival'],
        ...told,
      });
    },
    impose: (machinery, place) =>
      imposeAt(machinery, place, () => ({ kind: 'at', phase: 'final', act: { do: 'refuse', reply } })),
  };
}

const PUT_OFF: Pick<Truth, 'states' | 'arrivals'> = { states: ['failed'], arrivals: [] };

export const FILTER_FAULTS = {
  'filter-down-tempfail': filterFault('a filter that is dead, while mail must not pass without it', 'tempfail', 'stopped', [
    'failed',
  ]),
  'filter-down-accept': filterFault('a filter that is dead, while mail may pass without it', 'accept', 'stopped', ['ok']),
  'filter-frozen-tempfail': filterFault('a filter that hangs: the MTA greets late and then puts mail off', 'tempfail', 'frozen', [
    'failed',
  ]),
  'filter-frozen-accept': filterFault(
    'a filter that hangs, while mail may pass without it: the MTA greets late',
    'accept',
    'frozen',
    ['slow', 'failed'],
  ),
  'filter-tempfails': filterVerdict('a filter that fails on each message', 'y451 4.3.0 Temporary problem in the filter', PUT_OFF),
  'filter-rejects': filterVerdict('a filter that takes the test message for spam', 'y554 5.7.1 Message looks like spam', PUT_OFF),
  'filter-discards': filterVerdict('a filter that discards: 250 and gone', 'd', { states: ['failed'], arrivals: ['lost'] }),
  'filter-quarantines': filterVerdict('a filter that puts the message in quarantine', 'qlooks odd', {
    states: ['failed'],
    arrivals: ['lost'],
  }),
  'filter-slow': {
    imitates: 'a filter that takes its time with each message',
    places: machinery => components(machinery, 'filter'),
    truth: (machinery, place) => {
      const { mta } = pathThrough(machinery, place);
      return truthAt(pathThrough(machinery, place), {
        components: [componentOf(place), `mta/${mta}`],
        protocols: ['milter', 'smtp'],
        phases: ['final', 'body'],
        states: ['slow', 'failed'],
      });
    },
    impose: (machinery, place, { ms = 3000 }) =>
      imposeAt(machinery, place, () => ({ kind: 'at', phase: 'final', act: { do: 'delay', ms } })),
  },
} satisfies Record<string, Fault>;
