import { errnoCode } from "../../src/abi/errno.ts";
import { type HelperName, helperNumber } from "../../src/abi/helpers.ts";
import { helperFunction } from "../../src/kernel/embedded/programs/bpf-helpers/helper-functions.ts";

const PROCESS = "of the process that JavaScript runs in";
const VISIBLE = "reads what the program may see (stack, context, packet, maps), and is `EFAULT` anywhere else";
const BOOT = "since JavaScript's process began";

/** What a helper of the embedded kernel does otherwise than that of Linux. */
const NOTES: Partial<Readonly<Record<HelperName, string>>> = {
  bpf_map_lookup_elem: "compiled into the program for hashes and arrays",
  bpf_map_update_elem: "what is there is overwritten in place",
  bpf_map_lookup_and_delete_elem: "for hashes; Linux refuses a program that calls it",
  bpf_map_get_next_key: "NULL gives the first key; Linux refuses a program that calls it",
  bpf_ktime_get_ns: BOOT,
  bpf_ktime_get_boot_ns: BOOT,
  bpf_ktime_get_coarse_ns: BOOT,
  bpf_ktime_get_tai_ns: "as UTC: no leap seconds are known",
  bpf_jiffies64: `${BOOT}, a hundred a second`,
  bpf_get_current_pid_tgid: PROCESS,
  bpf_get_current_uid_gid: PROCESS,
  bpf_get_current_comm: PROCESS,
  bpf_get_smp_processor_id: "the CPU that the test run or `embedded` was given",
  bpf_trace_printk: "tells `embedded({ trace })`",
  bpf_trace_vprintk: "tells `embedded({ trace })`",
  bpf_probe_read: VISIBLE,
  bpf_probe_read_kernel: VISIBLE,
  bpf_probe_read_user: VISIBLE,
  bpf_probe_read_str: VISIBLE,
  bpf_probe_read_kernel_str: VISIBLE,
  bpf_probe_read_user_str: VISIBLE,
  bpf_copy_from_user: VISIBLE,
  bpf_redirect: "answers as on Linux; nothing is sent",
  bpf_redirect_map: "answers as on Linux; nothing is sent",
  bpf_redirect_neigh: "answers as on Linux; nothing is sent",
  bpf_redirect_peer: "answers as on Linux; nothing is sent",
  bpf_clone_redirect: "answers as on Linux; nothing is sent",
  bpf_timer_init: "`ENOTSUP` where maps are shared",
  bpf_timer_start: "runs out when the event loop has its turn, to the millisecond",
  bpf_perf_event_output: "a record has at most 65,516 bytes",
  bpf_get_ns_current_pid_tgid: "no namespace is that of the caller: `EINVAL`",
  bpf_perf_prog_read_value: "there is no event: `EINVAL`",
  bpf_perf_event_read: "no counter is in a map",
  bpf_perf_event_read_value: "no counter is in a map",
  bpf_current_task_under_cgroup: "no cgroup is in a map",
  bpf_skb_under_cgroup: "no cgroup is in a map",
};

/** What the page says of a helper that the embedded kernel has; of one that always answers the same, that. */
export function noteOn(helper: HelperName): string {
  const own = NOTES[helper];
  const made = helperFunction(helperNumber(helper) as number);
  // What asks neither the kernel nor the program, and gives a signed number, is a constant.
  if (own !== undefined || made === undefined || made.make.length > 0 || made.answers !== "s64") return own ?? "";
  const answer = (made.make as () => () => number)()();
  return `always ${answer < 0 ? `\`${errnoCode(-answer)}\`` : answer}`;
}

export const NOTED: readonly HelperName[] = Object.keys(NOTES) as HelperName[];
