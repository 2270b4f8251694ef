import type { BTF_KIND_NAMES } from "../abi/btf.ts";

/** The kind of a type, by bpftool's name: `"int"`, `"struct"`, `"func_proto"` … */
export type BtfKind = (typeof BTF_KIND_NAMES)[number];

/** A type as BTF says it. Where it refers to another type it does so by id; id 0 is `void`. A name is `""` where there is none. */
export type BtfType =
  | BtfVoid
  | BtfInt
  | BtfReference
  | BtfArray
  | BtfComposite
  | BtfEnum
  | BtfEnum64
  | BtfForward
  | BtfFunction
  | BtfPrototype
  | BtfVariable
  | BtfSection
  | BtfFloat
  | BtfDeclTag
  | BtfTypeTag;

/** No type: what `void *` points to. It has id 0 in every BTF. */
export interface BtfVoid {
  readonly kind: "void";
}

export interface BtfInt {
  readonly kind: "int";
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** How many bits count, all of them in what compilers write today. */
  readonly bits: number;
  /** The first bit that counts. */
  readonly bitOffset: number;
  readonly isSigned: boolean;
  readonly isChar: boolean;
  readonly isBool: boolean;
}

/** A pointer, a typedef or a qualifier: one type made from another. Only typedefs have a name. */
export interface BtfReference {
  readonly kind: "ptr" | "typedef" | "volatile" | "const" | "restrict";
  readonly name: string;
  readonly type: number;
}

/** `__attribute__((btf_type_tag("…")))` on a type, most often on what a pointer points to. */
export interface BtfTypeTag {
  readonly kind: "type_tag";
  readonly name: string;
  readonly type: number;
  /** Whether the name is that of an attribute of C, and not of a tag. */
  readonly isAttribute: boolean;
}

export interface BtfArray {
  readonly kind: "array";
  /** The type of an element. */
  readonly type: number;
  readonly indexType: number;
  readonly length: number;
}

/** A struct or a union. */
export interface BtfComposite {
  readonly kind: "struct" | "union";
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  readonly members: readonly BtfMember[];
}

export interface BtfMember {
  /** `""` for an anonymous struct or union, whose members are reached as if they were here. */
  readonly name: string;
  readonly type: number;
  /** Where it begins, in bits from the start of the struct. */
  readonly bitOffset: number;
  /** How many bits a bitfield has; 0 for a member that is none. */
  readonly bitfieldSize: number;
}

export interface BtfEnum {
  readonly kind: "enum";
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  readonly isSigned: boolean;
  readonly values: readonly { readonly name: string; readonly value: number }[];
}

/** An enum whose numbers may have 64 bits. */
export interface BtfEnum64 {
  readonly kind: "enum64";
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  readonly isSigned: boolean;
  readonly values: readonly { readonly name: string; readonly value: bigint }[];
}

/** A struct or union of which only the name is known. */
export interface BtfForward {
  readonly kind: "fwd";
  readonly name: string;
  readonly isUnion: boolean;
}

/** A function: a name for a prototype. */
export interface BtfFunction {
  readonly kind: "func";
  readonly name: string;
  /** The prototype. */
  readonly type: number;
  readonly linkage: "static" | "global" | "extern";
}

export interface BtfPrototype {
  readonly kind: "func_proto";
  /** What it returns. */
  readonly type: number;
  /** A last parameter without name and of type 0 stands for `...`. */
  readonly params: readonly { readonly name: string; readonly type: number }[];
}

export interface BtfVariable {
  readonly kind: "var";
  readonly name: string;
  readonly type: number;
  readonly linkage: "static" | "global" | "extern";
}

/** A section of an object file with the variables that lie in it: `.data`, `.maps`, `license`. */
export interface BtfSection {
  readonly kind: "datasec";
  readonly name: string;
  /** Bytes; 0 in an object that no loader has seen yet. */
  readonly size: number;
  readonly variables: readonly BtfSectionVariable[];
}

export interface BtfSectionVariable {
  /** The variable. */
  readonly type: number;
  /** Where it lies in the section, in bytes; 0 in an object that no loader has seen yet. */
  readonly offset: number;
  readonly size: number;
}

export interface BtfFloat {
  readonly kind: "float";
  readonly name: string;
  /** Bytes. */
  readonly size: number;
}

/** `__attribute__((btf_decl_tag("…")))` on a type, a variable or a function, or on one of its members or parameters. */
export interface BtfDeclTag {
  readonly kind: "decl_tag";
  readonly name: string;
  readonly type: number;
  /** The index of the member or parameter; −1 for all of it. */
  readonly componentIndex: number;
  /** Whether the name is that of an attribute of C, and not of a tag. */
  readonly isAttribute: boolean;
}

/** `linkage` by its number in BTF. */
export const LINKAGES = ["static", "global", "extern"] as const;
