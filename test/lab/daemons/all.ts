// Which daemons a machine runs.

import { kindOf } from '../../../lib/model/component.ts';
import type { Machine, Site } from '../site.ts';
import type { Daemon } from './daemon.ts';
import { dnsmasq } from './dnsmasq.ts';
import { dovecotAuth, dovecotMmp, dovecotStore } from './dovecot.ts';
import { haproxy } from './haproxy.ts';
import { opendkim } from './opendkim.ts';
import { openldap } from './openldap.ts';
import { postfix } from './postfix.ts';

export function daemonsOf(machine: Machine): readonly Daemon[] {
  switch (kindOf(machine.component)) {
    case 'dns':
      return [dnsmasq(machine)];
    case 'directory':
      return [openldap(machine)];
    case 'store':
      return [dovecotStore(machine)];
    case 'mmp':
      return [dovecotMmp(machine)];
    case 'mta':
      return [postfix(machine), dovecotAuth(machine)];
    case 'filter':
      return [opendkim(machine)];
    case 'balancer':
      return [haproxy(machine)];
    default:
      return [];
  }
}

export function allDaemons(site: Site): readonly Daemon[] {
  return site.machines.flatMap(daemonsOf);
}
