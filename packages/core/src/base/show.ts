/** Values in messages. */

/** A value as source text would have it, whatever it is: an object may throw when it is asked for its text, and the message is about something else. */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  try {
    return String(value);
  } catch {
    return "an object that has no text";
  }
}

/** An error's message, whatever it is. */
export function messageOf(error: unknown): string {
  try {
    return error instanceof Error ? String(error.message) : String(error);
  } catch {
    return "an error that cannot even be read";
  }
}
