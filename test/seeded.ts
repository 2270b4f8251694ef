/**
 * fast-check with one seed for every run, so that a test draws the same cases each time and a change is judged by what it
 * changes. Other cases are drawn by `npm test -- --seed S`, which reaches us as MAPIARY_SEED.
 */
import fc from "fast-check";

fc.configureGlobal({ seed: Number(process.env["MAPIARY_SEED"] ?? 1000) });

export { fc };
