import {
  BTF_KIND_ARRAY,
  BTF_KIND_DATASEC,
  BTF_KIND_DECL_TAG,
  BTF_KIND_FUNC,
  BTF_KIND_FUNC_PROTO,
  BTF_KIND_INT,
  BTF_KIND_PTR,
  BTF_KIND_STRUCT,
  BTF_KIND_TYPEDEF,
  BTF_KIND_UNION,
  BTF_KIND_VAR,
} from "../../../abi/btf.ts";
import { E2BIG, EEXIST } from "../../../abi/errno.ts";
import { type BtfCheck, BtfRefusal } from "./btf-check.ts";
import { checkMember } from "./members.ts";
import { isIdentifier } from "./names.ts";
import type { RawBtf } from "./raw-btf.ts";

/** `MAX_RESOLVE_DEPTH`. */
const GREATEST_DEPTH = 32;
const U32 = 2 ** 32;

/** What is being resolved decides where to stop: at what a pointer points to its size does not matter. */
type Mode = "undecided" | "pointer" | "composite";

/** A type on the way to what it refers to. */
interface Step {
  readonly id: number;
  /** The part of a struct or section to go on with. */
  next: number;
}

const UNVISITED = 0;
const VISITED = 1;
const RESOLVED = 2;

/** Checks that all types refer to types that exist, fit, and do not go round in circles: `btf_check_all_types`. */
export function checkReferences(check: BtfCheck): void {
  const { btf } = check;
  btf.resolvedIds = new Uint32Array(btf.count);
  btf.resolvedSizes = new Uint32Array(btf.count);
  check.isSecondPass = true;
  const resolver = new Resolver(check);
  for (let id = 1; id < btf.count; id++) {
    check.id = id;
    resolver.resolve(id);
    if (btf.isKind(id, BTF_KIND_FUNC_PROTO)) resolver.checkPrototype(id);
  }
}

/**
 * Walks from a type to all that it refers to, with a stack of its own: a step either takes a type off the stack, or puts
 * the type on top that must be resolved before it.
 */
class Resolver {
  readonly #check: BtfCheck;
  readonly #btf: RawBtf;
  readonly #states: Uint8Array;
  #stack: Step[] = [];
  #mode: Mode = "undecided";

  constructor(check: BtfCheck) {
    this.#check = check;
    this.#btf = check.btf;
    this.#states = new Uint8Array(check.btf.count);
  }

  resolve(id: number): void {
    if (!this.#btf.needsResolving(id) || this.#isResolved(id)) return;
    const check = this.#check;
    const outer = check.id;
    this.#mode = "undecided";
    this.#stack = [];
    this.#push(id);
    try {
      for (let top = this.#stack.at(-1); top !== undefined; top = this.#stack.at(-1)) {
        check.id = top.id;
        this.#step(top);
      }
    } catch (error) {
      check.id = id;
      if (error instanceof BtfRefusal && error.errno === E2BIG) {
        check.logType(id, `Exceeded max resolving depth:${GREATEST_DEPTH}`);
      }
      if (error instanceof BtfRefusal && error.errno === EEXIST) check.logType(id, "Loop detected");
      throw error;
    }
    check.id = id;
    if (!this.#isSound(id)) check.refuseType(id, "Invalid resolve state");
    check.id = outer;
  }

  /** The types of what a function takes and returns have a size: `btf_func_proto_check`. */
  checkPrototype(id: number): void {
    const btf = this.#btf;
    const result = btf.type(id);
    if (result !== 0) this.#requireSized(id, result, "Invalid return type");
    let count = btf.vlen(id);
    if (count === 0) return;
    if (btf.extra(id, 4, count - 1, 8) === 0) {
      if (btf.extra(id, 0, count - 1, 8) !== 0) this.#check.refuseType(id, `Invalid arg#${count}`);
      count--;
    }
    for (let i = 0; i < count; i++) {
      const name = btf.extra(id, 0, i, 8);
      const argument = btf.extra(id, 4, i, 8);
      const isNamed = name === 0 || (btf.isString(name) && isIdentifier(btf, name));
      if (btf.has(argument) && !btf.isSourceOnly(argument) && !isNamed) {
        this.#check.refuseType(id, `Invalid arg#${i + 1}`);
      }
      this.#requireSized(id, argument, `Invalid arg#${i + 1}`);
    }
  }

  #requireSized(prototype: number, id: number, reason: string): void {
    const btf = this.#btf;
    if (!btf.has(id) || btf.isSourceOnly(id)) this.#check.refuseType(prototype, reason);
    this.resolve(id);
    if (btf.sized(id) === undefined) this.#check.refuseType(prototype, reason);
  }

  #step(step: Step): void {
    switch (this.#btf.kind(step.id)) {
      case BTF_KIND_PTR:
        return this.#pointer(step.id);
      case BTF_KIND_ARRAY:
        return this.#array(step.id);
      case BTF_KIND_STRUCT:
      case BTF_KIND_UNION:
        return this.#composite(step);
      case BTF_KIND_VAR:
        return this.#variable(step.id);
      case BTF_KIND_DATASEC:
        return this.#section(step);
      case BTF_KIND_DECL_TAG:
        return this.#declTag(step.id);
      case BTF_KIND_FUNC:
        this.#requirePrototype(step.id);
        return this.#pop(this.#btf.type(step.id));
      default:
        return this.#modifier(step.id);
    }
  }

  #modifier(id: number): void {
    const next = this.#target(id);
    if (!this.#isReady(next)) return this.#push(next);
    this.#pop(this.#behind(id, next));
  }

  #pointer(id: number): void {
    const next = this.#target(id);
    if (!this.#isReady(next)) return this.#push(next);
    const pointer = this.#pointerBehind(next);
    if (pointer !== undefined) return this.#push(pointer);
    this.#pop(this.#behind(id, next));
  }

  #variable(id: number): void {
    const next = this.#target(id);
    if (!this.#isReady(next)) return this.#push(next);
    const pointer = this.#pointerBehind(next);
    if (pointer !== undefined) return this.#push(pointer);
    const sized = this.#btf.sized(next);
    if (sized === undefined) return this.#check.refuseType(id, "Invalid type_id");
    this.#pop(sized.id);
  }

  #target(id: number): number {
    const next = this.#btf.type(id);
    if (!this.#btf.has(next) || this.#btf.isSourceOnly(next)) this.#check.refuseType(id, "Invalid type_id");
    return next;
  }

  /** A pointer that a modifier stands for and that was left unresolved, because a struct only needs its size. */
  #pointerBehind(id: number): number | undefined {
    if (!this.#btf.isModifier(id)) return undefined;
    const pointer = this.#btf.resolvedIds[id] as number;
    return this.#btf.isKind(pointer, BTF_KIND_PTR) && !this.#isReady(pointer) ? pointer : undefined;
  }

  /** The id that `next` stands for: a type with a size, or one that need not have any. */
  #behind(id: number, next: number): number {
    const btf = this.#btf;
    const sized = btf.sized(next);
    if (sized !== undefined) return sized.id;
    const behind = this.#isResolved(next) ? (btf.resolvedIds[next] as number) : next;
    if (!btf.isIncomplete(behind)) this.#check.refuseType(id, "Invalid type_id");
    return behind;
  }

  #array(id: number): void {
    const btf = this.#btf;
    const check = this.#check;
    const indexType = btf.extra(id, 4);
    if (btf.isSizeless(indexType) || btf.isSourceOnly(indexType)) check.refuseType(id, "Invalid index");
    if (!this.#isReady(indexType)) return this.#push(indexType);
    const index = btf.sized(indexType);
    const isIndex = index !== undefined && btf.isKind(index.id, BTF_KIND_INT) && btf.isRegularInt(index.id);
    if (!isIndex) check.refuseType(id, "Invalid index");

    const elementType = btf.extra(id, 0);
    if (btf.isSizeless(elementType) || btf.isSourceOnly(elementType)) check.refuseType(id, "Invalid elem");
    if (!this.#isReady(elementType)) return this.#push(elementType);
    const element = btf.sized(elementType);
    if (element === undefined) return check.refuseType(id, "Invalid elem");
    const isOddInt = btf.isKind(element.id, BTF_KIND_INT) && !btf.isRegularInt(element.id);
    if (isOddInt) check.refuseType(id, "Invalid array of int");
    const size = element.size * btf.extra(id, 8);
    if (size >= U32) check.refuseType(id, "Array size overflows U32_MAX");
    this.#pop(element.id, size);
  }

  #composite(step: Step): void {
    const btf = this.#btf;
    const { id } = step;
    if (step.next > 0) checkMember(this.#check, id, step.next - 1);
    for (let i = step.next; i < btf.vlen(id); i++) {
      const type = btf.extra(id, 4, i, 12);
      if (btf.isSizeless(type) || btf.isSourceOnly(type)) this.#check.refuseMember(id, i, "Invalid member");
      if (!this.#isReady(type)) {
        step.next = i + 1;
        return this.#push(type);
      }
      checkMember(this.#check, id, i);
    }
    this.#pop(0);
  }

  #section(step: Step): void {
    const btf = this.#btf;
    const { id } = step;
    for (let i = step.next; i < btf.vlen(id); i++) {
      const variable = btf.extra(id, 0, i, 12);
      const isVariable = btf.has(variable) && btf.isKind(variable, BTF_KIND_VAR);
      if (!isVariable) this.#check.refuseVariable(id, i, "Not a VAR kind member");
      if (!this.#isReady(variable)) {
        step.next = i + 1;
        return this.#push(variable);
      }
      const sized = btf.sized(btf.type(variable));
      if (sized === undefined) return this.#check.refuseVariable(id, i, "Invalid type");
      if (btf.extra(id, 8, i, 12) < sized.size) this.#check.refuseVariable(id, i, "Invalid size");
    }
    this.#pop(0);
  }

  #declTag(id: number): void {
    const btf = this.#btf;
    const target = btf.type(id);
    if (!btf.has(target) || !btf.canBeTagged(target)) this.#check.refuseType(id, "Invalid type_id");
    if (!this.#isReady(target)) return this.#push(target);
    const index = btf.extra(id, 0) | 0;
    if (index !== -1) {
      const isWhole = btf.isKind(target, BTF_KIND_VAR, BTF_KIND_TYPEDEF);
      const parts = isWhole ? 0 : btf.vlen(btf.isComposite(target) ? target : btf.type(target));
      if (index >>> 0 >= parts) this.#check.refuseType(id, "Invalid component_idx");
    }
    this.#pop(target);
  }

  /** A function has a prototype all of whose parameters have names: `btf_func_check`. */
  #requirePrototype(id: number): void {
    const btf = this.#btf;
    const prototype = btf.type(id);
    const isPrototype = btf.has(prototype) && btf.isKind(prototype, BTF_KIND_FUNC_PROTO);
    if (!isPrototype) this.#check.refuseType(id, "Invalid type_id");
    for (let i = 0; i < btf.vlen(prototype); i++) {
      const isNameless = btf.extra(prototype, 0, i, 8) === 0 && btf.extra(prototype, 4, i, 8) !== 0;
      if (isNameless) this.#check.refuseType(id, `Invalid arg#${i + 1}`);
    }
  }

  #isResolved(id: number): boolean {
    return this.#states[id] === RESOLVED;
  }

  /** Whether a type need not be looked into now: because that is done, or because what is being resolved ends there. */
  #isReady(id: number): boolean {
    return this.#isSink(id) || this.#isResolved(id);
  }

  #isSink(id: number): boolean {
    const btf = this.#btf;
    if (this.#mode === "undecided") return !btf.needsResolving(id);
    if (btf.isModifier(id)) return false;
    if (this.#mode === "pointer") return !btf.isKind(id, BTF_KIND_PTR);
    return !btf.isKind(id, BTF_KIND_ARRAY) && !btf.isComposite(id);
  }

  #push(id: number): void {
    if (this.#stack.length === GREATEST_DEPTH) throw new BtfRefusal(E2BIG);
    if (this.#states[id] !== UNVISITED) throw new BtfRefusal(EEXIST);
    this.#states[id] = VISITED;
    this.#stack.push({ id, next: 0 });
    if (this.#mode !== "undecided") return;
    if (this.#btf.isKind(id, BTF_KIND_PTR)) this.#mode = "pointer";
    if (this.#btf.isComposite(id) || this.#btf.isKind(id, BTF_KIND_ARRAY)) this.#mode = "composite";
  }

  #pop(resolvedId: number, size = 0): void {
    const { id } = this.#stack.pop() as Step;
    this.#btf.resolvedIds[id] = resolvedId;
    this.#btf.resolvedSizes[id] = size;
    this.#states[id] = RESOLVED;
  }

  /** `btf_resolve_valid`: what was found makes sense for the kind. */
  #isSound(id: number): boolean {
    const btf = this.#btf;
    const behind = btf.resolvedIds[id] as number;
    const size = btf.resolvedSizes[id];
    if (btf.isComposite(id) || btf.isKind(id, BTF_KIND_DATASEC)) return behind === 0 && size === 0;
    if (btf.isKind(id, BTF_KIND_DECL_TAG, BTF_KIND_FUNC)) return behind !== 0 && size === 0;
    if (btf.isKind(id, BTF_KIND_ARRAY)) {
      const element = btf.sized(btf.extra(id, 0));
      const isElement = element !== undefined && !btf.isModifier(element.id);
      return isElement && Math.imul(btf.extra(id, 8), element.size) >>> 0 === size;
    }
    return !btf.isModifier(behind) && !btf.isKind(behind, BTF_KIND_VAR, BTF_KIND_DATASEC);
  }
}
