/** Numbers on command lines. */

/** A number from `least` to `most`. @throws RangeError that names the option */
export function numberOf(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!(value >= least && value <= most))
    throw new RangeError(`${option}: ${text} is not a number from ${least} to ${most}`);
  return value;
}

/** A whole number from `least` to `most`. @throws RangeError that names the option */
export function integerOf(option: string, text: string, least: number, most: number): number {
  const value = numberOf(option, text, least, most);
  if (!Number.isInteger(value)) throw new RangeError(`${option}: ${text} is not an integer`);
  return value;
}
