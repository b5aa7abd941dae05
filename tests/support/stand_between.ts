/** An object with some members in place of its own. */
export function replacing<T extends object>(real: T, members: Partial<T>): T {
  return new Proxy(real, {
    get(target, name) {
      if (name in members) return Reflect.get(members, name);
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** An object whose calls are heard, each before it is done. */
export function overheard<T extends object>(
  real: T,
  hear: (method: string, args: readonly unknown[]) => void,
): T {
  return new Proxy(real, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        hear(String(name), args);
        return value.apply(target, args);
      };
    },
  });
}
