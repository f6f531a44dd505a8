"""The real controller over the real store, in a world that one seed decides: no threads, no real time, any crash."""
