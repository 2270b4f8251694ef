import { EEXIST, ENOENT } from "../../abi/errno.ts";
import type { Hold } from "../embedded/shared/shared-inner-maps.ts";
import { attempt, errorOf, type System } from "./system.ts";

/**
 * The names by which maps of maps keep their maps alive: `held/OUTER/ID-NUMBER` is a hard link to the file of the map of an
 * id, there from before it is in a slot of the map of maps until after it is in none. The folder goes after the map of maps.
 */
export class HeldNames {
  readonly #system: System;
  readonly #folder: string;

  /** `folder` is the one of all holds. */
  constructor(system: System, folder: string) {
    this.#system = system;
    this.#folder = folder;
  }

  /** Gives the file at a path the name of a hold. 0, −EEXIST when there is one, or another −errno. */
  add(outer: number, hold: Hold, path: string): number {
    const { fs } = this.#system;
    const link = (): number => errorOf(() => fs.linkSync(path, this.#pathOf(outer, hold)));
    const error = link();
    if (error !== -ENOENT) return error;
    const made = errorOf(() => fs.mkdirSync(`${this.#folder}/${outer}`, { mode: 0o700 }));
    return made === 0 || made === -EEXIST ? link() : made;
  }

  /** Takes the name of a hold away: 0, or −errno. */
  remove(outer: number, hold: Hold): number {
    return errorOf(() => this.#system.fs.unlinkSync(this.#pathOf(outer, hold)));
  }

  /** The holds of a map of maps. */
  of(outer: number): Hold[] {
    const path = `${this.#folder}/${outer}`;
    if (!this.#system.fs.existsSync(path)) return [];
    const names = attempt(() => this.#system.fs.readdirSync(path));
    if (typeof names === "number") return [];
    return names.map((name) => {
      const [id, number] = name.split("-").map(Number);
      return { id: id ?? 0, number: number ?? 0 };
    });
  }

  /** Removes the folder of a map of maps that has gone, and what it still held: the ids of the maps. */
  removeAll(outer: number): number[] {
    const removed = this.of(outer).filter((hold) => this.remove(outer, hold) === 0);
    const path = `${this.#folder}/${outer}`;
    if (this.#system.fs.existsSync(path)) errorOf(() => this.#system.fs.rmdirSync(path));
    return removed.map(({ id }) => id);
  }

  /** The maps of maps that hold or have held something. */
  outers(): number[] {
    const names = attempt(() => this.#system.fs.readdirSync(this.#folder));
    return typeof names === "number" ? [] : names.map(Number).filter(Number.isInteger);
  }

  #pathOf(outer: number, { id, number }: Hold): string {
    return `${this.#folder}/${outer}/${id}-${number}`;
  }
}
