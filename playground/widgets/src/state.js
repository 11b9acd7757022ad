// What a view shares with the outside: named values that a reader's deeds change and that a program may set.
// In a notebook they are a widget's traits; in a page of its own they go nowhere.

/**
 * @typedef {object} State
 * @property {(name: string) => any} get undefined if the outside knows no such name
 * @property {(name: string, value: unknown) => void} set tells the outside
 * @property {(name: string, listener: (value: any) => void) => void} follow until the view is removed: called when the outside set it
 */

/** A state that nobody else sees. @param {Record<string, unknown>} values @returns {State} */
export function ownState(values) {
  return { get: (name) => values[name], set: (name, value) => { values[name] = value; }, follow: () => {} };
}
