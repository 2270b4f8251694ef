import { CliError } from "../cli-error.ts";
import { candidates } from "../completion/candidates.ts";
import { COMPLETION_SCRIPTS } from "../completion/scripts.ts";
import type { Session } from "../session.ts";
import { suggestion, type Words } from "../words.ts";

/** `completion { bash | zsh | fish }`: what the shell reads to complete command lines. */
export function completion(words: Words, { output }: Session): Promise<number> {
  const shell = words.take("a shell: bash, zsh or fish");
  words.requireEnd();
  const script = Object.hasOwn(COMPLETION_SCRIPTS, shell) ? COMPLETION_SCRIPTS[shell] : undefined;
  if (script === undefined) {
    const hint = suggestion(shell, Object.keys(COMPLETION_SCRIPTS));
    throw new CliError(`there is no completion for '${shell}'`, { hint });
  }
  output.text(script);
  return Promise.resolve(0);
}

/** `__complete -- WORDS…`: the words that may stand where the last one does, a line each; for those scripts. */
export async function complete(words: Words, session: Session): Promise<number> {
  const typed = words.takeRest();
  const last = typed.at(-1) ?? "";
  const found = await candidates(typed, session);
  for (const word of found.filter((each) => each.startsWith(last))) session.output.line(word);
  return 0;
}
