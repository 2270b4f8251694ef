import { Assembler, type Bpf, type BpfProgram } from "mapiary";

/** A program that adds 1 to the first `u64` of an array by an atomic instruction. */
export function loadAdding(bpf: Bpf, sums: { readonly fd: number }): BpfProgram {
  const instructions = new Assembler()
    .store("u32", "r10", -4, 0)
    .mov("r2", "r10")
    .add("r2", -4)
    .loadMap("r1", sums.fd)
    .call("bpf_map_lookup_elem")
    .jeq("r0", 0, "none")
    .mov("r1", 1)
    .atomicAdd("u64", "r0", 0, "r1")
    .label("none")
    .mov("r0", 0)
    .exit()
    .assemble();
  return bpf.loadProgram({ type: "xdp", name: "add", instructions });
}
