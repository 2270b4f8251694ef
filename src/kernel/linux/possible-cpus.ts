import { readFileSync } from "node:fs";

const POSSIBLE = "/sys/devices/system/cpu/possible";

/** How many CPUs a list such as `0-3,8-11` names, as libbpf counts them (`libbpf_num_possible_cpus`): 8. */
export function countCpus(list: string): number {
  let count = 0;
  for (const range of list.trim().split(",")) {
    const [first = "", last = first] = range.split("-");
    if (!/^\d+$/.test(first) || !/^\d+$/.test(last) || Number(last) < Number(first)) {
      throw new RangeError(`${JSON.stringify(list)} is no list of CPUs such as "0-3,8-11"`);
    }
    count += Number(last) - Number(first) + 1;
  }
  return count;
}

/** How many CPUs Linux could ever bring up here: the values that a per-CPU map holds for one key. */
export function countPossibleCpus(): number {
  return countCpus(readFileSync(POSSIBLE, "utf8"));
}
