/** What is measured of every map type, in the order in which a round asks for it. */
export const TYPE_MEASURES = ["lookup", "update"] as const;

export type TypeMeasure = (typeof TYPE_MEASURES)[number];
