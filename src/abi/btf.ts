/** The BPF Type Format as data (`include/uapi/linux/btf.h`, Linux 6.18, and `.BTF.ext` as libbpf has it). */

export const BTF_MAGIC = 0xeb9f;
export const BTF_VERSION = 1;

/** `struct btf_header` as offsets in bytes. Sections begin behind it, `HDR_LEN` bytes from the start. */
export const BTF_HEADER = {
  MAGIC: 0,
  VERSION: 2,
  FLAGS: 3,
  HDR_LEN: 4,
  TYPE_OFF: 8,
  TYPE_LEN: 12,
  STR_OFF: 16,
  STR_LEN: 20,
  SIZE: 24,
} as const;

/** `struct btf_ext_header`; the relocations are in those of at least `CORE_RELO_END` bytes alone. */
export const BTF_EXT_HEADER = {
  FUNC_INFO_OFF: 8,
  FUNC_INFO_LEN: 12,
  LINE_INFO_OFF: 16,
  LINE_INFO_LEN: 20,
  CORE_RELO_OFF: 24,
  CORE_RELO_LEN: 28,
  SIZE: 24,
  CORE_RELO_END: 32,
} as const;

/** `struct btf_type`. `TYPE` shares its place with `SIZE`. */
export const BTF_TYPE = { NAME: 0, INFO: 4, SIZE: 8, TYPE: 8, END: 12 } as const;

/** The most types, the highest offset of a name, and the most members that Linux takes. */
export const BTF_MAX_TYPE = 0xf_ffff;
export const BTF_MAX_NAME_OFFSET = 0xff_ffff;
export const BTF_MAX_VLEN = 0xffff;
/** `BTF_MAX_SIZE`: the most bytes of BTF that Linux loads (`include/linux/btf.h`). */
export const BTF_MAX_SIZE = 16 * 1024 * 1024;

export const BTF_KIND_INT = 1;
export const BTF_KIND_PTR = 2;
export const BTF_KIND_ARRAY = 3;
export const BTF_KIND_STRUCT = 4;
export const BTF_KIND_UNION = 5;
export const BTF_KIND_ENUM = 6;
export const BTF_KIND_FWD = 7;
export const BTF_KIND_TYPEDEF = 8;
export const BTF_KIND_VOLATILE = 9;
export const BTF_KIND_CONST = 10;
export const BTF_KIND_RESTRICT = 11;
export const BTF_KIND_FUNC = 12;
export const BTF_KIND_FUNC_PROTO = 13;
export const BTF_KIND_VAR = 14;
export const BTF_KIND_DATASEC = 15;
export const BTF_KIND_FLOAT = 16;
export const BTF_KIND_DECL_TAG = 17;
export const BTF_KIND_TYPE_TAG = 18;
export const BTF_KIND_ENUM64 = 19;

/** The kinds by number, by the names that bpftool gives them. */
export const BTF_KIND_NAMES = [
  "void",
  "int",
  "ptr",
  "array",
  "struct",
  "union",
  "enum",
  "fwd",
  "typedef",
  "volatile",
  "const",
  "restrict",
  "func",
  "func_proto",
  "var",
  "datasec",
  "float",
  "decl_tag",
  "type_tag",
  "enum64",
] as const;

/** The parts of the word behind a BTF_KIND_INT. */
export const BTF_INT_SIGNED = 1;
export const BTF_INT_CHAR = 2;
export const BTF_INT_BOOL = 4;

/** Bytes behind a `struct btf_type` of each kind: of its own, and for each of its `vlen` parts. */
export const BTF_KIND_EXTENT: readonly (readonly [own: number, each: number])[] = [
  /* void */ [0, 0],
  /* int: a word */ [4, 0],
  /* ptr */ [0, 0],
  /* array: struct btf_array */ [12, 0],
  /* struct: struct btf_member */ [0, 12],
  /* union */ [0, 12],
  /* enum: struct btf_enum */ [0, 8],
  /* fwd */ [0, 0],
  /* typedef */ [0, 0],
  /* volatile */ [0, 0],
  /* const */ [0, 0],
  /* restrict */ [0, 0],
  /* func: its vlen is its linkage */ [0, 0],
  /* func_proto: struct btf_param */ [0, 8],
  /* var: struct btf_var */ [4, 0],
  /* datasec: struct btf_var_secinfo */ [0, 12],
  /* float */ [0, 0],
  /* decl_tag: struct btf_decl_tag */ [4, 0],
  /* type_tag */ [0, 0],
  /* enum64: struct btf_enum64 */ [0, 12],
];
