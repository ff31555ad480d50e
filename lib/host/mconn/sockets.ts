// TCP sockets of this host's network name space, as /proc/net/tcp and tcp6 list them: one pass over the text, counted as they come.
// @see proc(5); Documentation/networking/proc_net_tcp.rst

/** By the kernel's own numbers. */
const STATES = [
  'NONE',
  'ESTABLISHED',
  'SYN_SENT',
  'SYN_RECV',
  'FIN_WAIT1',
  'FIN_WAIT2',
  'TIME_WAIT',
  'CLOSE',
  'CLOSE_WAIT',
  'LAST_ACK',
  'LISTEN',
  'CLOSING',
  'NEW_SYN_RECV',
] as const;
export type SocketState = (typeof STATES)[number];

export interface SocketLine {
  readonly localPort: number;
  readonly remotePort: number;
  /** Hexadecimal, as the kernel prints it; `addressText` makes it readable. */
  readonly localHex: string;
  readonly remoteHex: string;
  readonly state: SocketState;
  /** Of a listener: connections that wait to be accepted. */
  readonly received: number;
}

/** Calls `each` for every socket of a file's text. Lines that are none are skipped. */
export function eachSocket(text: string, each: (socket: SocketLine) => void): void {
  for (const match of text.matchAll(LINE)) {
    const [, localHex = '', localPort = '', remoteHex = '', remotePort = '', state = '', received = ''] = match;
    each({
      localHex,
      localPort: Number.parseInt(localPort, 16),
      remoteHex,
      remotePort: Number.parseInt(remotePort, 16),
      state: STATES[Number.parseInt(state, 16)] ?? 'NONE',
      received: Number.parseInt(received, 16),
    });
  }
}

const LINE = /^ *\d+: ([0-9A-F]{8,32}):([0-9A-F]{4}) ([0-9A-F]{8,32}):([0-9A-F]{4}) ([0-9A-F]{2}) [0-9A-F]{8}:([0-9A-F]{8}) /gm;

/** `0100007F` is 127.0.0.1: words in this machine's byte order. An IPv4 address in IPv6's clothes is shown as what it is. */
export function addressText(hex: string, isLittleEndian = true): string {
  const bytes = Buffer.from(hex, 'hex');
  if (isLittleEndian) bytes.swap32();
  if (bytes.length === 4) return [...bytes].join('.');
  if (bytes.subarray(0, 12).equals(MAPPED)) return [...bytes.subarray(12)].join('.');
  return ipv6Text(bytes);
}

const MAPPED = Buffer.from('00000000000000000000ffff', 'hex');

/** @see RFC 5952 section 4 */
function ipv6Text(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(i * 2));
  let best = { from: 0, length: 1 };
  for (let from = 0; from < 8; from++) {
    let length = 0;
    while (groups[from + length] === 0) length += 1;
    if (length > best.length) best = { from, length };
  }
  const words = groups.map(group => group.toString(16));
  if (best.length < 2) return words.join(':');
  return `${words.slice(0, best.from).join(':')}::${words.slice(best.from + best.length).join(':')}`;
}
