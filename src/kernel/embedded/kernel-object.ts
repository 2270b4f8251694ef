/** What an fd, a pin or another object of the kernel can refer to. It lives while something refers to it. */
export interface KernelObject {
  readonly kind: ObjectKind;
  /** The kernel's number for it, unique among its kind while it lives; 0 before it has one. */
  id: number;
  /** Open fds, pins, mappings, and other objects that need it. */
  references: number;
  /** Is told that something refers to it no longer, but others still do. */
  referenceDropped?(): void;
  /** Gives back what it holds. It is gone. */
  free(): void;
}

/** The kinds of objects. Each has ids of its own. */
export type ObjectKind = "map" | "program" | "btf" | "perf_event";
