import { RunningPeer, type Startable } from "./running-peer.ts";

/** Peers that run, and all that there are, with the reason for those that do not. */
export interface Started<P> {
  readonly contenders: readonly P[];
  readonly peers: readonly RunningPeer[];
}

/** Starts peers, in parallel. One that cannot be started is absent, and the reason is what it said. */
export async function startAll<P extends Startable>(
  all: readonly P[],
  entries: number,
  seed: number,
): Promise<Started<P>> {
  const start = async (contender: P): Promise<{ contender: P; peer?: RunningPeer }> => {
    if (contender.command === undefined) return { contender };
    try {
      return { contender, peer: await RunningPeer.start(contender, entries, seed) };
    } catch (error) {
      return { contender: { ...contender, command: undefined, absent: (error as Error).message } };
    }
  };
  const started = await Promise.all(all.map(start));
  return {
    contenders: started.map(({ contender }) => contender),
    peers: started.flatMap(({ peer }) => peer ?? []),
  };
}
