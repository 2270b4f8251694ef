import { XDP_MD } from "../../../../abi/contexts.ts";
import { EFAULT, EINVAL, ENODEV, ENOMEM } from "../../../../abi/errno.ts";
import type { Address } from "../../../../memory/address-space.ts";
import { PAGE_SIZE } from "../../../../memory/page-allocator.ts";
import { accessOk } from "../../user-memory.ts";
import type { EmbeddedProgram } from "../embedded-program.ts";
import { MOST_FRAGMENT_BYTES, type Packet, SHARED_INFO, XDP_HEADROOM } from "../packet.ts";
import type { ProgramHost } from "../program-host.ts";
import { runTimes } from "./run.ts";
import { ETH_HLEN, type TestRunAttr } from "./test-run-attr.ts";

/** Programs that are to be attached there are not run by themselves: `BPF_XDP_DEVMAP`, `BPF_XDP_CPUMAP`. */
const NOT_ALONE: ReadonlySet<number> = new Set([34, 35]);
const LOOPBACK = 1;
/** Meta data are words, and leave room for what Linux keeps before them: `struct xdp_frame`. */
const MOST_META = XDP_HEADROOM - 40;

/** BPF_PROG_TEST_RUN of an XDP program: `net/bpf/test_run.c: bpf_prog_test_run_xdp`, 6.18. */
export function runXdp(host: ProgramHost, program: EmbeddedProgram, attr: TestRunAttr): number {
  if (NOT_ALONE.has(program.traits.source.expectedAttachType)) return -EINVAL;
  // There is no network for live frames to be sent to.
  if (attr.flags !== 0 || attr.batchSize !== 0) return -EINVAL;
  const context = attr.takeContext(XDP_MD.SIZE);
  if (typeof context === "number") return context;
  if (context !== undefined && !isValidContext(context, attr.dataSizeIn)) return -EINVAL;
  const meta = context?.getUint32(XDP_MD.DATA, true) ?? 0;
  if (attr.dataSizeIn < ETH_HLEN + meta) return -EINVAL;
  const headroom = XDP_HEADROOM - meta;
  // What is behind the end that the context gives lies in fragments, as does what one page has no room for.
  const end = context?.getUint32(XDP_MD.DATA_END, true) ?? attr.dataSizeIn;
  const size = Math.min(end, PAGE_SIZE - headroom - SHARED_INFO);
  const head = host.packets.buffer(PAGE_SIZE);
  if (head === 0) return -ENOMEM;
  if (!accessOk(host.memory, attr.dataIn, size)) return -EFAULT;
  host.memory.u8.copyWithin(head + headroom, attr.dataIn, attr.dataIn + size);
  const error = deviceRefusal(context);
  if (error !== 0) return error;
  const packet: Packet = {
    head,
    end: head + PAGE_SIZE - SHARED_INFO,
    macHeader: head + headroom,
    networkHeader: head + headroom,
    fragments: { start: 0, bytes: attr.dataSizeIn - size },
  };
  const fragments = takeFragments(host, attr, size);
  if (fragments < 0) return fragments;
  return runOn(host, program, attr, {
    packet: { ...packet, fragments: { ...packet.fragments, start: fragments } },
    context,
    size,
    headroom,
  });
}

/** `data` is where the packet begins behind its meta data, `data_end` where its first buffer ends. */
function isValidContext(context: DataView, size: number): boolean {
  const data = context.getUint32(XDP_MD.DATA, true);
  const end = context.getUint32(XDP_MD.DATA_END, true);
  if (context.getUint32(XDP_MD.DATA_META, true) !== 0 || end > size || data > end) return false;
  return data % 4 === 0 && data <= MOST_META;
}

/** The one device is the loopback device, with its one queue, which XDP is not registered for: `xdp_convert_md_to_buff`. */
function deviceRefusal(context: DataView | undefined): number {
  if (context === undefined) return 0;
  if (context.getUint32(XDP_MD.EGRESS_IFINDEX, true) !== 0) return -EINVAL;
  const device = context.getUint32(XDP_MD.INGRESS_IFINDEX, true);
  const queue = context.getUint32(XDP_MD.RX_QUEUE_INDEX, true);
  if (device === 0) return queue === 0 ? 0 : -EINVAL;
  if (device !== LOOPBACK) return -ENODEV;
  return queue === 0 ? 0 : -EINVAL;
}

/** Copies what does not fit into the first buffer; answers where it is, or `−errno`. */
function takeFragments(host: ProgramHost, attr: TestRunAttr, size: number): Address {
  const bytes = attr.dataSizeIn - size;
  if (bytes === 0) return 0;
  if (bytes > MOST_FRAGMENT_BYTES) return -ENOMEM;
  const start = host.packets.fragments();
  if (start === 0) return -ENOMEM;
  if (!accessOk(host.memory, attr.dataIn + size, bytes)) return -EFAULT;
  host.memory.u8.copyWithin(start, attr.dataIn + size, attr.dataIn + attr.dataSizeIn);
  return start;
}

interface XdpRun {
  readonly packet: Packet;
  readonly context: DataView | undefined;
  readonly size: number;
  readonly headroom: number;
}

function runOn(host: ProgramHost, program: EmbeddedProgram, attr: TestRunAttr, run: XdpRun): number {
  const { packet, context, size, headroom } = run;
  const { view } = host.memory;
  const ctx = host.context;
  const start = packet.head + headroom;
  const meta = context?.getUint32(XDP_MD.DATA, true) ?? 0;
  view.setUint32(ctx + XDP_MD.DATA, start + meta, true);
  view.setUint32(ctx + XDP_MD.DATA_END, start + size, true);
  view.setUint32(ctx + XDP_MD.DATA_META, start, true);
  view.setUint32(ctx + XDP_MD.INGRESS_IFINDEX, LOOPBACK, true);
  view.setUint32(ctx + XDP_MD.RX_QUEUE_INDEX, 0, true);
  view.setUint32(ctx + XDP_MD.EGRESS_IFINDEX, 0, true);
  const result = host.packets.during(packet, () => runTimes(host, program, ctx, attr.times));
  const after = host.memory.view;
  const dataMeta = after.getUint32(ctx + XDP_MD.DATA_META, true);
  const end = after.getUint32(ctx + XDP_MD.DATA_END, true);
  context?.setUint32(XDP_MD.DATA, after.getUint32(ctx + XDP_MD.DATA, true) - dataMeta, true);
  context?.setUint32(XDP_MD.DATA_END, end - dataMeta, true);
  const pieces = [{ start: dataMeta, bytes: end - dataMeta }];
  const { fragments } = packet;
  for (let at = 0; at < fragments.bytes; at += PAGE_SIZE) {
    pieces.push({ start: fragments.start + at, bytes: Math.min(PAGE_SIZE, fragments.bytes - at) });
  }
  return attr.finish(pieces, result) || attr.finishContext(context);
}
