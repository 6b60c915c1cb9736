import { goroutine, run } from "heddle";

export const body = goroutine(import.meta, function* body() {});

await run(body);
