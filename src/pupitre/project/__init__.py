"""The composition root: settings, addresses, workers and the command line, where the contexts are put together."""
