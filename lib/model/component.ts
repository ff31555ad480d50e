// The servers of a mail site, each in one role, and how they are named everywhere: in config, records, verdicts and notices.

/**
 * The roles a server can have. Two are never configured: `link` is the network between two components, named by a verdict, and `host`
 * a machine as its own checks see it, named by a reading.
 */
export const KINDS = ['mta', 'mmp', 'store', 'account', 'directory', 'filter', 'balancer', 'dns', 'link', 'host'] as const;
export type Kind = (typeof KINDS)[number];

/** `mta/ssmtp01`, `store/ims1`, `link/smux01-ims1`; ourselves are `monitor`. */
export type Component = `${Kind}/${string}` | 'monitor';

/** The part after the slash: what an operator calls the machine. */
export function shortName(component: Component): string {
  return component.slice(component.indexOf('/') + 1);
}

/** The part before the slash; `monitor` has no kind. */
export function kindOf(component: Component): Kind | 'monitor' {
  return component === 'monitor' ? 'monitor' : (component.slice(0, component.indexOf('/')) as Kind);
}
