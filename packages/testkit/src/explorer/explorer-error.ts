/** The model itself is unfit for exploring: it says nothing about the code under test. Thrown by `explore`. */
export class ExplorerError extends Error {
  readonly code = "ERR_EXPLORER";

  constructor(message: string) {
    super(message);
    this.name = "ExplorerError";
  }
}
