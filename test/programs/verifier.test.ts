import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { EACCES, EINVAL, errnoCode } from "../../src/abi/errno.ts";
import {
  BPF_PROG_TYPE_CGROUP_SKB,
  BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
  BPF_PROG_TYPE_SCHED_CLS,
  BPF_PROG_TYPE_SOCKET_FILTER,
  BPF_PROG_TYPE_XDP,
} from "../../src/abi/prog-types.ts";
import { Assembler } from "../../src/isa/assembler.ts";
import { onLinux } from "../kernels.ts";
import { MAPS } from "./random-program.ts";
import { EmbeddedVerifier, LinuxVerifier, type TestProgram } from "./verdict.ts";

/*
 * One program for each rule of the verifier, most of them in pairs: the one that keeps to it and the one that does not.
 * Linux is asked about every one, and must be of the same opinion.
 */
const HASH = 0;
const ARRAY = 1;
const RINGBUF = 2;
const ONE = 3;
const QUEUE = 6;
const MAP_OF_MAPS = 7;
const CONSTANTS = 8;
const PROGRAMS = 9;
const READ_ONLY = 10;

interface Case {
  readonly title: string;
  readonly type?: number;
  readonly expectedAttachType?: number;
  readonly license?: string;
  readonly program: (a: Assembler) => Assembler;
  /** Why it is refused; without it the program is accepted. */
  readonly refused?: readonly [errno: number, says: RegExp];
}

/** r0 = the value of key 1, or NULL. */
function lookup(a: Assembler, map: number): Assembler {
  return a.store("u32", "r10", -4, 1).loadMap("r1", map).mov("r2", "r10").add("r2", -4).call("bpf_map_lookup_elem");
}

/** r0 = a record of 16 bytes, or NULL. */
function reserve(a: Assembler): Assembler {
  return a.loadMap("r1", RINGBUF).mov("r2", 16).mov("r3", 0).call("bpf_ringbuf_reserve");
}

/** r2 = the packet, r3 = its end. */
function packet(a: Assembler): Assembler {
  return a.load("u32", "r2", "r1", 0).load("u32", "r3", "r1", 4);
}

const done = (a: Assembler): Assembler => a.label("out").mov("r0", 0).exit();

const REGISTERS: readonly Case[] = [
  { title: "a register that was written can be read", program: (a) => a.mov("r3", 1).mov("r0", "r3").exit() },
  {
    title: "a register that was never written cannot be read",
    program: (a) => a.mov("r0", "r3").exit(),
    refused: [EACCES, /R3 !read_ok: it was never written on this path/],
  },
  {
    title: "a call leaves nothing in r1 to r5",
    program: (a) => a.mov("r3", 1).call("bpf_ktime_get_ns").mov("r0", "r3").exit(),
    refused: [EACCES, /R3 !read_ok.*keep what must survive in r6 to r9/],
  },
  { title: "r6 to r9 survive a call", program: (a) => a.mov("r6", 1).call("bpf_ktime_get_ns").mov("r0", "r6").exit() },
  { title: "a program that answers nothing", program: (a) => a.exit(), refused: [EACCES, /R0 !read_ok/] },
  {
    title: "the frame pointer cannot be written",
    program: (a) => a.mov("r10", 1).mov("r0", 0).exit(),
    refused: [EACCES, /frame pointer is read only/],
  },
  {
    title: "division by the immediate 0",
    program: (a) => a.mov("r0", 1).div("r0", 0).exit(),
    refused: [EINVAL, /div by zero/],
  },
  {
    title: "division by a register that may be 0",
    program: (a) => a.call("bpf_get_prandom_u32").mov("r1", 7).div("r1", "r0").mov("r0", 0).exit(),
  },
  {
    title: "a shift by more bits than there are",
    program: (a) => a.mov("r0", 1).lsh("r0", 64).exit(),
    refused: [EINVAL, /invalid shift 64: a shift is by 0 to 63 bits/],
  },
  {
    title: "a number for which bits and bounds leave one value is that value",
    type: BPF_PROG_TYPE_CGROUP_SKB,
    program: (a) =>
      done(
        a
          .call("bpf_get_prandom_u32")
          .and("r0", 0x21)
          .jlt("r0", 2, "out")
          .jgt("r0", 32, "out")
          .jeq("r0", 32, "out")
          .mov("r0", "r9")
          .exit(),
      ),
  },
  {
    title: "a register that is compared with itself stays within its bounds",
    type: BPF_PROG_TYPE_CGROUP_SKB,
    program: (a) =>
      a.call("bpf_get_prandom_u32").and("r0", 1).jlt("r0", "r0", "never").mov("r0", 0).label("never").exit(),
  },
];

const CONTROL_FLOW: readonly Case[] = [
  {
    title: "a loop of a hundred rounds",
    program: (a) => a.mov("r0", 0).label("again").add("r0", 1).jlt("r0", 100, "again").exit(),
  },
  {
    title: "a loop without end",
    program: (a) => a.mov("r0", 0).mov("r1", 0).label("again").mov("r0", 1).jne("r0", 2, "again").exit(),
    refused: [EINVAL, /infinite loop detected at insn \d: a round of it changes nothing/],
  },
  {
    title: "code that no path reaches",
    program: (a) => a.mov("r0", 0).exit().mov("r0", 1).exit(),
    refused: [EINVAL, /unreachable insn 2/],
  },
  {
    title: "a jump out of the program",
    program: (a) => a.raw({ opcode: 0x05, dst: 0, src: 0, offset: 5, imm: 0 }).mov("r0", 0).exit(),
    refused: [EINVAL, /jump out of range from instruction 0 to 6/],
  },
  {
    title: "a program that runs off its end",
    program: (a) => a.mov("r0", 0),
    refused: [EINVAL, /the last instruction of a function is an exit or a jump/],
  },
  {
    title: "an opcode that there is not",
    program: (a) => a.raw({ opcode: 0xff, dst: 0, src: 0, offset: 0, imm: 0 }).exit(),
    refused: [EINVAL, /unknown opcode ff/],
  },
  {
    title: "may_goto ends a loop that would not end",
    program: (a) => a.mov("r0", 0).label("again").mayGoto("out").jump("again").label("out").exit(),
  },
  {
    title: "what one loop counts up does not matter for having been there before another loop",
    program: (a) =>
      a
        .mov("r7", 0)
        .label("first")
        .mayGoto("second")
        .store("u64", "r10", -32, "r7")
        .add("r7", 100)
        .jump("first")
        .label("second")
        .load("u8", "r6", "r10", -12)
        .label("again")
        .mayGoto("out")
        .and("r6", 15)
        .jump("again")
        .label("out")
        .mov("r0", 0)
        .exit(),
  },
  {
    title: "a register that a helper does not take tells the rounds of a loop not apart",
    program: (a) =>
      a
        .mov("r3", 0)
        .label("again")
        .mayGoto("out")
        .call("bpf_get_prandom_u32")
        .load("u32", "r0", "r10", -8)
        .store("u64", "r10", -8, "r10")
        .jump("again")
        .label("out")
        .mov("r0", 0)
        .exit(),
  },
  {
    title: "what a loop asks for only after it came back matters of every round",
    program: (a) =>
      a
        .mov("r7", -16)
        .mov("r8", 0)
        .label("outer")
        .mayGoto("out")
        .label("inner")
        .mayGoto("outer")
        .call("bpf_get_prandom_u32")
        .jeq("r0", 42, "change")
        .jne("r8", 25, "inner")
        .mov("r1", "r10")
        .add("r1", "r7")
        .load("u64", "r0", "r1", 0)
        .jump("inner")
        .label("change")
        .mov("r7", -600)
        .call("bpf_get_prandom_u32")
        .jne("r0", 42, "inner")
        .mov("r8", 25)
        .jump("outer")
        .label("out")
        .mov("r0", 0)
        .exit(),
    refused: [EINVAL, /math between the frame pointer and a number of which nothing is known/],
  },
];

const STACK: readonly Case[] = [
  {
    title: "what is stored on the stack can be loaded",
    program: (a) => a.store("u64", "r10", -8, 7).load("u64", "r0", "r10", -8).exit(),
  },
  {
    title: "with every capability, stack that was never written can be read",
    program: (a) => a.load("u64", "r0", "r10", -8).exit(),
  },
  {
    title: "a store below the stack",
    program: (a) => a.store("u64", "r10", -520, 7).mov("r0", 0).exit(),
    refused: [EACCES, /invalid access to stack R10 off=-520 size=8.*the stack is the 512 bytes below r10/],
  },
  {
    title: "a store above the stack",
    program: (a) => a.store("u64", "r10", 0, 7).mov("r0", 0).exit(),
    refused: [EACCES, /invalid access to stack R10 off=0/],
  },
  {
    title: "a store across the top of the stack",
    program: (a) => a.mov("r1", "r10").add("r1", -4).store("u64", "r1", 0, 7).mov("r0", 0).exit(),
    refused: [EACCES, /misaligned stack access/],
  },
  {
    title: "an unaligned store on the stack",
    program: (a) => a.store("u32", "r10", -7, 7).mov("r0", 0).exit(),
    refused: [EACCES, /misaligned stack access off 0\+-7 size 4/],
  },
  {
    title: "a pointer comes back from the stack as it was",
    program: (a) =>
      a.store("u64", "r10", -8, "r1").mov("r1", 0).load("u64", "r1", "r10", -8).load("u32", "r0", "r1", 12).exit(),
  },
  {
    title: "half a pointer is no pointer",
    program: (a) => a.store("u64", "r10", -8, "r1").load("u32", "r2", "r10", -8).mov("r0", 0).exit(),
    refused: [EACCES, /invalid size of register fill: the context lies there/],
  },
  {
    title: "a pointer that was overwritten in part is no pointer",
    program: (a) =>
      a
        .store("u64", "r10", -8, "r1")
        .store("u8", "r10", -4, 1)
        .load("u64", "r1", "r10", -8)
        .load("u32", "r0", "r1", 12)
        .exit(),
    refused: [EACCES, /R1 invalid mem access 'scalar'/],
  },
  {
    title: "an index that stays on the stack",
    program: (a) =>
      a
        .call("bpf_get_prandom_u32")
        .and("r0", 7)
        .mov("r1", "r10")
        .add("r1", -8)
        .add("r1", "r0")
        .store("u8", "r1", 0, 1)
        .mov("r0", 0)
        .exit(),
  },
  {
    title: "an index that may leave the stack",
    program: (a) =>
      a
        .call("bpf_get_prandom_u32")
        .and("r0", 15)
        .mov("r1", "r10")
        .add("r1", -8)
        .add("r1", "r0")
        .store("u8", "r1", 0, 1)
        .mov("r0", 0)
        .exit(),
    refused: [
      EINVAL,
      /variable-offset access to stack R1 off=-8 size=1.*the frame pointer - 8 \+ \(a number from 0 to 15\)/,
    ],
  },
];

const VALUES: readonly Case[] = [
  {
    title: "a value that was found",
    program: (a) => done(lookup(a, HASH).jeq("r0", 0, "out").load("u64", "r1", "r0", 8)),
  },
  {
    title: "a value that may not have been found",
    program: (a) => lookup(a, HASH).load("u64", "r1", "r0", 0).mov("r0", 0).exit(),
    refused: [EACCES, /R0 invalid mem access: it is NULL or a value of .*hash.*; compare it with 0 first/],
  },
  {
    title: "a constant index within an array is found for sure",
    program: (a) =>
      a
        .store("u32", "r10", -8, 1)
        .loadMap("r1", ARRAY)
        .mov("r2", "r10")
        .add("r2", -8)
        .call("bpf_map_lookup_elem")
        .load("u64", "r1", "r0", 0)
        .mov("r0", 0)
        .exit(),
  },
  {
    title: "a load beyond the value",
    program: (a) => done(lookup(a, HASH).jeq("r0", 0, "out").load("u64", "r1", "r0", 12)),
    refused: [EACCES, /invalid access to map value, size=16 off=12 size=8/],
  },
  {
    title: "a load before the value",
    program: (a) => done(lookup(a, HASH).jeq("r0", 0, "out").load("u64", "r1", "r0", -8)),
    refused: [EACCES, /invalid access to map value, size=16 off=-8/],
  },
  {
    title: "an index that was compared with the size",
    program: (a) =>
      done(
        lookup(a, HASH)
          .jeq("r0", 0, "out")
          .load("u32", "r1", "r0", 0)
          .jgt("r1", 8, "out")
          .add("r0", "r1")
          .load("u64", "r2", "r0", 0),
      ),
  },
  {
    title: "an index that was compared with too much",
    program: (a) =>
      done(
        lookup(a, HASH)
          .jeq("r0", 0, "out")
          .load("u32", "r1", "r0", 0)
          .jgt("r1", 9, "out")
          .add("r0", "r1")
          .load("u64", "r2", "r0", 0),
      ),
    refused: [
      EACCES,
      /invalid access to map value.*outside of the allowed memory range, for R0 is a value of .* \+ \(a number from 0 to 9\); what was added may be 8 at most/,
    ],
  },
  {
    title: "an index that was compared as a signed number may be negative",
    program: (a) =>
      done(
        lookup(a, HASH)
          .jeq("r0", 0, "out")
          .load("u64", "r1", "r0", 0)
          .jsgt("r1", 8, "out")
          .add("r0", "r1")
          .load("u64", "r2", "r0", 0),
      ),
    refused: [EINVAL, /math between a value of .* and a number up to 8 is not allowed/],
  },
  {
    title: "an index that was never compared",
    program: (a) =>
      done(lookup(a, HASH).jeq("r0", 0, "out").load("u32", "r1", "r0", 0).add("r0", "r1").load("u64", "r2", "r0", 0)),
    refused: [EACCES, /R0 unbounded memory access|greatest offset is outside/],
  },
  {
    title: "a store into a map that is read-only for programs",
    program: (a) => done(lookup(a, READ_ONLY).jeq("r0", 0, "out").store("u64", "r0", 0, 1)),
    refused: [EACCES, /write into map forbidden: R0 is a value of .*, which was made BPF_F_RDONLY_PROG/],
  },
  {
    title: "the value of a map of one by its address",
    program: (a) => a.loadMapValue("r1", ONE, 8).load("u64", "r0", "r1", 48).exit(),
  },
  {
    title: "an address behind the value of a map of one",
    program: (a) => a.loadMapValue("r1", ONE, 64).load("u64", "r0", "r1", 0).exit(),
    refused: [EINVAL, /invalid access to map value pointer, value_size=64 off=64/],
  },
  {
    title: "what lies in a frozen read-only map is a constant",
    program: (a) =>
      done(
        a
          .loadMapValue("r1", CONSTANTS)
          .load("u32", "r2", "r1", 0)
          .mov("r3", "r10")
          .add("r3", -5)
          .add("r3", "r2")
          .store("u8", "r3", -1, 1),
      ),
  },
  {
    title: "the bits of a pointer to a value cannot be masked",
    program: (a) => done(lookup(a, HASH).jeq("r0", 0, "out").and("r0", -8).load("u64", "r1", "r0", 0)),
    refused: [EACCES, /R0 bitwise operator &= on pointer prohibited/],
  },
  {
    title: "a pointer that may be NULL cannot be moved",
    program: (a) => lookup(a, HASH).add("r0", 8).mov("r0", 0).exit(),
    refused: [EACCES, /R0 pointer arithmetic on a pointer that may be NULL prohibited, null-check it first/],
  },
  {
    title: "a copy made before the check is checked too",
    program: (a) => done(lookup(a, HASH).mov("r6", "r0").jeq("r0", 0, "out").load("u64", "r1", "r6", 8)),
  },
  {
    title: "an inner map is looked up in like any other",
    program: (a) =>
      done(
        lookup(a, MAP_OF_MAPS)
          .jeq("r0", 0, "out")
          .mov("r1", "r0")
          .mov("r2", "r10")
          .add("r2", -4)
          .call("bpf_map_lookup_elem")
          .jeq("r0", 0, "out")
          .load("u64", "r1", "r0", 40),
      ),
  },
  {
    title: "an inner map that may not be there cannot be looked up in",
    program: (a) =>
      lookup(a, MAP_OF_MAPS)
        .mov("r1", "r0")
        .mov("r2", "r10")
        .add("r2", -4)
        .call("bpf_map_lookup_elem")
        .mov("r0", 0)
        .exit(),
    refused: [EACCES, /R1 type=map_value_or_null expected=map/],
  },
];

const PACKETS: readonly Case[] = [
  {
    title: "bytes that were compared with the end of the packet",
    program: (a) => done(packet(a).mov("r4", "r2").add("r4", 14).jgt("r4", "r3", "out").load("u16", "r5", "r2", 12)),
  },
  {
    title: "a byte more than was compared",
    program: (a) => done(packet(a).mov("r4", "r2").add("r4", 14).jgt("r4", "r3", "out").load("u16", "r5", "r2", 13)),
    refused: [
      EACCES,
      /invalid access to packet, size=14 off=13 size=2.*of which 14 bytes are proven to be there; compare the pointer/,
    ],
  },
  {
    title: "bytes that were not compared",
    program: (a) => packet(a).load("u16", "r0", "r2", 12).exit(),
    refused: [EACCES, /of which nothing is proven to be there/],
  },
  {
    title: "the packet after it was adjusted",
    program: (a) =>
      done(
        a
          .mov("r6", "r1")
          .load("u32", "r7", "r1", 0)
          .load("u32", "r3", "r1", 4)
          .mov("r4", "r7")
          .add("r4", 14)
          .jgt("r4", "r3", "out")
          .mov("r1", "r6")
          .mov("r2", 0)
          .call("bpf_xdp_adjust_head")
          .load("u8", "r0", "r7", 0),
      ),
    refused: [EACCES, /R7 invalid mem access 'scalar'/],
  },
  {
    title: "a socket filter has no pointers into the packet",
    type: BPF_PROG_TYPE_SOCKET_FILTER,
    program: (a) => a.load("u32", "r2", "r1", 76).mov("r0", 0).exit(),
    refused: [EACCES, /invalid bpf_context access off=76 size=4/],
  },
  {
    title: "a cgroup program may not write the packet",
    type: BPF_PROG_TYPE_CGROUP_SKB,
    program: (a) =>
      a
        .load("u32", "r2", "r1", 76)
        .load("u32", "r3", "r1", 80)
        .mov("r4", "r2")
        .add("r4", 8)
        .jgt("r4", "r3", "out")
        .store("u8", "r2", 0, 1)
        .label("out")
        .mov("r0", 1)
        .exit(),
    refused: [EACCES, /cannot write into packet: programs of this type may only read it/],
  },
  {
    title: "a classifier may write the packet",
    type: BPF_PROG_TYPE_SCHED_CLS,
    program: (a) =>
      a
        .load("u32", "r2", "r1", 76)
        .load("u32", "r3", "r1", 80)
        .mov("r4", "r2")
        .add("r4", 8)
        .jgt("r4", "r3", "out")
        .store("u8", "r2", 0, 1)
        .label("out")
        .mov("r0", 1)
        .exit(),
  },
];

const CONTEXTS: readonly Case[] = [
  { title: "a field of the context", program: (a) => a.load("u32", "r0", "r1", 12).exit() },
  {
    title: "a narrow load of a field that is read whole",
    program: (a) => a.load("u8", "r0", "r1", 12).exit(),
    refused: [EACCES, /invalid bpf_context access off=12 size=1.*bytes 12 to 19 are read 4 at a time/],
  },
  {
    title: "a field that may be read in part",
    type: BPF_PROG_TYPE_SOCKET_FILTER,
    program: (a) => a.load("u8", "r0", "r1", 1).exit(),
  },
  {
    title: "a context that was moved",
    program: (a) => a.add("r1", 4).load("u32", "r0", "r1", 8).exit(),
    refused: [EACCES, /dereference of modified ctx ptr R1 disallowed/],
  },
  {
    title: "a store into a field that is read-only",
    program: (a) => a.mov("r2", 1).store("u32", "r1", 12, "r2").mov("r0", 0).exit(),
    refused: [EACCES, /invalid bpf_context access off=12 size=4/],
  },
  {
    title: "a mark that a classifier sets",
    type: BPF_PROG_TYPE_SCHED_CLS,
    program: (a) => a.mov("r2", 1).store("u32", "r1", 8, "r2").mov("r0", 0).exit(),
  },
  {
    title: "an answer that a hook may not give",
    type: BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
    expectedAttachType: 10,
    program: (a) => a.mov("r0", 2).exit(),
    refused: [EINVAL, /At program exit the register R0 has 2: it should have been in \[0, 1\]/],
  },
  {
    title: "an answer that a hook may give",
    type: BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
    expectedAttachType: 10,
    program: (a) => a.mov("r0", 1).exit(),
  },
];

const HELPERS: readonly Case[] = [
  {
    title: "a helper that is not for this type of program",
    program: (a) => a.mov("r2", 0).call("bpf_skb_pull_data").mov("r0", 0).exit(),
    refused: [EINVAL, /program of this type cannot use helper bpf_skb_pull_data#39/],
  },
  {
    title: "a helper that there is not",
    program: (a) => a.call(9999).mov("r0", 0).exit(),
    refused: [EINVAL, /invalid func unknown#9999/],
  },
  {
    title: "a helper for free programs, in one that is not",
    license: "Proprietary",
    program: (a) =>
      a
        .store("u64", "r10", -8, 0)
        .mov("r1", "r10")
        .add("r1", -8)
        .mov("r2", 8)
        .call("bpf_trace_printk")
        .mov("r0", 0)
        .exit(),
    refused: [EINVAL, /cannot call GPL-restricted function bpf_trace_printk#6/],
  },
  {
    title: "a key that is no memory",
    program: (a) => a.loadMap("r1", HASH).mov("r2", 0).call("bpf_map_lookup_elem").mov("r0", 0).exit(),
    refused: [EACCES, /R2 type=scalar expected=stack/],
  },
  {
    title: "a map that is none",
    program: (a) => a.mov("r1", 0).mov("r2", "r10").add("r2", -4).call("bpf_map_lookup_elem").mov("r0", 0).exit(),
    refused: [EACCES, /R1 type=scalar expected=map: bpf_map_lookup_elem takes a map there, and it is 0/],
  },
  {
    title: "a key that goes beyond the stack",
    program: (a) =>
      a.loadMap("r1", HASH).mov("r2", "r10").add("r2", -2).call("bpf_map_lookup_elem").mov("r0", 0).exit(),
    refused: [EINVAL, /invalid access to stack R2 off=-2 size=4/],
  },
  {
    title: "a size that was bounded",
    program: (a) =>
      a
        .call("bpf_get_prandom_u32")
        .and("r0", 15)
        .mov("r2", "r0")
        .mov("r1", "r10")
        .add("r1", -16)
        .mov("r3", 0)
        .call("bpf_probe_read_kernel")
        .mov("r0", 0)
        .exit(),
    type: 2,
  },
  {
    title: "a size that may be negative",
    program: (a) =>
      a
        .call("bpf_ktime_get_ns")
        .mov("r2", "r0")
        .mov("r1", "r10")
        .add("r1", -16)
        .mov("r3", 0)
        .call("bpf_probe_read_kernel")
        .mov("r0", 0)
        .exit(),
    type: 2,
    refused: [EACCES, /R2 min value is negative, a size is not/],
  },
  {
    title: "a size larger than the memory",
    program: (a) =>
      a.mov("r2", 24).mov("r1", "r10").add("r1", -16).mov("r3", 0).call("bpf_probe_read_kernel").mov("r0", 0).exit(),
    type: 2,
    refused: [EINVAL, /invalid access to stack R1 off=-16 size=24/],
  },
  {
    title: "a size of 0 where there must be something",
    program: (a) => a.mov("r1", "r10").add("r1", -16).mov("r2", 0).call("bpf_get_current_comm").mov("r0", 0).exit(),
    refused: [EACCES, /R2 invalid zero-sized read/],
  },
  {
    title: "push is for queues",
    program: (a) =>
      a.loadMap("r1", QUEUE).mov("r2", "r10").add("r2", -16).mov("r3", 0).call("bpf_map_push_elem").mov("r0", 0).exit(),
  },
  {
    title: "pop from a hash",
    program: (a) => a.loadMap("r1", HASH).mov("r2", "r10").add("r2", -16).call("bpf_map_pop_elem").mov("r0", 0).exit(),
    refused: [EINVAL, /cannot pass map_type 1 into func bpf_map_pop_elem.*it takes maps of type queue, stack/],
  },
  {
    title: "an update of a map that is read-only for programs",
    program: (a) =>
      a
        .store("u64", "r10", -8, 1)
        .loadMap("r1", READ_ONLY)
        .mov("r2", "r10")
        .add("r2", -8)
        .mov("r3", "r2")
        .mov("r4", 0)
        .call("bpf_map_update_elem")
        .mov("r0", 0)
        .exit(),
    refused: [EACCES, /write into map forbidden/],
  },
  {
    title: "a tail call",
    program: (a) => a.loadMap("r2", PROGRAMS).mov("r3", 0).call("bpf_tail_call").mov("r0", 0).exit(),
  },
  {
    title: "a tail call into a map that holds no programs",
    program: (a) => a.loadMap("r2", HASH).mov("r3", 0).call("bpf_tail_call").mov("r0", 0).exit(),
    refused: [EINVAL, /cannot pass map_type 1 into func bpf_tail_call|prog array/],
  },
];

const REFERENCES: readonly Case[] = [
  {
    title: "a record that is submitted",
    program: (a) =>
      done(
        reserve(a).jeq("r0", 0, "out").store("u64", "r0", 8, 1).mov("r1", "r0").mov("r2", 0).call("bpf_ringbuf_submit"),
      ),
  },
  {
    title: "a record that is forgotten",
    program: (a) => done(reserve(a).jeq("r0", 0, "out").store("u64", "r0", 8, 1)),
    refused: [EINVAL, /Unreleased reference id=\d+ alloc_insn=4.*must be submitted or discarded on every path/],
  },
  {
    title: "a record that is used after it was submitted",
    program: (a) =>
      done(
        reserve(a)
          .jeq("r0", 0, "out")
          .mov("r6", "r0")
          .mov("r1", "r0")
          .mov("r2", 0)
          .call("bpf_ringbuf_submit")
          .store("u64", "r6", 8, 1),
      ),
    refused: [EACCES, /R6 invalid mem access 'scalar'/],
  },
  {
    title: "a record that is submitted twice",
    program: (a) =>
      done(
        reserve(a)
          .jeq("r0", 0, "out")
          .mov("r6", "r0")
          .mov("r1", "r0")
          .mov("r2", 0)
          .call("bpf_ringbuf_submit")
          .mov("r1", "r6")
          .mov("r2", 0)
          .call("bpf_ringbuf_submit"),
      ),
    refused: [EACCES, /R1 type=scalar expected=mem/],
  },
  {
    title: "a store beyond a record",
    program: (a) =>
      done(
        reserve(a)
          .jeq("r0", 0, "out")
          .mov("r6", "r0")
          .store("u64", "r6", 16, 1)
          .mov("r1", "r6")
          .mov("r2", 0)
          .call("bpf_ringbuf_submit"),
      ),
    refused: [EACCES, /invalid access to memory, size=16 off=16/],
  },
  {
    title: "a record that was moved is not submitted",
    program: (a) =>
      done(reserve(a).jeq("r0", 0, "out").mov("r1", "r0").add("r1", 8).mov("r2", 0).call("bpf_ringbuf_submit")),
    refused: [EINVAL, /R1 must have zero offset when passed to release func/],
  },
  {
    title: "a record that may be NULL is not submitted",
    program: (a) => reserve(a).mov("r1", "r0").mov("r2", 0).call("bpf_ringbuf_submit").mov("r0", 0).exit(),
    refused: [EACCES, /R1 type=mem_or_null/],
  },
  {
    title: "a dynptr that is reserved, filled and submitted",
    program: (a) =>
      a
        .loadMap("r1", RINGBUF)
        .mov("r2", 16)
        .mov("r3", 0)
        .mov("r4", "r10")
        .add("r4", -16)
        .call("bpf_ringbuf_reserve_dynptr")
        .mov("r1", "r10")
        .add("r1", -16)
        .mov("r2", 0)
        .mov("r3", 8)
        .call("bpf_dynptr_data")
        .jeq("r0", 0, "out")
        .store("u64", "r0", 0, 7)
        .label("out")
        .mov("r1", "r10")
        .add("r1", -16)
        .mov("r2", 0)
        .call("bpf_ringbuf_submit_dynptr")
        .mov("r0", 0)
        .exit(),
  },
  {
    title: "a dynptr that is forgotten",
    program: (a) =>
      a
        .loadMap("r1", RINGBUF)
        .mov("r2", 16)
        .mov("r3", 0)
        .mov("r4", "r10")
        .add("r4", -16)
        .call("bpf_ringbuf_reserve_dynptr")
        .mov("r0", 0)
        .exit(),
    refused: [EINVAL, /Unreleased reference/],
  },
  {
    title: "a dynptr that holds a record is not overwritten",
    program: (a) =>
      a
        .loadMap("r1", RINGBUF)
        .mov("r2", 16)
        .mov("r3", 0)
        .mov("r4", "r10")
        .add("r4", -16)
        .call("bpf_ringbuf_reserve_dynptr")
        .store("u64", "r10", -16, 0)
        .mov("r0", 0)
        .exit(),
    refused: [EINVAL, /cannot overwrite referenced dynptr/],
  },
];

const ATOMICS: readonly Case[] = [
  {
    title: "an atomic add in a value",
    program: (a) => done(lookup(a, HASH).jeq("r0", 0, "out").mov("r1", 1).atomicAdd("u64", "r0", 8, "r1")),
  },
  {
    title: "an unaligned atomic",
    program: (a) => done(lookup(a, HASH).jeq("r0", 0, "out").mov("r1", 1).atomicAdd("u64", "r0", 4, "r1")),
    refused: [EACCES, /misaligned map_value access off 0\+4 size 8/],
  },
  {
    title: "an atomic on the packet",
    program: (a) =>
      done(packet(a).mov("r4", "r2").add("r4", 16).jgt("r4", "r3", "out").mov("r5", 1).atomicAdd("u64", "r2", 0, "r5")),
    refused: [EACCES, /BPF_ATOMIC stores into R2 packet is not allowed/],
  },
];

const FUNCTIONS: readonly Case[] = [
  {
    title: "a function gets what its caller has",
    program: (a) => a.mov("r1", 20).callFunction("twice").exit().label("twice").mov("r0", "r1").add("r0", "r1").exit(),
  },
  {
    title: "a function does not get what its caller keeps",
    program: (a) => a.mov("r6", 20).mov("r1", 1).callFunction("twice").exit().label("twice").mov("r0", "r6").exit(),
    refused: [EACCES, /R6 !read_ok/],
  },
  {
    title: "a function may write to its caller's stack",
    program: (a) =>
      a
        .mov("r1", "r10")
        .add("r1", -8)
        .callFunction("fill")
        .load("u64", "r0", "r10", -8)
        .exit()
        .label("fill")
        .store("u64", "r1", 0, 7)
        .mov("r0", 0)
        .exit(),
  },
  {
    title: "a function does not return its own stack",
    program: (a) => a.callFunction("own").mov("r0", 0).exit().label("own").mov("r0", "r10").exit(),
    refused: [EINVAL, /cannot return stack pointer to the caller/],
  },
  {
    title: "a function that calls itself",
    program: (a) => a.callFunction("again").exit().label("again").mov("r0", 0).callFunction("again").exit(),
    refused: [7, /the call stack of 9 frames is too deep/],
  },
  {
    title: "functions that together take too much stack",
    program: (a) =>
      a
        .store("u64", "r10", -480, 1)
        .callFunction("deep")
        .mov("r0", 0)
        .exit()
        .label("deep")
        .store("u64", "r10", -64, 1)
        .mov("r0", 0)
        .exit(),
    refused: [EACCES, /combined stack size of 2 calls is 544. Too large/],
  },
];

const SUITES: readonly (readonly [string, readonly Case[]])[] = [
  ["registers", REGISTERS],
  ["control flow", CONTROL_FLOW],
  ["the stack", STACK],
  ["map values", VALUES],
  ["the packet", PACKETS],
  ["the context", CONTEXTS],
  ["helpers", HELPERS],
  ["references", REFERENCES],
  ["atomics", ATOMICS],
  ["functions", FUNCTIONS],
];

function programOf({ type = BPF_PROG_TYPE_XDP, expectedAttachType, license, program }: Case): TestProgram {
  return {
    type,
    ...(expectedAttachType === undefined ? {} : { expectedAttachType }),
    ...(license === undefined ? {} : { license }),
    insns: program(new Assembler()).assemble(),
  };
}

describe("the verifier of the embedded kernel", () => {
  const verifier = new EmbeddedVerifier(MAPS);
  for (const [suite, cases] of SUITES) {
    describe(suite, () => {
      for (const given of cases) {
        test(`${given.title}${given.refused === undefined ? "" : " is refused"}`, () => {
          const { result, log } = verifier.load(programOf(given), 1);
          const [errno, says] = given.refused ?? [0, /processed/];
          assert.equal(errnoCode(result), errnoCode(errno), log);
          assert.match(log, says);
        });
      }
    });
  }
});

onLinux(() =>
  describe("linux is of the same opinion", () => {
    const verifier = new LinuxVerifier(MAPS);
    for (const [suite, cases] of SUITES) {
      test(suite, () => {
        for (const given of cases) {
          const { result } = verifier.load(programOf(given));
          assert.equal(errnoCode(result), errnoCode(given.refused?.[0] ?? 0), given.title);
        }
      });
    }
  }),
);
