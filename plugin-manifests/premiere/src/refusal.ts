/** Something the user can put right: one sentence that names the thing and the way out. */
export class Refusal extends Error {
  constructor(
    message: string,
    /** UPPER_SNAKE, as the host has them. */
    readonly reason = "REFUSED",
  ) {
    super(message);
    this.name = "Refusal";
  }
}
