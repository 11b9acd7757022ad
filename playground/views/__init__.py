"""Views: pure functions from a `Trace` to rows, sentences and pictures. No kernel, no browser."""
