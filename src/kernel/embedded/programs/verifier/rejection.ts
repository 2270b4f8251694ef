/**
 * A program is refused. It is thrown where that is found out and caught by `verify`, which answers the errno and puts the
 * text, for the people who wrote the program, into the log.
 */
export class Rejection extends Error {
  readonly errno: number;

  /** `errno` is positive; `text` says what is wrong and what would have been accepted. */
  constructor(errno: number, text: string) {
    super(text);
    this.name = "Rejection";
    this.errno = errno;
  }

  /** The same, found out where it means another errno. */
  as(errno: number): Rejection {
    return new Rejection(errno, this.message);
  }
}
