// What a browser tab remembers between visits. Works without storage too (private windows).

const PREFIX = "companion.playground.";

export class Memory {
  constructor(storage) {
    this.storage = storage;
    this.values = new Map();
  }

  get(name) {
    if (this.values.has(name)) return this.values.get(name);
    try {
      return JSON.parse(this.storage.getItem(PREFIX + name));
    } catch {
      return null;
    }
  }

  set(name, value) {
    this.values.set(name, value);
    try {
      this.storage.setItem(PREFIX + name, JSON.stringify(value));
    } catch {
      // a full or forbidden storage: the tab still remembers
    }
  }
}
