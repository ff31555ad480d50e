// Queue ids as Postfix makes them with enable_long_queue_ids: seconds and microseconds in base 52, then `z` and a file number.

const DIGITS = '0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz';

export function queueId(at: number, fileNumber: number): string {
  const seconds = Math.floor(at / 1000);
  const micros = (at % 1000) * 1000 + (fileNumber % 1000);
  return `${digits(seconds, 52, 6)}${digits(Math.floor(micros), 52, 4)}z${digits(fileNumber, 51, 4)}`;
}

function digits(value: number, base: number, atLeast: number): string {
  let text = '';
  for (let rest = value; rest > 0; rest = Math.floor(rest / base)) text = `${DIGITS[rest % base] ?? ''}${text}`;
  return text.padStart(atLeast, '0');
}
