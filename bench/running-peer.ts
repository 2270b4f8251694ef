import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** How a peer is started. */
export interface Startable {
  readonly name: string;
  readonly title: string;
  /** The command, to which entries and seed are added; or why there is none. */
  readonly command: readonly string[] | undefined;
  readonly absent?: string;
}

/** A peer's process, which is asked one thing at a time and sleeps in between. */
export class RunningPeer {
  readonly contender: Startable;
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;

  private constructor(contender: Startable, child: ChildProcessWithoutNullStreams) {
    this.contender = contender;
    this.#process = child;
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  /** Starts a peer, and waits until its map is filled. Throws an `Error` with what it says when it cannot. */
  static async start(contender: Startable, entries: number, seed: number): Promise<RunningPeer> {
    const [command = "", ...args] = contender.command ?? [];
    const child = spawn(command, [...args, `${entries}`, `${seed}`], { stdio: ["pipe", "pipe", "inherit"] as never });
    const peer = new RunningPeer(contender, child);
    const line = await peer.#line();
    if (line !== "ready") throw new Error(line.replace(/^error /, ""));
    return peer;
  }

  /** Nanoseconds per unit of one measure over about so many units; `undefined` when the peer has no such thing. */
  async time(measure: string, units: number): Promise<number | undefined> {
    const line = await this.#ask(`${measure} ${units}`);
    if (line === "none") return undefined;
    const [nanoseconds, done] = line.split(" ").map(Number);
    if (!(Number(nanoseconds) > 0 && Number(done) > 0)) throw this.#failure(line);
    return Number(nanoseconds) / Number(done);
  }

  /** Throws unless the peer's map still holds what it must. */
  async verify(): Promise<void> {
    const line = await this.#ask("verify 0");
    if (line !== "verified") throw this.#failure(line);
  }

  /** Ends the process. */
  stop(): void {
    this.#process.stdin.end();
  }

  #ask(line: string): Promise<string> {
    this.#process.stdin.write(`${line}\n`);
    return this.#line();
  }

  async #line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    return done === true ? "error it ended without an answer" : value;
  }

  #failure(line: string): Error {
    this.#process.kill();
    return new Error(`${this.contender.title}: ${line.replace(/^error /, "")}`);
  }
}
