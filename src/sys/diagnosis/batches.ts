import { EBADF, EFAULT, EINVAL, ENOENT, ENOSPC, ENOTSUPP, EPERM } from "../../abi/errno.ts";
import { notReadable, notWritable } from "./access.ts";
import { fdClosed } from "./closed.ts";
import { deleteRules, tooShort, updateRules, wrongFlags } from "./elements.ts";
import { firstOf, infoOf, mapOf, type Rule, type Rules, typeOf } from "./failure.ts";

/** What an element is refused for, and how many had been done before it. */
function ofElement(rules: Rules, done: string): Rules {
  const entries = Object.entries(rules).map(([errno, rule]): [string, Rule] => [
    errno,
    (failure) => {
      const sentence = rule(failure);
      if (sentence === undefined || failure.count === undefined) return sentence;
      const before = failure.count === 1 ? "The entry before it was" : `The ${failure.count} entries before it were`;
      return failure.count === 0 ? `${sentence} Nothing was ${done}.` : `${sentence} ${before} ${done}.`;
    },
  ]);
  return Object.fromEntries(entries);
}

const unsupported: Rule = (failure) =>
  `maps of ${typeOf(infoOf(failure))} have no such batch on this kernel: go through them one by one.`;

const largeBucket: Rule = (failure) => {
  const asked = failure.entries === undefined ? "" : ` of ${failure.entries}`;
  return `a bucket of ${mapOf(failure)} holds more entries than fit in a batch${asked}, and is never split: ask for more at once.`;
};

const noMore: Rule = (failure) => `${mapOf(failure)} has no entries after this cursor: it is at the end.`;

export function lookupBatchRules(): Rules {
  return {
    [EBADF]: fdClosed,
    [EPERM]: notReadable,
    [EINVAL]: wrongFlags,
    [ENOENT]: noMore,
    [ENOSPC]: largeBucket,
    [EFAULT]: tooShort,
    [ENOTSUPP]: unsupported,
  };
}

/** What reads and deletes must be allowed both. */
export function takeBatchRules(): Rules {
  return { ...lookupBatchRules(), [EPERM]: firstOf(notWritable, notReadable) };
}

export function updateBatchRules(): Rules {
  return { ...ofElement(updateRules(), "written"), [ENOTSUPP]: unsupported };
}

export function deleteBatchRules(): Rules {
  return {
    ...ofElement(deleteRules(), "deleted"),
    [EINVAL]: firstOf(wrongFlags, deleteRules()[EINVAL] as Rule),
  };
}
