import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";

/** A process of its own that does what a module says, once it is told to. */
export interface Companion {
  readonly process: ChildProcess;
  /** Asks it for something, and waits for the answer. */
  ask<T>(request: unknown): Promise<T>;
  /** Ends it as the out-of-memory killer would. */
  kill(): Promise<void>;
  /** Lets it come to its own end. */
  end(): Promise<void>;
}

/** Starts a module as a process, with arguments; one of TypeScript, or a bundle. */
export function startCompanion(module: string, ...args: string[]): Companion {
  const execArgv = module.endsWith(".ts") ? ["--import", "tsx"] : [];
  const child = fork(module, args, { execArgv, serialization: "advanced" });
  const ended = once(child, "exit");
  return {
    process: child,
    async ask<T>(request: unknown): Promise<T> {
      const answer = once(child, "message") as Promise<[{ answer?: T; error?: string }]>;
      child.send(request as object);
      const [message] = await Promise.race([
        answer,
        ended.then(() => Promise.reject(new Error("the companion has ended"))),
      ]);
      if (message.error !== undefined) throw new Error(message.error);
      return message.answer as T;
    },
    async kill() {
      child.kill("SIGKILL");
      await ended;
    },
    async end() {
      child.disconnect();
      await ended;
    },
  };
}

/** In the companion: answers what it is asked. */
export function answerWith(answer: (request: never) => unknown): void {
  process.on("message", (request) => {
    try {
      process.send?.({ answer: answer(request as never) });
    } catch (error) {
      process.send?.({ error: String(error) });
    }
  });
}
