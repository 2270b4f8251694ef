import type { Command } from "./command.ts";

/** Programs that once showed something else on the two kernels. */
export const PAST_FAILURES: readonly { readonly title: string; readonly program: readonly Command[] }[] = [];
