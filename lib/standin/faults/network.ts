// Faults of ways and names: routing, links, name servers, balancers, clocks; and of what the monitor itself is told.

import { kindOf, shortName } from '../../model/component.ts';
import type { Machinery } from '../machinery.ts';
import type { Routing } from '../mmp/mmp.ts';
import type { DnsTrouble } from '../network/dns.ts';
import type { LinkFault } from '../world.ts';
import { imposeAt } from './doors.ts';
import { componentOf, type Fault, type Place, type Truth, toggled, truthAt } from './faults.ts';
import { components, endsOf, links, otherStore, pathThrough } from './places.ts';

function dnsFault(imitates: string, trouble: DnsTrouble, told: Pick<Truth, 'states' | 'arrivals'>): Fault {
  return {
    imitates,
    places: machinery => components(machinery, 'dns'),
    truth: (machinery, place) =>
      truthAt(pathThrough(machinery, place), {
        components: [componentOf(place)],
        protocols: ['dns'],
        phases: ['query'],
        ...told,
      }),
    impose: async (machinery, place) => {
      const server = machinery.nameServers.get(shortName(componentOf(place)));
      if (server === undefined) throw new Error(`Cannot break ${place}: it is no name server of this site`);
      const tcp = trouble === 'stopped' ? await imposeAt(machinery, place, () => ({ kind: 'stopped' })) : undefined;
      server.troubles.push(trouble);
      await server.settle();
      let isOn = true;
      return {
        lift: async () => {
          if (!isOn) return;
          isOn = false;
          server.troubles.splice(server.troubles.indexOf(trouble), 1);
          await tcp?.lift();
          await server.settle();
        },
      };
    },
  };
}

function linkFault(imitates: string, fault: LinkFault): Fault {
  return {
    imitates,
    places: links,
    truth: (machinery, place) => {
      const { from, to } = endsOf(machinery, componentOf(place));
      const isDelivery = kindOf(from) === 'mta';
      // From outside, a link is dead when both of its ends are alive.
      return truthAt(pathThrough(machinery, place), {
        components: [componentOf(place), from, ...(isDelivery ? [to] : [])],
        protocols: isDelivery ? ['lmtp', 'smtp'] : ['imap', 'pop3'],
        phases: isDelivery ? ['connect', 'arrival'] : ['auth', 'connect'],
        states: ['failed'],
        arrivals: isDelivery ? ['lost'] : [],
      });
    },
    impose: async (machinery, place) => {
      const { from, to } = endsOf(machinery, componentOf(place));
      const restore = machinery.world.cutLink(from, to, fault);
      return toggled(() => {}, restore);
    },
  };
}

function routingFault(
  imitates: string,
  routing: (machinery: Machinery, place: Place) => Routing | undefined,
  told: Pick<Truth, 'phases' | 'arrivals'>,
): Fault {
  return {
    imitates,
    places: machinery => (machinery.stores.size > 1 ? components(machinery, 'mmp') : []),
    truth: (machinery, place) =>
      truthAt(pathThrough(machinery, place), {
        components: [componentOf(place)],
        protocols: ['imap', 'pop3'],
        states: ['failed'],
        ...told,
      }),
    impose: async (machinery, place) => {
      const mmp = machinery.mmps.get(shortName(componentOf(place)));
      const to = routing(machinery, place);
      if (mmp === undefined || to === undefined)
        throw new Error(`Cannot break ${place}: it is no proxy of this site, or there is only one store`);
      return toggled(
        () => mmp.routings.push(to),
        () => mmp.routings.splice(mmp.routings.indexOf(to), 1),
      );
    },
  };
}

const PUT_OFF: Pick<Truth, 'states' | 'arrivals'> = { states: ['failed'], arrivals: [] };

export const NETWORK_FAULTS = {
  'mmp-wrong-store': routingFault(
    'a proxy that sends users to another store, where their mailbox is empty',
    (machinery, place) => otherStore(machinery, pathThrough(machinery, place).account),
    { phases: ['arrival', 'list', 'search', 'select'], arrivals: ['lost'] },
  ),
  'mmp-routes-nowhere': routingFault('a proxy that sends users to an address where nothing listens', () => 'nowhere', {
    phases: ['auth'],
    arrivals: [],
  }),
  'dns-stopped': dnsFault('a name server that is dead', 'stopped', PUT_OFF),
  'dns-silent': dnsFault('a name server that does not answer', 'silent', PUT_OFF),
  'dns-refuses': dnsFault('a name server that refuses our questions', 'REFUSED', PUT_OFF),
  'dns-fails': dnsFault('a name server whose zone has expired', 'SERVFAIL', PUT_OFF),
  'dns-denies': dnsFault('a name server that has lost the zone: names do not exist', 'NXDOMAIN', PUT_OFF),
  'name-of-store-gone': {
    imitates: 'the name of a store has gone from the DNS: mail for it is sent back',
    places: machinery => (machinery.nameServers.size > 0 ? components(machinery, 'store') : []),
    truth: (machinery, place) =>
      truthAt(pathThrough(machinery, place), {
        components: [componentOf(place), ...components(machinery, 'dns')],
        protocols: ['dns'],
        phases: ['query', 'resolve'],
        states: ['failed'],
        arrivals: ['bounced'],
      }),
    impose: async ({ nameServers, world }, place) => {
      const name = world.hostName(componentOf(place));
      return toggled(
        () => {
          for (const server of nameServers.values()) server.gone.add(name);
        },
        () => {
          for (const server of nameServers.values()) server.gone.delete(name);
        },
      );
    },
  },
  'name-does-not-resolve': {
    imitates: 'a machine whose name has gone from the DNS',
    places: machinery => components(machinery, 'mta', 'mmp'),
    truth: (machinery, place) =>
      truthAt(pathThrough(machinery, place), {
        components: [componentOf(place), ...components(machinery, 'dns')],
        protocols: ['smtp', 'imap', 'pop3', 'dns'],
        phases: ['resolve', 'query'],
        states: ['failed', 'unknown'],
      }),
    impose: async ({ monitorView, nameServers, world }, place) => {
      const component = componentOf(place);
      // RFC 2606: a name under .invalid resolves nowhere
      const name = `${shortName(component)}.${world.domain}.invalid`;
      return toggled(
        () => {
          monitorView.hosts.set(component, name);
          for (const server of nameServers.values()) server.gone.add(world.hostName(component));
        },
        () => {
          monitorView.hosts.delete(component);
          for (const server of nameServers.values()) server.gone.delete(world.hostName(component));
        },
      );
    },
  },
  'link-dropped': linkFault('a packet filter that drops between two machines', 'dropped'),
  'link-refused': linkFault('a packet filter that refuses between two machines', 'refused'),
  'balancer-member-down': {
    imitates: 'one member of a balancer is dead: the balancer hides it',
    places: machinery => (machinery.balancers.size === 0 ? [] : components(machinery, 'mta', 'mmp')),
    truth: (machinery, place) => ({
      ...truthAt(pathThrough(machinery, place), {
        components: [componentOf(place)],
        protocols: ['smtp', 'imap', 'pop3'],
        phases: ['connect'],
        states: ['ok'],
      }),
      path: behindBalancer(machinery, place),
    }),
    impose: (machinery, place) => imposeAt(machinery, place, () => ({ kind: 'stopped' })),
  },
  'balancer-member-frozen': {
    imitates: 'one member of a balancer hangs: connections that meet it hang',
    places: machinery => (machinery.balancers.size === 0 ? [] : components(machinery, 'mta', 'mmp')),
    truth: (machinery, place) => ({
      ...truthAt(pathThrough(machinery, place), {
        components: [componentOf(place)],
        protocols: ['smtp', 'imap', 'pop3'],
        phases: ['banner', 'tls'],
        states: ['ok', 'failed'],
      }),
      path: behindBalancer(machinery, place),
    }),
    impose: (machinery, place) => imposeAt(machinery, place, () => ({ kind: 'frozen' })),
  },
  'clock-off': {
    imitates: 'a machine whose clock is wrong',
    places: machinery => components(machinery, 'mta', 'store'),
    truth: (machinery, place) =>
      truthAt(pathThrough(machinery, place), {
        components: [componentOf(place)],
        protocols: [],
        phases: [],
        states: ['ok'],
        arrivals: ['seen'],
        finding: 'skew',
      }),
    impose: async (machinery, place, { ms = 90_000 }) => {
      const name = shortName(componentOf(place));
      const server = kindOf(componentOf(place)) === 'mta' ? machinery.mtas.get(name) : machinery.stores.get(name);
      if (server === undefined) throw new Error(`Cannot break ${place}: it has no clock of its own here`);
      return toggled(
        () => {
          server.clockOffMs += ms;
        },
        () => {
          server.clockOffMs -= ms;
        },
      );
    },
  },
  'own-secret-missing': {
    imitates: "the monitor's own password file cannot be read",
    places: machinery => components(machinery, 'account'),
    truth: (machinery, place) =>
      truthAt(pathThrough(machinery, place), {
        components: ['monitor'],
        protocols: ['local', 'imap', 'pop3'],
        phases: ['secret'],
        states: ['unknown'],
      }),
    impose: async ({ monitorView }, place) => {
      const name = shortName(componentOf(place));
      return toggled(
        () => monitorView.secrets.set(name, `Cannot read secret file secrets/${name}: no such file or directory`),
        () => monitorView.secrets.delete(name),
      );
    },
  },
} satisfies Record<string, Fault>;

function behindBalancer(machinery: Machinery, place: Place): Truth['path'] {
  const path = pathThrough(machinery, place);
  return kindOf(componentOf(place)) === 'mta' ? { ...path, mta: 'smtp' } : { ...path, mmp: 'pop' };
}
