/** Cannot even start. */
throw new Error("not today");
