"""Views: from a `Trace` to rows, sentences and pictures, by pure functions.

This room decides what is shown and said of a recording: which row a stretch of time is drawn in, what went wrong and
how it is put (one rule a function), what each colour and shape stands for, how a duration reads. The same recording
gives the same text, picture or bytes, always. It refuses to know who looks: it needs neither kernel nor browser, and
hands those who have them text, SVG, or packed columns. Nothing is measured here: each number is counted from rows, and
what they do not hold is left out or said to be unknown. Begin with `lanes`, `diagnosis` and `wording`.
"""
