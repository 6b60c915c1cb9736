/** A pool of threads as the cases see it. */
export interface Pool extends AsyncDisposable {
  run<R>(task: "echo" | "burnSteps" | "lengthOf" | "bytesOf", argument: unknown): Promise<R>;
}

export function submitAtOnce(pool: Pool, tasks: number): Promise<number[]> {
  return Promise.all(Array.from({ length: tasks }, (_, i) => pool.run<number>("echo", i)));
}
