/** Values in messages. */

/** A value as text, whatever it is: an object may throw when it is asked for its text, and the message is about something else. */
export function show(value: unknown): string {
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
