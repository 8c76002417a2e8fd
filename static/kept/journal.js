const NAME = "afterword";
const STORE = "kept";
const PATIENCE = 500; // milliseconds that a page waits for it: longer is a browser's fault, and it begins without

/** @typedef {{ name: string, value: unknown, at: number }} Note what is kept under a name since `at` */

/** @type {Promise<IDBDatabase> | undefined} */
let opening;

/** @returns {Promise<IDBDatabase>} */
function database() {
  opening ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "name" });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opening;
}

/**
 * Write down at once what localStorage may lose: IndexedDB is on its way to the disk in milliseconds, localStorage in
 * seconds (docs/decisions/0012-a-journal-of-what-is-kept.md). Where there is none, nothing is written.
 *
 * @param {Note} note
 */
export async function write(note) {
  await change((notes) => notes.put(note));
}

/** Forget all notes. */
export async function burn() {
  await change((notes) => notes.clear());
}

/**
 * What was written down after a moment, the earliest first.
 *
 * @param {number} at
 * @returns {Promise<Note[]>}
 */
export async function readSince(at) {
  /** @type {Promise<Note[]>} */
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE, []));
  const notes = await Promise.race([readAll(), late]);
  return notes.filter((note) => note.at > at).sort((one, other) => one.at - other.at);
}

/** @returns {Promise<Note[]>} */
async function readAll() {
  try {
    const request = (await database()).transaction(STORE).objectStore(STORE).getAll();
    return await done(request);
  } catch {
    return []; // refused
  }
}

/** @param {(notes: IDBObjectStore) => IDBRequest} act */
async function change(act) {
  try {
    await done(act((await database()).transaction(STORE, "readwrite").objectStore(STORE)));
  } catch {
    // refused, or full
  }
}

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
