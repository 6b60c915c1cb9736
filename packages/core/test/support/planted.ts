/** Bugs planted into classes of the kernel, to prove that a test finds them. */

/** Runs with a method that is broken on purpose. */
export function withPlanted(prototype: object, method: string, planted: unknown, action: () => void): void {
  const methods = prototype as Record<string, unknown>;
  const whole = methods[method];
  if (whole === undefined) throw new Error(`there is no method ${method} to plant a bug in`);
  methods[method] = planted;
  try {
    action();
  } finally {
    methods[method] = whole;
  }
}
