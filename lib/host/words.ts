// Figures in words for people: sizes, spans, shares. Short, and never more exact than the figure is.

/** `0 s`, `45 s`, `3 min`, `2 h 5 min`, `3 d 4 h`; ms. */
export function spanText(ms: number): string {
  const seconds = Math.round(Math.max(0, ms) / 1000);
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  const days = Math.floor(hours / 24);
  return hours % 24 === 0 ? `${days} d` : `${days} d ${hours % 24} h`;
}

/** `512 bytes`, `1.5 MB`, `20 GB`: powers of 1024. */
export function sizeText(bytes: number): string {
  let left = bytes;
  let unit = 0;
  while (Math.abs(left) >= 1000 && unit < SIZES.length - 1) {
    left /= 1024;
    unit += 1;
  }
  return `${unit === 0 || Math.abs(left) >= 10 ? Math.round(left) : left.toFixed(1)} ${SIZES[unit]}`;
}

const SIZES = ['bytes', 'KB', 'MB', 'GB', 'TB', 'PB'];

/** At most three digits that matter: `0.12`, `3.4`, `57`, `1234`. */
export function numberText(value: number): string {
  if (Number.isInteger(value)) return String(value);
  const size = Math.abs(value);
  return value.toFixed(size >= 10 ? 0 : size >= 1 ? 1 : 2);
}

/** `1 message`, `5 messages`. */
export function countText(n: number, what: string, many = `${what}s`): string {
  return `${n} ${n === 1 ? what : many}`;
}
