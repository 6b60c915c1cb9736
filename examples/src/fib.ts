import { type Goroutine, goroutine, spawn } from "heddle";

/** Each call is a goroutine that any machine may run. */
export const fib = goroutine(import.meta, function* fib(n: number): Goroutine<number> {
  if (n < 2) return n;
  const left = spawn(fib, n - 1);
  const right = spawn(fib, n - 2);
  return (yield* left) + (yield* right);
});
